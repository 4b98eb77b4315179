//! The call itself: bytes to a method and bytes back, whatever kind of method it is.

use std::future::Future;
use std::time::Duration;

use bytes::{Buf as _, BufMut as _, Bytes};
use futures_util::stream;
use http::uri::PathAndQuery;
use prost_reflect::MethodDescriptor;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Code, Request, Status, Streaming};
use viam_client::wire::{LongLived, RECEIVE_LIMIT};
use viam_client::{lost, own_error, rpc_error};
use viam_contract::{Context, Error, Exit, Kind, Result, Wire};

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The machine, or the way to it, said no.
    Status(Status),
    /// Anything of ours.
    Error(Error),
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Failure {
    /// Whether the connection is to blame, so that another one may do better.
    pub(super) fn is_of_transport(&self) -> bool {
        match self {
            Self::Status(status) => match own_error(status) {
                Some(error) => error.kind() == Kind::Remote,
                None => status.code() == Code::Unavailable || lost(status).is_some(),
            },
            Self::Error(_) => false,
        }
    }

    /// The error of the command. A status of the machine is printed here, in the form that
    /// scripts know, and leaves nothing more to say.
    pub(super) fn report(self, cx: &Context, doing: &str) -> Error {
        match self {
            Self::Error(error) => error,
            Self::Status(status) if own_error(&status).is_some() || lost(&status).is_some() => {
                rpc_error(status, doing)
            }
            Self::Status(status) => {
                cx.output.note(&shown(&status));
                Error::new(Kind::Child(Exit::Code(1)), doing)
            }
        }
    }
}

/// A status as the existing program prints it, with the names that codes have in Go.
fn shown(status: &Status) -> String {
    let code = match status.code() {
        Code::Cancelled => "Canceled".to_owned(),
        code => format!("{code:?}"),
    };
    format!("ERROR:\n  Code: {code}\n  Message: {}", status.message())
}

/// Sends all requests and gives each answer to `each` as it comes.
pub(super) async fn call(
    wire: &Wire,
    method: &MethodDescriptor,
    requests: Vec<Bytes>,
    mut each: impl FnMut(Bytes) -> Result<()>,
) -> Result<(), Failure> {
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let mut answers = exchange(wire, path, requests).await?;
    let mut count = 0;
    while let Some(answer) = answers.message().await? {
        count += 1;
        each(answer)?;
    }
    if count == 0 && !method.is_server_streaming() {
        return Err(Status::internal("the answer has no message").into());
    }
    Ok(())
}

/// The same for at most so long.
pub(super) async fn within<T>(
    limit: Option<Duration>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let Some(limit) = limit else { return work.await };
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        Err(Error::new(Kind::Remote, format!("the call did not end within {limit:?}"))
            .hint_text("give more time with --timeout")
            .into())
    })
}

/// Opens a call. All kinds of methods look alike on the wire, so the most general one serves.
pub(super) async fn exchange(
    wire: &Wire,
    path: String,
    requests: Vec<Bytes>,
) -> Result<Streaming<Bytes>, Failure> {
    let path = PathAndQuery::try_from(path.as_str()).map_err(|error| {
        Error::new(Kind::Usage, format!("{path} cannot be the path of a method")).because(error)
    })?;
    let mut grpc = Grpc::new(wire.clone())
        .max_decoding_message_size(RECEIVE_LIMIT)
        .max_encoding_message_size(RECEIVE_LIMIT);
    grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
    let mut request = Request::new(stream::iter(requests));
    // An answer may take as long as a motor turns.
    request.extensions_mut().insert(LongLived);
    Ok(grpc.streaming(request, path, Raw).await?.into_inner())
}

/// Messages that are encoded already.
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buf: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buf.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buf.copy_to_bytes(buf.remaining())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_has_its_documented_form() {
        let status = Status::failed_precondition("50% done");
        assert_eq!(shown(&status), "ERROR:\n  Code: FailedPrecondition\n  Message: 50% done");
        assert!(shown(&Status::cancelled("")).contains("Code: Canceled\n"));
    }

    #[test]
    fn the_transport_is_to_blame_for_what_it_lost() {
        assert!(Failure::from(Status::unavailable("gone")).is_of_transport());
        assert!(!Failure::from(Status::not_found("x")).is_of_transport());
        let own = |kind| Failure::from(Status::from_error(Box::new(Error::new(kind, "x"))));
        assert!(own(Kind::Remote).is_of_transport() && !own(Kind::Auth).is_of_transport());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_limit_ends_the_wait() {
        let never = std::future::pending::<Result<(), Failure>>();
        let failure = within(Some(Duration::from_millis(1)), never).await.expect_err("late");
        assert!(matches!(failure, Failure::Error(error) if error.kind() == Kind::Remote));
    }
}
