//! Starts sandboxes and talks to them.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::Request;
use serde_json::Value;
use tonic::Status;
use viam_client::BaseUrl;
use viam_client::http_client::{self, Answer};
use viam_client::net::Net;
use viam_client::wire::{self, Config, TokenSource};
use viam_contract::{BoxFuture, Env, Result, Wire};
use viam_proto::app::v1::app_service_client::AppServiceClient;
use viam_proto::app::v1::{Authorization, CreateKeyRequest, CreateKeyResponse};
use viam_proto::rpc::v1::auth_service_client::AuthServiceClient;
use viam_proto::rpc::v1::{AuthenticateRequest, Credentials};
use viam_sandbox::seed::{DEMO_USER, Seed, World};
use viam_sandbox::server::{Clock, Options, Running, Server};

pub(crate) type App = AppServiceClient<Wire>;

/// One sandbox of a world, with a clock that stands still.
pub(crate) fn start(seed: Seed) -> Running {
    start_with(seed, |_| {})
}

/// The same with other options.
pub(crate) fn start_with(seed: Seed, change: impl FnOnce(&mut Options)) -> Running {
    let clock = Clock::still_at(UNIX_EPOCH + Duration::from_secs(1_760_000_000));
    let heartbeat = Duration::from_secs(3600);
    let capture = Duration::ZERO;
    let mut options = Options { seed, clock, heartbeat, capture, ..Options::default() };
    change(&mut options);
    Server::start(options).expect("started")
}

/// One of a world in JSON.
pub(crate) fn start_world(json: &str) -> Running {
    start(Seed::World(Box::new(World::parse(json).expect("a world"))))
}

pub(crate) fn net() -> Net {
    Net::new(Env::default(), Arc::new(|_: &str| {}))
}

/// A source with one token and no other.
struct Fixed(String);

impl TokenSource for Fixed {
    fn bearer<'a>(&'a self, rejected: Option<&'a str>) -> BoxFuture<'a, Result<Option<String>>> {
        let token = rejected.is_none().then(|| self.0.clone());
        Box::pin(async move { Ok(token) })
    }
}

/// A connection with a token, or without.
pub(crate) fn wire(running: &Running, token: Option<&str>) -> Wire {
    let base_url = BaseUrl::parse(running.base_url()).expect("address");
    let tokens = token.map(|token| Arc::new(Fixed(token.to_owned())) as Arc<dyn TokenSource>);
    wire::open(Config { net: net(), base_url, tokens, on_wait: None }).expect("wire")
}

/// A client that is logged in as the demo user.
pub(crate) fn demo(running: &Running) -> App {
    user(running, DEMO_USER)
}

/// A client that is logged in as a user.
pub(crate) fn user(running: &Running, email: &str) -> App {
    let login = running.login(email).expect("logged in");
    AppServiceClient::new(wire(running, Some(&login.access_token)))
}

/// Exchanges a credential.
pub(crate) async fn authenticate(
    running: &Running,
    id: &str,
    kind: &str,
    secret: &str,
) -> Result<String, Status> {
    let credentials = Credentials { r#type: kind.to_owned(), payload: secret.to_owned() };
    let request = AuthenticateRequest { entity: id.to_owned(), credentials: Some(credentials) };
    let answer = AuthServiceClient::new(wire(running, None)).authenticate(request).await?;
    Ok(answer.into_inner().access_token)
}

/// A client that is logged in with a key.
pub(crate) async fn with_key(running: &Running, key: &CreateKeyResponse) -> App {
    let token = authenticate(running, &key.id, "api-key", &key.key).await.expect("a good key");
    AppServiceClient::new(wire(running, Some(&token)))
}

/// What a key may be allowed: `organization_owner` on an organization, and so on.
pub(crate) fn authorization(role: &str, id: &str, organization: &str) -> Authorization {
    let (resource_type, _) = role.split_once('_').expect("a role");
    Authorization {
        authorization_type: "role".to_owned(),
        authorization_id: role.to_owned(),
        resource_type: resource_type.to_owned(),
        resource_id: id.to_owned(),
        organization_id: organization.to_owned(),
        identity_type: "api-key".to_owned(),
        ..Default::default()
    }
}

/// Makes a key.
pub(crate) async fn create_key(
    app: &mut App,
    role: &str,
    id: &str,
    organization: &str,
) -> Result<CreateKeyResponse, Status> {
    let request = CreateKeyRequest {
        authorizations: vec![authorization(role, id, organization)],
        name: "test".to_owned(),
    };
    Ok(app.create_key(request).await?.into_inner())
}

/// A small world with ids that read well: organization `one` owns `hall` (machines `m1`, `m2`)
/// and `annex` in it (machine `m3`), organization `two` owns `field` (machine `m4`), both own
/// `bench` (machine `m5`).
pub(crate) const SMALL: &str = r#"{
  "users": ["demo@example.com", "ann@example.com"],
  "organizations": [
    {"id": "one", "name": "One", "namespace": "ns-one", "locations": [
      {"id": "hall", "name": "Hall", "machines": [
        {"id": "m1", "name": "m1"}, {"id": "m2", "name": "m2"}]},
      {"id": "annex", "name": "Annex", "parent": "hall", "machines": [{"id": "m3", "name": "m3"}]}
    ]},
    {"id": "two", "name": "Two", "members": ["ann@example.com"], "locations": [
      {"id": "field", "name": "Field", "machines": [{"id": "m4", "name": "m4"}]},
      {"id": "bench", "name": "Bench", "shared_with": ["one"],
       "machines": [{"id": "m5", "name": "m5"}]}
    ]}
  ]
}"#;

/// Sends a request to a path of the sandbox.
pub(crate) async fn send(running: &Running, request: http::request::Builder, body: &str) -> Answer {
    let request = request.body(Bytes::from(body.to_owned())).expect("request");
    http_client::send(&net(), request).await.unwrap_or_else(|error| panic!("{error:?} {running:?}"))
}

pub(crate) async fn get(running: &Running, path: &str) -> Answer {
    send(running, Request::get(format!("{}{path}", running.base_url())), "").await
}

/// Posts a form.
pub(crate) async fn post(running: &Running, path: &str, fields: &[(&str, &str)]) -> Answer {
    let form: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let request = Request::post(format!("{}{path}", running.base_url()))
        .header("content-type", "application/x-www-form-urlencoded");
    send(running, request, &form.join("&")).await
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// Asks the admin interface.
pub(crate) async fn admin(running: &Running, path: &str, body: Option<&str>) -> (u16, Value) {
    let url = format!("{}/sandbox/{path}", running.base_url());
    let request = if body.is_some() { Request::post(url) } else { Request::get(url) };
    let request = request.header("x-sandbox-admin", running.admin_token());
    let answer = send(running, request, body.unwrap_or_default()).await;
    (answer.status.as_u16(), json(&answer))
}

pub(crate) fn json(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
}

pub(crate) fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}
