//! What the sandbox knows, in SQLite: a file that survives `kill -9`, or memory.
//!
//! Functions here say what is stored and nothing of who may see it (`server::rpc::access`). Times
//! are microseconds since 1970, so that they come back from a message exactly as they went.

pub(crate) mod data;
pub(crate) mod history;
pub(crate) mod keys;
pub(crate) mod locations;
pub(crate) mod logins;
pub(crate) mod logs;
pub(crate) mod organizations;
pub(crate) mod parts;
pub(crate) mod robots;
mod schema;

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use viam_contract::{Error, Kind, Result, ResultExt as _};

pub(crate) use keys::{Grant, Identity, Key, Role};
pub(crate) use locations::Location;
pub(crate) use logins::{Device, DeviceState, Refresh, User};
pub(crate) use logs::Log;
pub(crate) use organizations::Organization;
pub(crate) use parts::Part;
pub(crate) use robots::Robot;

/// One connection; SQLite is asked by one thread at a time.
pub(crate) struct Store {
    connection: Mutex<Connection>,
}

impl Store {
    /// Opens the file, or memory, and brings its tables up to this version.
    ///
    /// # Errors
    /// `Config` when the file cannot be used, also when a newer release wrote it.
    pub(crate) fn open(file: Option<&Path>) -> Result<Self> {
        let doing = || match file {
            Some(file) => format!("cannot open the sandbox's data in {}", file.display()),
            None => "cannot open a database in memory".to_owned(),
        };
        if let Some(file) = file {
            // SQLite's own files get the mode of this one; there are secrets in it.
            crate::files::touch_private(file)?;
        }
        let mut connection = match file {
            Some(file) => Connection::open(file),
            None => Connection::open_in_memory(),
        }
        .or_kind(Kind::Config, doing)?;
        connection.set_prepared_statement_cache_capacity(128);
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;",
            )
            .or_kind(Kind::Config, doing)?;
        schema::migrate(&mut connection).or_kind(Kind::Config, doing)?.map_err(|version| {
            Error::new(
                Kind::Config,
                format!(
                    "the sandbox's data is of version {version}, which this release does not know"
                ),
            )
            .hint_text("use the release that wrote it, or another --dir")
        })?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// Does work as one transaction: all of it is kept, or nothing when it fails.
    pub(crate) fn with<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction()?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }
}

/// Why work on the store failed, where it is no call of a client.
pub(crate) struct Failure(pub(crate) Error);

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self(Error::new(Kind::Config, "cannot use the sandbox's data").because(error))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<Failure> for Error {
    fn from(Failure(error): Failure) -> Self {
        error
    }
}

/// Reads a value that belongs to the sandbox as a whole.
pub(crate) fn meta(db: &Connection, key: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    db.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0)).optional()
}

/// Writes such a value.
pub(crate) fn set_meta(db: &Connection, key: &str, value: &[u8]) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO meta(key, value) VALUES (?1, ?2)
         ON CONFLICT(key) DO UPDATE SET value = excluded.value",
        params![key, value],
    )?;
    Ok(())
}

/// Removes the world; what belongs to the sandbox itself (keys that sign, logins) stays.
pub(crate) fn clear(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(
        "DELETE FROM files; DELETE FROM readings; DELETE FROM datasets; DELETE FROM captures;
         DELETE FROM grants; DELETE FROM keys; DELETE FROM parts; DELETE FROM robots;
         DELETE FROM owners; DELETE FROM locations; DELETE FROM organizations;
         DELETE FROM devices; DELETE FROM users;",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_work_leaves_nothing() {
        let store = Store::open(None).expect("open");
        let failed: rusqlite::Result<()> = store.with(|db| {
            set_meta(db, "x", b"1")?;
            Err(rusqlite::Error::QueryReturnedNoRows)
        });
        assert!(failed.is_err());
        assert_eq!(store.with(|db| meta(db, "x")).expect("read"), None);
    }

    #[test]
    fn data_of_a_newer_release_is_refused() {
        let dir = tempfile::tempdir().expect("dir");
        let file = dir.path().join("x.db");
        let store = Store::open(Some(&file)).expect("open");
        store.with(|db| db.pragma_update(None, "user_version", 9999)).expect("pragma");
        drop(store);
        let error = Store::open(Some(&file)).err().expect("refused");
        assert!(error.message().contains("9999"), "{error}");
    }
}
