//! `viam.app.v1.RobotService`, the cloud's side of a machine: its configuration, its logs, and
//! whether it is to restart (cloud-side.md §1).

use std::sync::Arc;

use prost_types::Duration;
use serde_json::{Map, Value, json};
use tonic::{Request, Response, Status};
use viam_proto::app::v1 as pb;
use viam_proto::app::v1::robot_service_server::{RobotService, RobotServiceServer};

use super::access::{Level, denied, missing};
use super::convert::{from_struct, micros, to_struct};
use super::{Answer, Call, access, answer, config};
use crate::server::secrets;
use crate::server::state::Shared;
use crate::store::{Identity, Log, Part};
use crate::store::{keys, locations, logs, parts};

/// How often a machine asks whether it is to restart, in seconds; less is taken for a fault
/// (cloud-side.md §1.8).
const RESTART_CHECK: i64 = 5;

struct Machines {
    shared: Arc<Shared>,
}

pub(super) fn service(shared: Arc<Shared>) -> RobotServiceServer<impl RobotService> {
    RobotServiceServer::new(Machines { shared })
        .max_decoding_message_size(viam_client::wire::RECEIVE_LIMIT)
}

#[tonic::async_trait]
impl RobotService for Machines {
    async fn config(
        &self,
        request: Request<pb::ConfigRequest>,
    ) -> Result<Response<pb::ConfigResponse>, Status> {
        // A machine is dialed by a name with a port, which it gets with its first configuration.
        let id = request.get_ref().id.clone();
        let access = access(&request)?;
        super::ask(&self.shared, &access, move |call| own(call, &id).map(|_| ())).await?;
        let opened = self.shared.open_port(&request.get_ref().id);
        opened.map_err(|error| Status::internal(error.one_line()))?;
        let mut response = answer(&self.shared, request, compose).await?;
        if let Some(cloud) =
            response.get_mut().config.as_mut().and_then(|config| config.cloud.as_mut())
        {
            cloud.signaling_address = self.shared.base_url.trim_start_matches("http://").to_owned();
        }
        Ok(response)
    }

    async fn log(
        &self,
        request: Request<pb::LogRequest>,
    ) -> Result<Response<pb::LogResponse>, Status> {
        let response = answer(&self.shared, request, log).await?;
        self.shared.tails.added.send_replace(());
        Ok(response)
    }

    async fn needs_restart(
        &self,
        request: Request<pb::NeedsRestartRequest>,
    ) -> Result<Response<pb::NeedsRestartResponse>, Status> {
        answer(&self.shared, request, needs_restart).await
    }
}

/// The part that a machine is, or one that a key reaches. It was heard of.
fn own(call: &Call<'_>, id: &str) -> Answer<Part> {
    let part = match &call.caller.who {
        Identity::Part(own) if own == id => {
            parts::get(call.db, id)?.ok_or_else(|| missing("part", id))?
        }
        Identity::Part(_) => return Err(denied(Level::Read, "part", id)),
        _ => call.part(id, Level::Read)?.0,
    };
    if part.live {
        return Err(Status::failed_precondition(format!(
            "the sandbox itself plays the machine of part {}",
            part.id
        ))
        .into());
    }
    parts::touch(call.db, id, call.now)?;
    Ok(part)
}

fn compose(call: &Call<'_>, request: pb::ConfigRequest) -> Answer<pb::ConfigResponse> {
    let part = own(call, &request.id)?;
    if let Some(info) = request.agent_info {
        let info = json!({
            "host": info.host,
            "os": info.os,
            "ips": info.ips,
            "version": info.version,
            "git_revision": info.git_revision,
            "platform": info.platform,
            "platform_tags": info.platform_tags,
        });
        parts::set_info(call.db, &part.id, &info.to_string())?;
    }
    let json: Map<String, Value> = serde_json::from_str(&part.config).unwrap_or_default();
    let mut config = config::compose(&json);
    config.revision = secrets::fingerprint(&part.config);
    let owners = locations::owners(call.db, &part.location)?;
    let primary = owners.iter().find(|owner| owner.primary).or(owners.first());
    let (location, organization) = (
        locations::get(call.db, &part.location)?,
        primary.map(|owner| owner.organization.clone()).unwrap_or_default(),
    );
    config.auth = Some(auth(call, &part, &organization)?);
    config.cloud = Some(pb::CloudConfig {
        id: part.id,
        fqdn: part.fqdn,
        local_fqdn: part.local_fqdn,
        signaling_insecure: true,
        secret: part.secret.clone(),
        // Without one a machine does not start (cloud-side.md §1.5).
        location_secrets: location
            .into_iter()
            .map(|location| pb::LocationSecret { id: location.secret_id, secret: location.secret })
            .collect(),
        primary_org_id: organization,
        location_id: part.location,
        machine_id: part.robot,
        ..pb::CloudConfig::default()
    });
    Ok(pb::ConfigResponse { config: Some(config) })
}

/// The keys that may reach the machine at its own address.
fn auth(call: &Call<'_>, part: &Part, organization: &str) -> Answer<pb::AuthConfig> {
    let mut handler = Map::new();
    for key in keys::of_organization(call.db, organization)? {
        let who = Identity::Key(key.id.clone());
        let reaches = keys::grants(call.db, &who)?.iter().any(|grant| {
            let resource = grant.resource.as_str();
            match grant.resource_type.as_str() {
                "organization" => resource == organization,
                "location" => resource == part.location,
                _ => resource == part.robot,
            }
        });
        if reaches {
            handler.insert(key.id, key.secret.into());
        }
    }
    let handlers = if handler.is_empty() {
        Vec::new()
    } else {
        vec![pb::AuthHandlerConfig {
            r#type: pb::CredentialsType::ApiKey as i32,
            config: Some(to_struct(handler)),
        }]
    };
    Ok(pb::AuthConfig { handlers, ..pb::AuthConfig::default() })
}

fn log(call: &Call<'_>, request: pb::LogRequest) -> Answer<pb::LogResponse> {
    let part = own(call, &request.id)?;
    for entry in request.logs {
        let fields: Vec<_> = entry.fields.into_iter().map(from_struct).collect();
        let log = Log {
            seq: 0,
            time: entry.time.as_ref().map_or(call.now, micros),
            level: entry.level,
            logger: entry.logger_name,
            message: entry.message,
            fields: serde_json::to_string(&fields).unwrap_or_default(),
        };
        logs::insert(call.db, &part.id, &log)?;
    }
    Ok(pb::LogResponse {})
}

fn needs_restart(
    call: &Call<'_>,
    request: pb::NeedsRestartRequest,
) -> Answer<pb::NeedsRestartResponse> {
    let part = own(call, &request.id)?;
    // Said once: the machine that comes back is another run of it.
    let must_restart = parts::take_restart(call.db, &part.id)?;
    let restart_check_interval = Some(Duration { seconds: RESTART_CHECK, nanos: 0 });
    Ok(pb::NeedsRestartResponse { id: part.id, must_restart, restart_check_interval })
}
