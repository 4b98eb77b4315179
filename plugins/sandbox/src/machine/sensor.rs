//! Sensors: readings that drift.

use std::sync::Arc;

use prost_types::Value;
use prost_types::value::Kind;
use tonic::{Request, Response, Status};
use viam_client::wire::RECEIVE_LIMIT;
use viam_proto::common::v1::{
    DoCommandRequest, DoCommandResponse, GetReadingsRequest, GetReadingsResponse,
};
use viam_proto::component::sensor::v1::sensor_service_server::{
    SensorService, SensorServiceServer,
};

use super::resources::Resources;

pub(super) const API: &str = "rdk:component:sensor";

pub(super) fn service(resources: Arc<Resources>) -> SensorServiceServer<Resources> {
    SensorServiceServer::from_arc(resources).max_decoding_message_size(RECEIVE_LIMIT)
}

/// Readings that are numbers.
pub(super) fn readings(numbers: &[(&str, f64)]) -> GetReadingsResponse {
    let readings = numbers
        .iter()
        .map(|&(key, value)| (key.to_owned(), Value { kind: Some(Kind::NumberValue(value)) }))
        .collect();
    GetReadingsResponse { readings }
}

#[tonic::async_trait]
impl SensorService for Resources {
    async fn get_readings(
        &self,
        request: Request<GetReadingsRequest>,
    ) -> Result<Response<GetReadingsResponse>, Status> {
        let sensor = self.find(API, &request.into_inner().name)?;
        let reading = sensor.tick();
        // A minute there and back; the number of the reading keeps two at once apart.
        let turn = self.since.elapsed().as_secs_f64() / 10.0 + f64::from(reading) / 100.0;
        Ok(Response::new(readings(&[
            ("temperature_celsius", 21.0 + 2.5 * turn.sin()),
            ("relative_humidity_pct", 45.0 + 8.0 * turn.cos()),
            ("reading", f64::from(reading)),
        ])))
    }

    async fn do_command(
        &self,
        request: Request<DoCommandRequest>,
    ) -> Result<Response<DoCommandResponse>, Status> {
        self.echo(API, request)
    }
}
