//! Clients of the services, and calls that are tried again.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tonic::{Code, Request, Response, Status};
use viam_client::retry::{self, Failure};
use viam_client::rpc_error;
use viam_client::wire::{LongLived, RECEIVE_LIMIT};
use viam_contract::{Output, Result, Wire};
use viam_proto::app::data::v1::data_service_client::DataServiceClient;
use viam_proto::app::datapipelines::v1::data_pipelines_service_client::DataPipelinesServiceClient;
use viam_proto::app::dataset::v1::dataset_service_client::DatasetServiceClient;

/// How long a query or a deletion may take.
const LONG: Duration = Duration::from_secs(600);

/// The client of the data service, with the receive limit of the existing program.
pub(crate) fn data(wire: &Wire) -> DataServiceClient<Wire> {
    DataServiceClient::new(wire.clone()).max_decoding_message_size(RECEIVE_LIMIT)
}

/// The client of the dataset service.
pub(crate) fn datasets(wire: &Wire) -> DatasetServiceClient<Wire> {
    DatasetServiceClient::new(wire.clone()).max_decoding_message_size(RECEIVE_LIMIT)
}

/// The client of the service of data pipelines.
pub(crate) fn pipelines(wire: &Wire) -> DataPipelinesServiceClient<Wire> {
    DataPipelinesServiceClient::new(wire.clone()).max_decoding_message_size(RECEIVE_LIMIT)
}

/// Makes a call that may be made twice until it is answered; waits are told on stderr.
///
/// # Errors
/// `doing`, with the cause.
pub(crate) async fn patient<T, F, Fut>(output: &Arc<Output>, doing: &str, mut call: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Response<T>, Status>>,
{
    retry::until_done(
        |words| output.status_once(words),
        || {
            let answer = call();
            async move {
                let answer = answer.await.map_err(|status| Failure::of_call(status, doing))?;
                Ok(answer.into_inner())
            }
        },
    )
    .await
}

/// Makes a call that the server may work on for minutes, such as a query.
///
/// # Errors
/// The status of the answer, or that there was none in time.
pub(crate) async fn unhurried<M, T, F, Fut>(message: M, call: F) -> Result<T, Status>
where
    F: FnOnce(Request<M>) -> Fut,
    Fut: Future<Output = Result<Response<T>, Status>>,
{
    let mut request = Request::new(message);
    request.extensions_mut().insert(LongLived);
    match timeout(LONG, call(request)).await {
        Ok(answer) => answer.map(Response::into_inner),
        Err(_) => Err(Status::deadline_exceeded("no answer came in 10 minutes")),
    }
}

/// As [`patient`], for a query. One that has taken too long is not begun again.
///
/// # Errors
/// `doing`, with the cause.
pub(crate) async fn query<M, T, F, Fut>(
    output: &Arc<Output>,
    doing: &str,
    message: M,
    call: F,
) -> Result<T>
where
    M: Clone,
    F: Fn(Request<M>) -> Fut,
    Fut: Future<Output = Result<Response<T>, Status>>,
{
    retry::until_done(
        |words| output.status_once(words),
        || {
            let answer = unhurried(message.clone(), &call);
            async move {
                answer.await.map_err(|status| match status.code() {
                    Code::DeadlineExceeded => Failure::lasting(rpc_error(status, doing)),
                    _ => Failure::of_call(status, doing),
                })
            }
        },
    )
    .await
}
