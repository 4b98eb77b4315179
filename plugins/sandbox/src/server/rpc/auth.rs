//! `proto.rpc.v1.AuthService`: a key for a token (transport.md §3.1).

use std::sync::Arc;

use tonic::{Request, Response, Status};
use viam_proto::rpc::v1::auth_service_server::{AuthService, AuthServiceServer};
use viam_proto::rpc::v1::{AuthenticateRequest, AuthenticateResponse};

use super::{Answer, Refusal, login};
use crate::server::secrets;
use crate::server::state::Shared;
use crate::store::Identity;
use crate::store::keys;

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
    if credentials.r#type != "api-key" {
        return Err(Refusal(Status::invalid_argument(format!(
            "do not know how to handle credential type {:?}",
            credentials.r#type
        ))));
    }
    let key = shared.store.with(|db| Answer::Ok(keys::get(db, &request.entity)?))?;
    let key = key
        .filter(|key| secrets::same(&key.secret, &credentials.payload))
        .ok_or_else(|| Status::unauthenticated("invalid credentials"))?;
    let secret = secrets::fingerprint(&key.secret);
    Ok(login::access_token(shared, &shared.base_url, &Identity::Key(key.id), Some(secret))?)
}
