//! An API key, exchanged for an access token (transport.md §3.1).

use tokio::sync::Mutex;
use tonic::Status;
use viam_contract::{BoxFuture, Error, Kind, Result, text};
use viam_proto::rpc::v1::auth_service_client::AuthServiceClient;
use viam_proto::rpc::v1::{AuthenticateRequest, Credentials};

use super::{Config, TokenSource};
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
    let told_of = config.clone();
    told(exchange(config, entity, kind, secret).await, &told_of, entity)
}

async fn exchange(
    config: Config,
    entity: &str,
    kind: &str,
    secret: &str,
) -> Result<String, Status> {
    let wire = super::open(Config { tokens: None, ..config })
        .map_err(|error| Status::internal(error.one_line()))?;
    let request = AuthenticateRequest {
        entity: entity.to_owned(),
        credentials: Some(Credentials { r#type: kind.to_owned(), payload: secret.to_owned() }),
    };
    let answer = AuthServiceClient::new(wire).authenticate(request).await?;
    Ok(answer.into_inner().access_token)
}

/// What came of it, in words.
fn told(exchanged: Result<String, Status>, config: &Config, entity: &str) -> Result<String> {
    let base_url = &config.base_url;
    let token = exchanged.map_err(|status| {
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
    })?;
    if token.is_empty() {
        return Err(Error::new(Kind::Remote, format!("{base_url} answered with an empty token")));
    }
    Ok(token)
}

/// A key that a server exchanges once for all calls of this process; a server without an
/// `AuthService` gets no token.
pub struct KeyTokens {
    config: Config,
    id: String,
    secret: String,
    current: Mutex<Option<Option<String>>>,
}

impl KeyTokens {
    /// The key's id and secret, for the server of the configuration.
    #[must_use]
    pub fn new(config: Config, id: String, secret: String) -> Self {
        Self { config, id, secret, current: Mutex::default() }
    }
}

impl TokenSource for KeyTokens {
    fn bearer<'a>(&'a self, rejected: Option<&'a str>) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(async move {
            let mut current = self.current.lock().await;
            if let Some(token) = &*current
                && (rejected.is_none() || rejected != token.as_deref())
            {
                return Ok(token.clone());
            }
            let exchanged = exchange(self.config.clone(), &self.id, API_KEY, &self.secret).await;
            let token = match exchanged {
                Err(status) if status.code() == tonic::Code::Unimplemented => None,
                exchanged => Some(told(exchanged, &self.config, &self.id)?),
            };
            *current = Some(token.clone());
            Ok(token.filter(|token| rejected != Some(token.as_str())))
        })
    }
}
