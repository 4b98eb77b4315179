//! `proto.rpc.v1.AuthService`: a key for a token (transport.md §3.1).

use std::sync::Arc;

use tonic::{Request, Response, Status};
use viam_proto::rpc::v1::auth_service_server::{AuthService, AuthServiceServer};
use viam_proto::rpc::v1::{AuthenticateRequest, AuthenticateResponse};

use super::{Answer, Refusal, login};
use crate::server::secrets;
use crate::server::state::Shared;
use crate::store::Identity;
use crate::store::{keys, parts};

struct Auth {
    shared: Arc<Shared>,
}

pub(super) fn service(shared: Arc<Shared>) -> AuthServiceServer<impl AuthService> {
    AuthServiceServer::new(Auth { shared })
}

#[tonic::async_trait]
impl AuthService for Auth {
    async fn authenticate(
        &self,
        request: Request<AuthenticateRequest>,
    ) -> Result<Response<AuthenticateResponse>, Status> {
        if request.metadata().contains_key("authorization") {
            return Err(Status::invalid_argument("already authenticated; cannot re-authenticate"));
        }
        let shared = self.shared.clone();
        let request = request.into_inner();
        let done = Shared::blocking(move || authenticate(&shared, &request)).await;
        match done {
            Ok(Ok(access_token)) => Ok(Response::new(AuthenticateResponse { access_token })),
            Ok(Err(Refusal(status))) => Err(status),
            Err(error) => Err(Status::internal(error.to_string())),
        }
    }
}

fn authenticate(shared: &Shared, request: &AuthenticateRequest) -> Answer<String> {
    let credentials = request
        .credentials
        .as_ref()
        .ok_or_else(|| Status::invalid_argument("credentials required"))?;
    let given = &credentials.payload;
    let (who, secret) = match credentials.r#type.as_str() {
        "api-key" => {
            let key = shared.store.with(|db| Answer::Ok(keys::get(db, &request.entity)?))?;
            let key = key.filter(|key| secrets::same(&key.secret, given));
            key.map(|key| (Identity::Key(key.id), key.secret))
        }
        "robot-secret" => {
            let part = shared.store.with(|db| Answer::Ok(parts::get(db, &request.entity)?))?;
            let part = part.filter(|part| secrets::same(&part.secret, given));
            part.map(|part| (Identity::Part(part.id), part.secret))
        }
        other => {
            return Err(Refusal(Status::invalid_argument(format!(
                "do not know how to handle credential type {other:?}"
            ))));
        }
    }
    .ok_or_else(|| Status::unauthenticated("invalid credentials"))?;
    let secret = secrets::fingerprint(&secret);
    Ok(login::access_token(shared, &shared.base_url, &who, Some(secret))?)
}
