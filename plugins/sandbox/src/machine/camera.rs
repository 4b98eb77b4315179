//! Cameras: a small picture in which a bar wanders.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use viam_client::wire::RECEIVE_LIMIT;
use viam_proto::common::v1::{DoCommandRequest, DoCommandResponse, ResponseMetadata};
use viam_proto::component::camera::v1 as pb;
use viam_proto::component::camera::v1::camera_service_server::{
    CameraService, CameraServiceServer,
};

use super::png;
use super::resources::{Resource, Resources};

pub(super) const API: &str = "rdk:component:camera";

/// The only source of pictures that a camera has.
const SOURCE: &str = "color";

pub(super) const PNG: &str = "image/png";
const WIDTH: u32 = 64;
const HEIGHT: u32 = 48;

/// How wide the bar is.
const BAR: u32 = 8;

pub(super) fn service(resources: Arc<Resources>) -> CameraServiceServer<Resources> {
    CameraServiceServer::from_arc(resources).max_decoding_message_size(RECEIVE_LIMIT)
}

/// The next picture of a camera.
pub(super) fn image(camera: &Resource) -> pb::Image {
    pb::Image {
        source_name: SOURCE.to_owned(),
        image: picture(camera.tick()).into(),
        mime_type: PNG.to_owned(),
        annotations: None,
    }
}

/// A PNG of a number; all have the same length.
pub(crate) fn picture(number: u32) -> Vec<u8> {
    let bar = number % WIDTH;
    png::picture(WIDTH, HEIGHT, |x, y| {
        if (x + WIDTH - bar) % WIDTH < BAR {
            return [240, 200, 40];
        }
        let shade = |part: u32, whole: u32| u8::try_from(part * 255 / whole).unwrap_or(u8::MAX);
        [shade(x, WIDTH), shade(y, HEIGHT), 96]
    })
}

#[tonic::async_trait]
impl CameraService for Resources {
    async fn get_images(
        &self,
        request: Request<pb::GetImagesRequest>,
    ) -> Result<Response<pb::GetImagesResponse>, Status> {
        let request = request.into_inner();
        let camera = self.find(API, &request.name)?;
        let wanted = &request.filter_source_names;
        let unknown = wanted.iter().find(|name| *name != SOURCE);
        if let Some(unknown) = unknown {
            return Err(Status::invalid_argument(format!(
                "the camera {:?} has no source {unknown:?}, only {SOURCE:?}",
                request.name
            )));
        }
        Ok(Response::new(pb::GetImagesResponse {
            images: vec![image(&camera)],
            response_metadata: Some(ResponseMetadata::default()),
        }))
    }

    async fn get_properties(
        &self,
        request: Request<pb::GetPropertiesRequest>,
    ) -> Result<Response<pb::GetPropertiesResponse>, Status> {
        self.find(API, &request.into_inner().name)?;
        let focal = f64::from(WIDTH);
        Ok(Response::new(pb::GetPropertiesResponse {
            supports_pcd: false,
            intrinsic_parameters: Some(pb::IntrinsicParameters {
                width_px: WIDTH,
                height_px: HEIGHT,
                focal_x_px: focal,
                focal_y_px: focal,
                center_x_px: f64::from(WIDTH / 2),
                center_y_px: f64::from(HEIGHT / 2),
            }),
            mime_types: vec![PNG.to_owned()],
            ..Default::default()
        }))
    }

    async fn do_command(
        &self,
        request: Request<DoCommandRequest>,
    ) -> Result<Response<DoCommandResponse>, Status> {
        self.echo(API, request)
    }
}
