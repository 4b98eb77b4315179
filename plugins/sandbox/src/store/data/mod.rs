//! What machines capture: files (pictures, clouds of points) and readings of sensors.

pub(crate) mod databases;
pub(crate) mod datasets;
pub(crate) mod files;
mod filter;
pub(crate) mod readings;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

pub(crate) use datasets::Dataset;
pub(crate) use files::{Content, File};
pub(crate) use filter::{Cursor, Filter, Page, Reach, Tags};
pub(crate) use readings::Reading;

/// What captured something, of which method of which component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Capture {
    pub(crate) organization: String,
    pub(crate) location: String,
    pub(crate) robot: String,
    pub(crate) robot_name: String,
    pub(crate) part: String,
    pub(crate) part_name: String,
    pub(crate) component_type: String,
    pub(crate) component_name: String,
    pub(crate) method: String,
    /// The text of a JSON object.
    pub(crate) params: String,
    pub(crate) mime: String,
}

/// The columns of a capture, beside those of what was captured.
const COLUMNS: &str = "c.organization, c.location, c.robot, c.robot_name, c.part, c.part_name,
    c.component_type, c.component_name, c.method, c.params, c.mime";

fn read_capture(row: &Row<'_>) -> rusqlite::Result<Capture> {
    Ok(Capture {
        organization: row.get("organization")?,
        location: row.get("location")?,
        robot: row.get("robot")?,
        robot_name: row.get("robot_name")?,
        part: row.get("part")?,
        part_name: row.get("part_name")?,
        component_type: row.get("component_type")?,
        component_name: row.get("component_name")?,
        method: row.get("method")?,
        params: row.get("params")?,
        mime: row.get("mime")?,
    })
}

/// The row of a capture, which is made when it is missing.
pub(crate) fn capture(db: &Connection, new: &Capture) -> rusqlite::Result<i64> {
    let all = params![
        new.organization,
        new.location,
        new.robot,
        new.robot_name,
        new.part,
        new.part_name,
        new.component_type,
        new.component_name,
        new.method,
        new.params,
        new.mime
    ];
    let found = db
        .prepare_cached(
            "SELECT seq FROM captures WHERE (organization, location, robot, robot_name, part,
                 part_name, component_type, component_name, method, params, mime)
                 = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .query_row(all, |row| row.get(0))
        .optional()?;
    if let Some(seq) = found {
        return Ok(seq);
    }
    db.prepare_cached(
        "INSERT INTO captures(organization, location, robot, robot_name, part, part_name,
             component_type, component_name, method, params, mime)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(all)?;
    Ok(db.last_insert_rowid())
}

/// Removes what a part has captured since a time, but for the last so many of each method; the
/// files among it.
pub(crate) fn keep_last(
    db: &Connection,
    part: &str,
    since: i64,
    kept: usize,
) -> rusqlite::Result<Vec<File>> {
    let rows = db
        .prepare_cached("SELECT seq FROM captures WHERE part = ?1")?
        .query_map([part], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    let mut gone = Vec::new();
    for row in rows {
        readings::keep_last(db, row, since, kept)?;
        gone.extend(files::keep_last(db, row, since, kept)?);
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn file(id: &str, requested: i64, tags: &[&str]) -> File {
        File {
            id: id.to_owned(),
            requested,
            size: 10,
            boxes: r#"[{"label":"cat"}]"#.to_owned(),
            tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
            ..File::default()
        }
    }

    fn ids(db: &Connection, filter: &Filter, page: &Page) -> Vec<String> {
        let found = files::page(db, &Reach::everything(), filter, page).expect("a page");
        found.into_iter().map(|file| file.id).collect()
    }

    #[test]
    fn the_last_ones_are_kept_and_so_is_what_was_there_before() {
        let store = Store::open(None).expect("open");
        store
            .with(|db| {
                let source = Capture { part: "p".to_owned(), ..Capture::default() };
                let row = capture(db, &source)?;
                for time in 1..=6 {
                    files::insert(db, row, &file(&time.to_string(), time, &[]))?;
                    let reading = Reading { requested: time, ..Reading::default() };
                    readings::insert(db, row, &reading)?;
                }
                assert!(keep_last(db, "other", 2, 1)?.is_empty());
                let gone = keep_last(db, "p", 2, 3)?;
                let gone: Vec<&str> = gone.iter().map(|file| file.id.as_str()).collect();
                assert_eq!(gone, ["3"]);
                let all = Page { limit: 10, ..Page::default() };
                assert_eq!(ids(db, &Filter::default(), &all), ["6", "5", "4", "2", "1"]);
                let count = readings::count(db, &Reach::everything(), &Filter::default())?;
                assert_eq!(count, 5);
                Ok::<_, rusqlite::Error>(())
            })
            .expect("done");
    }

    #[test]
    fn files_are_found_by_what_they_are() {
        let store = Store::open(None).expect("open");
        store
            .with(|db| {
                let camera = Capture { component_name: "cam".to_owned(), ..Capture::default() };
                let other = Capture { mime: "image/png".to_owned(), ..Capture::default() };
                let camera = capture(db, &camera)?;
                assert_eq!(capture(db, &other)?, capture(db, &other)?);
                let other = capture(db, &other)?;
                files::insert(db, camera, &file("a", 1, &["x", "y"]))?;
                files::insert(db, camera, &file("b", 3, &[]))?;
                files::insert(db, other, &File { boxes: "[]".to_owned(), ..file("c", 2, &["y"]) })?;
                let all = Page { limit: 10, ..Page::default() };
                let is = |filter: Filter, expected: &[&str]| {
                    assert_eq!(ids(db, &filter, &all), expected, "{filter:?}");
                };
                is(Filter::default(), &["b", "c", "a"]);
                is(Filter { component_name: "cam".to_owned(), ..Filter::default() }, &["b", "a"]);
                is(Filter { times: (2, 3), ..Filter::default() }, &["b", "c"]);
                is(Filter { mime_types: vec!["image/png".into()], ..Filter::default() }, &["c"]);
                is(Filter { labels: vec!["cat".into()], ..Filter::default() }, &["b", "a"]);
                let tags = |tags| Filter { tags, ..Filter::default() };
                is(tags(Tags::Any(vec!["x".into(), "z".into()])), &["a"]);
                is(tags(Tags::Tagged), &["c", "a"]);
                is(tags(Tags::Untagged), &["b"]);
                let first = Page { limit: 2, ascending: true, after: None };
                assert_eq!(ids(db, &Filter::default(), &first), ["a", "c"]);
                let second = Page { after: Some(Cursor { time: 2, seq: 3 }), ..first };
                assert_eq!(ids(db, &Filter::default(), &second), ["b"]);
                let sum = files::count(db, &Reach::everything(), &tags(Tags::Tagged))?;
                assert_eq!(sum, (2, 20));
                let nobody = Reach::default();
                assert_eq!(files::count(db, &nobody, &Filter::default())?, (0, 0));
                let found = files::get(db, &Reach::everything(), "a")?.expect("there");
                assert_eq!(
                    (found.tags, found.capture.component_name.as_str()),
                    (vec!["x".to_owned(), "y".to_owned()], "cam")
                );
                Ok::<_, rusqlite::Error>(())
            })
            .expect("done");
    }
}
