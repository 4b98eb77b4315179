//! `viam sandbox`: the verbs, by the real binary.

use std::fs;

use viam_test::{TestEnv, full};

/// Runs the start of a sandbox and stops it at the end of the test, whatever happens.
struct Started<'e>(&'e TestEnv);

impl Drop for Started<'_> {
    fn drop(&mut self) {
        drop(self.0.viam(&["sandbox", "stop"]).run());
    }
}

#[test]
fn run_is_logged_in_and_ends_as_the_command_did() {
    let env = TestEnv::new();
    let run = |words: &[&str]| {
        let mut all = vec!["sandbox", "run", "--"];
        all.extend(words);
        env.viam(&all)
    };
    let outcome = run(&["viam", "organizations", "list"]).run().ok();
    assert!(outcome.out().starts_with("Organizations for \"demo@example.com\":\n\t"), "{outcome}");
    for line in outcome.out().lines().skip(1) {
        assert!(line.starts_with('\t') && line.contains(" (id: "), "{line}");
    }
    let without = env.viam(&["sandbox", "run", "viam", "whoami"]).run().code(2);
    without.says("unexpected argument \"viam\"").says("put `--` before the command");
    assert_eq!(run(&["sh", "-c", "exit 42"]).run().code(42).err(), "");
    assert_eq!(run(&["sh", "-c", "kill -TERM $$"]).run().code, -15);
    run(&["no-such-program"]).run().code(127).says("no-such-program");
    let outcome = run(&["cat"]).stdin("through").run().ok();
    assert_eq!(outcome.out(), "through");
    // The home is its own, private, and gone afterwards.
    let outcome = run(&["sh", "-c", "stat -c %a $VIAM_HOME; echo $VIAM_HOME"]).run().ok();
    let out = outcome.out();
    let (mode, home) = out.trim().split_once('\n').expect("two lines");
    assert_eq!(mode, "700");
    assert!(!std::path::Path::new(home).exists());
    assert!(!env.login_dir().exists());
    // What the user has set does not leak in.
    let outcome = run(&["viam", "whoami"])
        .env("VIAM_API_KEY_ID", "x")
        .env("VIAM_API_KEY", "y")
        .env("VIAM_CLI_PROFILE_NAME", "nope")
        .run()
        .ok();
    assert_eq!(outcome.out(), "demo@example.com\n");
}

#[test]
fn run_passes_a_signal_on_and_leaves_nothing() {
    use std::io::Read as _;
    let env = TestEnv::new();
    let script =
        "trap 'echo got; exit 5' TERM; echo ready $VIAM_HOME; while :; do sleep 0.05; done";
    let mut child = env.viam(&["sandbox", "run", "--", "bash", "-c", script]).spawn();
    let mut seen = String::new();
    let mut byte = [0];
    while !seen.contains('\n') {
        child.stdout.as_mut().expect("stdout").read_exact(&mut byte).expect("reads");
        seen.push(byte[0] as char);
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("kill");
    let output = child.wait_with_output().expect("ends");
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "got\n");
    let home = seen.trim().trim_start_matches("ready ");
    assert!(!std::path::Path::new(home).exists());
}

#[test]
fn a_started_one_survives_kill_and_restart() {
    let env = TestEnv::new();
    let _stop = Started(&env);
    let outcome = env.viam(&["sandbox", "start", "--seed", "fleet"]).run().ok();
    assert!(outcome.out().contains("http://127.0.0.1:"), "{outcome}");
    let again = env.viam(&["sandbox", "start"]).run().code(1);
    assert!(again.err().contains("http://127.0.0.1:"), "{again}");
    let with = |command: &str| env.sh(&format!("eval \"$(viam sandbox env)\" && {command}"));
    let made = with(
        "viam organizations api-key create --org-id 'Acme Robotics' --name keep --format json",
    )
    .run()
    .ok()
    .json();
    let status = env.viam(&["sandbox", "status", "--format", "json"]).run().ok().json();
    let pid = status["pid"].as_u64().expect("pid").to_string();
    env.program("/bin/kill").args(&["-9", &pid]).run().ok();
    env.viam(&["sandbox", "status"]).run().code(1);
    env.viam(&["sandbox", "start"]).run().ok();
    // The login of before the kill and the key made then both still hold.
    with("viam organizations list").run().ok().prints("Acme Robotics");
    let (id, key) = (made["id"].as_str().expect("id"), made["key"].as_str().expect("key"));
    with(&format!("viam login api-key --key-id {id} --key {key} && viam organizations list"))
        .run()
        .ok();
    env.viam(&["sandbox", "reset"]).run().ok();
    with(&format!("viam login api-key --key-id {id} --key {key}")).run().code(4);
    env.viam(&["sandbox", "stop"]).run().ok();
    env.viam(&["sandbox", "status"]).run().code(1);
    let dir = env.home().join(".local/share/viam/sandboxes/default");
    assert!(dir.is_dir());
    assert!(!fs::exists(dir.join("sandbox.json")).expect("looks"));
}

#[test]
fn two_side_by_side_and_a_login_by_code() {
    let env = TestEnv::new();
    let (a, b) =
        (env.root().join("a").display().to_string(), env.root().join("b").display().to_string());
    for (dir, seed) in [(&a, "docs"), (&b, "empty")] {
        env.viam(&["sandbox", "start", "--dir", dir, "--seed", seed, "--device-interval", "1"])
            .run()
            .ok();
    }
    let url = |dir: &str| {
        let text = fs::read_to_string(format!("{dir}/sandbox.json")).expect("state");
        let state: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        state["base_url"].as_str().expect("url").to_owned()
    };
    assert_ne!(url(&a), url(&b));
    let mut login =
        crate::support::Login::start(&env, &["--base-url", &url(&a), "login", "--no-browser"], &[]);
    let code = login.code();
    env.viam(&["sandbox", "approve", &code, "--dir", &b]).run().code(1);
    env.viam(&["sandbox", "approve", &code, "--dir", &a]).run().ok();
    let (status, _, stderr) = login.end();
    assert_eq!(status, 0, "{stderr}");
    env.viam(&["organizations", "list"]).run().ok().prints("Robot's Org");
    for dir in [&a, &b] {
        env.viam(&["sandbox", "stop", "--dir", dir]).run().ok();
    }
}

#[test]
fn the_tour_shows_what_is_really_there() {
    let env = TestEnv::new();
    let random = |what: &str| {
        let bytes = fs::read("/proc/sys/kernel/random/uuid").expect("random");
        format!("{what}-{}", String::from_utf8_lossy(&bytes).trim())
    };
    let (org, key, marker) = (random("org"), random("key"), random("marker"));
    let world = format!(
        "{{\"organizations\":[{{\"name\":\"{org}\",\"locations\":[{{\"name\":\"l\",\"machines\":[{{\"name\":\"m\"}}]}}]}}]}}"
    );
    let file = env.file(&env.root().join("world.json"), &world, 0o644);
    let words = [
        "sandbox",
        "tour",
        "--seed",
        &file.display().to_string(),
        "--key-name",
        &key,
        "--greeting",
        &marker,
    ];
    let outcome = env.viam(&words).run().ok();
    let out = outcome.out();
    assert!(out.contains(&format!("\t{org} (id: ")), "{outcome}");
    assert!(out.contains(&format!("\"name\": \"{key}\"")), "{outcome}");
    assert!(out.contains(&format!("\n{marker}, key-")), "{outcome}");
    assert!(out.contains("$ viam whoami\nkey-"), "{outcome}");
    assert!(
        out.contains("$ viam robots status --machine ") && out.contains("\nName: m\n"),
        "{outcome}"
    );
    assert!(out.lines().filter(|line| line.starts_with("$ viam ")).count() >= 8, "{outcome}");
    let outcome = env.viam(&["sandbox", "tour", "--angle", "123"]).run().ok();
    assert!(outcome.out().contains("{\n  \"positionDeg\": 123\n}\n"), "{outcome}");
    // A world where nothing can be listed fails it: the tour is not a text.
    env.viam(&["sandbox", "tour", "--seed", "empty"]).run().code(1).says("ended with exit code");
    assert!(!env.login_dir().exists());
}

#[test]
fn a_large_world_is_made_fast_enough_to_test_with() {
    let machines = if full() { "scale:100000" } else { "scale:1000" };
    let env = TestEnv::new();
    let words = [
        "sandbox",
        "run",
        "--seed",
        machines,
        "--",
        "viam",
        "locations",
        "list",
        "--format",
        "json",
    ];
    let listed = env.viam(&words).run().ok().json();
    let count: u64 = listed
        .as_array()
        .expect("list")
        .iter()
        .filter_map(|one| one["machine_count"].as_u64())
        .sum();
    assert_eq!(format!("scale:{count}"), machines);
}
