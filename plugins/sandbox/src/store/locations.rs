//! Locations, and which organizations own them.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

/// One location.
#[derive(Clone, Debug, Default)]
pub(crate) struct Location {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The location it lies in; empty where there is none.
    pub(crate) parent: String,
    pub(crate) region: String,
    pub(crate) secret_id: String,
    pub(crate) secret: String,
    pub(crate) created: i64,
}

/// An organization that owns a location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) organization: String,
    pub(crate) name: String,
    pub(crate) primary: bool,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Location> {
    Ok(Location {
        id: row.get("id")?,
        name: row.get("name")?,
        parent: row.get("parent")?,
        region: row.get("region")?,
        secret_id: row.get("secret_id")?,
        secret: row.get("secret")?,
        created: row.get("created")?,
    })
}

/// The locations of an organization, shared ones included, the oldest first.
pub(crate) fn list(db: &Connection, organization: &str) -> rusqlite::Result<Vec<Location>> {
    db.prepare_cached(
        "SELECT l.* FROM locations l JOIN owners o ON o.location = l.id
         WHERE o.organization = ?1 ORDER BY l.seq",
    )?
    .query_map([organization], read)?
    .collect()
}

/// One by its id.
pub(crate) fn get(db: &Connection, id: &str) -> rusqlite::Result<Option<Location>> {
    db.prepare_cached("SELECT * FROM locations WHERE id = ?1")?.query_row([id], read).optional()
}

/// Who owns it, the primary one first.
pub(crate) fn owners(db: &Connection, id: &str) -> rusqlite::Result<Vec<Owner>> {
    db.prepare_cached(
        "SELECT o.organization, g.name, o.is_primary FROM owners o
         JOIN organizations g ON g.id = o.organization
         WHERE o.location = ?1 ORDER BY o.is_primary DESC, g.seq",
    )?
    .query_map([id], |row| {
        Ok(Owner { organization: row.get(0)?, name: row.get(1)?, primary: row.get(2)? })
    })?
    .collect()
}

/// The location itself and those it lies in, from the inside out.
pub(crate) fn ancestors(db: &Connection, id: &str) -> rusqlite::Result<Vec<String>> {
    db.prepare_cached(
        "WITH RECURSIVE up(id, parent) AS (
             SELECT id, parent FROM locations WHERE id = ?1
             UNION SELECT l.id, l.parent FROM locations l JOIN up ON l.id = up.parent)
         SELECT id FROM up",
    )?
    .query_map([id], |row| row.get(0))?
    .collect()
}

/// Whether other locations lie in it.
pub(crate) fn has_children(db: &Connection, id: &str) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM locations WHERE parent = ?1")?.exists([id])
}

/// How many machines stand in it.
pub(crate) fn robot_count(db: &Connection, id: &str) -> rusqlite::Result<i32> {
    db.prepare_cached("SELECT count(*) FROM robots WHERE location = ?1")?
        .query_row([id], |row| row.get(0))
}

/// Adds one that an organization owns.
pub(crate) fn insert(db: &Connection, new: &Location, primary: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO locations(id, name, parent, region, secret_id, secret, created)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        new.id,
        new.name,
        new.parent,
        new.region,
        new.secret_id,
        new.secret,
        new.created
    ])?;
    share(db, &new.id, primary, true)
}

/// Makes an organization an owner too.
pub(crate) fn share(
    db: &Connection,
    location: &str,
    organization: &str,
    primary: bool,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO owners(location, organization, is_primary) VALUES (?1, ?2, ?3)",
    )?
    .execute(params![location, organization, primary])?;
    Ok(())
}

/// Ends that, and what was granted in that organization's name on the location and its machines.
pub(crate) fn unshare(
    db: &Connection,
    location: &str,
    organization: &str,
) -> rusqlite::Result<bool> {
    db.execute(
        "DELETE FROM grants WHERE organization = ?2 AND (
             (resource_type = 'location' AND resource = ?1) OR
             (resource_type = 'robot' AND resource IN (SELECT id FROM robots WHERE location = ?1)))",
        [location, organization],
    )?;
    let gone = db.execute(
        "DELETE FROM owners WHERE location = ?1 AND organization = ?2 AND NOT is_primary",
        [location, organization],
    )?;
    Ok(gone > 0)
}

/// Writes name, parent and region.
pub(crate) fn update(db: &Connection, location: &Location) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE locations SET name = ?2, parent = ?3, region = ?4 WHERE id = ?1")?
        .execute(params![location.id, location.name, location.parent, location.region])?;
    Ok(())
}

/// Removes one, and what was granted on it.
pub(crate) fn delete(db: &Connection, id: &str) -> rusqlite::Result<()> {
    db.execute("DELETE FROM grants WHERE resource_type = 'location' AND resource = ?1", [id])?;
    db.execute("DELETE FROM locations WHERE id = ?1", [id])?;
    Ok(())
}
