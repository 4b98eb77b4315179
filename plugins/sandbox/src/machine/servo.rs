//! Servos: an angle that is there as soon as it is asked for.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use viam_client::wire::RECEIVE_LIMIT;
use viam_proto::common::v1::{DoCommandRequest, DoCommandResponse};
use viam_proto::component::servo::v1 as pb;
use viam_proto::component::servo::v1::servo_service_server::{ServoService, ServoServiceServer};

use super::resources::Resources;

const API: &str = "rdk:component:servo";

/// The largest angle a servo can take.
const LARGEST_DEG: u32 = 180;

/// What a servo remembers.
#[derive(Debug, Default)]
pub(super) struct State {
    angle_deg: u32,
}

pub(super) fn service(resources: Arc<Resources>) -> ServoServiceServer<Resources> {
    ServoServiceServer::from_arc(resources).max_decoding_message_size(RECEIVE_LIMIT)
}

#[tonic::async_trait]
impl ServoService for Resources {
    async fn r#move(
        &self,
        request: Request<pb::MoveRequest>,
    ) -> Result<Response<pb::MoveResponse>, Status> {
        let pb::MoveRequest { name, angle_deg, .. } = request.into_inner();
        let servo = self.find(API, &name)?;
        if angle_deg > LARGEST_DEG {
            return Err(Status::invalid_argument(format!(
                "angle_deg must be at most {LARGEST_DEG}, not {angle_deg}"
            )));
        }
        servo.state().servo.angle_deg = angle_deg;
        self.say(&name, &format!("moved to {angle_deg} degrees"));
        Ok(Response::new(pb::MoveResponse {}))
    }

    async fn get_position(
        &self,
        request: Request<pb::GetPositionRequest>,
    ) -> Result<Response<pb::GetPositionResponse>, Status> {
        let servo = self.find(API, &request.into_inner().name)?;
        let position_deg = servo.state().servo.angle_deg;
        Ok(Response::new(pb::GetPositionResponse { position_deg }))
    }

    async fn stop(
        &self,
        request: Request<pb::StopRequest>,
    ) -> Result<Response<pb::StopResponse>, Status> {
        let servo = self.find(API, &request.into_inner().name)?;
        self.say(&servo.name, "stopped");
        Ok(Response::new(pb::StopResponse {}))
    }

    async fn is_moving(
        &self,
        request: Request<pb::IsMovingRequest>,
    ) -> Result<Response<pb::IsMovingResponse>, Status> {
        self.find(API, &request.into_inner().name)?;
        Ok(Response::new(pb::IsMovingResponse { is_moving: false }))
    }

    async fn do_command(
        &self,
        request: Request<DoCommandRequest>,
    ) -> Result<Response<DoCommandResponse>, Status> {
        self.echo(API, request)
    }
}
