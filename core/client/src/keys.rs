//! Creating API keys: the same call for an organization, a location and a machine
//! (transport.md §3.6).

use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};
use serde::Serialize;
use viam_contract::{Context, Error, Format, Kind, Result, Wire, text};
use viam_proto::app::v1::{Authorization, CreateKeyRequest};

use crate::{lookup, rpc_error};

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// An organization.
    Organization,
    /// A location.
    Location,
    /// A machine.
    Machine,
}

impl Resource {
    /// The word of the wire.
    const fn wire_name(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Location => "location",
            Self::Machine => "robot",
        }
    }

    /// The word for people.
    const fn name(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Location => "location",
            Self::Machine => "machine",
        }
    }
}

/// A key to create.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// What it is for.
    pub resource: Resource,
    /// The id of that.
    pub id: String,
    /// The organization, where the resource is not one itself.
    pub org_id: Option<String>,
    /// Its name; a default one otherwise.
    pub name: Option<String>,
}

/// JSON result of the `api-key create` commands.
#[derive(Serialize)]
struct Created<'a> {
    id: &'a str,
    key: &'a str,
    name: &'a str,
}

/// Creates the key and prints it in the documented form.
///
/// # Errors
/// Of the call; where several organizations own the resource, with the flag to give.
pub async fn create(cx: &Context, wire: &Wire, new: NewKey) -> Result<()> {
    let text_form = cx.output.format == Format::Text;
    let name = match new.name.filter(|name| !name.is_empty()) {
        Some(name) => name,
        None => {
            let name = default_name(cx)?;
            if text_form {
                cx.output.info(&format!("using default key name of {}", text::quoted(&name)))?;
            }
            name
        }
    };
    let kind = new.resource.wire_name();
    let organization_id = match new.resource {
        Resource::Organization => new.id.clone(),
        _ => new.org_id.unwrap_or_default(),
    };
    let request = CreateKeyRequest {
        name: name.clone(),
        authorizations: vec![Authorization {
            authorization_type: "role".to_owned(),
            authorization_id: format!("{kind}_owner"),
            resource_type: kind.to_owned(),
            resource_id: new.id.clone(),
            identity_id: String::new(),
            organization_id,
            identity_type: "api-key".to_owned(),
        }],
    };
    let answer = lookup::app(wire.clone()).create_key(request).await.map_err(|status| {
        if status.message().contains("multiple orgs") {
            return several_owners(new.resource, &new.id).because(status.message().to_owned());
        }
        rpc_error(status, format!("could not create an api-key for the {}", new.resource.name()))
    })?;
    let answer = answer.into_inner();
    if !text_form {
        return cx.output.json(&Created { id: &answer.id, key: &answer.key, name: &name });
    }
    cx.output.info("Successfully created key:")?;
    cx.output.line(format!("Key ID: {}", text::one_line(&answer.id)))?;
    cx.output.line(format!("Key Value: {}", text::one_line(&answer.key)))?;
    cx.output.result_warning(&format!(
        "Keep this key somewhere safe; it has full write access to your {}",
        new.resource.name()
    ))
}

/// The documented texts, which name the flag.
fn several_owners(resource: Resource, id: &str) -> Error {
    let what = match resource {
        Resource::Machine => "cannot create the machine api-key".to_owned(),
        _ => format!("cannot create api-key for location: {id}"),
    };
    Error::new(
        Kind::User,
        format!(
            "{what} as there are multiple orgs on the location. Please re-run the command with an \
             organization-id flag set"
        ),
    )
    .hint_text("say which one with --org-id")
}

/// `<who>-<local time>`, as the existing program names keys.
fn default_name(cx: &Context) -> Result<String> {
    let now = cx.clock.now();
    let offset = FixedOffset::east_opt(cx.clock.utc_offset(now));
    let now: DateTime<Utc> = now.into();
    let time = match offset {
        Some(offset) => now.with_timezone(&offset).to_rfc3339_opts(SecondsFormat::Secs, true),
        None => now.to_rfc3339_opts(SecondsFormat::Secs, true),
    };
    Ok(format!("{}-{time}", cx.sessions.subject()?))
}
