//! Datasets: files of an organization that go together.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

/// One dataset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dataset {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) organization: String,
    pub(crate) created: i64,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Dataset> {
    Ok(Dataset {
        id: row.get("id")?,
        name: row.get("name")?,
        organization: row.get("organization")?,
        created: row.get("created")?,
    })
}

/// Those of an organization, the oldest first.
pub(crate) fn list(db: &Connection, organization: &str) -> rusqlite::Result<Vec<Dataset>> {
    db.prepare_cached("SELECT * FROM datasets WHERE organization = ?1 ORDER BY seq")?
        .query_map([organization], read)?
        .collect()
}

/// One by its id.
pub(crate) fn get(db: &Connection, id: &str) -> rusqlite::Result<Option<Dataset>> {
    db.prepare_cached("SELECT * FROM datasets WHERE id = ?1")?.query_row([id], read).optional()
}

/// The id of the one of a name.
pub(crate) fn named(
    db: &Connection,
    organization: &str,
    name: &str,
) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT id FROM datasets WHERE organization = ?1 AND name = ?2")?
        .query_row([organization, name], |row| row.get(0))
        .optional()
}

/// Adds one.
pub(crate) fn insert(db: &Connection, new: &Dataset) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO datasets(id, name, organization, created) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![new.id, new.name, new.organization, new.created])?;
    Ok(())
}

/// Gives one another name.
pub(crate) fn rename(db: &Connection, id: &str, name: &str) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE datasets SET name = ?2 WHERE id = ?1")?.execute([id, name])?;
    Ok(())
}

/// Removes one; its files stay.
pub(crate) fn delete(db: &Connection, id: &str) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM datasets WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// Puts a file into one.
pub(crate) fn add(db: &Connection, dataset: &str, file: i64) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR IGNORE INTO dataset_files(dataset, file) VALUES (?1, ?2)")?
        .execute(params![dataset, file])?;
    Ok(())
}

/// Takes a file out of one.
pub(crate) fn remove(db: &Connection, dataset: &str, file: i64) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM dataset_files WHERE dataset = ?1 AND file = ?2")?
        .execute(params![dataset, file])?;
    Ok(())
}

/// Puts all files of one into another.
pub(crate) fn merge(db: &Connection, from: &str, into: &str) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR IGNORE INTO dataset_files(dataset, file)
         SELECT ?2, file FROM dataset_files WHERE dataset = ?1",
    )?
    .execute([from, into])?;
    Ok(())
}
