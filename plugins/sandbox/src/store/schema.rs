//! The tables, and the steps that lead to them.

use rusqlite::Connection;

/// Step N brings version N to N + 1. Steps are only ever added.
const STEPS: &[&str] = &[
    "
CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE users(id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, created INTEGER NOT NULL)
    WITHOUT ROWID;

CREATE TABLE organizations(
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    namespace TEXT NOT NULL, region TEXT NOT NULL, created INTEGER NOT NULL);
CREATE UNIQUE INDEX organizations_namespace ON organizations(namespace) WHERE namespace != '';

CREATE TABLE locations(
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, parent TEXT NOT NULL,
    region TEXT NOT NULL, secret_id TEXT NOT NULL, secret TEXT NOT NULL, created INTEGER NOT NULL);
CREATE INDEX locations_parent ON locations(parent);

CREATE TABLE owners(
    location TEXT NOT NULL REFERENCES locations(id) ON DELETE CASCADE,
    organization TEXT NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
    is_primary INTEGER NOT NULL, PRIMARY KEY(location, organization)) WITHOUT ROWID;
CREATE INDEX owners_organization ON owners(organization);

CREATE TABLE robots(
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    location TEXT NOT NULL REFERENCES locations(id), created INTEGER NOT NULL,
    UNIQUE(location, name));

CREATE TABLE parts(
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    robot TEXT NOT NULL REFERENCES robots(id) ON DELETE CASCADE, main INTEGER NOT NULL,
    secret_id TEXT NOT NULL, secret TEXT NOT NULL, config TEXT NOT NULL, dns_name TEXT NOT NULL,
    fqdn TEXT NOT NULL, local_fqdn TEXT NOT NULL, created INTEGER NOT NULL,
    updated INTEGER NOT NULL, last_access INTEGER, UNIQUE(robot, name));

CREATE TABLE keys(
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, secret TEXT NOT NULL, name TEXT NOT NULL,
    created INTEGER NOT NULL);

CREATE TABLE grants(
    kind TEXT NOT NULL, identity TEXT NOT NULL, role TEXT NOT NULL, resource_type TEXT NOT NULL,
    resource TEXT NOT NULL, organization TEXT NOT NULL,
    PRIMARY KEY(kind, identity, resource_type, resource)) WITHOUT ROWID;
CREATE INDEX grants_resource ON grants(resource_type, resource);
CREATE INDEX grants_organization ON grants(organization);

CREATE TABLE refresh_tokens(
    hash BLOB PRIMARY KEY, user TEXT NOT NULL, client_id TEXT NOT NULL, scope TEXT NOT NULL,
    used INTEGER NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE devices(
    hash BLOB PRIMARY KEY, user_code TEXT NOT NULL UNIQUE, client_id TEXT NOT NULL,
    scope TEXT NOT NULL, state TEXT NOT NULL, pause INTEGER NOT NULL, polled INTEGER,
    expires INTEGER NOT NULL) WITHOUT ROWID;
",
    "
CREATE TABLE logs(
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    part TEXT NOT NULL REFERENCES parts(id) ON DELETE CASCADE, time INTEGER NOT NULL,
    level TEXT NOT NULL, logger TEXT NOT NULL, message TEXT NOT NULL, fields TEXT NOT NULL);
CREATE INDEX logs_part_time ON logs(part, time, seq);

CREATE TABLE history(
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    part TEXT NOT NULL REFERENCES parts(id) ON DELETE CASCADE, time INTEGER NOT NULL,
    kind TEXT NOT NULL, identity TEXT NOT NULL, editor TEXT NOT NULL, old_name TEXT NOT NULL,
    old_config TEXT NOT NULL, old_updated INTEGER NOT NULL);
CREATE INDEX history_part ON history(part, seq);

ALTER TABLE parts ADD COLUMN restart INTEGER;
",
    "
ALTER TABLE parts ADD COLUMN live INTEGER NOT NULL DEFAULT 0;
ALTER TABLE parts ADD COLUMN port INTEGER;
CREATE INDEX parts_live ON parts(seq) WHERE live;
CREATE INDEX parts_fqdn ON parts(fqdn);
",
    "
ALTER TABLE parts ADD COLUMN info TEXT NOT NULL DEFAULT '';
",
    "
CREATE TABLE captures(
    seq INTEGER PRIMARY KEY, organization TEXT NOT NULL, location TEXT NOT NULL,
    robot TEXT NOT NULL, robot_name TEXT NOT NULL, part TEXT NOT NULL, part_name TEXT NOT NULL,
    component_type TEXT NOT NULL, component_name TEXT NOT NULL, method TEXT NOT NULL,
    params TEXT NOT NULL, mime TEXT NOT NULL,
    UNIQUE(organization, location, robot, robot_name, part, part_name, component_type,
        component_name, method, params, mime));

CREATE TABLE files(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
    capture INTEGER NOT NULL REFERENCES captures(seq), requested INTEGER NOT NULL,
    received INTEGER NOT NULL, name TEXT NOT NULL, ext TEXT NOT NULL, size INTEGER NOT NULL,
    content TEXT NOT NULL, boxes TEXT NOT NULL);
CREATE INDEX files_time ON files(requested, seq);

CREATE TABLE file_tags(
    file INTEGER NOT NULL REFERENCES files(seq) ON DELETE CASCADE, tag TEXT NOT NULL,
    PRIMARY KEY(file, tag)) WITHOUT ROWID;

CREATE TABLE datasets(
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    organization TEXT NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
    created INTEGER NOT NULL, UNIQUE(organization, name));
CREATE TABLE dataset_files(
    dataset TEXT NOT NULL REFERENCES datasets(id) ON DELETE CASCADE,
    file INTEGER NOT NULL REFERENCES files(seq) ON DELETE CASCADE,
    PRIMARY KEY(dataset, file)) WITHOUT ROWID;

CREATE TABLE readings(
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    capture INTEGER NOT NULL REFERENCES captures(seq), requested INTEGER NOT NULL,
    received INTEGER NOT NULL, tags TEXT NOT NULL, payload TEXT NOT NULL);
CREATE INDEX readings_time ON readings(requested, seq);
",
    "
CREATE TABLE database_users(
    organization TEXT PRIMARY KEY REFERENCES organizations(id) ON DELETE CASCADE,
    set_up INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE indexes(
    seq INTEGER PRIMARY KEY,
    organization TEXT NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
    kind INTEGER NOT NULL, pipeline TEXT NOT NULL, name TEXT NOT NULL, spec BLOB NOT NULL,
    UNIQUE(organization, kind, pipeline, name));
",
];

/// Takes the steps that are missing; the inner error is a version that is not known.
pub(super) fn migrate(db: &mut Connection) -> rusqlite::Result<Result<(), u32>> {
    let transaction = db.transaction()?;
    let version: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let Some(missing) = usize::try_from(version).ok().and_then(|version| STEPS.get(version..))
    else {
        return Ok(Err(version));
    };
    for step in missing {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(
        None,
        "user_version",
        u32::try_from(STEPS.len()).unwrap_or(u32::MAX),
    )?;
    transaction.commit()?;
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_of_an_older_release_is_kept() {
        let mut db = Connection::open_in_memory().expect("open");
        db.execute_batch(STEPS[0]).expect("the first version");
        db.execute_batch(
            "INSERT INTO locations VALUES (1, 'l', 'L', '', '', '', '', 0);
             INSERT INTO robots VALUES (1, 'r', 'R', 'l', 0);
             INSERT INTO parts VALUES (1, 'p', 'P', 'r', 1, '', '', '{}', '', '', '', 0, 0, NULL);
             PRAGMA user_version = 1;",
        )
        .expect("filled");
        migrate(&mut db).expect("migrated").expect("known");
        let name: String = db
            .query_row("SELECT name FROM parts WHERE restart IS NULL", [], |row| row.get(0))
            .expect("kept");
        assert_eq!(name, "P");
        db.execute_batch("INSERT INTO logs VALUES (1, 'p', 0, '', '', '', '[]')").expect("added");
        let version: u32 =
            db.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("version");
        assert_eq!(version as usize, STEPS.len());
    }
}
