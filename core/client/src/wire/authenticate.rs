//! An API key, exchanged for an access token (transport.md §3.1).

use viam_contract::{Error, Kind, Result, text};
use viam_proto::rpc::v1::auth_service_client::AuthServiceClient;
use viam_proto::rpc::v1::{AuthenticateRequest, Credentials};

use super::Config;
use crate::rpc_error;

/// The credential type of an API key (transport.md §3.2).
pub const API_KEY: &str = "api-key";

/// Exchanges a credential. The call itself carries no token: the server refuses one.
///
/// # Errors
/// `Auth` when the key is refused, `Remote` when the server cannot be reached.
pub async fn authenticate(
    config: Config,
    entity: &str,
    kind: &str,
    secret: &str,
) -> Result<String> {
    let base_url = config.base_url.clone();
    let wire = super::open(Config { tokens: None, ..config })?;
    let answer = AuthServiceClient::new(wire)
        .authenticate(AuthenticateRequest {
            entity: entity.to_owned(),
            credentials: Some(Credentials { r#type: kind.to_owned(), payload: secret.to_owned() }),
        })
        .await
        .map_err(|status| {
            let doing = format!("cannot log in to {base_url} with key {entity}");
            match status.code() {
                // Not the advice of other refused calls: logging in is what failed.
                tonic::Code::Unauthenticated | tonic::Code::PermissionDenied => {
                    let said = text::one_line(status.message()).into_owned();
                    Error::new(Kind::Auth, doing)
                        .because(said)
                        .hint_text("check the id and the secret of the key")
                }
                _ => rpc_error(status, doing),
            }
        })?
        .into_inner();
    if answer.access_token.is_empty() {
        return Err(Error::new(Kind::Remote, format!("{base_url} answered with an empty token")));
    }
    Ok(answer.access_token)
}
