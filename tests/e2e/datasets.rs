//! `viam dataset export`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::export::{assert_whole, contents, exported, files};
use crate::support::logged_in;

/// A dataset of the first files of a world.
pub(crate) fn dataset(env: &viam_test::TestEnv, ids: &[String]) -> String {
    let line = ["dataset", "create", "--org-id", "Acme Robotics", "--name", "mine"];
    let made = env.viam(&[&line[..], &["--format", "json"]].concat()).run().ok().json();
    let id = made["id"].as_str().expect("id").to_owned();
    let ids = ids.join(",");
    let line = ["dataset", "data", "add", "ids", "--dataset-id", &id, "--binary-data-ids", &ids];
    env.viam(&line).run().ok();
    id
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("a list");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn a7_a_dataset_is_exported_as_the_public_workflow_says_it() {
    let (env, sandbox) = logged_in("fleet");
    let all = contents(&sandbox);
    let chosen: Vec<String> = all.keys().take(5).cloned().collect();
    let id = dataset(&env, &chosen);
    let work = env.root().join("work");
    let export = |words: &[&str]| {
        let line = ["dataset", "export", "--destination=.", &format!("--dataset-id={id}")];
        env.viam(&[&line[..], words].concat()).run()
    };
    export(&["--only-jsonl"]).ok();
    assert_eq!(files(&work).len(), 1);
    let before = lines(&work.join("dataset.jsonl"));
    export(&["--include-jsonl=true"]).ok().prints("Downloaded 5 files\n");
    let listed = lines(&work.join("dataset.jsonl"));
    assert_eq!(listed, before);
    assert_eq!(listed.len(), 5);
    for line in &listed {
        let path = work.join(line["image_path"].as_str().expect("a path"));
        let id = line["binary_data_id"].as_str().expect("id");
        assert!(fs::read(&path).expect("there") == all[id], "{line}");
    }
    fs::remove_file(work.join("dataset.jsonl")).expect("removed");
    let expected = chosen.iter().map(|id| (id.clone(), all[id].clone())).collect();
    assert_whole(&work, &expected);
    for words in [&["--include-jsonl"][..], &["--include-jsonl=false"], &["--force-linux-path"]] {
        export(words).ok();
        assert!(work.join("dataset.jsonl").exists());
    }
    let line = ["dataset", "export", "--destination=.", "--dataset-id=nothing"];
    env.viam(&line).run().code(1).says("nothing does not match any dataset IDs");
}

#[test]
fn a58_an_interrupted_export_of_a_dataset_ends_whole() {
    let (env, sandbox) = logged_in("fleet");
    let all = contents(&sandbox);
    let chosen: Vec<String> = all.keys().take(10).cloned().collect();
    let id = dataset(&env, &chosen);
    let expected = chosen.iter().map(|id| (id.clone(), all[id].clone())).collect();
    sandbox.server.set_faults(vec![viam_sandbox::server::FaultRule {
        bytes_per_second: Some(20_000),
        times: 100,
        ..viam_sandbox::server::FaultRule::on(crate::export::BY_IDS)
    }]);
    let line = ["dataset", "export", "--destination=out", "--dataset-id", &id];
    let root = env.root().join("work/out");
    let mut child = env.viam(&line).spawn();
    std::thread::sleep(std::time::Duration::from_millis(700));
    child.kill().and_then(|()| child.wait()).expect("killed");
    for (name, path) in files(&root.join("data")) {
        let bytes = fs::read(path).expect("read");
        assert!(all.values().any(|whole| *whole == bytes), "{name} is not whole");
    }
    sandbox.server.set_faults(Vec::new());
    env.viam(&line).run().ok();
    fs::remove_file(root.join("dataset.jsonl")).expect("a list");
    assert_whole(&root, &expected);
    assert_eq!(exported(&root).len(), 10);
}
