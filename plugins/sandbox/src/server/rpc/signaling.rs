//! `proto.rpc.webrtc.v1.SignalingService`: who may reach which machine, and be it
//! (cloud-side.md §2).

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::{ReceiverStream, UnboundedReceiverStream};
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming};
use viam_proto::rpc::webrtc::v1 as pb;
use viam_proto::rpc::webrtc::v1::signaling_service_server::{
    SignalingService, SignalingServiceServer,
};

use super::access::Level;
use super::{access, answer, ask};
use crate::server::state::Shared;
use crate::server::{ice, secrets};
use crate::store::{Identity, parts};

/// Messages to a machine that wait.
const QUEUE: usize = 16;

struct Signaling {
    shared: Arc<Shared>,
}

pub(super) fn service(shared: Arc<Shared>) -> SignalingServiceServer<impl SignalingService> {
    SignalingServiceServer::new(Signaling { shared })
}

impl Signaling {
    /// The machine that is meant, if the caller is it or has such rights on it.
    async fn host<T>(&self, request: &Request<T>, wanted: Level) -> Result<String, Status> {
        let mut names = request.metadata().get_all("rpc-host").iter();
        let name = names.next().and_then(|name| name.to_str().ok()).map(str::to_owned);
        let (Some(name), None) = (name, names.next()) else {
            return Err(Status::unknown("expected rpc-host to be set in metadata"));
        };
        let (access, host) = (access(request)?, name.clone());
        ask(&self.shared, &access, move |call| match parts::with_fqdn(call.db, &host)? {
            Some(part) if call.caller.who == Identity::Part(part.id.clone()) => Ok(()),
            Some(part) => call.part(&part.id, wanted).map(|_| ()),
            None => Err(Status::invalid_argument("host not preconfigured").into()),
        })
        .await?;
        Ok(name)
    }
}

#[tonic::async_trait]
impl SignalingService for Signaling {
    async fn call(
        &self,
        request: Request<pb::CallRequest>,
    ) -> Result<Response<BoxStream<pb::CallResponse>>, Status> {
        let host = self.host(&request, Level::Read).await?;
        let uuid = secrets::id().map_err(|error| Status::internal(error.to_string()))?;
        let answers = self.shared.relay.call(&host, uuid, request.into_inner().sdp).await?;
        Ok(Response::new(Box::pin(UnboundedReceiverStream::new(answers).map(|answer| answer))))
    }

    async fn call_update(
        &self,
        request: Request<pb::CallUpdateRequest>,
    ) -> Result<Response<pb::CallUpdateResponse>, Status> {
        self.host(&request, Level::Read).await?;
        let pb::CallUpdateRequest { uuid, update } = request.into_inner();
        if let Some(update) = update {
            self.shared.relay.update(&uuid, update)?;
        }
        Ok(Response::new(pb::CallUpdateResponse {}))
    }

    async fn answer(
        &self,
        request: Request<Streaming<pb::AnswerResponse>>,
    ) -> Result<Response<BoxStream<pb::AnswerRequest>>, Status> {
        let host = self.host(&request, Level::Write).await?;
        let beats = request.metadata().get("heartbeats-allowed");
        let heartbeats = beats.is_some_and(|value| value == "true");
        let (requests, asked) = mpsc::channel(QUEUE);
        let machine =
            answer::Waiting { host, heartbeats, config: ice::config(&self.shared.ice_servers) };
        let relay = self.shared.relay.clone();
        tokio::spawn(answer::run(relay, machine, request.into_inner(), requests));
        Ok(Response::new(Box::pin(ReceiverStream::new(asked))))
    }

    async fn optional_web_rtc_config(
        &self,
        request: Request<pb::OptionalWebRtcConfigRequest>,
    ) -> Result<Response<pb::OptionalWebRtcConfigResponse>, Status> {
        self.host(&request, Level::Read).await?;
        let config = Some(ice::config(&self.shared.ice_servers));
        Ok(Response::new(pb::OptionalWebRtcConfigResponse { config }))
    }

    async fn report_connection_metadata(
        &self,
        _: Request<pb::ReportConnectionMetadataRequest>,
    ) -> Result<Response<pb::ReportConnectionMetadataResponse>, Status> {
        Ok(Response::new(pb::ReportConnectionMetadataResponse {}))
    }
}
