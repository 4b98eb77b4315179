//! Motors: turns that are counted, not made.

use std::sync::Arc;

use tokio::time::Instant;
use tonic::{Request, Response, Status};
use viam_client::wire::RECEIVE_LIMIT;
use viam_proto::common::v1::{DoCommandRequest, DoCommandResponse};
use viam_proto::component::motor::v1 as pb;
use viam_proto::component::motor::v1::motor_service_server::{MotorService, MotorServiceServer};

use super::resources::Resources;

const API: &str = "rdk:component:motor";

/// How fast a motor turns at full power.
const FULL_RPM: f64 = 100.0;

/// What a motor remembers.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The position where the running turn began, in revolutions.
    position: f64,
    /// The power of the running turn, -1 to 1.
    power: f64,
    /// When the running turn began; none when the motor stands.
    since: Option<Instant>,
}

impl State {
    /// Where the motor is by now.
    fn position(&self) -> f64 {
        let seconds = self.since.map_or(0.0, |since| since.elapsed().as_secs_f64());
        self.position + self.power * FULL_RPM / 60.0 * seconds
    }

    /// Stands still where it is.
    pub(super) fn stop(&mut self) {
        self.position = self.position();
        self.power = 0.0;
        self.since = None;
    }

    /// Turns with a power from now on.
    fn run(&mut self, power: f64) {
        self.stop();
        if power != 0.0 {
            self.power = power.clamp(-1.0, 1.0);
            self.since = Some(Instant::now());
        }
    }
}

pub(super) fn service(resources: Arc<Resources>) -> MotorServiceServer<Resources> {
    MotorServiceServer::from_arc(resources).max_decoding_message_size(RECEIVE_LIMIT)
}

/// A turn to a place needs a speed to get there.
fn check_speed(rpm: f64) -> Result<(), Status> {
    if rpm == 0.0 || !rpm.is_finite() {
        return Err(Status::invalid_argument(format!("cannot move a motor at {rpm} rpm")));
    }
    Ok(())
}

#[tonic::async_trait]
impl MotorService for Resources {
    async fn set_power(
        &self,
        request: Request<pb::SetPowerRequest>,
    ) -> Result<Response<pb::SetPowerResponse>, Status> {
        let pb::SetPowerRequest { name, power_pct, .. } = request.into_inner();
        let motor = self.find(API, &name)?;
        if !power_pct.is_finite() {
            return Err(Status::invalid_argument(format!("power_pct cannot be {power_pct}")));
        }
        motor.state().motor.run(power_pct);
        self.say(&name, &format!("set power to {power_pct}"));
        Ok(Response::new(pb::SetPowerResponse {}))
    }

    async fn go_for(
        &self,
        request: Request<pb::GoForRequest>,
    ) -> Result<Response<pb::GoForResponse>, Status> {
        let pb::GoForRequest { name, rpm, revolutions, .. } = request.into_inner();
        let motor = self.find(API, &name)?;
        check_speed(rpm)?;
        // It is there at once: nobody who tries a client wants to wait for it.
        let mut state = motor.state();
        state.motor.stop();
        state.motor.position += revolutions * rpm.signum();
        drop(state);
        self.say(&name, &format!("went for {revolutions} revolutions at {rpm} rpm"));
        Ok(Response::new(pb::GoForResponse {}))
    }

    async fn go_to(
        &self,
        request: Request<pb::GoToRequest>,
    ) -> Result<Response<pb::GoToResponse>, Status> {
        let pb::GoToRequest { name, rpm, position_revolutions, .. } = request.into_inner();
        let motor = self.find(API, &name)?;
        check_speed(rpm)?;
        let mut state = motor.state();
        state.motor.stop();
        state.motor.position = position_revolutions;
        drop(state);
        self.say(&name, &format!("went to {position_revolutions} revolutions at {rpm} rpm"));
        Ok(Response::new(pb::GoToResponse {}))
    }

    async fn set_rpm(
        &self,
        request: Request<pb::SetRpmRequest>,
    ) -> Result<Response<pb::SetRpmResponse>, Status> {
        let pb::SetRpmRequest { name, rpm, .. } = request.into_inner();
        let motor = self.find(API, &name)?;
        check_speed(rpm)?;
        motor.state().motor.run(rpm / FULL_RPM);
        self.say(&name, &format!("set speed to {rpm} rpm"));
        Ok(Response::new(pb::SetRpmResponse {}))
    }

    async fn reset_zero_position(
        &self,
        request: Request<pb::ResetZeroPositionRequest>,
    ) -> Result<Response<pb::ResetZeroPositionResponse>, Status> {
        let pb::ResetZeroPositionRequest { name, offset, .. } = request.into_inner();
        let motor = self.find(API, &name)?;
        let mut state = motor.state();
        let power = state.motor.power;
        state.motor.stop();
        // Zero lies `offset` ahead of where the motor is.
        state.motor.position = -offset;
        state.motor.run(power);
        drop(state);
        self.say(&name, "reset its zero position");
        Ok(Response::new(pb::ResetZeroPositionResponse {}))
    }

    async fn get_position(
        &self,
        request: Request<pb::GetPositionRequest>,
    ) -> Result<Response<pb::GetPositionResponse>, Status> {
        let motor = self.find(API, &request.into_inner().name)?;
        let position = motor.state().motor.position();
        Ok(Response::new(pb::GetPositionResponse { position }))
    }

    async fn get_properties(
        &self,
        request: Request<pb::GetPropertiesRequest>,
    ) -> Result<Response<pb::GetPropertiesResponse>, Status> {
        self.find(API, &request.into_inner().name)?;
        Ok(Response::new(pb::GetPropertiesResponse { position_reporting: true }))
    }

    async fn stop(
        &self,
        request: Request<pb::StopRequest>,
    ) -> Result<Response<pb::StopResponse>, Status> {
        let motor = self.find(API, &request.into_inner().name)?;
        motor.state().motor.stop();
        self.say(&motor.name, "stopped");
        Ok(Response::new(pb::StopResponse {}))
    }

    async fn is_powered(
        &self,
        request: Request<pb::IsPoweredRequest>,
    ) -> Result<Response<pb::IsPoweredResponse>, Status> {
        let motor = self.find(API, &request.into_inner().name)?;
        let power_pct = motor.state().motor.power;
        Ok(Response::new(pb::IsPoweredResponse { is_on: power_pct != 0.0, power_pct }))
    }

    async fn is_moving(
        &self,
        request: Request<pb::IsMovingRequest>,
    ) -> Result<Response<pb::IsMovingResponse>, Status> {
        let motor = self.find(API, &request.into_inner().name)?;
        let is_moving = motor.state().motor.since.is_some();
        Ok(Response::new(pb::IsMovingResponse { is_moving }))
    }

    async fn do_command(
        &self,
        request: Request<DoCommandRequest>,
    ) -> Result<Response<DoCommandResponse>, Status> {
        self.echo(API, request)
    }
}
