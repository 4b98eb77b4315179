//! A live machine: the gRPC services of a part, made from its configuration.
//!
//! Nothing here moves anything. A servo remembers its angle, a sensor's readings drift, a camera
//! draws a picture; it is enough to try a client on. Each kind of resource is a file;
//! [`resources`] is the table of what there is.

mod board;
mod camera;
mod capture;
mod copy;
mod generic;
mod motor;
mod movement;
mod png;
mod reflection;
mod resources;
mod robot;
mod sensor;
mod servo;
mod shell;
#[cfg(test)]
mod tests;
mod tunnel;
mod vision;

use std::path::PathBuf;
use std::sync::Arc;

use http::{Request, Response};
use serde_json::{Map, Value};
use tonic::body::Body;
use tonic::service::Routes;
use tonic::{Code, Status};
use tower::ServiceExt as _;
use viam_contract::Result;
use viam_proto::robot::v1::robot_service_server::{self, RobotServiceServer};

pub(crate) use camera::picture;
use resources::Resources;

/// Takes what a machine has to say: level, logger, message.
pub(crate) type Log = Arc<dyn Fn(&str, &str, &str) + Send + Sync>;

/// A live machine. Clones are the same machine.
#[derive(Clone)]
pub(crate) struct Machine {
    resources: Arc<Resources>,
    routes: Routes,
}

impl Machine {
    /// A machine with the resources of a configuration; shells begin in `home`.
    ///
    /// # Errors
    /// `Internal` when the definitions of the API cannot be read.
    pub(crate) fn new(
        name: String,
        config: &Map<String, Value>,
        log: Log,
        home: PathBuf,
    ) -> Result<Self> {
        let resources = Arc::new(Resources::new(name, log));
        resources.reconfigure(config);
        let routes = Routes::new(RobotServiceServer::from_arc(resources.clone()))
            .add_service(servo::service(resources.clone()))
            .add_service(motor::service(resources.clone()))
            .add_service(sensor::service(resources.clone()))
            .add_service(movement::service(resources.clone()))
            .add_service(camera::service(resources.clone()))
            .add_service(board::service(resources.clone()))
            .add_service(generic::component(resources.clone()))
            .add_service(generic::service(resources.clone()))
            .add_service(vision::service(resources.clone()))
            .add_service(shell::service(resources.clone(), home));
        let routes = reflection::add(routes)?.prepare();
        Ok(Self { resources, routes })
    }

    /// Takes up a new configuration. What was there before and still is keeps its state.
    pub(crate) fn reconfigure(&self, config: &Map<String, Value>) {
        self.resources.reconfigure(config);
    }

    /// Answers one call.
    pub(crate) async fn call(&self, request: Request<Body>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let Ok(response) = self.routes.clone().oneshot(request).await;
        // Neither the router nor the default bodies of the generated traits name what was asked.
        let unimplemented = response.headers().get(Status::GRPC_STATUS).is_some_and(|code| {
            code.as_bytes() == (Code::Unimplemented as i32).to_string().as_bytes()
        });
        if unimplemented {
            let name = &self.resources.name;
            return Status::unimplemented(format!("the machine {name:?} does not serve {path}"))
                .into_http();
        }
        response
    }
}

/// Whether the path of a call is of a service that machines have, not the cloud.
pub(crate) fn serves(path: &str) -> bool {
    let service = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    service == robot_service_server::SERVICE_NAME
        || service.starts_with("viam.component.")
        || service.starts_with("viam.service.")
        || reflection::NAMES.contains(&service)
}
