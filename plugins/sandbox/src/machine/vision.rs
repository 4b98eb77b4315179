//! Vision services, which see what is not there: classes with confidences that vary.
//!
//! Of its attributes, `camera_name` is the camera that is asked when a call names none, and
//! `classifier` the classes that it knows: a name or a list of names.

use std::sync::Arc;

use serde_json::Value;
use tonic::{Request, Response, Status};
use viam_client::wire::RECEIVE_LIMIT;
use viam_proto::common::v1::{DoCommandRequest, DoCommandResponse};
use viam_proto::service::vision::v1 as pb;
use viam_proto::service::vision::v1::vision_service_server::{VisionService, VisionServiceServer};

use super::camera;
use super::resources::{Resource, Resources};

const API: &str = "rdk:service:vision";

/// The classes of a service that names none.
const USUAL_CLASSES: &[&str] = &["person", "cat", "dog"];

pub(super) fn service(resources: Arc<Resources>) -> VisionServiceServer<Resources> {
    VisionServiceServer::from_arc(resources).max_decoding_message_size(RECEIVE_LIMIT)
}

/// The camera that a service asks when a call names none.
fn usual_camera(vision: &Resource) -> Option<&str> {
    vision.attributes.get("camera_name").and_then(Value::as_str).filter(|name| !name.is_empty())
}

/// What a service knows.
fn classes(vision: &Resource) -> Vec<String> {
    let named: Vec<String> = match vision.attributes.get("classifier") {
        Some(Value::String(name)) => vec![name.clone()],
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    if named.is_empty() {
        return USUAL_CLASSES.iter().map(|&name| name.to_owned()).collect();
    }
    named
}

/// What a service sees now, the surest first.
fn seen(vision: &Resource) -> Vec<pb::Classification> {
    let tick = f64::from(vision.tick());
    let mut seen: Vec<_> = (1_u32..)
        .zip(classes(vision))
        .map(|(number, class_name)| {
            let confidence = 0.5 + 0.45 * (tick * 0.7 + f64::from(number) * 1.9).sin();
            pb::Classification { class_name, confidence }
        })
        .collect();
    seen.sort_by(|one, other| other.confidence.total_cmp(&one.confidence));
    seen
}

/// The surest `count` of what a service sees, all of it when it is not said how many.
fn classifications(vision: &Resource, count: i32) -> Vec<pb::Classification> {
    let count = usize::try_from(count).ok().filter(|count| *count > 0).unwrap_or(usize::MAX);
    seen(vision).into_iter().take(count).collect()
}

/// Boxes around what a service is rather sure of.
fn detections(vision: &Resource) -> Vec<pb::Detection> {
    let sure = seen(vision).into_iter().filter(|class| class.confidence >= 0.5);
    (0_u8..)
        .zip(sure)
        .map(|(number, class)| {
            let left = i64::from(number) * 12;
            pb::Detection {
                x_min: Some(left),
                y_min: Some(8),
                x_max: Some(left + 10),
                y_max: Some(40),
                confidence: class.confidence,
                class_name: class.class_name,
                ..Default::default()
            }
        })
        .collect()
}

impl Resources {
    /// The camera that a call is about.
    fn camera_of(&self, vision: &Resource, named: &str) -> Result<Resource, Status> {
        let name = if named.is_empty() {
            usual_camera(vision).ok_or_else(|| Status::invalid_argument("no camera is named"))?
        } else {
            named
        };
        self.find(camera::API, name)
    }
}

#[tonic::async_trait]
impl VisionService for Resources {
    async fn get_classifications_from_camera(
        &self,
        request: Request<pb::GetClassificationsFromCameraRequest>,
    ) -> Result<Response<pb::GetClassificationsFromCameraResponse>, Status> {
        let request = request.into_inner();
        let vision = self.find(API, &request.name)?;
        self.camera_of(&vision, &request.camera_name)?;
        let classifications = classifications(&vision, request.n);
        Ok(Response::new(pb::GetClassificationsFromCameraResponse { classifications }))
    }

    async fn get_classifications(
        &self,
        request: Request<pb::GetClassificationsRequest>,
    ) -> Result<Response<pb::GetClassificationsResponse>, Status> {
        let request = request.into_inner();
        let vision = self.find(API, &request.name)?;
        let classifications = classifications(&vision, request.n);
        Ok(Response::new(pb::GetClassificationsResponse { classifications }))
    }

    async fn get_detections_from_camera(
        &self,
        request: Request<pb::GetDetectionsFromCameraRequest>,
    ) -> Result<Response<pb::GetDetectionsFromCameraResponse>, Status> {
        let request = request.into_inner();
        let vision = self.find(API, &request.name)?;
        self.camera_of(&vision, &request.camera_name)?;
        let detections = detections(&vision);
        Ok(Response::new(pb::GetDetectionsFromCameraResponse { detections }))
    }

    async fn get_detections(
        &self,
        request: Request<pb::GetDetectionsRequest>,
    ) -> Result<Response<pb::GetDetectionsResponse>, Status> {
        let vision = self.find(API, &request.into_inner().name)?;
        let detections = detections(&vision);
        Ok(Response::new(pb::GetDetectionsResponse { detections }))
    }

    async fn get_properties(
        &self,
        request: Request<pb::GetPropertiesRequest>,
    ) -> Result<Response<pb::GetPropertiesResponse>, Status> {
        let vision = self.find(API, &request.into_inner().name)?;
        Ok(Response::new(pb::GetPropertiesResponse {
            classifications_supported: true,
            detections_supported: true,
            object_point_clouds_supported: false,
            default_camera: usual_camera(&vision).map(str::to_owned),
        }))
    }

    async fn capture_all_from_camera(
        &self,
        request: Request<pb::CaptureAllFromCameraRequest>,
    ) -> Result<Response<pb::CaptureAllFromCameraResponse>, Status> {
        let request = request.into_inner();
        let vision = self.find(API, &request.name)?;
        let camera = self.camera_of(&vision, &request.camera_name)?;
        let mut all = pb::CaptureAllFromCameraResponse::default();
        if request.return_image {
            all.image = Some(camera::image(&camera));
        }
        if request.return_classifications {
            all.classifications = classifications(&vision, 0);
        }
        if request.return_detections {
            all.detections = detections(&vision);
        }
        Ok(Response::new(all))
    }

    async fn do_command(
        &self,
        request: Request<DoCommandRequest>,
    ) -> Result<Response<DoCommandResponse>, Status> {
        self.echo(API, request)
    }
}
