//! What an organization has set up for queries: the user of its database, and indexes.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

/// Whether there is a user of the database of an organization.
pub(crate) fn has_user(db: &Connection, organization: &str) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM database_users WHERE organization = ?1")?
        .exists([organization])
}

/// Sets the user up, or changes the password. Nobody logs in, so that no password is kept.
pub(crate) fn set_user(db: &Connection, organization: &str, now: i64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO database_users(organization, set_up) VALUES (?1, ?2)",
    )?
    .execute(params![organization, now])?;
    Ok(())
}

/// The collection that an index is of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Collection {
    pub(crate) organization: String,
    /// The number of its kind in messages.
    pub(crate) kind: i32,
    /// The pipeline that fills it; empty where there is none.
    pub(crate) pipeline: String,
}

/// An index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) name: String,
    /// BSON documents one after the other, as they came.
    pub(crate) spec: Vec<u8>,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Index> {
    Ok(Index { name: row.get("name")?, spec: row.get("spec")? })
}

/// Those of a collection, the oldest first.
pub(crate) fn indexes(db: &Connection, of: &Collection) -> rusqlite::Result<Vec<Index>> {
    db.prepare_cached(
        "SELECT name, spec FROM indexes WHERE (organization, kind, pipeline) = (?1, ?2, ?3)
         ORDER BY seq",
    )?
    .query_map(params![of.organization, of.kind, of.pipeline], read)?
    .collect()
}

/// One by its name.
pub(crate) fn index(
    db: &Connection,
    of: &Collection,
    name: &str,
) -> rusqlite::Result<Option<Index>> {
    db.prepare_cached(
        "SELECT name, spec FROM indexes
         WHERE (organization, kind, pipeline, name) = (?1, ?2, ?3, ?4)",
    )?
    .query_row(params![of.organization, of.kind, of.pipeline, name], read)
    .optional()
}

/// Adds one.
pub(crate) fn insert_index(db: &Connection, of: &Collection, new: &Index) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO indexes(organization, kind, pipeline, name, spec) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![of.organization, of.kind, of.pipeline, new.name, new.spec])?;
    Ok(())
}

/// Removes one; whether it was there.
pub(crate) fn delete_index(db: &Connection, of: &Collection, name: &str) -> rusqlite::Result<bool> {
    let removed = db
        .prepare_cached(
            "DELETE FROM indexes WHERE (organization, kind, pipeline, name) = (?1, ?2, ?3, ?4)",
        )?
        .execute(params![of.organization, of.kind, of.pipeline, name])?;
    Ok(removed > 0)
}
