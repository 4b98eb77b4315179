//! The table of a machine's resources, and what every call on one of them needs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use serde_json::{Map, Value};
use tokio::sync::OnceCell;
use tokio::time::Instant;
use tonic::{Request, Response, Status};
use viam_proto::common::v1::{DoCommandRequest, DoCommandResponse, ResourceName};

use super::tunnel::{self, Echo, Endpoint};
use super::{Log, board, motor, servo};

/// Who says what is said about the configuration.
const MANAGER: &str = "rdk.resource_manager";

/// The state of a resource, of which each kind uses its own part.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) board: board::State,
    pub(super) motor: motor::State,
    pub(super) servo: servo::State,
    /// How often it was asked for what changes, so that no two answers are the same.
    ticks: u32,
}

/// One resource.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    /// What it is, `rdk:component:servo`.
    pub(super) api: String,
    pub(super) name: String,
    pub(super) attributes: Map<String, Value>,
    /// Shared with the resource that follows it when the configuration changes.
    state: Arc<Mutex<State>>,
}

impl Resource {
    /// Its state; nobody waits while holding it.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that is one more each time.
    pub(super) fn tick(&self) -> u32 {
        let mut state = self.state();
        state.ticks = state.ticks.wrapping_add(1);
        state.ticks
    }

    /// Its full name as the API has it.
    pub(super) fn resource_name(&self) -> ResourceName {
        let mut parts = self.api.splitn(3, ':').map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        ResourceName { namespace: next(), r#type: next(), subtype: next(), name: self.name.clone() }
    }
}

/// What there is. The services of all kinds are implemented for it.
pub(super) struct Resources {
    /// The machine's name.
    pub(super) name: String,
    /// When the machine started.
    pub(super) since: Instant,
    table: RwLock<Vec<Resource>>,
    tunnels: RwLock<Vec<Endpoint>>,
    /// Started when somebody asks for it.
    pub(super) echo_server: OnceCell<Echo>,
    log: Log,
}

impl Resources {
    /// A machine without resources.
    pub(super) fn new(name: String, log: Log) -> Self {
        Self {
            name,
            since: Instant::now(),
            table: RwLock::default(),
            tunnels: RwLock::default(),
            echo_server: OnceCell::new(),
            log,
        }
    }

    /// Everything, in the order of the configuration.
    pub(super) fn all(&self) -> Vec<Resource> {
        self.table.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The ports that the configuration lets tunnels through to.
    pub(super) fn tunnels(&self) -> Vec<Endpoint> {
        self.tunnels.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The resource of an API that has a name.
    pub(super) fn find(&self, api: &str, name: &str) -> Result<Resource, Status> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table
            .iter()
            .find(|resource| resource.api == api && resource.name == name)
            .cloned()
            .ok_or_else(|| Status::not_found(format!("resource \"{api}/{name}\" not found")))
    }

    /// Writes down what a resource does.
    pub(super) fn say(&self, logger: &str, message: &str) {
        (self.log)("info", logger, message);
    }

    /// Answers `DoCommand`: what is asked comes back.
    pub(super) fn echo(
        &self,
        api: &str,
        request: Request<DoCommandRequest>,
    ) -> Result<Response<DoCommandResponse>, Status> {
        let request = request.into_inner();
        let resource = self.find(api, &request.name)?;
        let command =
            request.command.ok_or_else(|| Status::invalid_argument("the command is not set"))?;
        self.say(&resource.name, "did a command");
        Ok(Response::new(DoCommandResponse { result: Some(command) }))
    }

    /// Takes up a configuration. What cannot be read of it is logged and left out, as machines do.
    pub(super) fn reconfigure(&self, config: &Map<String, Value>) {
        *self.tunnels.write().unwrap_or_else(PoisonError::into_inner) = tunnel::endpoints(config);
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let mut old: BTreeMap<(String, String), Resource> = table
            .drain(..)
            .map(|resource| ((resource.api.clone(), resource.name.clone()), resource))
            .collect();
        let mut events = Vec::new();
        for (list, kind) in [("components", "component"), ("services", "service")] {
            for entry in config.get(list).and_then(Value::as_array).into_iter().flatten() {
                let mut new = match read(entry, kind) {
                    Ok(new) => new,
                    Err(why) => {
                        events.push(("error", format!("cannot configure a {kind}: {why}")));
                        continue;
                    }
                };
                let path = format!("{}/{}", new.api, new.name);
                if table.iter().any(|other| other.api == new.api && other.name == new.name) {
                    events.push(("error", format!("{path} is configured twice")));
                    continue;
                }
                match old.remove(&(new.api.clone(), new.name.clone())) {
                    Some(before) => new.state = before.state,
                    None => events.push(("info", format!("added {path}"))),
                }
                table.push(new);
            }
        }
        events.extend(old.keys().map(|(api, name)| ("info", format!("removed {api}/{name}"))));
        // Whoever takes the log may ask for the table.
        drop(table);
        for (level, message) in events {
            (self.log)(level, MANAGER, &message);
        }
    }
}

/// A resource as the configuration has it.
fn read(entry: &Value, kind: &str) -> Result<Resource, String> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let name = text("name").ok_or("it has no name")?.to_owned();
    let api = match (text("api"), text("type")) {
        (Some(api), _) => api.to_owned(),
        // The older form.
        (None, Some(subtype)) => format!("{}:{kind}:{subtype}", text("namespace").unwrap_or("rdk")),
        (None, None) => return Err(format!("{name:?} has no api")),
    };
    if api.split(':').filter(|part| !part.is_empty()).count() != 3 {
        return Err(format!("the api {api:?} of {name:?} is not of the form rdk:{kind}:KIND"));
    }
    let attributes = entry.get("attributes").and_then(Value::as_object).cloned();
    Ok(Resource { api, name, attributes: attributes.unwrap_or_default(), state: Arc::default() })
}
