//! People, and their logins under way and done.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) email: String,
}

/// A refresh token; only its digest is stored.
#[derive(Clone, Debug)]
pub(crate) struct Refresh {
    pub(crate) user: String,
    pub(crate) client_id: String,
    pub(crate) scope: String,
    /// It was exchanged for another one already.
    pub(crate) used: bool,
}

/// What became of a device's request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceState {
    /// Nobody has decided.
    Pending,
    /// The user said yes.
    Approved,
    /// The user said no.
    Denied,
}

impl DeviceState {
    fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
        }
    }
}

/// A device that asks for a login.
#[derive(Clone, Debug)]
pub(crate) struct Device {
    /// The digest of its device code.
    pub(crate) hash: Vec<u8>,
    pub(crate) user_code: String,
    pub(crate) client_id: String,
    pub(crate) scope: String,
    pub(crate) state: DeviceState,
    /// Seconds that it must leave between two polls.
    pub(crate) pause: i64,
    pub(crate) polled: Option<i64>,
    pub(crate) expires: i64,
}

fn device(row: &Row<'_>) -> rusqlite::Result<Device> {
    let state: String = row.get("state")?;
    Ok(Device {
        hash: row.get("hash")?,
        user_code: row.get("user_code")?,
        client_id: row.get("client_id")?,
        scope: row.get("scope")?,
        state: match state.as_str() {
            "approved" => DeviceState::Approved,
            "denied" => DeviceState::Denied,
            _ => DeviceState::Pending,
        },
        pause: row.get("pause")?,
        polled: row.get("polled")?,
        expires: row.get("expires")?,
    })
}

/// Adds a person.
pub(crate) fn insert_user(db: &Connection, user: &User, created: i64) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO users(id, email, created) VALUES (?1, ?2, ?3)")?
        .execute(params![user.id, user.email, created])?;
    Ok(())
}

/// A person by id.
pub(crate) fn user(db: &Connection, id: &str) -> rusqlite::Result<Option<User>> {
    db.prepare_cached("SELECT id, email FROM users WHERE id = ?1")?
        .query_row([id], |row| Ok(User { id: row.get(0)?, email: row.get(1)? }))
        .optional()
}

/// A person by e-mail.
pub(crate) fn user_by_email(db: &Connection, email: &str) -> rusqlite::Result<Option<User>> {
    db.prepare_cached("SELECT id, email FROM users WHERE email = ?1")?
        .query_row([email], |row| Ok(User { id: row.get(0)?, email: row.get(1)? }))
        .optional()
}

/// Adds a refresh token.
pub(crate) fn insert_refresh(
    db: &Connection,
    hash: &[u8],
    new: &Refresh,
    created: i64,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO refresh_tokens(hash, user, client_id, scope, used, created)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![hash, new.user, new.client_id, new.scope, new.used, created])?;
    Ok(())
}

/// A refresh token by its digest.
pub(crate) fn refresh(db: &Connection, hash: &[u8]) -> rusqlite::Result<Option<Refresh>> {
    db.prepare_cached("SELECT user, client_id, scope, used FROM refresh_tokens WHERE hash = ?1")?
        .query_row([hash], |row| {
            Ok(Refresh {
                user: row.get(0)?,
                client_id: row.get(1)?,
                scope: row.get(2)?,
                used: row.get(3)?,
            })
        })
        .optional()
}

/// Marks a refresh token as exchanged.
pub(crate) fn use_refresh(db: &Connection, hash: &[u8]) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE refresh_tokens SET used = 1 WHERE hash = ?1")?.execute([hash])?;
    Ok(())
}

/// Adds a device; requests that ran out long ago are forgotten.
pub(crate) fn insert_device(db: &Connection, new: &Device, forget: i64) -> rusqlite::Result<()> {
    db.execute("DELETE FROM devices WHERE expires < ?1", [forget])?;
    db.execute(
        "INSERT INTO devices(hash, user_code, client_id, scope, state, pause, polled, expires)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            new.hash,
            new.user_code,
            new.client_id,
            new.scope,
            new.state.word(),
            new.pause,
            new.polled,
            new.expires
        ],
    )?;
    Ok(())
}

/// A device by the digest of its code.
pub(crate) fn device_by_hash(db: &Connection, hash: &[u8]) -> rusqlite::Result<Option<Device>> {
    db.query_row("SELECT * FROM devices WHERE hash = ?1", [hash], device).optional()
}

/// A device by the code that the user sees.
pub(crate) fn device_by_code(db: &Connection, code: &str) -> rusqlite::Result<Option<Device>> {
    db.query_row("SELECT * FROM devices WHERE user_code = ?1", [code], device).optional()
}

/// Writes state, pause and the time of the last poll.
pub(crate) fn update_device(db: &Connection, device: &Device) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE devices SET state = ?2, pause = ?3, polled = ?4 WHERE hash = ?1",
        params![device.hash, device.state.word(), device.pause, device.polled],
    )?;
    Ok(())
}

/// Removes a device.
pub(crate) fn delete_device(db: &Connection, hash: &[u8]) -> rusqlite::Result<()> {
    db.execute("DELETE FROM devices WHERE hash = ?1", [hash])?;
    Ok(())
}
