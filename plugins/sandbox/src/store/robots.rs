//! Machines, which the wire calls robots.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

/// One machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Robot {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) created: i64,
    /// When its main part was last heard of.
    pub(crate) last_access: Option<i64>,
}

const SELECT: &str = "SELECT r.*, p.last_access FROM robots r
     LEFT JOIN parts p ON p.robot = r.id AND p.main";

fn read(row: &Row<'_>) -> rusqlite::Result<Robot> {
    Ok(Robot {
        id: row.get("id")?,
        name: row.get("name")?,
        location: row.get("location")?,
        created: row.get("created")?,
        last_access: row.get("last_access")?,
    })
}

/// The machines of a location, the oldest first.
pub(crate) fn list(db: &Connection, location: &str) -> rusqlite::Result<Vec<Robot>> {
    db.prepare_cached(&format!("{SELECT} WHERE r.location = ?1 ORDER BY r.seq"))?
        .query_map([location], read)?
        .collect()
}

/// One by its id.
pub(crate) fn get(db: &Connection, id: &str) -> rusqlite::Result<Option<Robot>> {
    db.prepare_cached(&format!("{SELECT} WHERE r.id = ?1"))?.query_row([id], read).optional()
}

/// The ids of those that have a name or an id.
pub(crate) fn called(db: &Connection, word: &str) -> rusqlite::Result<Vec<String>> {
    db.prepare_cached("SELECT id FROM robots WHERE id = ?1 OR name = ?1 ORDER BY id != ?1, seq")?
        .query_map([word], |row| row.get(0))?
        .collect()
}

/// The location of one.
pub(crate) fn location(db: &Connection, id: &str) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT location FROM robots WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()
}

/// Whether another machine of the location has the name.
pub(crate) fn name_taken(
    db: &Connection,
    location: &str,
    name: &str,
    but: &str,
) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM robots WHERE location = ?1 AND name = ?2 AND id != ?3")?
        .exists([location, name, but])
}

/// Adds one, without parts.
pub(crate) fn insert(db: &Connection, new: &Robot) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO robots(id, name, location, created) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![new.id, new.name, new.location, new.created])?;
    Ok(())
}

/// Writes name and location.
pub(crate) fn update(db: &Connection, robot: &Robot) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE robots SET name = ?2, location = ?3 WHERE id = ?1")?
        .execute(params![robot.id, robot.name, robot.location])?;
    Ok(())
}

/// Removes one with its parts, and what was granted on it.
pub(crate) fn delete(db: &Connection, id: &str) -> rusqlite::Result<()> {
    db.execute("DELETE FROM grants WHERE resource_type = 'robot' AND resource = ?1", [id])?;
    db.execute("DELETE FROM robots WHERE id = ?1", [id])?;
    Ok(())
}
