//! `viam data export`: files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use viam_client::BaseUrl;
use viam_client::net::Net;
use viam_client::wire::{Config, RECEIVE_LIMIT, TokenSource, open};
use viam_contract::{BoxFuture, Env, Result, Wire};
use viam_proto::app::data::v1 as pb;
use viam_proto::app::data::v1::data_service_client::DataServiceClient;
use viam_test::{TestEnv, TestSandbox};

use crate::support::logged_in;

/// The calls of exports.
pub(crate) const BY_FILTER: &str = "/viam.app.data.v1.DataService/BinaryDataByFilter";
pub(crate) const BY_IDS: &str = "/viam.app.data.v1.DataService/BinaryDataByIDs";
pub(crate) const DOWNLOADS: &str = "/files/*";

struct Fixed(String);

impl TokenSource for Fixed {
    fn bearer<'a>(&'a self, _: Option<&'a str>) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(std::future::ready(Ok(Some(self.0.clone()))))
    }
}

/// A client of the data service for the demo user.
pub(crate) fn client(sandbox: &TestSandbox) -> DataServiceClient<Wire> {
    let login = sandbox.server.login("demo@example.com").expect("login");
    let wire = open(Config {
        net: Net::new(Env::default(), Arc::new(|words: &str| panic!("{words}"))),
        base_url: BaseUrl::parse(sandbox.url()).expect("url"),
        tokens: Some(Arc::new(Fixed(login.access_token))),
        on_wait: None,
    });
    DataServiceClient::new(wire.expect("transport")).max_decoding_message_size(RECEIVE_LIMIT)
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime")
}

/// What the sandbox has: the bytes of each file by its id. Files over 1 MiB by a hash alone would
/// do, but there are few.
pub(crate) fn contents(sandbox: &TestSandbox) -> BTreeMap<String, Vec<u8>> {
    runtime().block_on(async {
        let mut client = client(sandbox);
        let (mut all, mut last, mut limit) = (BTreeMap::new(), String::new(), 100);
        loop {
            let asked = pb::DataRequest { limit, last: last.clone(), ..Default::default() };
            let request = pb::BinaryDataByFilterRequest {
                data_request: Some(asked),
                include_binary: true,
                ..Default::default()
            };
            let answer = client.binary_data_by_filter(request).await;
            if answer.is_err() && limit > 1 {
                // Large ones come one by one.
                limit = 1;
                continue;
            }
            let page = answer.expect("page").into_inner();
            if page.data.is_empty() {
                return all;
            }
            for data in page.data {
                all.insert(data.metadata.expect("metadata").binary_data_id, data.binary.to_vec());
            }
            last = page.last;
        }
    })
}

/// Every file below a folder, by its path in it.
pub(crate) fn files(root: &Path) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).expect("below").to_str().expect("UTF-8");
                found.insert(name.to_owned(), path);
            }
        }
    }
    found
}

/// The exported files of a folder: their bytes by their ids, as their metadata say it. Fails where
/// anything is left over or missing.
pub(crate) fn exported(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |(name, path)| (name, fs::read(path).expect("read"));
    exported_of(files(root).into_iter().map(read).collect())
}

/// The same of whatever has files by their paths.
pub(crate) fn exported_of(mut all: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let mut exported = BTreeMap::new();
    let metadata: Vec<String> =
        all.keys().filter(|name| name.starts_with("metadata/")).cloned().collect();
    for name in metadata {
        let value = all.remove(&name).expect("listed");
        let value: Value = serde_json::from_slice(&value).expect(&name);
        let own = name.strip_prefix("metadata/").and_then(|name| name.strip_suffix(".json"));
        assert_eq!(value["fileName"].as_str(), own, "{name} names its file");
        let own = own.expect("JSON");
        let ext = value["fileExt"].as_str().unwrap_or_default().replace('/', "_");
        let data = [format!("data/{own}"), format!("data/{own}{ext}")];
        let data = data.iter().rev().find(|data| all.contains_key(*data));
        let bytes = all.remove(data.unwrap_or_else(|| panic!("{name} has no data")));
        let id = value["binaryDataId"].as_str().expect("id").to_owned();
        assert!(exported.insert(id, bytes.expect("there")).is_none(), "{name} is double");
    }
    assert!(all.is_empty(), "these are left over: {:?}", all.keys());
    exported
}

/// Fails unless a folder holds exactly what the sandbox has.
pub(crate) fn assert_whole(root: &Path, expected: &BTreeMap<String, Vec<u8>>) {
    assert_same(&exported(root), expected);
}

/// Fails unless these are the same files.
pub(crate) fn assert_same(found: &BTreeMap<String, Vec<u8>>, expected: &BTreeMap<String, Vec<u8>>) {
    let ids = |all: &BTreeMap<String, Vec<u8>>| all.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(ids(found), ids(expected));
    for (id, bytes) in expected {
        assert!(found[id] == *bytes, "{id} has other bytes");
    }
}

#[test]
fn the_documented_export_of_files() {
    let (env, sandbox) = logged_in("docs");
    let all = contents(&sandbox);
    assert!(all.len() > 3, "{}", all.len());
    let line = ["data", "export", "--destination=out", "--data-type=binary"];
    let outcome = env.viam(&line).run().ok();
    assert_eq!(outcome.out(), format!("Downloaded {} files\n", all.len()));
    let root = env.root().join("work/out");
    assert_whole(&root, &all);
    for folder in ["", "data", "metadata"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(root.join(folder)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{folder}");
    }
    // The same files by the words of today, and by ids.
    env.viam(&["data", "export", "binary", "filter", "--destination", "now"]).run().ok();
    assert_whole(&env.root().join("work/now"), &all);
    let ids: Vec<&str> = all.keys().map(String::as_str).collect();
    let (one, two) = (format!("{},{}", ids[0], ids[1]), ids[1]);
    let line = ["data", "export", "binary", "ids", "--destination", "ids", "--binary-data-ids"];
    let outcome = env.viam(&[&line[..], &[&one, "--binary-data-ids", two]].concat()).run().ok();
    assert_eq!(outcome.out(), "Downloaded 2 files\n");
    let found = exported(&env.root().join("work/ids"));
    assert_eq!(found.keys().map(String::as_str).collect::<Vec<_>>(), &ids[..2]);
    let outcome = env.viam(&[&line[..], &[ids[0]]].concat());
    let outcome = outcome.args(&["--destination", "one"]).run();
    assert!(outcome.code == 2 || outcome.out() == "Downloaded 1 file\n", "{outcome}");
}

#[test]
fn what_is_complete_is_not_exported_again_and_what_is_not_is() {
    let (env, sandbox) = logged_in("fleet");
    let all = contents(&sandbox);
    let root = env.root().join("work/out");
    let export = || env.viam(&["data", "export", "binary", "filter", "--destination=out"]).run();
    export().ok();
    sandbox.server.clear_requests();
    let outcome = export().ok();
    assert_eq!(outcome.out(), "");
    let outcome = outcome.says(&format!("0 files exported, 0 B; {} complete already", all.len()));
    drop(outcome);
    assert_eq!(sandbox.asked(BY_IDS), 0);
    // One cut short, one without its metadata, metadata cut short, one gone.
    let names: Vec<PathBuf> = files(&root.join("data")).into_values().collect();
    let metadata: Vec<PathBuf> = files(&root.join("metadata")).into_values().collect();
    let half = fs::read(&names[0]).expect("read");
    fs::write(&names[0], &half[..half.len() / 2]).expect("written");
    fs::remove_file(&metadata[1]).expect("removed");
    fs::write(&metadata[2], "{\"id\": \"").expect("written");
    fs::remove_file(&names[3]).expect("removed");
    let outcome = export().ok();
    assert_eq!(outcome.out(), "Downloaded 4 files\n");
    assert_whole(&root, &all);
}

#[test]
fn a_dry_run_counts_and_leaves_nothing() {
    let (env, sandbox) = logged_in("fleet");
    let all = contents(&sandbox);
    let bytes: usize = all.values().map(Vec::len).sum();
    let line = ["data", "export", "binary", "filter", "--destination", "new/out", "--dry-run"];
    let outcome = env.viam(&line).run().ok();
    assert!(outcome.out().starts_with(&format!("{} files to export, ", all.len())), "{outcome}");
    let value = env.viam(&line).args(&["--format", "json"]).run().ok().json();
    assert_eq!(value["files"], all.len());
    assert_eq!(value["bytes"], bytes);
    assert!(!env.root().join("work/new").exists());
    assert_eq!(sandbox.asked(BY_IDS), 0);
}

#[test]
fn b45_an_export_survives_the_end_of_its_token_and_stops_where_there_is_no_other() {
    use viam_sandbox::server::{FaultRule, FaultStatus};
    let env = TestEnv::new();
    let sandbox = TestSandbox::start("data:100,3000,0");
    sandbox.log_in(&env);
    let all = contents(&sandbox);
    let ended = |times, every| {
        let status = Some(FaultStatus { code: 16, message: "token expired".to_owned() });
        sandbox.server.set_faults(vec![FaultRule {
            times,
            every,
            status,
            ..FaultRule::on(BY_IDS)
        }]);
    };
    ended(1, Some(2));
    let export = |to: &str| {
        env.viam(&["data", "export", "binary", "filter", "--parallel", "4", "--destination", to])
            .run()
    };
    export("out").ok();
    assert_whole(&env.root().join("work/out"), &all);
    // Nothing renews it: one error, no more requests than were under way.
    ended(1000, None);
    sandbox.server.clear_requests();
    let outcome = export("two").code(4);
    assert_eq!(outcome.err().matches("Error:").count(), 1, "{outcome}");
    assert!(sandbox.asked(BY_IDS) <= 8, "{}", sandbox.asked(BY_IDS));
    sandbox.server.set_faults(Vec::new());
    export("two").ok();
    assert_whole(&env.root().join("work/two"), &all);
}

#[test]
fn shards_share_an_export_without_a_word() {
    let env = TestEnv::new();
    let sandbox = TestSandbox::start("data:300,500,0");
    sandbox.log_in(&env);
    let all = contents(&sandbox);
    let shard = |index: usize, to: &str| {
        let line = ["data", "export", "binary", "filter", "--destination", to, "--shard"];
        env.viam(&line).args(&[format!("{index}/8")])
    };
    // Side by side into one folder.
    let children: Vec<_> = (1..=8).map(|index| shard(index, "one").spawn()).collect();
    for child in children {
        assert!(child.wait_with_output().expect("ends").status.success());
    }
    assert_whole(&env.root().join("work/one"), &all);
    // Each into its own: no file twice.
    let mut union = BTreeMap::new();
    for index in 1..=8 {
        let to = format!("shard-{index}");
        shard(index, &to).run().ok();
        for (id, bytes) in exported(&env.root().join("work").join(to)) {
            assert!(union.insert(id, bytes).is_none());
        }
    }
    assert!(union == all);
}

#[test]
fn what_is_known_of_files_goes_into_one_file_on_request() {
    let (env, sandbox) = logged_in("fleet");
    let all = contents(&sandbox);
    let root = env.root().join("work/out");
    let export = |format: &str| {
        let line = ["data", "export", "binary", "filter", "--destination", "out"];
        env.viam(&[&line[..], &["--metadata-format", format]].concat()).run()
    };
    export("ndjson").ok();
    let mut found = files(&root);
    let list = found.remove("metadata.ndjson").expect("a list");
    let mut listed = BTreeMap::new();
    for line in fs::read_to_string(list).expect("read").lines() {
        let known: Value = serde_json::from_str(line).expect("JSON");
        let name = format!("data/{}", known["fileName"].as_str().expect("a name"));
        let bytes = fs::read(found.remove(&name).expect(&name)).expect("read");
        listed.insert(known["binaryDataId"].as_str().expect("id").to_owned(), bytes);
    }
    assert!(found.is_empty(), "{found:?}");
    assert!(listed == all);
    // The names are the same ones again, so nothing comes twice.
    let outcome = export("parquet").ok();
    let outcome = outcome.says(&format!("{} complete already", all.len()));
    drop(outcome);
    let Some(python) = viam_test::peer("VIAM_TEST_PYTHON", "Python with pyarrow") else { return };
    let script = "import sys, pyarrow.parquet as p; t = p.read_table(sys.argv[1]); \
                  print(t.num_rows, sorted(t.column('binary_data_id').to_pylist())[0], \
                  sum(t.column('file_size_bytes').to_pylist()))";
    let path = root.join("metadata.parquet").display().to_string();
    let said = env.program(python).args(&["-c", script, &path]).run().ok().out();
    let bytes: usize = all.values().map(Vec::len).sum();
    let first = all.keys().next().expect("one");
    assert_eq!(said.trim(), format!("{} {first} {bytes}.0", all.len()));
}
