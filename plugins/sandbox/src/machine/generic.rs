//! Resources of no other kind: what is asked comes back.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use viam_client::wire::RECEIVE_LIMIT;
use viam_proto::common::v1::{DoCommandRequest, DoCommandResponse};
use viam_proto::component::generic::v1::generic_service_server as of_components;
use viam_proto::service::generic::v1::generic_service_server as of_services;

use super::resources::Resources;

pub(super) fn component(
    resources: Arc<Resources>,
) -> of_components::GenericServiceServer<Resources> {
    of_components::GenericServiceServer::from_arc(resources)
        .max_decoding_message_size(RECEIVE_LIMIT)
}

pub(super) fn service(resources: Arc<Resources>) -> of_services::GenericServiceServer<Resources> {
    of_services::GenericServiceServer::from_arc(resources).max_decoding_message_size(RECEIVE_LIMIT)
}

#[tonic::async_trait]
impl of_components::GenericService for Resources {
    async fn do_command(
        &self,
        request: Request<DoCommandRequest>,
    ) -> Result<Response<DoCommandResponse>, Status> {
        self.echo("rdk:component:generic", request)
    }
}

#[tonic::async_trait]
impl of_services::GenericService for Resources {
    async fn do_command(
        &self,
        request: Request<DoCommandRequest>,
    ) -> Result<Response<DoCommandResponse>, Status> {
        self.echo("rdk:service:generic", request)
    }
}
