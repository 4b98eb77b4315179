//! Organizations.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

/// One organization.
#[derive(Clone, Debug, Default)]
pub(crate) struct Organization {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The public namespace; empty where there is none.
    pub(crate) namespace: String,
    pub(crate) region: String,
    pub(crate) created: i64,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Organization> {
    Ok(Organization {
        id: row.get("id")?,
        name: row.get("name")?,
        namespace: row.get("namespace")?,
        region: row.get("region")?,
        created: row.get("created")?,
    })
}

/// Every organization, the oldest first.
pub(crate) fn list(db: &Connection) -> rusqlite::Result<Vec<Organization>> {
    db.prepare_cached("SELECT * FROM organizations ORDER BY seq")?.query_map([], read)?.collect()
}

/// One by its id.
pub(crate) fn get(db: &Connection, id: &str) -> rusqlite::Result<Option<Organization>> {
    db.prepare_cached("SELECT * FROM organizations WHERE id = ?1")?.query_row([id], read).optional()
}

/// The id of the one that has a namespace.
pub(crate) fn with_namespace(db: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT id FROM organizations WHERE namespace = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// Adds one.
pub(crate) fn insert(db: &Connection, new: &Organization) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO organizations(id, name, namespace, region, created) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![new.id, new.name, new.namespace, new.region, new.created])?;
    Ok(())
}

/// Writes all but id and age.
pub(crate) fn update(db: &Connection, org: &Organization) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE organizations SET name = ?2, namespace = ?3, region = ?4 WHERE id = ?1",
    )?
    .execute(params![org.id, org.name, org.namespace, org.region])?;
    Ok(())
}

/// Removes one, and what was granted on it or in its name.
pub(crate) fn delete(db: &Connection, id: &str) -> rusqlite::Result<()> {
    db.execute("DELETE FROM grants WHERE organization = ?1", [id])?;
    db.execute("DELETE FROM organizations WHERE id = ?1", [id])?;
    Ok(())
}
