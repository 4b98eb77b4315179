//! Which captured things somebody asks for (behaviour.md §2.1), as SQL.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::ToSql;

/// What a caller may see.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reach {
    /// Everything, for tests.
    pub(crate) all: bool,
    pub(crate) organizations: Vec<String>,
    pub(crate) locations: Vec<String>,
    pub(crate) robots: Vec<String>,
}

impl Reach {
    /// No limit.
    #[cfg(test)]
    pub(crate) fn everything() -> Self {
        Self { all: true, ..Self::default() }
    }
}

/// What is asked of the tags.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Tags {
    /// Nothing.
    #[default]
    Whatever,
    /// One of these.
    Any(Vec<String>),
    /// At least one.
    Tagged,
    /// None.
    Untagged,
}

/// A filter. What is empty lets everything through.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Filter {
    pub(crate) component_name: String,
    pub(crate) component_type: String,
    pub(crate) method: String,
    pub(crate) robot_name: String,
    pub(crate) robot: String,
    pub(crate) part_name: String,
    pub(crate) part: String,
    pub(crate) locations: Vec<String>,
    pub(crate) organizations: Vec<String>,
    pub(crate) mime_types: Vec<String>,
    /// The first time, and the last.
    pub(crate) times: (i64, i64),
    pub(crate) tags: Tags,
    pub(crate) labels: Vec<String>,
    pub(crate) dataset: String,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            component_name: String::new(),
            component_type: String::new(),
            method: String::new(),
            robot_name: String::new(),
            robot: String::new(),
            part_name: String::new(),
            part: String::new(),
            locations: Vec::new(),
            organizations: Vec::new(),
            mime_types: Vec::new(),
            times: (i64::MIN, i64::MAX),
            tags: Tags::Whatever,
            labels: Vec::new(),
            dataset: String::new(),
        }
    }
}

/// Where a page begins: behind this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) time: i64,
    pub(crate) seq: i64,
}

impl Cursor {
    /// As `last` of an answer has it.
    pub(crate) fn token(self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{} {}", self.time, self.seq))
    }

    /// And back.
    pub(crate) fn parse(token: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
        let (time, seq) = text.split_once(' ')?;
        Some(Self { time: time.parse().ok()?, seq: seq.parse().ok()? })
    }
}

/// A piece of what a filter finds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub(crate) after: Option<Cursor>,
    pub(crate) ascending: bool,
    pub(crate) limit: usize,
}

/// A condition and its values, in the order of their question marks.
#[derive(Default)]
pub(super) struct Sql {
    pub(super) text: String,
    pub(super) values: Vec<Box<dyn ToSql>>,
}

impl Sql {
    /// Adds a condition; each `?` of it stands for one of the values.
    pub(super) fn and<V: ToSql + 'static>(
        &mut self,
        condition: &str,
        values: impl IntoIterator<Item = V>,
    ) {
        let word = if self.text.is_empty() { "WHERE" } else { " AND" };
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{word} ({condition})");
        for value in values {
            self.values.push(Box::new(value));
        }
    }

    /// The values as SQLite takes them.
    pub(super) fn values(&self) -> impl Iterator<Item = &dyn ToSql> {
        self.values.iter().map(AsRef::as_ref)
    }
}

/// A list as the text of a JSON array, which `json_each` takes apart.
pub(super) fn list(values: &[String]) -> String {
    serde_json::to_string(values).unwrap_or_default()
}

/// What all captured things have in common: `c` is the capture, `t` the thing.
pub(super) fn conditions(reach: &Reach, filter: &Filter) -> Sql {
    let mut sql = Sql::default();
    if !reach.all {
        sql.and(
            "c.location IN (SELECT location FROM owners WHERE organization IN
                 (SELECT value FROM json_each(?)))
             OR c.location IN (WITH RECURSIVE inside(id) AS (
                 SELECT value FROM json_each(?)
                 UNION SELECT l.id FROM locations l JOIN inside ON l.parent = inside.id)
                 SELECT id FROM inside)
             OR c.robot IN (SELECT value FROM json_each(?))",
            [list(&reach.organizations), list(&reach.locations), list(&reach.robots)],
        );
    }
    for (column, value) in [
        ("component_name", &filter.component_name),
        ("component_type", &filter.component_type),
        ("method", &filter.method),
        ("robot_name", &filter.robot_name),
        ("robot", &filter.robot),
        ("part_name", &filter.part_name),
        ("part", &filter.part),
    ] {
        if !value.is_empty() {
            sql.and(&format!("c.{column} = ?"), [value.clone()]);
        }
    }
    for (column, values) in [
        ("location", &filter.locations),
        ("organization", &filter.organizations),
        ("mime", &filter.mime_types),
    ] {
        if !values.is_empty() {
            sql.and(&format!("c.{column} IN (SELECT value FROM json_each(?))"), [list(values)]);
        }
    }
    if filter.times.0 > i64::MIN {
        sql.and("t.requested >= ?", [filter.times.0]);
    }
    if filter.times.1 < i64::MAX {
        sql.and("t.requested <= ?", [filter.times.1]);
    }
    sql
}

/// What only files have.
pub(super) fn of_files(reach: &Reach, filter: &Filter) -> Sql {
    let mut sql = conditions(reach, filter);
    let tagged = "EXISTS (SELECT 1 FROM file_tags WHERE file = t.seq)";
    match &filter.tags {
        Tags::Whatever => {}
        Tags::Any(tags) => sql.and(
            "EXISTS (SELECT 1 FROM file_tags WHERE file = t.seq
                 AND tag IN (SELECT value FROM json_each(?)))",
            [list(tags)],
        ),
        Tags::Tagged => sql.and::<i64>(tagged, []),
        Tags::Untagged => sql.and::<i64>(&format!("NOT {tagged}"), []),
    }
    if !filter.labels.is_empty() {
        sql.and(
            "EXISTS (SELECT 1 FROM json_each(t.boxes) b WHERE b.value ->> 'label'
                 IN (SELECT value FROM json_each(?)))",
            [list(&filter.labels)],
        );
    }
    if !filter.dataset.is_empty() {
        sql.and(
            "EXISTS (SELECT 1 FROM dataset_files WHERE file = t.seq AND dataset = ?)",
            [filter.dataset.clone()],
        );
    }
    sql
}

/// What only readings have.
pub(super) fn of_readings(reach: &Reach, filter: &Filter) -> Sql {
    let mut sql = conditions(reach, filter);
    match &filter.tags {
        Tags::Whatever => {}
        Tags::Any(tags) => sql.and(
            "EXISTS (SELECT 1 FROM json_each(t.tags) g WHERE g.value
                 IN (SELECT value FROM json_each(?)))",
            [list(tags)],
        ),
        Tags::Tagged => sql.and::<i64>("t.tags != '[]'", []),
        Tags::Untagged => sql.and::<i64>("t.tags = '[]'", []),
    }
    // Readings have no boxes, and are in no dataset.
    if !filter.labels.is_empty() || !filter.dataset.is_empty() {
        sql.and::<i64>("0", []);
    }
    sql
}

/// The place of a page, and its order.
pub(super) fn paged(sql: &mut Sql, page: &Page) {
    let (beyond, order) = if page.ascending { (">", "ASC") } else { ("<", "DESC") };
    if let Some(Cursor { time, seq }) = page.after {
        sql.and(&format!("(t.requested, t.seq) {beyond} (?, ?)"), [time, seq]);
    }
    let limit = page.limit;
    let _ = write!(sql.text, " ORDER BY t.requested {order}, t.seq {order} LIMIT {limit}");
}
