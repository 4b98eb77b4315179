//! `viam.robot.v1.RobotService`: the machine as a whole.

use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming};
use viam_proto::robot::v1 as pb;
use viam_proto::robot::v1::robot_service_server::RobotService;

use super::resources::Resources;

#[tonic::async_trait]
impl RobotService for Resources {
    async fn resource_names(
        &self,
        _: Request<pb::ResourceNamesRequest>,
    ) -> Result<Response<pb::ResourceNamesResponse>, Status> {
        let resources = self.all().iter().map(|resource| resource.resource_name()).collect();
        Ok(Response::new(pb::ResourceNamesResponse { resources }))
    }

    async fn get_machine_status(
        &self,
        _: Request<pb::GetMachineStatusRequest>,
    ) -> Result<Response<pb::GetMachineStatusResponse>, Status> {
        let resources = self
            .all()
            .iter()
            .map(|resource| pb::ResourceStatus {
                name: Some(resource.resource_name()),
                state: pb::resource_status::State::Ready as i32,
                ..Default::default()
            })
            .collect();
        Ok(Response::new(pb::GetMachineStatusResponse {
            resources,
            state: pb::get_machine_status_response::State::Running as i32,
            ..Default::default()
        }))
    }

    async fn get_version(
        &self,
        _: Request<pb::GetVersionRequest>,
    ) -> Result<Response<pb::GetVersionResponse>, Status> {
        Ok(Response::new(pb::GetVersionResponse {
            platform: "rdk".to_owned(),
            version: concat!(env!("CARGO_PKG_VERSION"), "-sandbox").to_owned(),
            api_version: concat!(env!("CARGO_PKG_VERSION"), "-sandbox").to_owned(),
        }))
    }

    async fn list_tunnels(
        &self,
        _: Request<pb::ListTunnelsRequest>,
    ) -> Result<Response<pb::ListTunnelsResponse>, Status> {
        let tunnels = self.listed_tunnels().await;
        Ok(Response::new(pb::ListTunnelsResponse { tunnels }))
    }

    async fn tunnel(
        &self,
        request: Request<Streaming<pb::TunnelRequest>>,
    ) -> Result<Response<BoxStream<pb::TunnelResponse>>, Status> {
        self.tunnelled(request).await
    }

    async fn get_operations(
        &self,
        _: Request<pb::GetOperationsRequest>,
    ) -> Result<Response<pb::GetOperationsResponse>, Status> {
        // Whatever is asked is done at once.
        Ok(Response::new(pb::GetOperationsResponse { operations: Vec::new() }))
    }

    async fn stop_all(
        &self,
        _: Request<pb::StopAllRequest>,
    ) -> Result<Response<pb::StopAllResponse>, Status> {
        for resource in self.all() {
            resource.state().motor.stop();
        }
        self.say(&self.name, "stopped everything");
        Ok(Response::new(pb::StopAllResponse {}))
    }
}
