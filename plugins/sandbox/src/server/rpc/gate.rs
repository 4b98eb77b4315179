//! What every gRPC call passes: a fault that a test asked for, the check of its token, and a
//! name for what is not served.

use std::convert::Infallible;
use std::sync::Arc;

use http::{HeaderMap, Request, Response, header};
use tonic::body::Body;
use tonic::service::Routes;
use tonic::{Code, Status};
use tower::ServiceExt as _;

use viam_proto::app::data::v1::data_service_server;
use viam_proto::app::dataset::v1::dataset_service_server;
use viam_proto::app::datasync::v1::data_sync_service_server;
use viam_proto::app::v1::{app_service_server, robot_service_server};
use viam_proto::rpc::v1::auth_service_server;
use viam_proto::rpc::webrtc::v1::signaling_service_server;

use super::{app, auth, data, datasets, live, machines, record, signaling, sync};
use crate::machine;
use crate::server::jwt::{ACCESS, Access};
use crate::server::state::Shared;

/// The services that want a token.
const SERVED: &[&str] = &[
    app_service_server::SERVICE_NAME,
    data_service_server::SERVICE_NAME,
    dataset_service_server::SERVICE_NAME,
    data_sync_service_server::SERVICE_NAME,
    robot_service_server::SERVICE_NAME,
    signaling_service_server::SERVICE_NAME,
];

/// A request extension: answer with this status.
#[derive(Clone, Debug)]
pub(crate) struct Fault(pub(crate) Status);

/// A request extension: it came to the port of this part.
#[derive(Clone, Debug)]
pub(crate) struct AtPart(pub(crate) Arc<str>);

/// The gate and what lies behind it.
#[derive(Clone)]
pub(crate) struct Gate {
    shared: Arc<Shared>,
    routes: Routes,
}

impl Gate {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let routes = Routes::new(auth::service(shared.clone()))
            .add_service(app::service(shared.clone()))
            .add_service(data::service(shared.clone()))
            .add_service(datasets::service(shared.clone()))
            .add_service(machines::service(shared.clone()))
            .add_service(signaling::service(shared.clone()))
            .add_service(sync::service(shared.clone()))
            .prepare();
        Self { shared, routes }
    }

    /// Answers one call.
    pub(crate) async fn pass(
        self,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, Infallible> {
        if let Some(Fault(status)) = request.extensions().get() {
            return Ok(status.clone().into_http());
        }
        let path = request.uri().path().to_owned();
        let service = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        if machine::serves(&path)
            && let Some(AtPart(part)) = request.extensions().get().cloned()
        {
            let machine = match self.check(request.headers()) {
                Ok(access) => live::machine(&self.shared, &Arc::new(access), part).await,
                Err(status) => Err(status),
            };
            return Ok(match machine {
                Ok(machine) => machine.call(request).await,
                Err(status) => status.into_http(),
            });
        }
        if SERVED.contains(&service) {
            match self.check(request.headers()) {
                Ok(access) => request.extensions_mut().insert(Arc::new(access)),
                Err(status) => return Ok(status.into_http()),
            };
        } else if service != auth_service_server::SERVICE_NAME {
            return Ok(unserved(&path));
        }
        if self.shared.record && record::wants(&path) {
            let traffic = self.shared.traffic.clone();
            request = request.map(|body| record::tap(path.clone(), body, traffic));
        }
        let response = self.routes.oneshot(request).await?;
        // The default bodies of the generated traits do not know their names.
        let unimplemented = response.headers().get(Status::GRPC_STATUS).is_some_and(|code| {
            code.as_bytes() == (Code::Unimplemented as i32).to_string().as_bytes()
        });
        // A method that is served and names what it does not do says so itself.
        let named = response
            .headers()
            .get(Status::GRPC_MESSAGE)
            .is_some_and(|words| words.as_bytes().starts_with(b"the%20sandbox"));
        if unimplemented && !named {
            return Ok(unserved(&path));
        }
        Ok(response)
    }

    fn check(&self, headers: &HeaderMap) -> Result<Access, Status> {
        identify(&self.shared, headers)
    }
}

/// What the token of a call says (transport.md §3.4).
pub(crate) fn identify(shared: &Shared, headers: &HeaderMap) -> Result<Access, Status> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or_else(|| Status::unauthenticated("authentication required"))?;
    if values.next().is_some() {
        return Err(Status::unauthenticated("expected exactly one authorization header"));
    }
    let token =
        value.to_str().ok().and_then(|value| value.strip_prefix("Bearer ")).ok_or_else(|| {
            Status::unauthenticated("expected authorization header with prefix: Bearer ")
        })?;
    let access: Access = shared
        .signer
        .verify(token)
        .filter(|access: &Access| access.token_use == ACCESS)
        .ok_or_else(|| Status::unauthenticated("invalid token"))?;
    if access.exp <= shared.clock.micros() / 1_000_000 {
        return Err(Status::unauthenticated("token expired"));
    }
    Ok(access)
}

fn unserved(path: &str) -> Response<Body> {
    Status::unimplemented(format!("the sandbox does not serve {path}")).into_http()
}
