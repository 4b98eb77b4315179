//! Files that machines have captured or sent. Their contents lie elsewhere (`server::content`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};

use super::filter::{Filter, Page, Reach, Sql, list, of_files, paged};
use super::{COLUMNS, Capture, datasets, read_capture};

/// Where the bytes of a file are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Content {
    /// In a file of its id.
    #[default]
    Stored,
    /// Nowhere: they are made from this number whenever somebody asks.
    Noise(u64),
    /// A picture of this number.
    Picture(u32),
    /// Here: a few bytes that a world has.
    Given(Vec<u8>),
}

impl Content {
    fn text(&self) -> String {
        match self {
            Self::Stored => String::new(),
            Self::Noise(seed) => format!("noise:{seed}"),
            Self::Picture(number) => format!("picture:{number}"),
            Self::Given(bytes) => format!("given:{}", STANDARD.encode(bytes)),
        }
    }

    fn parse(text: &str) -> Self {
        if let Some(bytes) = text.strip_prefix("given:") {
            return Self::Given(STANDARD.decode(bytes).unwrap_or_default());
        }
        let number = |word: &str| text.strip_prefix(word).and_then(|rest| rest.parse().ok());
        match (number("noise:"), number("picture:")) {
            (Some(seed), _) => Self::Noise(seed),
            (None, Some(number)) => Self::Picture(u32::try_from(number).unwrap_or_default()),
            (None, None) => Self::Stored,
        }
    }
}

/// One file.
#[derive(Clone, Debug, Default)]
pub(crate) struct File {
    /// Its place; 0 in one that is to be added.
    pub(crate) seq: i64,
    pub(crate) id: String,
    pub(crate) capture: Capture,
    pub(crate) requested: i64,
    pub(crate) received: i64,
    pub(crate) name: String,
    pub(crate) ext: String,
    pub(crate) size: i64,
    pub(crate) content: Content,
    /// The text of a JSON array of boxes as messages have them.
    pub(crate) boxes: String,
    pub(crate) tags: Vec<String>,
    pub(crate) datasets: Vec<String>,
}

const FROM: &str = "FROM files t JOIN captures c ON c.seq = t.capture";

fn select(conditions: &Sql) -> String {
    format!(
        "SELECT t.seq, t.id, t.requested, t.received, t.name, t.ext, t.size, t.content, t.boxes,
             (SELECT json_group_array(tag) FROM file_tags WHERE file = t.seq) AS tags,
             (SELECT json_group_array(dataset) FROM dataset_files WHERE file = t.seq) AS datasets,
             {COLUMNS} {FROM} {}",
        conditions.text
    )
}

fn read(row: &Row<'_>) -> rusqlite::Result<File> {
    let list = |name: &str| -> rusqlite::Result<Vec<String>> {
        let text: String = row.get(name)?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    };
    Ok(File {
        seq: row.get("seq")?,
        id: row.get("id")?,
        capture: read_capture(row)?,
        requested: row.get("requested")?,
        received: row.get("received")?,
        name: row.get("name")?,
        ext: row.get("ext")?,
        size: row.get("size")?,
        content: Content::parse(&row.get::<_, String>("content")?),
        boxes: row.get("boxes")?,
        tags: list("tags")?,
        datasets: list("datasets")?,
    })
}

/// Adds one of a capture.
pub(crate) fn insert(db: &Connection, capture: i64, new: &File) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO files(id, capture, requested, received, name, ext, size, content, boxes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        new.id,
        capture,
        new.requested,
        new.received,
        new.name,
        new.ext,
        new.size,
        new.content.text(),
        new.boxes
    ])?;
    let seq = db.last_insert_rowid();
    add_tags(db, seq, &new.tags)?;
    for dataset in &new.datasets {
        datasets::add(db, dataset, seq)?;
    }
    Ok(())
}

/// A piece of what a filter finds.
pub(crate) fn page(
    db: &Connection,
    reach: &Reach,
    filter: &Filter,
    page: &Page,
) -> rusqlite::Result<Vec<File>> {
    let mut sql = of_files(reach, filter);
    paged(&mut sql, page);
    db.prepare_cached(&select(&sql))?.query_map(params_from_iter(sql.values()), read)?.collect()
}

/// How many a filter finds, and how many bytes they have.
pub(crate) fn count(
    db: &Connection,
    reach: &Reach,
    filter: &Filter,
) -> rusqlite::Result<(i64, i64)> {
    let sql = of_files(reach, filter);
    let text = format!("SELECT count(*), ifnull(sum(t.size), 0) {FROM} {}", sql.text);
    db.prepare_cached(&text)?
        .query_row(params_from_iter(sql.values()), |row| Ok((row.get(0)?, row.get(1)?)))
}

/// One by its id.
pub(crate) fn get(db: &Connection, reach: &Reach, id: &str) -> rusqlite::Result<Option<File>> {
    let mut sql = of_files(reach, &Filter::default());
    sql.and("t.id = ?", [id.to_owned()]);
    db.prepare_cached(&select(&sql))?.query_row(params_from_iter(sql.values()), read).optional()
}

/// Those of some ids, in no order.
pub(crate) fn get_all(
    db: &Connection,
    reach: &Reach,
    ids: &[String],
) -> rusqlite::Result<Vec<File>> {
    let mut sql = of_files(reach, &Filter::default());
    sql.and("t.id IN (SELECT value FROM json_each(?))", [list(ids)]);
    db.prepare_cached(&select(&sql))?.query_map(params_from_iter(sql.values()), read)?.collect()
}

/// Removes one.
pub(crate) fn delete(db: &Connection, seq: i64) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM files WHERE seq = ?1")?.execute([seq])?;
    Ok(())
}

/// Removes those of a capture since a time but for the last so many; which these were.
pub(super) fn keep_last(
    db: &Connection,
    capture: i64,
    since: i64,
    kept: usize,
) -> rusqlite::Result<Vec<File>> {
    let read = |row: &Row<'_>| {
        Ok(File {
            seq: row.get("seq")?,
            id: row.get("id")?,
            content: Content::parse(&row.get::<_, String>("content")?),
            ..File::default()
        })
    };
    let gone = db
        .prepare_cached(
            "SELECT seq, id, content FROM files WHERE capture = ?1 AND requested > ?2
             ORDER BY requested DESC, seq DESC LIMIT -1 OFFSET ?3",
        )?
        .query_map(params![capture, since, i64::try_from(kept).unwrap_or(i64::MAX)], read)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    gone.iter().try_for_each(|file| delete(db, file.seq))?;
    Ok(gone)
}

/// Adds tags; those that it has stay as they are.
pub(crate) fn add_tags(db: &Connection, seq: i64, tags: &[String]) -> rusqlite::Result<()> {
    for tag in tags {
        db.prepare_cached("INSERT OR IGNORE INTO file_tags(file, tag) VALUES (?1, ?2)")?
            .execute(params![seq, tag])?;
    }
    Ok(())
}

/// Removes tags; how many it had.
pub(crate) fn remove_tags(db: &Connection, seq: i64, tags: &[String]) -> rusqlite::Result<usize> {
    let mut removed = 0;
    for tag in tags {
        removed += db
            .prepare_cached("DELETE FROM file_tags WHERE file = ?1 AND tag = ?2")?
            .execute(params![seq, tag])?;
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_come_back_as_they_went() {
        for content in [
            Content::Stored,
            Content::Noise(u64::MAX),
            Content::Picture(7),
            Content::Given(vec![0, 0xff]),
        ] {
            assert_eq!(Content::parse(&content.text()), content);
        }
    }
}
