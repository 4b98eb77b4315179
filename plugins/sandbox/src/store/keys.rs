//! API keys, and what users and keys are allowed to do.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

/// One API key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) name: String,
    pub(crate) created: i64,
}

/// Who is allowed something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// A person, by id.
    User(String),
    /// An API key, by id.
    Key(String),
    /// A machine that logged in with the secret of its part, by the id of that.
    Part(String),
}

impl Identity {
    /// The word of `identity_type`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Key(_) => "api-key",
            Self::Part(_) => "robot-secret",
        }
    }

    /// The id.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::User(id) | Self::Key(id) | Self::Part(id) => id,
        }
    }
}

/// How much is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Everything.
    Owner,
    /// Looking and driving, no changes.
    Operator,
}

impl Role {
    /// The word of an `authorization_id` after the kind of resource.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Operator => "operator",
        }
    }

    /// Reads the word.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Owner, Self::Operator].into_iter().find(|role| role.word() == word)
    }
}

/// One thing that is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) role: Role,
    /// `organization`, `location` or `robot`.
    pub(crate) resource_type: String,
    /// The id of that.
    pub(crate) resource: String,
    /// The organization in whose name it was allowed.
    pub(crate) organization: String,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Key> {
    Ok(Key {
        id: row.get("id")?,
        secret: row.get("secret")?,
        name: row.get("name")?,
        created: row.get("created")?,
    })
}

/// One key by its id.
pub(crate) fn get(db: &Connection, id: &str) -> rusqlite::Result<Option<Key>> {
    db.prepare_cached("SELECT * FROM keys WHERE id = ?1")?.query_row([id], read).optional()
}

/// The keys with something allowed in an organization's name, the oldest first.
pub(crate) fn of_organization(db: &Connection, id: &str) -> rusqlite::Result<Vec<Key>> {
    db.prepare_cached(
        "SELECT * FROM keys WHERE id IN (
             SELECT identity FROM grants WHERE kind = 'api-key' AND organization = ?1)
         ORDER BY seq",
    )?
    .query_map([id], read)?
    .collect()
}

/// The keys with something allowed on a machine itself, the oldest first.
pub(crate) fn of_robot(db: &Connection, id: &str) -> rusqlite::Result<Vec<Key>> {
    db.prepare_cached(
        "SELECT * FROM keys WHERE id IN (
             SELECT identity FROM grants
             WHERE kind = 'api-key' AND resource_type = 'robot' AND resource = ?1)
         ORDER BY seq",
    )?
    .query_map([id], read)?
    .collect()
}

/// Adds a key.
pub(crate) fn insert(db: &Connection, new: &Key) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO keys(id, secret, name, created) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![new.id, new.secret, new.name, new.created])?;
    Ok(())
}

/// Writes name and secret.
pub(crate) fn update(db: &Connection, key: &Key) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE keys SET name = ?2, secret = ?3 WHERE id = ?1")?
        .execute(params![key.id, key.name, key.secret])?;
    Ok(())
}

/// Removes a key and what it was allowed.
pub(crate) fn delete(db: &Connection, id: &str) -> rusqlite::Result<()> {
    db.execute("DELETE FROM grants WHERE kind = 'api-key' AND identity = ?1", [id])?;
    db.execute("DELETE FROM keys WHERE id = ?1", [id])?;
    Ok(())
}

/// What somebody is allowed.
pub(crate) fn grants(db: &Connection, who: &Identity) -> rusqlite::Result<Vec<Grant>> {
    db.prepare_cached(
        "SELECT role, resource_type, resource, organization FROM grants
         WHERE kind = ?1 AND identity = ?2 ORDER BY resource_type, resource",
    )?
    .query_map([who.kind(), who.id()], |row| {
        let role: String = row.get(0)?;
        Ok(Grant {
            role: Role::parse(&role).unwrap_or(Role::Operator),
            resource_type: row.get(1)?,
            resource: row.get(2)?,
            organization: row.get(3)?,
        })
    })?
    .collect()
}

/// Allows something; twice on the same resource, the later one counts.
pub(crate) fn grant(db: &Connection, who: &Identity, grant: &Grant) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO grants(kind, identity, role, resource_type, resource, organization)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        who.kind(),
        who.id(),
        grant.role.word(),
        grant.resource_type,
        grant.resource,
        grant.organization
    ])?;
    Ok(())
}
