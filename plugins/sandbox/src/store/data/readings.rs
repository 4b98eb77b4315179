//! Readings of sensors.

use rusqlite::{Connection, Row, params, params_from_iter};

use super::filter::{Filter, Page, Reach, of_readings, paged};
use super::{COLUMNS, Capture, read_capture};

/// One reading.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    /// Its place; 0 in one that is to be added.
    pub(crate) seq: i64,
    pub(crate) capture: Capture,
    pub(crate) requested: i64,
    pub(crate) received: i64,
    pub(crate) tags: Vec<String>,
    /// The text of a JSON object.
    pub(crate) payload: String,
}

const FROM: &str = "FROM readings t JOIN captures c ON c.seq = t.capture";

fn read(row: &Row<'_>) -> rusqlite::Result<Reading> {
    let tags: String = row.get("tags")?;
    Ok(Reading {
        seq: row.get("seq")?,
        capture: read_capture(row)?,
        requested: row.get("requested")?,
        received: row.get("received")?,
        tags: serde_json::from_str(&tags).unwrap_or_default(),
        payload: row.get("payload")?,
    })
}

/// Adds one of a capture.
pub(crate) fn insert(db: &Connection, capture: i64, new: &Reading) -> rusqlite::Result<()> {
    let tags = serde_json::to_string(&new.tags).unwrap_or_default();
    db.prepare_cached(
        "INSERT INTO readings(capture, requested, received, tags, payload)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![capture, new.requested, new.received, tags, new.payload])?;
    Ok(())
}

/// A piece of what a filter finds.
pub(crate) fn page(
    db: &Connection,
    reach: &Reach,
    filter: &Filter,
    page: &Page,
) -> rusqlite::Result<Vec<Reading>> {
    let mut sql = of_readings(reach, filter);
    paged(&mut sql, page);
    let text = format!(
        "SELECT t.seq, t.requested, t.received, t.tags, t.payload, {COLUMNS} {FROM} {}",
        sql.text
    );
    db.prepare_cached(&text)?.query_map(params_from_iter(sql.values()), read)?.collect()
}

/// How many a filter finds.
pub(crate) fn count(db: &Connection, reach: &Reach, filter: &Filter) -> rusqlite::Result<i64> {
    let sql = of_readings(reach, filter);
    let text = format!("SELECT count(*) {FROM} {}", sql.text);
    db.prepare_cached(&text)?.query_row(params_from_iter(sql.values()), |row| row.get(0))
}

/// Removes what a filter finds; how many these were.
pub(crate) fn delete(db: &Connection, reach: &Reach, filter: &Filter) -> rusqlite::Result<usize> {
    let sql = of_readings(reach, filter);
    let text = format!("DELETE FROM readings WHERE seq IN (SELECT t.seq {FROM} {})", sql.text);
    db.prepare_cached(&text)?.execute(params_from_iter(sql.values()))
}

/// Removes those of a capture since a time but for the last so many.
pub(super) fn keep_last(
    db: &Connection,
    capture: i64,
    since: i64,
    kept: usize,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "DELETE FROM readings WHERE seq IN (
             SELECT seq FROM readings WHERE capture = ?1 AND requested > ?2
             ORDER BY requested DESC, seq DESC LIMIT -1 OFFSET ?3)",
    )?
    .execute(params![capture, since, i64::try_from(kept).unwrap_or(i64::MAX)])?;
    Ok(())
}
