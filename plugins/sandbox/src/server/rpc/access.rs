//! Who may see and change what.
//!
//! Something allowed on an organization holds for its locations, shared ones included; on a
//! location for those that lie in it and their machines; on a machine for its parts. Whoever is
//! allowed something deep inside sees the names of what it lies in, and nothing else there.

use rusqlite::Connection;
use tonic::Status;

use super::{Answer, Call, Refusal};
use crate::server::jwt::Access;
use crate::server::secrets;
use crate::store::data::Reach;
use crate::store::{Grant, Identity, Location, Organization, Part, Robot, Role};
use crate::store::{keys, locations, logins, organizations, parts, robots};

/// Who calls.
pub(crate) struct Caller {
    pub(crate) who: Identity,
    grants: Vec<Grant>,
}

/// How far somebody's rights on something go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Nothing.
    None,
    /// Its name, because of something inside.
    Name,
    /// Looking, no changes.
    Read,
    /// Everything.
    Write,
}

impl From<Role> for Level {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Write,
            Role::Operator => Self::Read,
        }
    }
}

impl Caller {
    /// The one that a token was made for, if it still exists.
    pub(crate) fn load(db: &Connection, access: &Access) -> Answer<Self> {
        let gone = |words| Refusal(Status::unauthenticated(words));
        let who = if access.rpc_creds_type == "api-key" {
            let key = keys::get(db, &access.sub)?.ok_or_else(|| gone("the API key was deleted"))?;
            if access.secret.as_deref() != Some(&secrets::fingerprint(&key.secret)) {
                return Err(gone("the API key was rotated"));
            }
            Identity::Key(key.id)
        } else if access.rpc_creds_type == "robot-secret" {
            let part = parts::get(db, &access.sub)?.ok_or_else(|| gone("the part was deleted"))?;
            if access.secret.as_deref() != Some(&secrets::fingerprint(&part.secret)) {
                return Err(gone("the secret of the part was rotated"));
            }
            Identity::Part(part.id)
        } else {
            let user = logins::user(db, &access.sub)?.ok_or_else(|| gone("the user is gone"))?;
            Identity::User(user.id)
        };
        let grants = keys::grants(db, &who)?;
        Ok(Self { who, grants })
    }

    fn granted(&self, resource_type: &str, id: &str) -> Level {
        self.on(resource_type)
            .filter(|grant| grant.resource == id)
            .map(|grant| Level::from(grant.role))
            .max()
            .unwrap_or(Level::None)
    }

    fn on(&self, resource_type: &str) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(move |grant| grant.resource_type == resource_type)
    }
}

impl Caller {
    /// Which captured things the caller may see.
    pub(crate) fn reach(&self) -> Reach {
        let on = |kind| self.on(kind).map(|grant| grant.resource.clone()).collect();
        Reach {
            all: false,
            organizations: on("organization"),
            locations: on("location"),
            robots: on("robot"),
        }
    }
}

impl Call<'_> {
    /// The rights on an organization.
    pub(crate) fn organization_level(&self, id: &str) -> Answer<Level> {
        let direct = self.caller.granted("organization", id);
        if direct > Level::None {
            return Ok(direct);
        }
        for location in self.reached_locations()? {
            let owners = locations::owners(self.db, &location)?;
            if owners.iter().any(|owner| owner.organization == id) {
                return Ok(Level::Name);
            }
        }
        Ok(Level::None)
    }

    /// The locations that something is allowed on or in, but for whole organizations.
    pub(crate) fn reached_locations(&self) -> Answer<Vec<String>> {
        let mut reached: Vec<String> =
            self.caller.on("location").map(|grant| grant.resource.clone()).collect();
        for grant in self.caller.on("robot") {
            reached.extend(robots::location(self.db, &grant.resource)?);
        }
        Ok(reached)
    }

    /// The rights on a location.
    pub(crate) fn location_level(&self, id: &str) -> Answer<Level> {
        let mut level = Level::None;
        for owner in locations::owners(self.db, id)? {
            level = level.max(self.caller.granted("organization", &owner.organization));
        }
        if level < Level::Write && self.caller.on("location").next().is_some() {
            for ancestor in locations::ancestors(self.db, id)? {
                level = level.max(self.caller.granted("location", &ancestor));
            }
        }
        if level == Level::None {
            for inside in self.reached_locations()? {
                if locations::ancestors(self.db, &inside)?.iter().any(|ancestor| ancestor == id) {
                    return Ok(Level::Name);
                }
            }
        }
        Ok(level)
    }

    /// The rights on a machine of a location.
    pub(crate) fn robot_level(&self, id: &str, location: &str) -> Answer<Level> {
        let direct = self.caller.granted("robot", id);
        let inherited = self.location_level(location)?;
        Ok(if inherited >= Level::Read { direct.max(inherited) } else { direct })
    }

    /// An organization, if the caller's rights on it reach that far.
    pub(crate) fn organization(&self, id: &str, wanted: Level) -> Answer<Organization> {
        let found = organizations::get(self.db, id)?;
        let found = found.ok_or_else(|| missing("organization", id))?;
        enough(self.organization_level(id)?, wanted, "organization", id)?;
        Ok(found)
    }

    /// A location, if the caller's rights on it reach that far.
    pub(crate) fn location(&self, id: &str, wanted: Level) -> Answer<(Location, Level)> {
        let found = locations::get(self.db, id)?.ok_or_else(|| missing("location", id))?;
        let level = enough(self.location_level(id)?, wanted, "location", id)?;
        Ok((found, level))
    }

    /// A machine, if the caller's rights on it reach that far.
    pub(crate) fn robot(&self, id: &str, wanted: Level) -> Answer<(Robot, Level)> {
        let found = robots::get(self.db, id)?.ok_or_else(|| missing("machine", id))?;
        let level = enough(self.robot_level(id, &found.location)?, wanted, "machine", id)?;
        Ok((found, level))
    }

    /// A part, if the caller's rights on its machine reach that far.
    pub(crate) fn part(&self, id: &str, wanted: Level) -> Answer<(Part, Level)> {
        let found = parts::get(self.db, id)?.ok_or_else(|| missing("part", id))?;
        let level = enough(self.robot_level(&found.robot, &found.location)?, wanted, "part", id)?;
        Ok((found, level))
    }
}

/// There is no such thing.
pub(crate) fn missing(what: &str, id: &str) -> Refusal {
    if id.is_empty() {
        return Refusal(Status::invalid_argument(format!("the id of the {what} is empty")));
    }
    Refusal(Status::not_found(format!("{what} {id} does not exist")))
}

fn enough(level: Level, wanted: Level, what: &str, id: &str) -> Answer<Level> {
    if level >= wanted { Ok(level) } else { Err(denied(wanted, what, id)) }
}

/// The refusal of something that is there and that the caller has no such rights on.
pub(super) fn denied(wanted: Level, what: &str, id: &str) -> Refusal {
    let verb = if wanted == Level::Write { "change" } else { "see" };
    let words = format!("this login is not allowed to {verb} {what} {id}");
    Refusal(Status::permission_denied(words))
}
