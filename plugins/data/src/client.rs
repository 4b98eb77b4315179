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

/// How long a query may take.
const QUERY_LIMIT: Duration = Duration::from_secs(600);

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

/// As [`patient`], for a query, which the server may think about for minutes. One that has taken
/// too long is not begun again.
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
            let mut request = Request::new(message.clone());
            request.extensions_mut().insert(LongLived);
            let answer = timeout(QUERY_LIMIT, call(request));
            async move {
                let answer = answer
                    .await
                    .unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer in 10 minutes")));
                match answer {
                    Ok(answer) => Ok(answer.into_inner()),
                    Err(status) if status.code() == Code::DeadlineExceeded => {
                        Err(Failure::lasting(rpc_error(status, doing)))
                    }
                    Err(status) => Err(Failure::of_call(status, doing)),
                }
            }
        },
    )
    .await
}
