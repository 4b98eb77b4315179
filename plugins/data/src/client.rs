//! Clients of the services, and calls that are tried again.

use std::sync::Arc;

use tonic::{Response, Status};
use viam_client::retry::{self, Failure};
use viam_client::wire::RECEIVE_LIMIT;
use viam_contract::{Output, Result, Wire};
use viam_proto::app::data::v1::data_service_client::DataServiceClient;
use viam_proto::app::dataset::v1::dataset_service_client::DatasetServiceClient;

/// The client of the data service, with the receive limit of the existing program.
pub(crate) fn data(wire: &Wire) -> DataServiceClient<Wire> {
    DataServiceClient::new(wire.clone()).max_decoding_message_size(RECEIVE_LIMIT)
}

/// The client of the dataset service.
pub(crate) fn datasets(wire: &Wire) -> DatasetServiceClient<Wire> {
    DatasetServiceClient::new(wire.clone()).max_decoding_message_size(RECEIVE_LIMIT)
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
