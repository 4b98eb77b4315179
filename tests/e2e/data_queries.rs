//! Queries over readings, the database behind them, and its indexes.

use prost::Message as _;
use serde_json::{Value, json};
use viam_proto::app::data::v1::{
    ConfigureDatabaseUserRequest, TabularDataByMqlRequest, TabularDataSourceType,
};
use viam_sandbox::server::FaultRule;

use crate::data_verbs::{DATA, out, viam};
use crate::support::{Pty, logged_in};

/// The lines of a result.
fn rows(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn readings_are_queried_in_sql() {
    let (env, sandbox) = logged_in("data:0,0,30");
    let query = "SELECT robot_name, data, time_requested FROM readings
        WHERE data ->> '$.readings.count' < 2 ORDER BY time_requested";
    let sql = ["data", "query", "tabular", "sql", "--org-id", "Data", "--sql", query];
    let text = env.viam(&sql).run().ok().out();
    let rows = rows(&text);
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1]["data"]["readings"]["count"], 1);
    assert!(rows[0]["time_requested"]["$date"].is_string(), "{text}");
    // The fields are in the order of the query.
    assert!(text.starts_with(r#"{"robot_name":"store","data":{"#), "{text}");
    let to = env.viam(&[&sql[..], &["--destination", "there"]].concat()).run().ok();
    assert_eq!(to.out(), "Wrote 2 rows to there/data.ndjson\n");
    let file = env.root().join("work/there/data.ndjson");
    assert_eq!(std::fs::read_to_string(&file).expect("there"), text);
    // A query that fails leaves what was there.
    let path = format!("{DATA}TabularDataBySQL");
    sandbox.fail(&path, 1, 3, "no such column");
    let words = [&sql[..], &["--destination", "there"]].concat();
    env.viam(&words).run().code(1).says("could not query tabular data").says("no such column");
    assert_eq!(std::fs::read_to_string(&file).expect("there"), text);
    assert_eq!(std::fs::read_dir(file.parent().expect("dir")).expect("dir").count(), 1);
    // One that is not answered for a moment is asked again.
    sandbox.fail(&path, 2, 14, "busy");
    assert_eq!(env.viam(&sql).run().ok().out(), text);
    viam(&env, "data query tabular sql --sql x").code(2).says("must provide an organization ID");
    viam(&env, "data query tabular sql --org-id x --sql=").code(2);
    out(&env, "defaults set-org --org-id Data");
    let one = "data query tabular sql --sql SELECT_1_AS_one --format json";
    assert_eq!(out(&env, one), "{\"one\":1}\n");
}

#[test]
fn readings_are_queried_in_mql() {
    let (env, sandbox) = logged_in("data:0,0,30");
    out(&env, "defaults set-org --org-id Data");
    let query = r#"[{"$match": {"data.readings.count": {"$lt": 3}}},
        {"$sort": {"data.readings.count": -1}},
        {"$project": {"robot_name": 1, "data": 1, "_id": 0}}]"#;
    let text = env.viam(&["data", "query", "tabular", "mql", "--mql", query]).run().ok().out();
    let counts: Vec<_> =
        rows(&text).iter().map(|row| row["data"]["readings"]["count"].clone()).collect();
    assert_eq!(counts, [2, 1, 0]);
    env.file(&env.root().join("work/query.json"), query, 0o644);
    let words = "data query tabular mql --mql-path query.json --data-source-type hot-storage";
    assert_eq!(out(&env, words), text);
    let recorded = sandbox.server.recorded(&format!("{DATA}TabularDataByMQL"));
    let request = TabularDataByMqlRequest::decode(recorded.last().expect("asked").clone());
    let source = request.expect("decodes").data_source.expect("a source");
    assert_eq!(source.r#type(), TabularDataSourceType::HotStorage);
    assert_eq!(source.pipeline_id, None);
    let stdin = env.viam(&["data", "query", "tabular", "mql", "--mql-path", "-"]).stdin(query);
    assert_eq!(stdin.run().ok().out(), text);
    let words = "data query tabular mql --mql [{\"$limit\":2}] --destination d --format json";
    let json = viam(&env, words).ok().json();
    assert_eq!(json, json!({ "path": "d/data.ndjson", "count": 2 }));
    let asked = || sandbox.asked(&format!("{DATA}TabularDataByMQL"));
    let before = asked();
    for (flags, said) in [
        ("--mql {}", "the query is not a JSON array of objects"),
        ("--mql []", "the query is empty"),
        ("--mql [1]", "Hint: a query is a list of stages"),
        ("", "\"mql\""),
        ("--mql [] --mql-path x", "cannot be used together"),
        ("--mql [{}] --data-source-type pipelinesink", "--pipeline-id or --pipeline-name"),
        ("--mql [{}] --data-source-type standard --pipeline-id x", "pipelinesink"),
        ("--mql [{}] --data-source-type cold", "standard, hotstorage, pipelinesink"),
    ] {
        viam(&env, &format!("data query tabular mql {flags}")).code(2).says(said);
    }
    viam(&env, "data query tabular mql --mql-path nowhere").code(1).says("cannot read nowhere");
    let words = "data query tabular mql --mql [{\"$limit\":1}] --pipeline-name x";
    viam(&env, words).code(1).says("could not list the data pipelines");
    assert_eq!(asked(), before);
    // Whatever the sandbox makes of it.
    drop(viam(&env, "data query tabular mql --mql [{\"$limit\":1}] --pipeline-id x"));
    let recorded = sandbox.server.recorded(&format!("{DATA}TabularDataByMQL"));
    let request = TabularDataByMqlRequest::decode(recorded.last().expect("asked").clone());
    let source = request.expect("decodes").data_source.expect("a source");
    assert_eq!(source.r#type(), TabularDataSourceType::PipelineSink);
    assert_eq!(source.pipeline_id.as_deref(), Some("x"));
}

#[test]
fn a_database_is_configured_and_found() {
    let (env, sandbox) = logged_in("docs");
    viam(&env, "data database hostname --org-id abc")
        .code(1)
        .says("the organization has no database yet")
        .says("viam data database configure");
    viam(&env, "data database hostname").code(2).says("must provide an organization ID");
    let line = "data database configure --org-id my-org --password -";
    let words: Vec<&str> = line.split(' ').collect();
    let outcome = env.viam(&words).stdin("se cret\n").run().ok();
    assert_eq!(outcome.out(), "Configured database user for org my-org\n");
    let recorded = || sandbox.server.recorded(&format!("{DATA}ConfigureDatabaseUser"));
    let request = ConfigureDatabaseUserRequest::decode(recorded().remove(0)).expect("decodes");
    assert_eq!(
        (request.organization_id.as_str(), request.password.as_str()),
        ("my-org", "se cret")
    );
    let text = out(&env, "data database hostname --org-id my-org");
    let mut lines = text.lines();
    let of = |line: &str, what: &str| {
        let start = format!("MongoDB Atlas Data Federation instance {what}: ");
        line.strip_prefix(&start).map(str::to_owned).expect("the documented line")
    };
    let host = of(lines.next().expect("a line"), "hostname");
    let uri = of(lines.next().expect("a line"), "connection URI");
    assert!(uri.starts_with("mongodb://") && uri.contains(&host), "{text}");
    let json = viam(&env, "data database hostname --org-id my-org --format json").ok().json();
    assert_eq!(json, json!({ "hostname": host, "uri": uri, "has_user": true }));
    // A script goes on, with a warning.
    let line = "data database configure --org-id my-org --password p --format json";
    let outcome =
        viam(&env, line).ok().says("Warning: the organization has a database user already");
    assert_eq!(outcome.json(), json!({ "organization_id": "my-org" }));
    // On a terminal it is asked.
    for (answer, said) in [("n", "Aborted"), ("y", "Configured database user for org my-org")] {
        let line = "viam data database configure --org-id my-org --password p; echo code $?";
        let mut pty = Pty::run(&env, line);
        pty.wait_for("Continue? [y/N]");
        pty.type_in(&format!("{answer}\n"));
        let seen = pty.wait_for("code ");
        assert!(seen.contains(said), "{seen}");
        pty.end();
    }
    assert_eq!(recorded().len(), 3);
    viam(&env, "data database configure --org-id abc --password=").code(2);
    viam(&env, "data database configure --org-id abc --password -").code(2).says("no secret");
    // Another failure is none of "there is no database yet".
    let path = format!("{DATA}GetDatabaseConnection");
    sandbox.fail(&path, 1, 7, "not yours");
    viam(&env, "data database configure --org-id abc --password p").code(1).says("not yours");
    sandbox.server.set_faults(vec![FaultRule { cut: true, ..FaultRule::on(&path) }]);
    viam(&env, "data database configure --org-id abc --password p").ok();
}

#[test]
fn indexes_are_created_listed_and_deleted() {
    let (env, _sandbox) = logged_in("docs");
    out(&env, "defaults set-org --org-id my-org");
    let hot = "--collection-type hot-store";
    assert_eq!(out(&env, &format!("data index list {hot}")), "No indexes found\n");
    let file = |text: &str| drop(env.file(&env.root().join("work/index.json"), text, 0o644));
    file(r#"{"key": {"z": 1, "a": -1}, "options": {"name": "mine"}}"#);
    let create = format!("data index create --index-path index.json {hot}");
    assert_eq!(out(&env, &create), "Create index request sent successfully\n");
    let text = out(&env, "data index list --collection-type hot-storage");
    let spec = r#"{"key":{"z":1,"a":-1},"options":{"name":"mine"}}"#;
    assert_eq!(text, format!("\tmine (created by: customer) {spec}\n"));
    file(r#"[{"keys": {"b": 1}}]"#);
    let sink = "--collection-type pipeline-sink --pipeline-name p --format json";
    let json = viam(&env, &format!("data index create --index-path index.json {sink}")).ok().json();
    assert_eq!(
        json,
        json!({ "collection_type": "pipeline-sink", "pipeline_name": "p", "specs": 1 })
    );
    let json = viam(&env, &format!("data index list {sink}")).ok().json();
    assert_eq!(json[0]["specs"], json!([{ "keys": { "b": 1 } }]));
    assert_eq!((&json[0]["name"], &json[0]["pipeline_name"]), (&json!("b_1"), &json!("p")));
    assert_eq!(
        (&json[0]["created_by"], &json[0]["collection_type"]),
        (&json!("customer"), &json!("pipeline-sink"))
    );
    let delete = format!("data index delete --index-name mine {hot}");
    assert_eq!(out(&env, &delete), "Index (name: mine) deleted successfully\n");
    viam(&env, &delete).code(1).says("could not delete the index \"mine\"");
    // A word with an underscore.
    let delete = format!("data index delete --index-name b_1 {sink}");
    let words: Vec<&str> = delete.split(' ').collect();
    assert_eq!(env.viam(&words).run().ok().json(), json!({ "name": "b_1" }));
    for (line, said) in [
        ("data index list --collection-type pipeline-sink", "--pipeline-name"),
        ("data index list --collection-type hot-store --pipeline-name p", "pipeline-sink"),
        ("data index list --collection-type cold", "hot-store or pipeline-sink"),
        ("data index list", "\"collection-type\""),
        ("data index delete --collection-type hot-store --index-name=", "--index-name"),
        ("data index create --collection-type hot-store", "\"index-path\""),
    ] {
        viam(&env, line).code(2).says(said);
    }
    file("{");
    viam(&env, &create).code(2).says("the index is not a JSON array of objects").says("\"key\"");
    viam(&env, &create.replace("index.json", "nowhere")).code(1).says("cannot read nowhere");
}
