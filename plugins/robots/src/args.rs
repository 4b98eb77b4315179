//! The flags that say which machine or part is meant, the same on every verb.

use viam_client::lookup::{self, Scope};
use viam_contract::{Context, Error, Kind, Result, Wire};
use viam_proto::app::v1::{Robot, RobotPart};

/// Where a machine is looked for.
#[derive(clap::Args, Clone, Debug, Default, PartialEq)]
pub(crate) struct PlaceArgs {
    /// id or name of the organization to look in; the default or all if not given
    #[arg(long, aliases = ["org", "org-id", "org-name"])]
    pub(crate) organization: Option<String>,
    /// id or name of the location to look in; the default or all if not given
    #[arg(long, aliases = ["location-id", "location-name"])]
    pub(crate) location: Option<String>,
}

/// A machine.
#[derive(clap::Args, Debug, Default, PartialEq)]
pub(crate) struct MachineArgs {
    /// id or name of the machine
    #[arg(long, aliases = ["robot", "machine-id", "machine-name", "robot-id", "robot-name"])]
    pub(crate) machine: String,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// A part.
#[derive(clap::Args, Debug, Default, PartialEq)]
pub(crate) struct PartArgs {
    /// id or name of the part; may be left out for the only part of a machine
    #[arg(long, aliases = ["part-id", "part-name"], required_unless_present = "machine")]
    pub(crate) part: Option<String>,
    /// id or name of the machine to look in; all if not given
    #[arg(long, aliases = ["robot", "machine-id", "machine-name", "robot-id", "robot-name"])]
    pub(crate) machine: Option<String>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// What was given, where it is not empty.
pub(crate) fn given(value: Option<&String>) -> Option<&str> {
    value.map(String::as_str).filter(|value| !value.is_empty())
}

impl PlaceArgs {
    /// The scope of the search, the defaults included. The default location lies in the default
    /// organization, so it does not count where another one is given.
    pub(crate) fn scope(&self, cx: &Context) -> Scope {
        let organization = given(self.organization.as_ref()).map(str::to_owned);
        let location = given(self.location.as_ref()).map(str::to_owned);
        match (organization, location) {
            (None, None) => Scope {
                organization: cx.defaults.org_id.clone(),
                location: cx.defaults.location_id.clone(),
            },
            (organization, location) => Scope { organization, location },
        }
    }

    /// Whether organization and location are both given, by flags or defaults. Else a result is
    /// headed by their names.
    pub(crate) fn complete(&self, cx: &Context) -> bool {
        (given(self.organization.as_ref()).is_some() || cx.defaults.org_id.is_some())
            && (given(self.location.as_ref()).is_some() || cx.defaults.location_id.is_some())
    }
}

impl MachineArgs {
    /// The name or id.
    pub(crate) fn wanted(&self) -> Result<&str> {
        given(Some(&self.machine)).ok_or_else(|| {
            Error::new(Kind::Usage, "the name of the machine is empty")
                .hint_text("give --machine")
                .hint_run("viam robots list")
        })
    }

    /// Finds it.
    pub(crate) async fn find(&self, cx: &Context, wire: &Wire) -> Result<Robot> {
        lookup::machine(wire, &self.place.scope(cx), self.wanted()?).await
    }
}

impl PartArgs {
    /// Checks what can be checked without a call.
    pub(crate) fn check(&self) -> Result<()> {
        if given(self.part.as_ref()).is_none() && given(self.machine.as_ref()).is_none() {
            return Err(Error::new(Kind::Usage, "the name of the part is empty")
                .hint_text("give --part")
                .hint_run("viam robots part list"));
        }
        Ok(())
    }

    /// Finds it.
    pub(crate) async fn find(&self, cx: &Context, wire: &Wire) -> Result<RobotPart> {
        let (machine, part) = (given(self.machine.as_ref()), given(self.part.as_ref()));
        lookup::part(wire, &self.place.scope(cx), machine, part).await
    }

    /// Whether all that a part lies in is given, so that a result needs no header.
    pub(crate) fn complete(&self, cx: &Context) -> bool {
        given(self.machine.as_ref()).is_some() && self.place.complete(cx)
    }
}
