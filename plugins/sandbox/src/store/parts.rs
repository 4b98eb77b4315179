//! The parts of machines.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

/// One part.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) robot: String,
    pub(crate) location: String,
    pub(crate) main: bool,
    pub(crate) secret_id: String,
    pub(crate) secret: String,
    /// Its configuration: the text of a JSON object, as it was given.
    pub(crate) config: String,
    pub(crate) dns_name: String,
    pub(crate) fqdn: String,
    pub(crate) local_fqdn: String,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) last_access: Option<i64>,
    /// Whether the sandbox itself plays the machine.
    pub(crate) live: bool,
    /// The port of its own, once it has one.
    pub(crate) port: Option<u16>,
    /// What its machine says of the computer that it runs on: the text of a JSON object.
    pub(crate) info: String,
}

const SELECT: &str = "SELECT p.*, r.location FROM parts p JOIN robots r ON r.id = p.robot";

fn read(row: &Row<'_>) -> rusqlite::Result<Part> {
    Ok(Part {
        id: row.get("id")?,
        name: row.get("name")?,
        robot: row.get("robot")?,
        location: row.get("location")?,
        main: row.get("main")?,
        secret_id: row.get("secret_id")?,
        secret: row.get("secret")?,
        config: row.get("config")?,
        dns_name: row.get("dns_name")?,
        fqdn: row.get("fqdn")?,
        local_fqdn: row.get("local_fqdn")?,
        created: row.get("created")?,
        updated: row.get("updated")?,
        last_access: row.get("last_access")?,
        live: row.get("live")?,
        port: row.get("port")?,
        info: row.get("info")?,
    })
}

/// The parts of a machine, the main one first.
pub(crate) fn list(db: &Connection, robot: &str) -> rusqlite::Result<Vec<Part>> {
    db.prepare_cached(&format!("{SELECT} WHERE p.robot = ?1 ORDER BY p.main DESC, p.seq"))?
        .query_map([robot], read)?
        .collect()
}

/// One by its id.
pub(crate) fn get(db: &Connection, id: &str) -> rusqlite::Result<Option<Part>> {
    db.prepare_cached(&format!("{SELECT} WHERE p.id = ?1"))?.query_row([id], read).optional()
}

/// The parts of a name in a location.
pub(crate) fn named(db: &Connection, location: &str, name: &str) -> rusqlite::Result<Vec<Part>> {
    db.prepare_cached(&format!("{SELECT} WHERE r.location = ?1 AND p.name = ?2 ORDER BY p.seq"))?
        .query_map([location, name], read)?
        .collect()
}

/// The one of an address.
pub(crate) fn with_fqdn(db: &Connection, fqdn: &str) -> rusqlite::Result<Option<Part>> {
    db.prepare_cached(&format!("{SELECT} WHERE p.fqdn = ?1 ORDER BY p.seq"))?
        .query_row([fqdn], read)
        .optional()
}

/// Adds one.
pub(crate) fn insert(db: &Connection, new: &Part) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO parts(id, name, robot, main, secret_id, secret, config, dns_name, fqdn,
             local_fqdn, created, updated, last_access, live, port)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?
    .execute(params![
        new.id,
        new.name,
        new.robot,
        new.main,
        new.secret_id,
        new.secret,
        new.config,
        new.dns_name,
        new.fqdn,
        new.local_fqdn,
        new.created,
        new.updated,
        new.last_access,
        new.live,
        new.port
    ])?;
    Ok(())
}

/// Writes name, configuration and the time of the change.
pub(crate) fn update(db: &Connection, part: &Part) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE parts SET name = ?2, config = ?3, updated = ?4 WHERE id = ?1")?
        .execute(params![part.id, part.name, part.config, part.updated])?;
    Ok(())
}

/// Asks it to restart when it next asks for its configuration.
pub(crate) fn mark_for_restart(db: &Connection, id: &str, time: i64) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE parts SET restart = ?2 WHERE id = ?1")?.execute(params![id, time])?;
    Ok(())
}

/// Makes it the main part of its machine, and no other.
pub(crate) fn set_main(db: &Connection, robot: &str, part: &str) -> rusqlite::Result<()> {
    db.execute("UPDATE parts SET main = (id = ?2) WHERE robot = ?1", [robot, part])?;
    Ok(())
}

/// Those that have a port or are to have one: the machines that the sandbox plays, and those that
/// were here before.
pub(crate) fn with_port(db: &Connection) -> rusqlite::Result<Vec<Part>> {
    db.prepare_cached(&format!("{SELECT} WHERE p.live OR p.port IS NOT NULL ORDER BY p.seq"))?
        .query_map([], read)?
        .collect()
}

/// Gives it a port, which is its address from now on.
pub(crate) fn set_port(db: &Connection, id: &str, port: u16) -> rusqlite::Result<()> {
    let fqdn = format!("127.0.0.1:{port}");
    db.prepare_cached("UPDATE parts SET port = ?2, fqdn = ?3, local_fqdn = ?4 WHERE id = ?1")?
        .execute(params![id, port, fqdn, format!("{fqdn}.local")])?;
    Ok(())
}

/// What its machine says of the computer that it runs on.
pub(crate) fn set_info(db: &Connection, id: &str, info: &str) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE parts SET info = ?2 WHERE id = ?1")?.execute([id, info])?;
    Ok(())
}

/// Whether it was asked to restart; that is forgotten with the answer.
pub(crate) fn take_restart(db: &Connection, id: &str) -> rusqlite::Result<bool> {
    let taken = db
        .prepare_cached("UPDATE parts SET restart = NULL WHERE id = ?1 AND restart IS NOT NULL")?
        .execute([id])?;
    Ok(taken > 0)
}

/// It was heard of.
pub(crate) fn touch(db: &Connection, id: &str, now: i64) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE parts SET last_access = ?2 WHERE id = ?1")?
        .execute(params![id, now])?;
    Ok(())
}

/// Removes one.
pub(crate) fn delete(db: &Connection, id: &str) -> rusqlite::Result<()> {
    db.execute("DELETE FROM parts WHERE id = ?1", [id])?;
    Ok(())
}
