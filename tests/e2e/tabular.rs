//! `viam data export tabular`, and the tabular half of `viam data export` of 2023.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use viam_proto::app::data::v1 as pb;
use viam_test::{Outcome, TestEnv, TestSandbox};

use crate::export::{client, files, runtime};
use crate::support::logged_in;

pub(crate) const STREAM: &str = "/viam.app.data.v1.DataService/ExportTabularData";
pub(crate) const BY_FILTER: &str = "/viam.app.data.v1.DataService/TabularDataByFilter";

/// The part of the worlds `data:…`.
const PART: &str = "a79d2c46-40be-5a0d-87e6-978c89c4607b";

/// The words that mean its readings.
pub(crate) const READINGS: [&str; 11] = [
    "data",
    "export",
    "tabular",
    "--part-id",
    PART,
    "--resource-name",
    "sensor1",
    "--resource-subtype",
    "rdk:component:sensor",
    "--method",
    "Readings",
];

/// A world with so many readings.
pub(crate) fn readings(count: usize) -> (TestEnv, TestSandbox) {
    let (env, sandbox) = (TestEnv::new(), TestSandbox::start(&format!("data:0,0,{count}")));
    sandbox.log_in(&env);
    (env, sandbox)
}

pub(crate) fn export(env: &TestEnv, words: &[&str]) -> Outcome {
    env.viam(&[&READINGS[..], &["--destination", "out"], words].concat()).run()
}

/// The export of 2023.
fn export_2023(env: &TestEnv, words: &[&str]) -> Outcome {
    let line = ["data", "export", "--destination=out", "--data-type=tabular"];
    env.viam(&[&line[..], words].concat()).run()
}

pub(crate) fn out(env: &TestEnv) -> PathBuf {
    env.root().join("work/out")
}

/// The names of the files of an export.
fn names(env: &TestEnv) -> Vec<String> {
    files(&out(env)).into_keys().collect()
}

/// The lines of a file, each of which is JSON.
pub(crate) fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("read");
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn the_documented_export_of_readings() {
    let (env, sandbox) = logged_in("docs");
    let outcome = export_2023(&env, &[]).ok();
    let rows = lines(&out(&env).join("data/data.ndjson"));
    assert!(!rows.is_empty());
    // A dot for each page, and for the one after the last.
    let pages = rows.len().div_ceil(100);
    assert_eq!(outcome.out(), format!("Downloading..{}\n", ".".repeat(pages + 1)));
    assert_eq!(sandbox.asked(BY_FILTER), pages as u64 + 1);
    let indexes: BTreeSet<u64> =
        rows.iter().map(|row| row["MetadataIndex"].as_u64().expect("number")).collect();
    let mut expected = vec!["data/data.ndjson".to_owned()];
    expected.extend(indexes.iter().map(|index| format!("metadata/{index}.json")));
    assert_eq!(names(&env), expected);
    let metadata = &lines_of_one(&out(&env).join("metadata/0.json"));
    assert!(metadata["partId"].is_string() && metadata["methodName"].is_string(), "{metadata}");
    for row in &rows {
        let keys: Vec<_> = row.as_object().expect("object").keys().map(String::as_str).collect();
        assert_eq!(keys, ["MetadataIndex", "TimeReceived", "TimeRequested", "readings"]);
        assert!(row["TimeRequested"]["seconds"].is_i64());
    }
}

fn lines_of_one(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("read")).expect("JSON")
}

#[test]
fn a_filter_that_finds_nothing_leaves_an_empty_file() {
    let (env, _sandbox) = logged_in("docs");
    let outcome = export_2023(&env, &["--component-name", "nothing"]).ok();
    assert_eq!(outcome.out(), "Downloading...\n");
    assert_eq!(names(&env), ["data/data.ndjson"]);
    assert_eq!(fs::metadata(out(&env).join("data/data.ndjson")).expect("there").len(), 0);
    assert!(out(&env).join("metadata").is_dir());
}

/// What the sandbox sends.
fn stream(sandbox: &TestSandbox) -> Vec<pb::ExportTabularDataResponse> {
    let request = pb::ExportTabularDataRequest {
        part_id: PART.to_owned(),
        resource_name: "sensor1".to_owned(),
        resource_subtype: "rdk:component:sensor".to_owned(),
        method_name: "Readings".to_owned(),
        ..Default::default()
    };
    runtime().block_on(async {
        let mut client = client(sandbox);
        let mut stream = client.export_tabular_data(request).await.expect("stream").into_inner();
        let mut rows = Vec::new();
        while let Some(row) = stream.message().await.expect("row") {
            rows.push(row);
        }
        rows
    })
}

#[test]
fn every_row_is_there_in_every_format() {
    let (env, sandbox) = readings(5000);
    let expected = stream(&sandbox);
    assert_eq!(expected.len(), 5000);
    let outcome = export(&env, &[]).ok();
    assert_eq!(outcome.out(), "Downloading...\n");
    assert!(outcome.err().contains("5000 rows exported"), "{outcome}");
    let rows = lines(&out(&env).join("data.ndjson"));
    assert_eq!(rows.len(), 5000);
    for (number, (row, expected)) in rows.iter().zip(&expected).enumerate() {
        assert_eq!(row["partId"], PART);
        assert_eq!(row["payload"]["readings"]["count"], number);
        assert_eq!(row["organizationId"], expected.organization_id);
        assert_eq!(row["timeCaptured"].as_str().map(|time| time.ends_with('Z')), Some(true));
    }
    let outcome = export(&env, &["--file-format", "csv", "--format", "json"]).ok();
    assert_eq!(outcome.json(), json!({ "rows": 5000 }));
    let text = fs::read_to_string(out(&env).join("data.csv")).expect("read");
    assert_eq!(text.lines().count(), 5001);
    assert!(text.lines().next().expect("names").ends_with(
        ",payload.readings.count,payload.readings.ok,payload.readings.temperature,payload_rest"
    ));
    export(&env, &["--file-format", "parquet"]).ok();
    let bytes = fs::read(out(&env).join("data.parquet")).expect("read");
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    assert_eq!(names(&env), ["data.csv", "data.ndjson", "data.parquet"]);
    // Times are those of the request.
    let time = rows[4990]["timeCaptured"].as_str().expect("time");
    export(&env, &["--start", time]).ok();
    assert_eq!(lines(&out(&env).join("data.ndjson"))[..], rows[4990..]);
}

#[test]
fn shards_of_readings_share_an_export() {
    let (env, _sandbox) = readings(1000);
    export(&env, &[]).ok();
    let all = lines(&out(&env).join("data.ndjson"));
    let mut union = Vec::new();
    for shard in ["1/3", "2/3", "3/3"] {
        export(&env, &["--shard", shard]).ok();
        let name = format!("data-{}.ndjson", shard.replace('/', "-of-"));
        let rows = lines(&out(&env).join(name));
        assert!((250..420).contains(&rows.len()), "{}", rows.len());
        union.extend(rows);
    }
    union.sort_by_key(|row| row["payload"]["readings"]["count"].as_u64());
    assert!(union == all);
    // The form of 2023 numbers the metadata alike in each of them.
    for shard in ["1/2", "2/2"] {
        export_2023(&env, &["--shard", shard]).ok();
    }
    let rows = |name: &str| lines(&out(&env).join("data").join(name)).len();
    assert_eq!(rows("data-1-of-2.ndjson") + rows("data-2-of-2.ndjson"), 1000);
    assert!(out(&env).join("metadata/0.json").exists());
}

#[test]
fn a_dry_run_counts_readings() {
    let (env, sandbox) = readings(321);
    let outcome = export_2023(&env, &["--dry-run"]).ok();
    assert_eq!(outcome.out(), "321 rows to export\n");
    assert!(!out(&env).exists());
    assert_eq!(sandbox.asked(BY_FILTER), 1);
}

#[test]
fn wrong_words_are_refused_before_any_call() {
    let (env, sandbox) = readings(1);
    for words in [
        &["--additional-params", "[1]"][..],
        &["--additional-params", "{"],
        &["--start", "yesterday"],
        &["--file-format", "xml"],
        &["--shard", "0/3"],
    ] {
        export(&env, words).code(2);
    }
    export(&env, &["--additional-params", "{\"pin\": \"1\"}"]).ok();
    assert_eq!(sandbox.asked(STREAM), 1);
    let line = ["data", "export", "--destination=x", "--data-type=binary", "--file-format=csv"];
    env.viam(&line).run().code(2).says("--file-format goes with --data-type tabular");
}

/// Counts rows and shows types.
const READ: &str = "
import sys
import pyarrow.parquet as parquet
table = parquet.read_table(sys.argv[1])
print(table.num_rows)
print(table.schema.field('time_captured').type, table.schema.field('payload.readings.count').type)
print(sum(table.column('payload.readings.count').to_pylist()))
print(set(table.column('part_id').to_pylist()), table.column('payload_rest').null_count)
";

#[test]
fn another_program_reads_the_parquet() {
    let Some(python) = viam_test::peer("VIAM_TEST_PYTHON", "the PyPI package pyarrow") else {
        return;
    };
    // More than one group of rows.
    let count = 70_000;
    let (env, _sandbox) = readings(count);
    export(&env, &["--file-format", "parquet"]).ok();
    let path = out(&env).join("data.parquet").display().to_string();
    let outcome = env.program(python).args(&["-c", READ, &path]).run().ok();
    let sum = count * (count - 1) / 2;
    let expected =
        format!("{count}\ntimestamp[ns, tz=UTC] double\n{sum}.0\n{{'{PART}'}} {count}\n");
    assert_eq!(outcome.out(), expected);
}
