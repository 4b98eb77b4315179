//! What goes wrong in the middle of an export of files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use viam_sandbox::server::{FaultRule, FaultStatus};
use viam_test::{Outcome, TestEnv, TestSandbox, full};

use crate::export::{BY_FILTER, BY_IDS, DOWNLOADS, assert_whole, contents, files};

/// A world with a sandbox of so many files of so many bytes.
struct World {
    env: TestEnv,
    sandbox: TestSandbox,
    all: BTreeMap<String, Vec<u8>>,
}

impl World {
    fn of(seed: &str) -> Self {
        let (env, sandbox) = (TestEnv::new(), TestSandbox::start(seed));
        sandbox.log_in(&env);
        let all = contents(&sandbox);
        Self { env, sandbox, all }
    }

    fn export(&self, words: &[&str]) -> Outcome {
        let line = ["data", "export", "binary", "filter", "--destination", "out"];
        self.env.viam(&[&line[..], words].concat()).run()
    }

    fn faults(&self, rules: Vec<FaultRule>) {
        self.sandbox.server.set_faults(rules);
    }

    fn assert_whole(&self) {
        assert_whole(&self.env.root().join("work/out"), &self.all);
    }
}

fn status(path: &str, times: u32, every: Option<u32>, code: i32) -> FaultRule {
    let status = Some(FaultStatus { code, message: "as asked for".to_owned() });
    FaultRule { times, every, status, ..FaultRule::on(path) }
}

#[test]
fn a_server_that_is_away_now_and_then_costs_no_file() {
    let world = World::of("data:400,2000,0");
    let cut = FaultRule { times: 3, every: Some(3), cut: true, ..FaultRule::on(BY_IDS) };
    world.faults(vec![status(BY_FILTER, 9, Some(2), 14), cut, status(BY_IDS, 9, Some(2), 4)]);
    world.export(&[]).ok();
    world.assert_whole();
    // What no time heals is not tried again.
    fs::remove_dir_all(world.env.root().join("work/out")).expect("removed");
    world.faults(vec![status(BY_FILTER, 100, None, 3)]);
    world.sandbox.server.clear_requests();
    world.export(&[]).code(1).says("could not list what the filter finds");
    assert_eq!(world.sandbox.asked(BY_FILTER), 1);
}

#[test]
fn b52_a_download_goes_on_where_it_broke_off() {
    let world = World::of("data:3,3000000,0");
    let cut = |at| FaultRule { cut_at: Some(at), ..FaultRule::on(DOWNLOADS) };
    let begun = world.sandbox.server.sent();
    world.faults(vec![cut(1_000_000), cut(2_500_000), cut(0), cut(1)]);
    world.export(&["--parallel", "1"]).ok();
    world.assert_whole();
    // What had come was not sent twice, but for what was on its way.
    let sent = world.sandbox.server.sent() - begun;
    assert!(sent < 9_000_000 + 3_000_000, "{sent}");
}

#[test]
fn b52_a_rest_is_used_only_when_it_is_of_the_same_version() {
    for odd in ["none", "no_ranges", "other_etag", "wrong_length", "stall"] {
        let world = World::of("data:2,2000000,0");
        let rule = |at| FaultRule {
            cut_at: at,
            no_ranges: odd == "no_ranges",
            other_etag: odd == "other_etag",
            wrong_length: odd == "wrong_length",
            stall: odd == "stall",
            ..FaultRule::on(DOWNLOADS)
        };
        let cut = (odd != "wrong_length" && odd != "stall").then_some(700_000);
        world.faults(vec![
            FaultRule { cut_at: Some(700_000), ..FaultRule::on(DOWNLOADS) },
            rule(cut),
            rule(cut),
        ]);
        world.export(&["--parallel", "1", "--timeout", "1"]).ok();
        world.assert_whole();
    }
}

#[test]
fn a57_what_is_too_large_for_an_answer_comes_by_its_url() {
    // With one that says so, and one that is merely not there.
    for code in [8, 14] {
        let size = if full() { 300_000_000 } else { 20_000_000 };
        let (env, sandbox) = (TestEnv::new(), TestSandbox::start(&format!("data:1,{size},0")));
        sandbox.log_in(&env);
        let rate = u64::try_from(size).expect("size") / 4;
        sandbox.server.set_faults(vec![
            status(BY_IDS, 1000, None, code),
            FaultRule {
                cut_at: Some(u64::try_from(size).expect("size") / 2),
                bytes_per_second: Some(rate),
                ..FaultRule::on(DOWNLOADS)
            },
        ]);
        let line = ["data", "export", "binary", "filter", "--destination", "out"];
        env.viam(&line).run().ok();
        let found = files(&env.root().join("work/out/data"));
        let (_, path) = found.first_key_value().expect("a file");
        let bytes = fs::read(path).expect("read");
        assert_eq!(bytes.len(), size);
        // The sandbox makes them on demand; whatever wrote them twice or not at all would show.
        sandbox.server.set_faults(Vec::new());
        env.viam(&["data", "export", "binary", "filter", "--destination", "again"]).run().ok();
        let again = files(&env.root().join("work/again/data"));
        let (_, path) = again.first_key_value().expect("a file");
        assert!(fs::read(path).expect("read") == bytes);
    }
}

#[test]
fn b54_a_server_that_names_its_time_is_obeyed_within_reason() {
    let world = World::of("data:1,2000000,0");
    let busy = |path: &str, times, wait: &str| FaultRule {
        times,
        http_status: Some(429),
        retry_after: Some(wait.to_owned()),
        ..FaultRule::on(path)
    };
    world.faults(vec![busy(DOWNLOADS, 2, "2"), busy(BY_FILTER, 1, "1")]);
    let begun = Instant::now();
    let outcome = world.export(&[]).ok();
    assert!(begun.elapsed() >= Duration::from_secs(5), "{:?}", begun.elapsed());
    outcome.says("429 Too Many Requests; trying again");
    world.assert_whole();
    fs::remove_dir_all(world.env.root().join("work/out")).expect("removed");
    for path in [BY_FILTER, DOWNLOADS] {
        world.faults(vec![busy(path, 1, "3600")]);
        world.export(&[]).code(1).says("3600 s");
    }
}

#[test]
fn one_file_that_cannot_be_had_does_not_keep_the_others_from_coming() {
    let world = World::of("data:4,1500000,0");
    let gone = FaultRule { times: 1, http_status: Some(404), ..FaultRule::on(DOWNLOADS) };
    world.faults(vec![gone]);
    let outcome = world.export(&[]).code(1).says("1 file could not be exported");
    assert_eq!(outcome.out(), "Downloaded 3 files\n");
    assert_eq!(outcome.err().matches("Error:").count(), 1, "{outcome}");
    outcome.says("3 files exported").says("1 failed").says("404 Not Found");
    world.export(&[]).ok();
    world.assert_whole();
}

#[test]
fn b55_a_full_disk_ends_the_export_and_leaves_nothing_half_written() {
    let world = World::of("data:40,100000,0");
    let out = world.env.root().join("work/out");
    fs::create_dir(&out).expect("folder");
    // A file system of 1 MiB, where tests may make one.
    let script = format!(
        "mount -t tmpfs -o size=1m none out && {} data export binary filter --destination out; \
         code=$?; find out -type f | sort > listing; cp -r out kept; exit $code",
        world.env.viam.display()
    );
    let words = ["--mount", "--map-root-user", "--user", "bash", "-c", &script];
    let outcome = world.env.program("/usr/bin/unshare").args(&words).run();
    if outcome.err().contains("Operation not permitted") && outcome.err().contains("unshare") {
        viam_test::skip("no mount namespaces here");
        return;
    }
    let outcome = outcome.code(1).says("No space left on device").says("/out");
    assert_eq!(outcome.err().matches("Error:").count(), 1, "{outcome}");
    let kept = world.env.root().join("work/kept");
    let found = files(&kept);
    assert!(found.keys().all(|name| !name.contains("partial")), "{found:?}");
    for (name, path) in &found {
        if name.starts_with("data/") {
            assert_eq!(fs::metadata(path).expect("there").len(), 100_000, "{name}");
        }
    }
    // With room it is made whole.
    fs::remove_dir_all(&out).and_then(|()| fs::rename(&kept, &out)).expect("moved");
    world.export(&[]).ok();
    world.assert_whole();
}

#[test]
fn two_exports_into_one_folder_at_once_are_harmless() {
    let world = World::of("data:300,20000,0");
    let line = ["data", "export", "binary", "filter", "--destination", "out"];
    let children: Vec<_> = (0..3).map(|_| world.env.viam(&line).spawn()).collect();
    for child in children {
        let output = child.wait_with_output().expect("ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    world.assert_whole();
}

/// Numbers by chance, from a seed that is printed.
struct Chance(u64);

impl Chance {
    fn new() -> Self {
        use std::hash::BuildHasher as _;
        let seed = std::hash::RandomState::new().hash_one(0);
        viam_test::tell(&format!("the seed is {seed}"));
        Self(seed)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[test]
fn a_killed_export_is_made_whole_by_the_next_one() {
    let (count, size, kills) = if full() { (100_000, 1_000, 20) } else { (1_000, 3_000, 20) };
    let world = World::of(&format!("data:{count},{size},0"));
    let mut chance = Chance::new();
    let out = world.env.root().join("work/out");
    let line = ["data", "export", "binary", "filter", "--destination", "out", "--parallel", "6"];
    let mut killed = 0;
    for _ in 0..kills {
        let begun = world.sandbox.server.sent();
        let until = chance.below(count * (size + 600) / kills * 2);
        let mut child = world.env.viam(&line).spawn();
        loop {
            if world.sandbox.server.sent() - begun >= until {
                // It may have ended in this moment.
                let _ = child.kill();
                break;
            }
            if child.try_wait().expect("a child").is_some() {
                break;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        killed += u32::from(!child.wait().expect("ends").success());
        names_are_whole(&out, size);
    }
    assert!(killed > 3, "only {killed} were killed in the middle");
    world.export(&[]).ok();
    world.assert_whole();
    assert!(!out.join(".viam-partial").exists());
}

/// What has its name is whole, whenever one looks.
fn names_are_whole(out: &Path, size: u64) {
    for (name, path) in files(&out.join("data")) {
        assert_eq!(fs::metadata(path).expect("there").len(), size, "{name}");
    }
}

#[test]
fn an_interrupted_export_says_how_to_go_on() {
    let world = World::of("data:100,100000,0");
    world.faults(vec![FaultRule {
        bytes_per_second: Some(100),
        times: 1000,
        ..FaultRule::on(BY_IDS)
    }]);
    let line = ["data", "export", "binary", "filter", "--destination", "out"];
    let child = world.env.viam(&line).spawn();
    while world.sandbox.asked(BY_IDS) == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(100));
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("sent");
    let output = child.wait_with_output().expect("ends");
    use std::os::unix::process::ExitStatusExt as _;
    // A shell makes 130 of it.
    assert_eq!(output.status.signal(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("run it again to go on"), "{said}");
    assert!(!world.env.root().join("work/out/.viam-partial").exists());
    world.faults(Vec::new());
    world.export(&[]).ok();
    world.assert_whole();
}
