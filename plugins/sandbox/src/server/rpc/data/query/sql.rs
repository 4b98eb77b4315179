//! SQL: one SELECT over a table `readings` that is made for it and that nothing else is beside.

use std::time::Duration;

use bson::{Bson, Document};
use chrono::DateTime;
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::ValueRef;
use rusqlite::{Batch, Connection, ErrorCode, params};
use tokio::time::Instant;
use tonic::Status;

use super::value::{date, json_text};
use super::{FIELDS, Rows, wrong};
use crate::store::data::Reading;

/// How many steps of SQLite lie between two looks at the time.
const STEPS: i32 = 10_000;

/// Of one width, so that times compare as texts.
const TIME: &str = "%Y-%m-%dT%H:%M:%S%.3fZ";

/// The table of a query.
pub(super) struct Table {
    db: Connection,
}

fn broken(error: rusqlite::Error) -> Status {
    Status::internal(format!("the table of the query cannot be made: {error}"))
}

fn time(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).unwrap_or_default().format(TIME).to_string()
}

impl Table {
    /// An empty one, in a database of its own that lies in memory while it is small.
    pub(super) fn new() -> Result<Self, Status> {
        let db = Connection::open("").map_err(broken)?;
        let columns = FIELDS.join(" TEXT, ");
        db.execute_batch(&format!(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA trusted_schema = OFF;
             CREATE TABLE readings({columns} TEXT); BEGIN;"
        ))
        .map_err(broken)?;
        Ok(Self { db })
    }

    pub(super) fn insert(&mut self, reading: Reading) -> Result<(), Status> {
        let capture = &reading.capture;
        let row = params![
            capture.organization,
            capture.location,
            capture.robot,
            capture.robot_name,
            capture.part,
            capture.part_name,
            capture.component_type,
            capture.component_name,
            capture.method,
            time(reading.requested),
            time(reading.received),
            serde_json::to_string(&reading.tags).unwrap_or_default(),
            reading.payload,
        ];
        let mut insert = self
            .db
            .prepare_cached("INSERT INTO readings VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)")
            .map_err(broken)?;
        insert.execute(row).map(drop).map_err(broken)
    }

    /// The answer to a query that takes no longer than that.
    pub(super) fn query(self, sql: &str, limit: Duration) -> Result<Rows, Status> {
        let mut db = self.db;
        db.execute_batch("COMMIT; PRAGMA query_only = ON;").map_err(broken)?;
        // What was prepared before is not asked about.
        db.flush_prepared_statement_cache();
        db.authorizer(Some(allowed)).map_err(broken)?;
        let end = Instant::now() + limit;
        db.progress_handler(STEPS, Some(move || Instant::now() > end)).map_err(broken)?;
        let refused = |error| refused(error, limit);
        let mut batch = Batch::new(&db, sql);
        let mut statement =
            batch.next().map_err(refused)?.ok_or_else(|| wrong("the query is empty"))?;
        if statement.column_count() == 0 || !statement.readonly() {
            return Err(wrong(ONLY));
        }
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = Rows::default();
        {
            // A fault behind the query is one before anything is read.
            if batch.next().map_err(refused)?.is_some() {
                return Err(wrong(ONLY));
            }
            let mut found = statement.query([]).map_err(refused)?;
            while let Some(row) = found.next().map_err(refused)? {
                let mut document = Document::new();
                for (place, name) in names.iter().enumerate() {
                    document.insert(name, value(name, row.get_ref(place).map_err(refused)?));
                }
                rows.push(&document)?;
            }
        }
        Ok(rows)
    }
}

/// What a query may be.
const ONLY: &str = "a query is one SELECT over the table readings";

/// What SQLite asks before it takes up a query.
fn allowed(asked: AuthContext<'_>) -> Authorization {
    let fine = match asked.action {
        AuthAction::Select | AuthAction::Recursive => true,
        AuthAction::Function { function_name } => {
            !function_name.eq_ignore_ascii_case("load_extension")
        }
        // A table none of whose columns is read may be one of the query's own.
        AuthAction::Read { table_name, column_name } => {
            column_name.is_empty() || ["readings", "json_each", "json_tree"].contains(&table_name)
        }
        _ => false,
    };
    if fine { Authorization::Allow } else { Authorization::Deny }
}

fn refused(error: rusqlite::Error, limit: Duration) -> Status {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => Status::deadline_exceeded(format!(
            "the query took longer than {} s",
            limit.as_secs_f32()
        )),
        Some(ErrorCode::AuthorizationForStatementDenied) => wrong(ONLY),
        _ => match error {
            rusqlite::Error::SqlInputError { msg, .. }
            | rusqlite::Error::SqliteFailure(_, Some(msg)) => wrong(msg),
            other => wrong(other.to_string()),
        },
    }
}

/// A value of a column: what the table's own columns hold comes as what it is.
fn value(name: &str, value: ValueRef<'_>) -> Bson {
    match value {
        ValueRef::Null => Bson::Null,
        ValueRef::Integer(number) => Bson::Int64(number),
        ValueRef::Real(number) => Bson::Double(number),
        ValueRef::Text(text) => {
            let text = String::from_utf8_lossy(text);
            match name {
                "data" | "tags" => json_text(&text),
                "time_requested" | "time_received" => match DateTime::parse_from_rfc3339(&text) {
                    Ok(time) => date(time.timestamp_micros()).into(),
                    Err(_) => text.into_owned().into(),
                },
                _ => text.into_owned().into(),
            }
        }
        ValueRef::Blob(bytes) => Bson::Binary(bson::Binary {
            subtype: bson::spec::BinarySubtype::Generic,
            bytes: bytes.to_vec(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;
    use tonic::Code;

    use super::*;

    fn asked(sql: &str) -> Result<Vec<Document>, Status> {
        within(sql, Duration::from_secs(20))
    }

    fn within(sql: &str, limit: Duration) -> Result<Vec<Document>, Status> {
        let mut table = Table::new()?;
        for number in 0..3 {
            let tags = vec!["t".to_owned()];
            let payload = format!(r#"{{"readings": {{"n": {number}, "x": 1.5}}}}"#);
            let requested = i64::from(number) * 1_000_000;
            table.insert(Reading { requested, tags, payload, ..Reading::default() })?;
        }
        let rows = table.query(sql, limit)?.rows;
        Ok(rows.iter().map(|row| Document::from_reader(&row[..]).expect("BSON")).collect())
    }

    #[test]
    fn a_query_reads_into_documents() {
        let rows = asked(
            "SELECT data ->> '$.readings.n' AS n, data, tags, time_requested FROM readings
             WHERE time_requested >= '1970-01-01T00:00:01.000Z' ORDER BY n DESC; -- the end",
        );
        let rows = rows.expect("rows");
        assert_eq!(rows.len(), 2);
        let expected = doc! {
            "n": 2_i64,
            "data": { "readings": { "n": 2_i64, "x": 1.5 } },
            "tags": ["t"],
            "time_requested": bson::DateTime::from_millis(2000),
        };
        assert_eq!(rows[0], expected);
        for (sql, expected) in [
            ("SELECT count(*) AS n FROM readings", doc! { "n": 3_i64 }),
            ("WITH r AS (SELECT 1) SELECT count(*) AS n FROM r", doc! { "n": 1_i64 }),
            (
                "SELECT sum(j.value) AS s FROM readings r, json_each(r.data, '$.readings') j",
                doc! { "s": 7.5 },
            ),
            ("VALUES (1)", doc! { "column1": 1_i64 }),
        ] {
            assert_eq!(asked(sql).expect(sql), [expected], "{sql}");
        }
    }

    #[test]
    fn nothing_but_a_query_of_the_table_is_done() {
        for sql in [
            "",
            "-- nothing",
            "DELETE FROM readings",
            "INSERT INTO readings(data) VALUES (1)",
            "CREATE TABLE x(y)",
            "DROP TABLE readings",
            "ATTACH 'x.db' AS x",
            "VACUUM INTO 'x.db'",
            "VACUUM",
            "PRAGMA database_list",
            "PRAGMA query_only = OFF",
            "SELECT file FROM pragma_database_list",
            "SELECT sql FROM sqlite_master",
            "SELECT name FROM sqlite_temp_master",
            "SELECT load_extension('x')",
            "SELECT 1; SELECT 2",
            "SELECT 1; DROP TABLE readings",
            "BEGIN",
            "SELECT * FROM nowhere",
            "SELEC 1",
            "SELECT ?",
        ] {
            let refused = asked(sql).expect_err(sql);
            assert_eq!(refused.code(), Code::InvalidArgument, "{sql}: {refused}");
            assert!(!std::path::Path::new("x.db").exists());
        }
        let words = asked("SELECT missing FROM readings").expect_err("no column");
        assert_eq!(words.message(), "no such column: missing");
    }

    #[test]
    fn a_query_that_does_not_end_is_ended() {
        let sql = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) \
                   SELECT count(*) FROM n";
        let refused = within(sql, Duration::from_millis(100)).expect_err("endless");
        assert_eq!(refused.code(), Code::DeadlineExceeded);
        let sql = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n";
        assert_eq!(asked(sql).expect_err("endless").code(), Code::ResourceExhausted);
    }
}
