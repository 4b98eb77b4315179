//! How parts were before they were changed, and who changed them.

use rusqlite::{Connection, Row, params};

use super::{Identity, Part};

/// One change.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// Its place among all changes.
    pub(crate) seq: i64,
    pub(crate) time: i64,
    pub(crate) by: Identity,
    /// The e-mail address of a user, the id of a key: as it was then.
    pub(crate) name: String,
    pub(crate) old_name: String,
    pub(crate) old_config: String,
    /// When the part had been changed before.
    pub(crate) old_updated: i64,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Change> {
    let kind: String = row.get("kind")?;
    let who = row.get("identity")?;
    Ok(Change {
        seq: row.get("seq")?,
        time: row.get("time")?,
        by: if kind == "user" { Identity::User(who) } else { Identity::Key(who) },
        name: row.get("editor")?,
        old_name: row.get("old_name")?,
        old_config: row.get("old_config")?,
        old_updated: row.get("old_updated")?,
    })
}

/// Keeps how a part was.
pub(crate) fn insert(
    db: &Connection,
    old: &Part,
    time: i64,
    by: &Identity,
    name: &str,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO history(part, time, kind, identity, editor, old_name, old_config, old_updated)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        old.id,
        time,
        by.kind(),
        by.id(),
        name,
        old.name,
        old.config,
        old.updated
    ])?;
    Ok(())
}

/// The changes of a part from the first time to the last, the newest first, from before a place
/// on; no more of them than `most`.
pub(crate) fn list(
    db: &Connection,
    part: &str,
    times: (i64, i64),
    before: i64,
    most: usize,
) -> rusqlite::Result<Vec<Change>> {
    db.prepare_cached(
        "SELECT * FROM history WHERE part = ?1 AND time BETWEEN ?2 AND ?3 AND seq < ?4
         ORDER BY seq DESC LIMIT ?5",
    )?
    .query_map(
        params![part, times.0, times.1, before, i64::try_from(most).unwrap_or(i64::MAX)],
        read,
    )?
    .collect()
}
