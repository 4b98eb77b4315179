//! The OAuth device flow (RFC 8628) and the refresh (RFC 6749 §6), by the crate `oauth2`.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
    BasicTokenType,
};
use oauth2::{
    AsyncHttpClient, AuthType, Client, ClientId, DeviceAuthorizationUrl,
    DeviceCodeErrorResponseType, EmptyExtraDeviceAuthorizationFields, EndpointNotSet,
    ExtraTokenFields, HttpRequest, HttpResponse, RefreshToken, RequestTokenError, Scope,
    StandardDeviceAuthorizationResponse, StandardRevocableToken, StandardTokenResponse,
    TokenResponse as _, TokenUrl,
};
use serde::{Deserialize, Serialize};
use viam_client::http_client;
use viam_client::net::Net;
use viam_contract::{BoxFuture, Error, Kind, Result, ResultExt as _};

use super::claims::id_token_claims;
use super::file::UserToken;
use super::provider::Provider;

/// A token set without a stated life counts this long.
const UNSTATED_LIFE: TimeDelta = TimeDelta::hours(24);

/// We never poll faster than this, whatever the server says.
const FASTEST: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct IdToken {
    id_token: Option<String>,
}
impl ExtraTokenFields for IdToken {}

type Tokens = StandardTokenResponse<IdToken, BasicTokenType>;
type OAuth<DeviceUrl, TokenEndpoint> = Client<
    BasicErrorResponse,
    Tokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    DeviceUrl,
    EndpointNotSet,
    EndpointNotSet,
    TokenEndpoint,
>;

/// What the user has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The address to open; holds the code where the provider gives such a one.
    pub url: String,
    /// The code to compare or to type.
    pub code: String,
}

/// Our HTTP behind the crate's interface.
struct Http<'n>(&'n Net);

impl<'c> AsyncHttpClient<'c> for Http<'_> {
    type Error = Error;
    type Future = BoxFuture<'c, Result<HttpResponse>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let answer = http_client::send(self.0, request.map(Bytes::from)).await?;
            let mut response = http::Response::new(answer.body.to_vec());
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers;
            Ok(response)
        })
    }
}

/// Logs in: asks for a code, tells the user by `ask`, polls until it is approved.
///
/// # Errors
/// `Auth` when it is denied or the code ends, `Remote` when the provider fails.
pub async fn device_login(
    net: &Net,
    provider: &Provider,
    now: impl Fn() -> DateTime<Utc> + Send + Sync,
    ask: impl FnOnce(Approval),
) -> Result<UserToken> {
    let http = Http(net);
    let url = |text: &str| format!("{text} is no URL");
    let client: OAuth<EndpointNotSet, EndpointNotSet> =
        Client::new(ClientId::new(provider.client_id.clone()));
    let client = client
        .set_auth_type(AuthType::RequestBody)
        .set_device_authorization_url(
            DeviceAuthorizationUrl::new(provider.device_endpoint.clone())
                .or_kind(Kind::Remote, || url(&provider.device_endpoint))?,
        )
        .set_token_uri(
            TokenUrl::new(provider.token_endpoint.clone())
                .or_kind(Kind::Remote, || url(&provider.token_endpoint))?,
        );
    let details: StandardDeviceAuthorizationResponse = client
        .exchange_device_code()
        .add_scope(Scope::new("email".to_owned()))
        .add_scope(Scope::new("openid".to_owned()))
        .add_scope(Scope::new("offline_access".to_owned()))
        .add_extra_param("audience", provider.client_id.clone())
        .request_async::<_, EmptyExtraDeviceAuthorizationFields>(&http)
        .await
        .map_err(|error| failed(error, "the login provider gave no code"))?;
    let url = details.verification_uri_complete().map_or_else(
        || details.verification_uri().as_str().to_owned(),
        |complete| complete.secret().clone(),
    );
    ask(Approval { url, code: details.user_code().secret().clone() });
    let wait = |interval: Duration| tokio::time::sleep(interval.max(FASTEST));
    let tokens = client
        .exchange_device_access_token(&details)
        .set_time_fn(&now)
        .request_async(&http, wait, None)
        .await
        .map_err(|error| match &error {
            RequestTokenError::ServerResponse(said) => match said.error() {
                DeviceCodeErrorResponseType::AccessDenied => {
                    Error::new(Kind::Auth, "the login was denied").hint_run("viam login")
                }
                DeviceCodeErrorResponseType::ExpiredToken => {
                    Error::new(Kind::Auth, "the code expired before it was approved")
                        .hint_run("viam login")
                }
                _ => failed(error, "the login failed"),
            },
            _ => failed(error, "the login failed"),
        })?;
    user_token(&tokens, provider, None, now())
}

/// Gets a new set of tokens.
///
/// # Errors
/// `Auth` when the provider refuses, `Remote` when it cannot be reached: then the old set stays.
pub(super) async fn refresh(net: &Net, old: &UserToken, now: DateTime<Utc>) -> Result<UserToken> {
    let http = Http(net);
    let client: OAuth<EndpointNotSet, EndpointNotSet> =
        Client::new(ClientId::new(old.client_id.clone()));
    let client = client.set_auth_type(AuthType::RequestBody).set_token_uri(
        TokenUrl::new(old.token_url.clone()).or_kind(Kind::Config, || {
            format!("the stored token URL {:?} is no URL", old.token_url)
        })?,
    );
    let refresh_token = RefreshToken::new(old.refresh_token.clone());
    let tokens = client.exchange_refresh_token(&refresh_token).request_async(&http).await.map_err(
        |error| match &error {
            RequestTokenError::ServerResponse(_) => {
                failed(error, format!("the login of {} has ended", old.email))
                    .with_kind(Kind::Auth)
                    .hint_run("viam login")
            }
            _ => failed(error, format!("cannot renew the login of {}", old.email)),
        },
    )?;
    let provider = Provider {
        client_id: old.client_id.clone(),
        device_endpoint: String::new(),
        token_endpoint: old.token_url.clone(),
    };
    user_token(&tokens, &provider, Some(old), now)
}

fn user_token(
    tokens: &Tokens,
    provider: &Provider,
    old: Option<&UserToken>,
    now: DateTime<Utc>,
) -> Result<UserToken> {
    // A refresh may leave out what has not changed (RFC 6749 §6).
    let id_token = tokens
        .extra_fields()
        .id_token
        .clone()
        .or_else(|| old.map(|old| old.id_token.clone()))
        .ok_or_else(|| Error::new(Kind::Remote, "the login provider sent no id token"))?;
    let refresh_token = tokens
        .refresh_token()
        .map(|token| token.secret().clone())
        .or_else(|| old.map(|old| old.refresh_token.clone()))
        .ok_or_else(|| Error::new(Kind::Remote, "the login provider sent no refresh token"))?;
    let (email, subject) = match (tokens.extra_fields().id_token.as_ref(), old) {
        (None, Some(old)) => (old.email.clone(), old.subject.clone()),
        _ => {
            let claims = id_token_claims(&id_token)?;
            (claims.email, claims.subject)
        }
    };
    let life = tokens
        .expires_in()
        .and_then(|life| TimeDelta::from_std(life).ok())
        .unwrap_or(UNSTATED_LIFE)
        .min(TimeDelta::days(3650));
    Ok(UserToken {
        access_token: tokens.access_token().secret().clone(),
        refresh_token,
        id_token,
        expires_at: Some((now + life).fixed_offset()),
        token_url: provider.token_endpoint.clone(),
        client_id: provider.client_id.clone(),
        email,
        subject,
    })
}

/// Puts what the provider or the network said into words.
fn failed<T>(error: RequestTokenError<Error, T>, doing: impl Into<String>) -> Error
where
    T: oauth2::ErrorResponse + std::fmt::Display + 'static,
{
    match error {
        RequestTokenError::Request(own) => own.within(doing),
        RequestTokenError::ServerResponse(said) => Error::new(Kind::Remote, doing.into())
            .because(viam_contract::text::one_line(&said.to_string()).into_owned()),
        // Neither the answer nor the parser's words about it: both may hold a token.
        RequestTokenError::Parse(fault, body) => {
            let (place, length) = (fault.path().to_string(), body.len());
            Error::new(Kind::Remote, doing.into()).because(format!(
                "the login provider answered something that is not understood at {place:?} \
                 ({length} bytes)"
            ))
        }
        RequestTokenError::Other(words) => Error::new(Kind::Remote, doing.into()).because(words),
    }
}
