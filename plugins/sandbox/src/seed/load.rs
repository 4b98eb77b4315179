//! From a world to rows.

use std::collections::HashMap;

use rusqlite::Connection;
use viam_contract::{Error, Kind, Result};

use super::{DEMO_USER, KeySpec, LocationSpec, MachineSpec, OrganizationSpec, PartSpec, World};
use crate::server::names;
use crate::server::secrets;
use crate::store::data::{Capture, Dataset, datasets};
use crate::store::{
    Failure, Grant, Identity, Key, Location, Organization, Part, Robot, Role, User,
};
use crate::store::{keys, locations, logins, logs, organizations, parts, robots};

/// Ids by the names and ids that a file may use for them.
type Known = HashMap<String, String>;

impl World {
    /// Writes all of it.
    pub(crate) fn load(&self, db: &Connection, now: i64) -> Result<(), Failure> {
        let mut loader = Loader { db, now, users: Vec::new(), organizations: Known::new() };
        loader.load(self)
    }
}

struct Loader<'a> {
    db: &'a Connection,
    now: i64,
    users: Vec<User>,
    organizations: Known,
}

impl Loader<'_> {
    fn load(&mut self, world: &World) -> Result<(), Failure> {
        let demo = [DEMO_USER.to_owned()];
        for email in if world.users.is_empty() { &demo[..] } else { &world.users } {
            let user = User { id: secrets::id_of(&format!("user/{email}")), email: email.clone() };
            let added = logins::insert_user(self.db, &user, self.now);
            taken(added, || format!("the user {email} is there twice"))?;
            self.users.push(user);
        }
        for spec in &world.organizations {
            self.organization(spec)?;
        }
        // Only now is every organization there that a location may be shared with.
        for spec in &world.organizations {
            let id = self.organizations[&spec.name].clone();
            let mut known = Known::new();
            for location in &spec.locations {
                self.location(&id, &spec.name, location, &mut known)?;
            }
        }
        Ok(())
    }

    fn organization(&mut self, spec: &OrganizationSpec) -> Result<(), Failure> {
        let path = format!("organization/{}", spec.name);
        let id = spec.id.clone().unwrap_or_else(|| secrets::id_of(&path));
        let organization = Organization {
            id: id.clone(),
            name: spec.name.clone(),
            namespace: spec.namespace.clone(),
            region: String::new(),
            created: self.now,
        };
        let added = organizations::insert(self.db, &organization);
        taken(added, || format!("the id or the namespace of organization {:?}", spec.name))?;
        // The first of a name is the one that the name means.
        for word in [&spec.name, &id] {
            self.organizations.entry(word.clone()).or_insert_with(|| id.clone());
        }
        let grant = |role| Grant {
            role,
            resource_type: "organization".to_owned(),
            resource: id.clone(),
            organization: id.clone(),
        };
        for user in &self.users {
            if spec.members.as_ref().is_none_or(|members| members.contains(&user.email)) {
                let who = Identity::User(user.id.clone());
                keys::grant(self.db, &who, &grant(Role::Owner))?;
            }
        }
        let stranger = spec
            .members
            .iter()
            .flatten()
            .find(|email| self.users.iter().all(|user| user.email != **email));
        if let Some(stranger) = stranger {
            return Err(wrong(format!("the member {stranger} of {:?} is no user", spec.name)));
        }
        for dataset in &spec.datasets {
            let made = || secrets::id_of(&format!("dataset/{}/{}", spec.name, dataset.name));
            let row = Dataset {
                id: dataset.id.clone().unwrap_or_else(made),
                name: dataset.name.clone(),
                organization: id.clone(),
                created: self.now,
            };
            let added = datasets::insert(self.db, &row);
            taken(added, || format!("the id or the name of dataset {:?}", dataset.name))?;
        }
        spec.keys.iter().try_for_each(|key| self.key(&path, key, grant))
    }

    fn location(
        &self,
        organization: &str,
        organization_name: &str,
        spec: &LocationSpec,
        known: &mut Known,
    ) -> Result<(), Failure> {
        let path = format!("location/{organization_name}/{}", spec.name);
        let id = spec.id.clone().unwrap_or_else(|| secrets::id_of(&path));
        let parent = match &spec.parent {
            Some(parent) => known.get(parent).cloned().ok_or_else(|| {
                wrong(format!("no location {parent:?} stands before {:?}", spec.name))
            })?,
            None => String::new(),
        };
        let location = Location {
            id: id.clone(),
            name: spec.name.clone(),
            parent,
            region: String::new(),
            secret_id: secrets::id()?,
            secret: secrets::secret()?,
            created: self.now,
        };
        let added = locations::insert(self.db, &location, organization);
        taken(added, || format!("the id of location {:?}", spec.name))?;
        for word in [&spec.name, &id] {
            known.entry(word.clone()).or_insert_with(|| id.clone());
        }
        for other in &spec.shared_with {
            let other = self.organizations.get(other).ok_or_else(|| {
                wrong(format!(
                    "location {:?} is shared with {other:?}, which is missing",
                    spec.name
                ))
            })?;
            let shared = locations::share(self.db, &id, other, false);
            taken(shared, || format!("the owner {other} of location {:?}", spec.name))?;
        }
        let grant = |role| Grant {
            role,
            resource_type: "location".to_owned(),
            resource: id.clone(),
            organization: organization.to_owned(),
        };
        spec.keys.iter().try_for_each(|key| self.key(&path, key, grant))?;
        let place = format!("{organization_name}/{}", spec.name);
        spec.machines
            .iter()
            .try_for_each(|machine| self.machine(organization, &id, &place, machine))
    }

    fn machine(
        &self,
        organization: &str,
        location: &str,
        place: &str,
        spec: &MachineSpec,
    ) -> Result<(), Failure> {
        let path = format!("machine/{place}/{}", spec.name);
        let id = spec.id.clone().unwrap_or_else(|| secrets::id_of(&path));
        let robot = Robot {
            id: id.clone(),
            name: spec.name.clone(),
            location: location.to_owned(),
            created: self.now,
            last_access: None,
        };
        let added = robots::insert(self.db, &robot);
        taken(added, || format!("the id or the name of machine {:?}", spec.name))?;
        let grant = |role| Grant {
            role,
            resource_type: "robot".to_owned(),
            resource: id.clone(),
            organization: organization.to_owned(),
        };
        spec.keys.iter().try_for_each(|key| self.key(&path, key, grant))?;
        let only = [PartSpec { name: format!("{}-main", spec.name), ..PartSpec::default() }];
        let specs = if spec.parts.is_empty() { &only[..] } else { &spec.parts };
        let main = specs.iter().position(|part| part.main).unwrap_or_default();
        for (place, spec) in specs.iter().enumerate() {
            let names = names::of_part(&spec.name, location);
            let part = Part {
                id: spec
                    .id
                    .clone()
                    .unwrap_or_else(|| secrets::id_of(&format!("part/{path}/{}", spec.name))),
                name: spec.name.clone(),
                robot: id.clone(),
                location: location.to_owned(),
                main: place == main,
                secret_id: secrets::id()?,
                secret: secrets::secret()?,
                config: serde_json::Value::Object(spec.config.clone()).to_string(),
                dns_name: names.dns_name,
                fqdn: names.fqdn,
                local_fqdn: names.local_fqdn,
                created: self.now,
                updated: self.now,
                last_access: spec
                    .last_access_ago_secs
                    .map(|ago| self.now - i64::from(ago) * 1_000_000),
                live: spec.live,
                port: None,
                info: String::new(),
            };
            let added = parts::insert(self.db, &part);
            taken(added, || format!("the id or the name of part {:?}", part.name))?;
            // In the order in which they were said, whatever the order of the file.
            let mut said: Vec<_> = spec.logs.iter().collect();
            said.sort_by_key(|log| std::cmp::Reverse(log.ago_secs));
            for log in said {
                logs::insert(self.db, &part.id, &log.log(self.now))?;
            }
            let source = Capture {
                organization: organization.to_owned(),
                location: location.to_owned(),
                robot: id.clone(),
                robot_name: robot.name.clone(),
                part_name: part.name.clone(),
                part: part.id,
                ..Capture::default()
            };
            for (number, file) in spec.files.iter().enumerate() {
                file.load(self.db, &source, number, self.now)?;
            }
            for series in &spec.captured {
                let dataset = self.dataset(organization, series.dataset.as_deref())?;
                series.load(self.db, &source, dataset.as_deref(), self.now)?;
            }
        }
        Ok(())
    }

    /// The id of a dataset of an organization, which stands there by its name or its id.
    fn dataset(&self, organization: &str, word: Option<&str>) -> Result<Option<String>, Failure> {
        let Some(word) = word else { return Ok(None) };
        let all = datasets::list(self.db, organization)?;
        match all.into_iter().find(|dataset| dataset.id == word || dataset.name == word) {
            Some(dataset) => Ok(Some(dataset.id)),
            None => Err(wrong(format!("the organization has no dataset {word:?}"))),
        }
    }

    fn key(
        &self,
        path: &str,
        spec: &KeySpec,
        grant: impl Fn(Role) -> Grant,
    ) -> Result<(), Failure> {
        let role = spec.role.as_deref().unwrap_or("owner");
        let role = Role::parse(role).ok_or_else(|| {
            wrong(format!("key {:?} has the role {role:?}: it is owner or operator", spec.name))
        })?;
        let key = Key {
            id: spec
                .id
                .clone()
                .unwrap_or_else(|| secrets::id_of(&format!("key/{path}/{}", spec.name))),
            secret: spec.secret.clone().map_or_else(secrets::secret, Ok)?,
            name: spec.name.clone(),
            created: self.now,
        };
        taken(keys::insert(self.db, &key), || format!("the id of key {:?}", spec.name))?;
        Ok(keys::grant(self.db, &Identity::Key(key.id), &grant(role))?)
    }
}

fn wrong(words: String) -> Failure {
    Failure(Error::new(Kind::Usage, words))
}

/// A row that is there already is a fault of the world, not of the database.
fn taken(result: rusqlite::Result<()>, what: impl FnOnce() -> String) -> Result<(), Failure> {
    result.map_err(|error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::ConstraintViolation) => Failure(
            Error::new(Kind::Usage, format!("{} is taken in this world", what()))
                .hint_text("things of one name need ids of their own"),
        ),
        _ => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use crate::store::Store;

    fn loaded(seed: &Seed) -> Result<Store> {
        let store = Store::open(None)?;
        store.with(|db| seed.world().load(db, 7))?;
        Ok(store)
    }

    fn world(text: &str) -> Result<Store> {
        loaded(&Seed::World(Box::new(World::parse(text).expect("JSON"))))
    }

    #[test]
    fn ids_are_the_same_every_time() {
        let ids = || {
            let store = loaded(&Seed::Fleet).expect("fleet");
            store
                .with(|db| organizations::list(db))
                .map(|all| all.into_iter().map(|one| one.id).collect::<Vec<_>>())
        };
        assert_eq!(ids().expect("ids"), ids().expect("ids"));
    }

    #[test]
    fn the_documented_names_are_there() {
        let store = loaded(&Seed::Docs).expect("docs");
        store
            .with(|db| {
                for id in ["82c608a-1be9-46a5-968d-bad3a8a6daa", "82c608a-1be9-46a5"] {
                    assert!(robots::get(db, id)?.is_some(), "{id}");
                }
                for (location, part) in [("myLoc", "myrobot-main"), ("myLoc", "myrover-main")] {
                    assert_eq!(parts::named(db, location, part)?.len(), 1, "{part}");
                }
                assert!(locations::get(db, "123")?.is_some());
                assert!(organizations::get(db, "abc")?.is_some());
                let owner = organizations::with_namespace(db, "my-namespace")?;
                assert_eq!(owner.as_deref(), Some("my-org"));
                Ok::<_, rusqlite::Error>(())
            })
            .expect("read");
    }

    #[test]
    fn faults_of_a_world_are_named() {
        for (text, said) in [
            (r#"{"organizations": [{"name": "A"}, {"name": "A"}]}"#, "\"A\""),
            (
                r#"{"organizations": [{"name": "A", "locations": [{"name": "L", "parent": "P"}]}]}"#,
                "\"P\"",
            ),
            (
                r#"{"organizations": [{"name": "A", "locations": [{"name": "L", "shared_with": ["B"]}]}]}"#,
                "\"B\"",
            ),
            (
                r#"{"organizations": [{"name": "A", "keys": [{"name": "k", "role": "x"}]}]}"#,
                "\"x\"",
            ),
            (r#"{"organizations": [{"name": "A", "members": ["x@y"]}]}"#, "x@y"),
            (
                r#"{"organizations": [{"name": "A", "datasets": [{"name": "d"}, {"name": "d"}]}]}"#,
                "\"d\"",
            ),
            (
                r#"{"organizations": [{"name": "A", "locations": [{"name": "L", "machines": [{"name": "m"}, {"name": "m"}]}]}]}"#,
                "\"m\"",
            ),
        ] {
            let error = world(text).err().expect(text);
            assert!(error.message().contains(said), "{error}");
            assert_eq!(error.kind(), Kind::Usage);
        }
    }
}
