//! Movement sensors: what one would tell that is driven round in a circle.

use std::f64::consts::TAU;
use std::sync::Arc;

use tonic::{Request, Response, Status};
use viam_client::wire::RECEIVE_LIMIT;
use viam_proto::common::v1::{
    DoCommandRequest, DoCommandResponse, GeoPoint, GetReadingsRequest, GetReadingsResponse,
    Orientation, Vector3,
};
use viam_proto::component::movementsensor::v1 as pb;
use viam_proto::component::movementsensor::v1::movement_sensor_service_server::{
    MovementSensorService, MovementSensorServiceServer,
};

use super::resources::Resources;
use super::sensor;

pub(super) const API: &str = "rdk:component:movement_sensor";

/// The middle of the circle.
const MIDDLE: GeoPoint = GeoPoint { latitude: 40.7, longitude: -74.0 };
const ALTITUDE_M: f32 = 12.0;

const RADIUS_M: f64 = 20.0;
const ROUND_SECS: f64 = 60.0;

/// The length of a degree of latitude.
const DEGREE_M: f64 = 111_320.0;

pub(super) fn service(resources: Arc<Resources>) -> MovementSensorServiceServer<Resources> {
    MovementSensorServiceServer::from_arc(resources).max_decoding_message_size(RECEIVE_LIMIT)
}

impl Resources {
    /// Where on the circle a sensor is, clockwise from north in radians.
    fn angle(&self, name: &str) -> Result<f64, Status> {
        let sensor = self.find(API, name)?;
        // The number of the call keeps two at once apart.
        let turn = self.since.elapsed().as_secs_f64() / ROUND_SECS;
        Ok(TAU * (turn + f64::from(sensor.tick()) / 1000.0).fract())
    }
}

fn position(angle: f64) -> GeoPoint {
    let east = DEGREE_M * MIDDLE.latitude.to_radians().cos();
    GeoPoint {
        latitude: MIDDLE.latitude + RADIUS_M * angle.cos() / DEGREE_M,
        longitude: MIDDLE.longitude + RADIUS_M * angle.sin() / east,
    }
}

/// It drives clockwise, so at the north of the circle to the east.
fn heading(angle: f64) -> f64 {
    (angle.to_degrees() + 90.0) % 360.0
}

#[tonic::async_trait]
impl MovementSensorService for Resources {
    async fn get_position(
        &self,
        request: Request<pb::GetPositionRequest>,
    ) -> Result<Response<pb::GetPositionResponse>, Status> {
        let coordinate = Some(position(self.angle(&request.into_inner().name)?));
        Ok(Response::new(pb::GetPositionResponse { coordinate, altitude_m: ALTITUDE_M }))
    }

    async fn get_compass_heading(
        &self,
        request: Request<pb::GetCompassHeadingRequest>,
    ) -> Result<Response<pb::GetCompassHeadingResponse>, Status> {
        let value = heading(self.angle(&request.into_inner().name)?);
        Ok(Response::new(pb::GetCompassHeadingResponse { value }))
    }

    async fn get_orientation(
        &self,
        request: Request<pb::GetOrientationRequest>,
    ) -> Result<Response<pb::GetOrientationResponse>, Status> {
        // Upright; seen from above it turns against the sense in which headings are counted.
        let theta = -heading(self.angle(&request.into_inner().name)?);
        let orientation = Some(Orientation { o_x: 0.0, o_y: 0.0, o_z: 1.0, theta });
        Ok(Response::new(pb::GetOrientationResponse { orientation }))
    }

    async fn get_linear_velocity(
        &self,
        request: Request<pb::GetLinearVelocityRequest>,
    ) -> Result<Response<pb::GetLinearVelocityResponse>, Status> {
        self.find(API, &request.into_inner().name)?;
        // In metres a second, forward as the sensor sees it.
        let linear_velocity = Some(Vector3 { x: 0.0, y: TAU * RADIUS_M / ROUND_SECS, z: 0.0 });
        Ok(Response::new(pb::GetLinearVelocityResponse { linear_velocity }))
    }

    async fn get_angular_velocity(
        &self,
        request: Request<pb::GetAngularVelocityRequest>,
    ) -> Result<Response<pb::GetAngularVelocityResponse>, Status> {
        self.find(API, &request.into_inner().name)?;
        let angular_velocity = Some(Vector3 { x: 0.0, y: 0.0, z: -360.0 / ROUND_SECS });
        Ok(Response::new(pb::GetAngularVelocityResponse { angular_velocity }))
    }

    async fn get_properties(
        &self,
        request: Request<pb::GetPropertiesRequest>,
    ) -> Result<Response<pb::GetPropertiesResponse>, Status> {
        self.find(API, &request.into_inner().name)?;
        Ok(Response::new(pb::GetPropertiesResponse {
            linear_velocity_supported: true,
            angular_velocity_supported: true,
            orientation_supported: true,
            position_supported: true,
            compass_heading_supported: true,
            linear_acceleration_supported: false,
        }))
    }

    async fn get_readings(
        &self,
        request: Request<GetReadingsRequest>,
    ) -> Result<Response<GetReadingsResponse>, Status> {
        let angle = self.angle(&request.into_inner().name)?;
        let GeoPoint { latitude, longitude } = position(angle);
        Ok(Response::new(sensor::readings(&[
            ("latitude", latitude),
            ("longitude", longitude),
            ("altitude_m", f64::from(ALTITUDE_M)),
            ("compass", heading(angle)),
        ])))
    }

    async fn do_command(
        &self,
        request: Request<DoCommandRequest>,
    ) -> Result<Response<DoCommandResponse>, Status> {
        self.echo(API, request)
    }
}
