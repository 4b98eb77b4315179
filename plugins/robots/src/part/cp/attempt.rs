//! Why an attempt failed, and whether another one may do better (behaviour.md §1.10).

use tonic::{Code, Status};
use viam_client::rpc_error;
use viam_contract::{Error, Kind};

/// An attempt that failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// It would fail again.
    Permanent(Error),
    /// Another one may succeed.
    Passing(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Permanent(error)
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let code = status.code();
        let said = status.message();
        let permanent = match code {
            Code::InvalidArgument if said.contains("copy recursion not used") => {
                Error::new(Kind::User, "copy aborted")
                    .because(format!("{said} (you can use -r to enable this)"))
            }
            Code::PermissionDenied => rpc_error(status, "copy aborted")
                .hint_text("the path must be one that the machine may read or write"),
            Code::NotFound
            | Code::InvalidArgument
            | Code::Unauthenticated
            | Code::Unimplemented => rpc_error(status, "copy aborted"),
            _ => return Self::Passing(rpc_error(status, "the copy broke off")),
        };
        Self::Permanent(permanent)
    }
}

/// The connection or the machine did something that is not expected.
pub(super) fn passing(words: impl Into<String>) -> Failure {
    Failure::Passing(Error::new(Kind::Remote, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_fail_again_is_not_tried_again() {
        for code in [Code::NotFound, Code::PermissionDenied, Code::InvalidArgument] {
            assert!(matches!(Failure::from(Status::new(code, "x")), Failure::Permanent(_)));
        }
        for code in [Code::Unavailable, Code::Internal, Code::Unknown, Code::Cancelled] {
            assert!(matches!(Failure::from(Status::new(code, "x")), Failure::Passing(_)));
        }
        let status = Status::invalid_argument("file is a directory but copy recursion not used");
        let Failure::Permanent(error) = Failure::from(status) else { panic!("tried again") };
        assert!(error.one_line().contains("not used (you can use -r to enable this)"));
    }
}
