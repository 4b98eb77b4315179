//! What machines say of themselves.

use std::ops::ControlFlow;

use rusqlite::{Connection, Row, params};

/// One entry.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    /// Its place among all entries that ever were; 0 in one that is to be added.
    pub(crate) seq: i64,
    pub(crate) time: i64,
    pub(crate) level: String,
    pub(crate) logger: String,
    pub(crate) message: String,
    /// The text of a JSON array of objects.
    pub(crate) fields: String,
}

/// Which entries of a part, and in which order.
#[derive(Clone, Debug)]
pub(crate) struct Window<'a> {
    pub(crate) part: &'a str,
    /// Entries that were added after this one are left out.
    pub(crate) newest: i64,
    /// The first time, and the last.
    pub(crate) times: (i64, i64),
    pub(crate) ascending: bool,
    /// Time and place of the entry before the first one.
    pub(crate) after: Option<(i64, i64)>,
}

/// In the order in which [`read`] takes them: it is done for each of very many.
const COLUMNS: &str = "SELECT seq, time, level, logger, message, fields FROM logs";

fn read(row: &Row<'_>) -> rusqlite::Result<Log> {
    Ok(Log {
        seq: row.get(0)?,
        time: row.get(1)?,
        level: row.get(2)?,
        logger: row.get(3)?,
        message: row.get(4)?,
        fields: row.get(5)?,
    })
}

/// Adds one.
pub(crate) fn insert(db: &Connection, part: &str, new: &Log) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO logs(part, time, level, logger, message, fields)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![part, new.time, new.level, new.logger, new.message, new.fields])?;
    Ok(())
}

/// The place of the newest entry of all.
pub(crate) fn newest(db: &Connection) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT ifnull(max(seq), 0) FROM logs")?.query_row([], |row| row.get(0))
}

/// Shows the entries of a window one by one, until it is enough.
pub(crate) fn scan(
    db: &Connection,
    window: &Window<'_>,
    mut show: impl FnMut(Log) -> ControlFlow<()>,
) -> rusqlite::Result<()> {
    let (mut first, mut last) = window.times;
    // Ends before the first entry, and after the last one.
    let mut after = if window.ascending { (i64::MIN, 0) } else { (i64::MAX, i64::MAX) };
    if let Some((time, seq)) = window.after {
        after = (time, seq);
        if window.ascending {
            first = first.max(time);
        } else {
            last = last.min(time);
        }
    }
    let (beyond, order) = if window.ascending { (">", "ASC") } else { ("<", "DESC") };
    let mut statement = db.prepare_cached(&format!(
        "{COLUMNS} WHERE part = ?1 AND time BETWEEN ?2 AND ?3 AND seq <= ?4
             AND (time, seq) {beyond} (?5, ?6)
         ORDER BY time {order}, seq {order}"
    ))?;
    let mut rows =
        statement.query(params![window.part, first, last, window.newest, after.0, after.1])?;
    while let Some(row) = rows.next()? {
        if show(read(row)?).is_break() {
            break;
        }
    }
    Ok(())
}

/// The entries of a part that were added after a place, in the order in which they were added;
/// no more of them than `most`.
pub(crate) fn added(
    db: &Connection,
    part: &str,
    after: i64,
    most: usize,
) -> rusqlite::Result<Vec<Log>> {
    // The plus sign makes SQLite begin at the place: few entries follow it.
    db.prepare_cached(&format!("{COLUMNS} WHERE +part = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3"))?
        .query_map(params![part, after, i64::try_from(most).unwrap_or(i64::MAX)], read)?
        .collect()
}
