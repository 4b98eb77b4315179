//! What the `viam sandbox` commands and tests ask the server: `/sandbox/…` with the header
//! `x-sandbox-admin`, whose value lies in the state file that only its owner reads.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `GET /sandbox/status` | | [`Status`] |
//! | `POST /sandbox/approve` | `{"user_code", "deny"?}` | `{"approved"}`, 404 for an unknown code |
//! | `POST /sandbox/reset` | `{"seed"?}` (as [`Seed`] is stored) | `{}` |
//! | `POST /sandbox/login` | `{"email"?}` | the tokens of that user |
//! | `GET /sandbox/requests` | | [`Requests`](super::Requests) |
//! | `POST /sandbox/requests/clear` | | `{}` |
//! | `GET /sandbox/faults` | | the rules that are left |
//! | `POST /sandbox/faults` | a list of [`FaultRule`] | `{}` |
//! | `POST /sandbox/logs` | `{"part_id", "entries"}`, a list of [`LogSpec`] | `{"added"}`, 404 for an unknown part |
//! | `GET /sandbox/tails` | | `{"open"}`, how many streams of logs are under way |
//! | `POST /sandbox/tails/end` | | `{}`; every stream of logs ends with UNAVAILABLE |
//! | `POST /sandbox/clock` | `{"advance_secs"}` | `{}` |
//! | `POST /sandbox/machine-config` | `{"robot", "part"?}` | what a machine server starts with; 404, 409 for several of the name or one that the sandbox plays |
//! | `POST /sandbox/stop` | | `{}` |

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Json, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use viam_contract::{Error, Kind, ResultExt as _};

use super::oidc::{self, Decision};
use super::secrets;
use super::state::Shared;
use super::traffic::FaultRule;
use crate::seed::{DEMO_USER, LogSpec, Seed};
use crate::store::{Part, parts, robots};

/// The header that holds the admin token.
pub const ADMIN_HEADER: &str = "x-sandbox-admin";

/// A running sandbox, as `GET /sandbox/status` says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Status {
    /// Its process.
    pub pid: u32,
    /// Its release.
    pub version: String,
    /// Its address.
    pub base_url: String,
    /// The world it was filled with.
    pub seed: String,
}

impl Shared {
    /// The machines of a name or an id, with their parts.
    fn machines_called(&self, word: &str) -> Result<Vec<(String, Vec<Part>)>, Error> {
        let found = self.store.with(|db| {
            let ids = robots::called(db, word)?;
            ids.into_iter()
                .map(|id| parts::list(db, &id).map(|parts| (id, parts)))
                .collect::<rusqlite::Result<_>>()
        });
        found.or_kind(Kind::Config, || "cannot use the sandbox's data".to_owned())
    }

    pub(super) fn status(&self) -> Result<Status, Error> {
        Ok(Status {
            pid: std::process::id(),
            version: viam_contract::VERSION.to_owned(),
            base_url: self.base_url.clone(),
            seed: self.seed()?.label(),
        })
    }
}

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/sandbox/status", get(status))
        .route("/sandbox/approve", post(approve))
        .route("/sandbox/reset", post(reset))
        .route("/sandbox/login", post(login))
        .route("/sandbox/requests", get(requests))
        .route("/sandbox/requests/clear", post(clear))
        .route("/sandbox/faults", get(rules).post(set_rules))
        .route("/sandbox/logs", post(append_logs))
        .route("/sandbox/tails", get(tails))
        .route("/sandbox/tails/end", post(end_tails))
        .route("/sandbox/clock", post(clock))
        .route("/sandbox/machine-config", post(machine_config))
        .route("/sandbox/stop", post(stop))
        .route_layer(middleware::from_fn_with_state(shared.clone(), check))
        .with_state(shared)
}

/// Why a request of this interface fails.
struct Refused(StatusCode, String);

type Answer = Result<Json<Value>, Refused>;

impl axum::response::IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self(StatusCode::UNPROCESSABLE_ENTITY, error.one_line())
    }
}

async fn check(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let given = request.headers().get(ADMIN_HEADER).and_then(|value| value.to_str().ok());
    if !given.is_some_and(|given| secrets::same(given, &shared.admin_token)) {
        let words = format!("the header {ADMIN_HEADER} is missing or wrong");
        return Refused(StatusCode::FORBIDDEN, words).into_response();
    }
    next.run(request).await
}

/// Reads a body whatever its content type is; no body is an empty object.
fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refused> {
    let body = if body.is_empty() { b"{}" } else { &body[..] };
    serde_json::from_slice(body)
        .map_err(|error| Refused(StatusCode::BAD_REQUEST, error.to_string()))
}

fn done() -> Answer {
    Ok(Json(json!({})))
}

async fn status(State(shared): State<Arc<Shared>>) -> Result<Json<Status>, Refused> {
    Ok(Json(shared.status()?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Approve {
    user_code: String,
    #[serde(default)]
    deny: bool,
}

async fn approve(State(shared): State<Arc<Shared>>, body: Bytes) -> Answer {
    let asked: Approve = read(&body)?;
    match oidc::decide(&shared, &asked.user_code, !asked.deny)? {
        Decision::Taken => Ok(Json(json!({ "approved": !asked.deny }))),
        Decision::Unknown => {
            let words = format!("no login waits for the code {}", asked.user_code);
            Err(Refused(StatusCode::NOT_FOUND, words))
        }
        Decision::Before(_) => {
            let words = format!("the code {} was decided on before", asked.user_code);
            Err(Refused(StatusCode::CONFLICT, words))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    seed: Option<Seed>,
}

async fn reset(State(shared): State<Arc<Shared>>, body: Bytes) -> Answer {
    let asked: Reset = read(&body)?;
    Shared::blocking(move || shared.reset(asked.seed)).await??;
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    email: Option<String>,
}

async fn login(State(shared): State<Arc<Shared>>, body: Bytes) -> Answer {
    let asked: Login = read(&body)?;
    let session = shared.login(asked.email.as_deref().unwrap_or(DEMO_USER))?;
    Ok(Json(serde_json::to_value(session).unwrap_or_default()))
}

async fn requests(State(shared): State<Arc<Shared>>) -> Response {
    Json(shared.traffic.requests()).into_response()
}

async fn clear(State(shared): State<Arc<Shared>>) -> Answer {
    shared.traffic.clear();
    done()
}

async fn rules(State(shared): State<Arc<Shared>>) -> Response {
    Json(shared.traffic.rules()).into_response()
}

async fn set_rules(State(shared): State<Arc<Shared>>, body: Bytes) -> Answer {
    let rules: Vec<FaultRule> = read(&body)?;
    shared.traffic.set_rules(rules);
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Append {
    part_id: String,
    entries: Vec<LogSpec>,
}

async fn append_logs(State(shared): State<Arc<Shared>>, body: Bytes) -> Answer {
    let Append { part_id, entries } = read(&body)?;
    let count = entries.len();
    let id = part_id.clone();
    if Shared::blocking(move || shared.append_logs(&id, &entries)).await?? {
        return Ok(Json(json!({ "added": count })));
    }
    Err(Refused(StatusCode::NOT_FOUND, format!("this world has no part {part_id}")))
}

async fn tails(State(shared): State<Arc<Shared>>) -> Answer {
    Ok(Json(json!({ "open": shared.tails.open.receiver_count() })))
}

async fn end_tails(State(shared): State<Arc<Shared>>) -> Answer {
    shared.tails.ended.send_replace(());
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_secs: u64,
}

async fn clock(State(shared): State<Arc<Shared>>, body: Bytes) -> Answer {
    let asked: Advance = read(&body)?;
    shared.clock.advance(std::time::Duration::from_secs(asked.advance_secs));
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    robot: String,
    part: Option<String>,
}

async fn machine_config(State(shared): State<Arc<Shared>>, body: Bytes) -> Answer {
    let Wanted { robot, part } = read(&body)?;
    let conflict = |words: String| Refused(StatusCode::CONFLICT, words);
    let found = {
        let (shared, wanted) = (shared.clone(), robot.clone());
        Shared::blocking(move || shared.machines_called(&wanted)).await??
    };
    let of_name = match &found[..] {
        [] => {
            let words = format!("no machine found for {robot:?}");
            return Err(Refused(StatusCode::NOT_FOUND, words));
        }
        [(_, parts)] => parts,
        several => {
            let ids: Vec<&str> = several.iter().map(|(id, _)| id.as_str()).collect();
            return Err(conflict(format!("several are named {robot:?}: {}", ids.join(", "))));
        }
    };
    let meant = of_name.iter().find(|one| match &part {
        Some(wanted) => one.id == *wanted || one.name == *wanted,
        None => one.main,
    });
    let Some(meant) = meant else {
        let names: Vec<&str> = of_name.iter().map(|part| part.name.as_str()).collect();
        let words = format!("the machine has no such part: it has {}", names.join(", "));
        return Err(Refused(StatusCode::NOT_FOUND, words));
    };
    if meant.live {
        let words = format!("the sandbox itself plays the machine of {:?}", meant.name);
        return Err(conflict(words));
    }
    shared.open_port(&meant.id)?;
    Ok(Json(json!({
        "cloud": { "app_address": shared.base_url, "id": meant.id, "secret": meant.secret },
    })))
}

async fn stop(State(shared): State<Arc<Shared>>) -> Answer {
    shared.stop.send_replace(true);
    done()
}
