//! gRPC statuses in words: what failed, why, what to do.

use std::error::Error as StdError;

use tonic::metadata::{KeyAndValueRef, MetadataMap};
use tonic::{Code, Status};
use viam_contract::{Error, Kind, text};

/// Translates the failure of a call. `doing` is a fragment such as `could not list locations`.
///
/// An error of our own that travelled through the transport (no network, no login) comes out
/// with its own kind, message and hints.
#[must_use]
pub fn rpc_error(status: Status, doing: impl Into<String>) -> Error {
    tracing::debug!(
        target: "viam",
        "status {:?}: {}{}", status.code(), status.message(), shown(status.metadata())
    );
    if let Some(own) = own_error(&status) {
        return own.within(doing);
    }
    if let Some(why) = lost(&status) {
        return Error::new(Kind::Remote, doing).because(format!("the connection broke: {why}"));
    }
    let said = text::one_line(status.message()).into_owned();
    let with =
        |words: &str| if said.is_empty() { words.to_owned() } else { format!("{words}: {said}") };
    let (kind, cause) = match status.code() {
        Code::Unauthenticated => (Kind::Auth, with("the server does not accept the login")),
        Code::PermissionDenied => (Kind::User, with("permission denied")),
        Code::NotFound => (Kind::User, with("not found")),
        Code::AlreadyExists => (Kind::User, with("it exists already")),
        Code::InvalidArgument => (Kind::User, with("the server refused the request")),
        Code::FailedPrecondition => (Kind::User, with("it is not possible in this state")),
        Code::OutOfRange => (Kind::User, with("out of range")),
        Code::ResourceExhausted => (Kind::Remote, with("a limit of the server is reached")),
        Code::Unimplemented => (Kind::Remote, with("the server does not know this call")),
        Code::Unavailable => (Kind::Remote, with("the server is not available")),
        Code::DeadlineExceeded => (Kind::Remote, with("the server took too long")),
        Code::Cancelled => (Kind::Remote, with("the call was cancelled")),
        Code::Aborted => (Kind::Remote, with("the server gave up")),
        Code::DataLoss => (Kind::Remote, with("the server lost data")),
        Code::Internal | Code::Unknown | Code::Ok => (Kind::Remote, with("the server failed")),
    };
    let error = Error::new(kind, doing.into()).because(cause);
    match status.code() {
        Code::Unauthenticated => error.hint_run("viam login"),
        Code::PermissionDenied => error.hint_run("viam whoami"),
        _ => error,
    }
}

/// The metadata of an answer for a trace, without the values that could be secrets.
fn shown(metadata: &MetadataMap) -> String {
    let secret = |name: &str| {
        ["auth", "cookie", "token", "secret", "key", "password"]
            .iter()
            .any(|word| name.contains(word))
    };
    let mut line = String::new();
    for entry in metadata.iter() {
        let (name, value) = match entry {
            KeyAndValueRef::Ascii(name, value) => (name.as_str(), value.to_str().unwrap_or("?")),
            KeyAndValueRef::Binary(name, _) => (name.as_str(), "(bytes)"),
        };
        let value = if secret(name) { "***" } else { value };
        line.push_str(&format!(" {name}={}", text::one_line(value)));
    }
    line
}

/// Why the connection broke, for a status that no server has sent: what the system or the protocol
/// below says.
#[must_use]
pub fn lost(status: &Status) -> Option<String> {
    if own_error(status).is_some() {
        return None;
    }
    let mut deepest = status.source()?;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    Some(text::one_line(&deepest.to_string()).into_owned())
}

/// The error of our own that travelled through the transport in a status, if there is one.
#[must_use]
pub fn own_error(status: &Status) -> Option<&Error> {
    let mut next: Option<&(dyn StdError + 'static)> = status.source();
    while let Some(error) = next {
        if let Some(own) = error.downcast_ref::<Error>() {
            return Some(own);
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_kinds_and_words() {
        let error = rpc_error(Status::unauthenticated("token expired"), "could not list locations");
        assert_eq!(error.kind(), Kind::Auth);
        assert_eq!(error.causes(), ["the server does not accept the login: token expired"]);
        assert!(!error.hints().is_empty());
        let error = rpc_error(Status::not_found("100% not\u{1b}[2J"), "could not x");
        assert_eq!(error.causes(), ["not found: 100% not\\u{1b}[2J"]);
    }

    #[test]
    fn a_connection_that_broke_is_no_answer_of_a_server() {
        let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let status = Status::from_error(Box::new(broken));
        let error = rpc_error(status, "could not x");
        assert_eq!(error.kind(), Kind::Remote);
        assert_eq!(error.causes(), ["the connection broke: connection reset"]);
        assert_eq!(lost(&Status::unknown("transport error")), None);
    }

    #[test]
    fn metadata_is_traced_without_secrets() {
        let mut metadata = MetadataMap::new();
        for (name, value) in
            [("x-request-id", "r1"), ("set-cookie", "hidden"), ("x-api-key", "hidden")]
        {
            metadata.insert(name, value.parse().expect("value"));
        }
        let line = shown(&metadata);
        assert!(line.contains(" x-request-id=r1") && line.contains(" x-api-key=***"), "{line}");
        assert!(!line.contains("hidden"), "{line}");
    }

    #[test]
    fn an_error_of_our_own_keeps_its_kind_and_hints() {
        let own = Error::new(Kind::Auth, "not logged in").hint_run("viam login");
        let status = Status::from_error(Box::new(own));
        let error = rpc_error(status, "could not list organizations");
        assert_eq!(error.kind(), Kind::Auth);
        assert_eq!(error.causes(), ["not logged in"]);
        assert_eq!(error.hints().len(), 1);
    }
}
