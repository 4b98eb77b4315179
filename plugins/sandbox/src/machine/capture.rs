//! What the data manager of a machine would capture and send: a picture of each camera and a
//! reading of each sensor.

use prost_types::value::Kind;
use prost_types::{Struct, Value};
use tonic::{Request, Status};
use viam_proto::app::datasync::v1 as pb;
use viam_proto::common::v1::GetReadingsRequest;
use viam_proto::component::movementsensor::v1::movement_sensor_service_server::MovementSensorService;
use viam_proto::component::sensor::v1::sensor_service_server::SensorService;

use super::resources::{Resource, Resources};
use super::{Machine, camera, movement, sensor};

impl Machine {
    /// One capture of each camera and each sensor, as the part of that id sends it.
    pub(crate) async fn captured(&self, part: &str) -> Vec<pb::DataCaptureUploadRequest> {
        let mut requests = Vec::new();
        for resource in self.resources.all() {
            // A resource that is gone in between captures nothing.
            if let Ok(Some((method, data))) = capture(&self.resources, &resource).await {
                requests.push(request(part, &resource, method, data));
            }
        }
        requests
    }
}

async fn capture(
    resources: &Resources,
    resource: &Resource,
) -> Result<Option<(&'static str, pb::sensor_data::Data)>, Status> {
    let asked = GetReadingsRequest { name: resource.name.clone(), ..GetReadingsRequest::default() };
    let readings = match resource.api.as_str() {
        camera::API => {
            let picture = camera::image(resource).image;
            return Ok(Some(("GetImages", pb::sensor_data::Data::Binary(picture))));
        }
        sensor::API => SensorService::get_readings(resources, Request::new(asked)).await?,
        movement::API => {
            MovementSensorService::get_readings(resources, Request::new(asked)).await?
        }
        _ => return Ok(None),
    };
    let fields = readings.into_inner().readings.into_iter().collect();
    let readings = Value { kind: Some(Kind::StructValue(Struct { fields })) };
    let fields = [("readings".to_owned(), readings)].into();
    Ok(Some(("Readings", pb::sensor_data::Data::Struct(Struct { fields }))))
}

fn request(
    part: &str,
    resource: &Resource,
    method: &str,
    data: pb::sensor_data::Data,
) -> pb::DataCaptureUploadRequest {
    let (mime, kind) = match data {
        pb::sensor_data::Data::Binary(_) => (camera::PNG, pb::DataType::BinarySensor),
        pb::sensor_data::Data::Struct(_) => ("", pb::DataType::TabularSensor),
    };
    let metadata = pb::UploadMetadata {
        part_id: part.to_owned(),
        component_type: resource.api.clone(),
        component_name: resource.name.clone(),
        method_name: method.to_owned(),
        r#type: kind.into(),
        mime_type: mime.to_owned(),
        ..pb::UploadMetadata::default()
    };
    let contents = pb::SensorData { metadata: None, data: Some(data) };
    pb::DataCaptureUploadRequest { metadata: Some(metadata), sensor_contents: vec![contents] }
}
