//! Exports into buckets of object stores.

mod bucket;
mod google;

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use viam_test::{Outcome, TestEnv, TestSandbox, Viam, full};

use crate::export::{assert_same, contents, exported_of};
use crate::export_names::hostile;
use bucket::{Bucket, Kind};

/// What stands before the names of objects; a space is part of a name.
const PREFIX: &str = "some prefix/of mine";

/// A world with a sandbox, a bucket and the account for it.
struct World {
    env: TestEnv,
    sandbox: TestSandbox,
    bucket: Bucket,
}

impl World {
    fn of(seed: &str, kind: Kind) -> Option<Self> {
        let bucket = Bucket::of(kind)?;
        let (mut env, sandbox) = (TestEnv::new(), TestSandbox::start(seed));
        sandbox.log_in(&env);
        for (name, value) in &bucket.variables {
            env.set(name, value);
        }
        Some(Self { env, sandbox, bucket })
    }

    fn export(&self, words: &[&str]) -> Viam<'_> {
        let to = format!("{}/{PREFIX}/", self.bucket.url);
        let line = ["data", "export", "binary", "filter", "--destination", &to];
        self.env.viam(&[&line[..], words].concat())
    }

    /// The files below the prefix, and fails where anything is elsewhere.
    fn found(&self) -> BTreeMap<String, Vec<u8>> {
        let below = |(name, bytes): (String, _)| {
            let name = name.strip_prefix(PREFIX).and_then(|name| name.strip_prefix('/'));
            (name.expect("all are below the prefix").to_owned(), bytes)
        };
        self.bucket.objects().into_iter().map(below).collect()
    }

    fn assert_whole(&self) {
        assert_same(&exported_of(self.found()), &contents(&self.sandbox));
        assert_eq!(self.bucket.uploads(), 0, "no upload is left open");
    }
}

/// Small files and large ones by shards side by side, and then nothing again.
fn files_come_whole_and_once(kind: Kind) {
    for (seed, count) in [("data:30,3000,0", 30), ("data:3,9000000,0", 3)] {
        let Some(world) = World::of(seed, kind) else { return };
        let parts = ["1/2", "2/2"].map(|part| world.export(&["--shard", part]).spawn());
        for part in parts {
            let output = part.wait_with_output().expect("ends");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        world.assert_whole();
        let before = world.found();
        let outcome = world.export(&[]).run().ok();
        assert_eq!(outcome.out(), "", "{outcome}");
        drop(outcome.says(&format!("0 files exported, 0 B; {count} complete already")));
        assert!(world.found() == before);
    }
}

#[test]
fn files_come_into_s3() {
    files_come_whole_and_once(Kind::S3);
}

#[test]
fn files_come_into_azure() {
    files_come_whole_and_once(Kind::Azure);
}

#[test]
fn files_come_into_google() {
    files_come_whole_and_once(Kind::Google);
}

/// Names that trip exports up are distinct, and those of the objects are those of the metadata.
fn names_are_distinct(kind: Kind) {
    let Some(world) = World::of("hostile", kind) else { return };
    let (metadata, all) = hostile(&world.sandbox);
    world.export(&[]).run().ok();
    let found = world.found();
    for name in found.keys() {
        assert!(!name.split('/').any(|part| matches!(part, "" | "." | "..")), "{name:?}");
        assert!(!name.contains(|c: char| c.is_control() || c == '%'), "{name:?}");
    }
    assert_same(&exported_of(found), &all);
    let outcome = world.export(&[]).run().ok();
    drop(outcome.says(&format!("0 files exported, 0 B; {} complete already", metadata.len())));
}

#[test]
fn hostile_names_are_distinct_in_s3() {
    names_are_distinct(Kind::S3);
}

#[test]
fn hostile_names_are_distinct_in_azure() {
    names_are_distinct(Kind::Azure);
}

#[test]
fn hostile_names_are_distinct_in_google() {
    names_are_distinct(Kind::Google);
}

/// Killed in the middle, some times, and then whole.
fn the_next_one_completes_it(kind: Kind) {
    let Some(world) = World::of("data:150,20000,0", kind) else { return };
    let mut begun = 0;
    for _ in 0..if full() { 8 } else { 3 } {
        let mut child = world.export(&["--parallel", "1"]).spawn();
        let sent = world.sandbox.server.sent();
        while world.sandbox.server.sent() - sent < 1_400_000 {
            if child.try_wait().expect("a child").is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().and_then(|()| child.wait()).expect("killed");
        begun += usize::from(!world.bucket.objects().is_empty());
    }
    assert!(begun > 0, "none has begun");
    world.export(&[]).run().ok();
    assert_same(&exported_of(world.found()), &contents(&world.sandbox));
}

#[test]
fn a_killed_export_into_s3_is_completed_by_the_next() {
    the_next_one_completes_it(Kind::S3);
}

#[test]
fn a_killed_export_into_azure_is_completed_by_the_next() {
    the_next_one_completes_it(Kind::Azure);
}

#[test]
fn a_killed_export_into_google_is_completed_by_the_next() {
    the_next_one_completes_it(Kind::Google);
}

fn is_refused(outcome: Outcome, bucket: &str, hint: &str) {
    let outcome = outcome.code(1).says(bucket).says(hint);
    assert_eq!(outcome.out(), "", "{outcome}");
    assert_eq!(outcome.err().matches("Error:").count(), 1, "{outcome}");
    assert!(!outcome.err().contains('<'), "no XML: {outcome}");
}

/// A wrong account, no bucket, and what is said of both.
fn what_is_wrong_is_said(kind: Kind) {
    let Some(world) = World::of("data:5,2000,0", kind) else { return };
    let Bucket { url, secret, ref variables, .. } = world.bucket;
    // The account is no secret in what goes wrong, nor with --debug.
    let outcome = world.export(&["--debug"]).run().ok();
    let (_, value) = variables.iter().find(|(name, _)| *name == secret).expect("one");
    assert!(outcome.err().contains("HTTP PUT"), "{outcome}");
    assert!(!outcome.err().contains(value.as_str()), "{outcome}");
    let elsewhere = url.replace("bucket", "nowhere-to-be-found");
    let line = ["data", "export", "binary", "filter", "--destination", &elsewhere];
    is_refused(world.env.viam(&line).run(), &elsewhere, "the bucket has to be there");
    world.bucket.guard();
    // A key of Azure is base64.
    let outcome = world.export(&["--debug"]).env(secret, "bm90IHRoZSBrZXk=").run();
    assert!(!outcome.err().contains("bm90IHRoZSBrZXk"), "{outcome}");
    is_refused(world.export(&[]).env(secret, "bm90IHRoZSBrZXk=").run(), url, "docs/data.md");
}

#[test]
fn a_wrong_account_of_s3_is_said() {
    what_is_wrong_is_said(Kind::S3);
}

#[test]
fn a_wrong_account_of_azure_is_said() {
    what_is_wrong_is_said(Kind::Azure);
}

#[test]
fn a_wrong_account_of_google_is_said() {
    what_is_wrong_is_said(Kind::Google);
}

#[test]
fn without_an_account_it_ends_at_once() {
    let env = TestEnv::new();
    let sandbox = TestSandbox::start("data:5,2000,0");
    sandbox.log_in(&env);
    let line = ["data", "export", "binary", "filter", "--destination", "s3://bucket"];
    let begun = std::time::Instant::now();
    // The computer's own cloud would be asked; nobody is there.
    let nobody = crate::support::nobody();
    let outcome = env.viam(&line).env("AWS_METADATA_ENDPOINT", nobody).run();
    is_refused(outcome, "s3://bucket", "no account is given");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    let outcome = env.viam(&line[..5]).args(&["az://bucket"]).run();
    is_refused(outcome, "az://bucket", "docs/data.md");
}

#[test]
fn a_store_that_is_busy_now_and_then_costs_nothing() {
    for seed in ["data:30,3000,0", "data:2,12000000,0"] {
        let Some(world) = World::of(seed, Kind::Google) else { return };
        world.bucket.google().be_busy(3);
        world.export(&[]).run().ok();
        world.assert_whole();
    }
}

#[test]
fn a_large_object_is_not_held_whole() {
    let size = if full() { 1_000_000_000 } else { 200_000_000 };
    let Some(world) = World::of(&format!("data:1,{size},0"), Kind::Google) else { return };
    let mut child = world.export(&[]).spawn();
    let mut peak = 0;
    while child.try_wait().expect("a child").is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        peak = peak.max(line.trim_end_matches("kB").trim().parse::<usize>().unwrap_or_default());
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(child.wait().expect("ended").success());
    let sizes: Vec<usize> = world.found().into_values().map(|bytes| bytes.len()).collect();
    assert!(sizes.contains(&size), "{sizes:?}");
    assert!(peak > 0 && peak < 120_000, "{peak} kB");
}

#[test]
fn a_dataset_is_exported_into_s3() {
    let Some(world) = World::of("fleet", Kind::S3) else { return };
    let all = contents(&world.sandbox);
    let chosen: Vec<String> = all.keys().take(5).cloned().collect();
    let id = crate::datasets::dataset(&world.env, &chosen);
    let to = format!("s3://bucket/{PREFIX}");
    let line = ["dataset", "export", "--destination", &to, "--dataset-id", &id];
    world.env.viam(&line).run().ok().prints("Downloaded 5 files\n");
    let mut found = world.found();
    let list = String::from_utf8(found.remove("dataset.jsonl").expect("a list")).expect("text");
    assert_eq!(list.lines().count(), 5);
    for line in list.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let path = line["image_path"].as_str().expect("a path");
        let name = path.strip_prefix(&format!("{to}/")).expect("in the bucket");
        assert!(found[name] == all[line["binary_data_id"].as_str().expect("id")], "{line}");
    }
    let expected = chosen.iter().map(|id| (id.clone(), all[id].clone())).collect();
    assert_same(&exported_of(found), &expected);
}
