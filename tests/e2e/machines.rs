//! Machines and their parts: status, logs, changes; names and ids in every spelling.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use viam_sandbox::seed::LogSpec;
use viam_sandbox::server::FaultRule;
use viam_test::{Outcome, TestEnv, TestSandbox};

use crate::support::{LIST_ORGANIZATIONS, Watch, logged_in};

const ROVER: &str = "a33001ed-0abb-54c8-9e35-f03700874511";
const ROVER_MAIN: &str = "d43d916a-c077-5fad-9615-956618741961";
const ROVER_ARM: &str = "4865c313-e09e-5c52-b5fd-197d941dd91f";
const GET_LOGS: &str = "/viam.app.v1.AppService/GetRobotPartLogs";
const TAIL_LOGS: &str = "/viam.app.v1.AppService/TailRobotPartLogs";

/// stdout with times that change taken out.
fn timeless(outcome: &Outcome) -> String {
    let line = |line: &str| match line.split_once("Last Access: ") {
        Some((before, time)) => {
            assert!(time.contains(" UTC ") && time.ends_with(" ago)"), "{outcome}");
            format!("{before}Last Access: [TIME]\n")
        }
        None => format!("{line}\n"),
    };
    outcome.out().lines().map(line).collect()
}

/// The lines of logs without their times, which are checked.
fn entries(out: &str) -> Vec<String> {
    out.lines()
        .filter_map(|line| {
            let (time, rest) = line.split_once('\t')?;
            assert!(time.len() == 24 && time.ends_with('Z') && &time[10..11] == "T", "{line}");
            assert_eq!(rest.split('\t').count(), 4, "{line}");
            Some(rest.to_owned())
        })
        .collect()
}

/// A part says something.
fn say(sandbox: &TestSandbox, part: &str, entries: Vec<LogSpec>) {
    sandbox.server.append_logs(part, entries).expect("logs");
}

fn numbered(numbers: std::ops::Range<usize>) -> Vec<LogSpec> {
    numbers.map(|number| LogSpec::new("info", "test", format!("line {number}"))).collect()
}

#[test]
fn status_of_a_machine_in_the_documented_form() {
    let (env, _sandbox) = logged_in("fleet");
    let outcome = env.viam(&["machines", "status", "--machine", "rover-1"]).run().ok();
    let block = format!(
        "ID: {ROVER}\nName: rover-1\nLast Access: [TIME]\nParts:\n\tID: {ROVER_MAIN}\n\tName: \
         rover-1-main (main)\n\tLast Access: [TIME]\n\n\tID: {ROVER_ARM}\n\tName: \
         rover-1-arm\n\tLast Access: [TIME]\n"
    );
    assert_eq!(timeless(&outcome), format!("Acme Robotics -> Warehouse\n{block}"));
    // All is given: no header.
    for flags in [
        ["--machine", "--organization", "--location"],
        ["--robot", "--org", "--location-id"],
        ["--machine-id", "--org-id", "--location-name"],
        ["--machine_name", "--org_name", "-location"],
    ] {
        let words: Vec<&str> = ["robots", "status"]
            .into_iter()
            .chain(
                flags
                    .into_iter()
                    .zip(["rover-1", "Acme Robotics", "Warehouse"])
                    .flat_map(|(flag, value)| [flag, value]),
            )
            .collect();
        assert_eq!(timeless(&env.viam(&words).run().ok()), block, "{words:?}");
    }
    // Never heard of.
    let never = env.viam(&["robot", "status", "--robot", "sprayer-2"]).run().ok();
    assert!(never.out().contains("Last Access: Thu Jan  1 00:00:00 UTC 1970 ("), "{never}");
    let json =
        env.viam(&["machine", "status", "--machine=rover-1", "--format=json"]).run().ok().json();
    assert_eq!(json["id"], ROVER);
    assert_eq!(json["organization"], "Acme Robotics");
    assert_eq!(json["parts"][0]["main"], true);
    assert_eq!(json["parts"][1]["id"], ROVER_ARM);
    assert!(json["last_access"].as_str().is_some_and(|time| time.ends_with('Z')), "{json}");
    env.viam(&["machines", "status"]).run().code(2).says("required flag \"machine\"");
    env.viam(&["machines", "status", "--machine", ""]).run().code(2);
}

#[test]
fn status_by_id_asks_for_nothing_but_the_machine_and_what_it_lies_in() {
    let (env, sandbox) = logged_in("fleet");
    sandbox.server.clear_requests();
    env.viam(&["machines", "status", "--machine", ROVER]).run().ok();
    env.viam(&["machines", "part", "status", "--part", ROVER_ARM]).run().ok();
    for (method, times) in [
        ("GetRobot", 2),
        ("GetRobotParts", 1),
        ("GetRobotPart", 1),
        ("GetLocation", 2),
        ("GetOrganizationsWithAccessToLocation", 2),
        ("ListOrganizations", 0),
    ] {
        let path = format!("/viam.app.v1.AppService/{method}");
        assert_eq!(sandbox.asked(&path), times, "{method}");
    }
}

#[test]
fn an_id_is_found_wherever_it_lies_and_heads_its_own_place() {
    let (env, _sandbox) = logged_in("docs");
    // Ids of the documentation are no UUIDs; a default elsewhere does not hide one.
    for id in ["82c608a-1be9-46a5-968d-bad3a8a6daa", "82c608a-1be9-46a5"] {
        let outcome = env.viam(&["robots", "status", "--robot", id]).run().ok();
        outcome.prints(&format!("ID: {id}\n"));
    }
    let (env, _sandbox) = logged_in("fleet");
    let outcome =
        env.viam(&["robots", "status", "--robot", ROVER, "--organization", "Field Lab"]).run().ok();
    assert!(outcome.out().starts_with("Acme Robotics -> Warehouse\n"), "{outcome}");
}

#[test]
fn a23_names_are_taken_where_ids_are_expected_and_several_of_one_name_are_listed() {
    let world = r#"{"organizations":[{"name":"AcmeDemos","locations":[
        {"name":"test","machines":[{"id":"m-1","name":"arduino-q","parts":[{"id":"p-1","name":"main",
            "logs":[{"level":"info","logger":"a","message":"firmata ready"},
                    {"level":"info","logger":"a","message":"other"}]}]}]},
        {"name":"lab","machines":[{"id":"m-2","name":"arduino-q","parts":[{"id":"p-2","name":"main"}]}]}]}]}"#;
    let env = TestEnv::new();
    let file = env.file(&env.root().join("world.json"), world, 0o644);
    let sandbox = TestSandbox::start(&file.display().to_string());
    sandbox.log_in(&env);
    let words = ["--machine=arduino-q", "--org=AcmeDemos", "--count=300", "--keyword=firmata"];
    let logs = [&["machines", "logs"][..], &words].concat();
    let outcome = env.viam(&[&logs[..], &["--location=test"]].concat()).run().ok();
    assert_eq!(entries(&outcome.out()), ["info\ta\tfirmata ready\t"]);
    for id in ["--org-id=AcmeDemos", "--organization=AcmeDemos", "--org-name=AcmeDemos"] {
        let words = ["machine", "log", "--robot=m-1", id, "--location-id=test"];
        assert_eq!(entries(&env.viam(&words).run().ok().out()).len(), 2, "{id}");
    }
    let outcome = env.viam(&logs).run().code(1);
    insta::assert_snapshot!(outcome, @r#"
    exit: 1
    -- stdout --
    [EOF]
    -- stderr --
    Info: Using "http://127.0.0.1:[PORT]" as base URL value
    Error: "arduino-q" names 2 machines
    Hint: use an id: m-1, m-2
    [EOF]
    "#);
    env.viam(&["machines", "part", "status", "--part", "main"]).run().code(1).says("p-1, p-2");
    env.viam(&["machines", "part", "status", "--part=main", "--location=lab"]).run().ok();
    env.viam(&["machines", "part", "status", "--part-id", "p-2"]).run().ok().prints("ID: p-2");
    // The only part of a machine needs no name.
    env.viam(&["machines", "part", "status", "--machine=m-2"]).run().ok().prints("\tID: p-2\n");
}

#[test]
fn parts_are_found_by_id_by_name_and_within_their_machine() {
    let (env, _sandbox) = logged_in("fleet");
    let full = env
        .viam(&[
            "robots",
            "part",
            "status",
            "--organization",
            "Acme Robotics",
            "--location",
            "Warehouse",
            "--robot",
            "rover-1",
            "--part",
            "rover-1-arm",
        ])
        .run()
        .ok();
    let block = format!("\tID: {ROVER_ARM}\n\tName: rover-1-arm\n\tLast Access: [TIME]\n");
    assert_eq!(timeless(&full), block);
    for words in [
        &["--part-id", ROVER_ARM][..],
        &["--part", "rover-1-arm"],
        &["--part-name", "rover-1-arm", "--machine-id", ROVER],
        &["--part", ROVER_ARM, "--machine-name", "rover-1"],
    ] {
        let words = [&["machines", "part", "status"], words].concat();
        let outcome = env.viam(&words).run().ok();
        let header = "Acme Robotics -> Warehouse -> rover-1\n";
        assert_eq!(timeless(&outcome), format!("{header}{block}"), "{words:?}");
    }
    let words = ["machines", "part", "status", "--part", ROVER_ARM, "--format", "json"];
    let json = env.viam(&words).run().ok().json();
    assert_eq!((&json["machine"], &json["machine_id"]), (&"rover-1".into(), &ROVER.into()));
    let outcome = env
        .viam(&["machines", "part", "status", "--machine", "rover-1", "--part", "rover-1-amr"])
        .run()
        .code(1);
    insta::assert_snapshot!(outcome, @r#"
    exit: 1
    -- stdout --
    [EOF]
    -- stderr --
    Info: Using "http://127.0.0.1:[PORT]" as base URL value
    Error: No machine part found for machine: "rover-1" part: "rover-1-amr"
    Hint: did you mean "rover-1-arm"?
    [EOF]
    "#);
    env.viam(&["machines", "part", "status", "--machine", "rover-1"])
        .run()
        .code(1)
        .says("\"rover-1\" has 2 parts")
        .says(ROVER_ARM);
    env.viam(&["machines", "part", "status"]).run().code(2).says("required flag \"part\"");
    let list = env.viam(&["machines", "part", "list", "--machine", "rover-1"]).run().ok();
    assert!(timeless(&list).starts_with("Parts:\n\tID: ") && list.out().contains(" (main)\n\t"));
    let by_id = env.viam(&["machines", "part", "list", "--machine", ROVER]).run().ok();
    assert_eq!(timeless(&by_id), timeless(&list));
    let words = ["robots", "part", "list", "--robot", "rover-1", "--format=json"];
    assert_eq!(env.viam(&words).run().ok().json()[1]["name"], "rover-1-arm");
}

#[test]
fn machines_are_created_renamed_moved_and_deleted() {
    let (env, _sandbox) = logged_in("fleet");
    let merged = env
        .sh("viam machines create --name=bot-7 --organization='Field Lab' --location=Orchard 2>&1")
        .run()
        .ok();
    let line = merged.out().lines().last().expect("line").to_owned();
    let id = line.strip_prefix("created new machine with id ").expect("the documented line");
    assert_eq!(id.len(), 36);
    assert_eq!(merged.out().matches(id).count(), 1);
    let words = ["machines", "update", "--machine", "bot-7", "--new-name", "bot-8"];
    assert_eq!(env.viam(&words).run().ok().out(), "updated machine bot-7\n");
    env.viam(&["machines", "status", "--machine", id]).run().ok().prints("Name: bot-8\n");
    let words = [
        "robots",
        "update",
        "--robot",
        "bot-8",
        "--new-location",
        "Classroom",
        "--location",
        "Orchard",
        "--format",
        "json",
    ];
    let json = env.viam(&words).run().ok().json();
    assert_eq!((&json["id"], &json["name"]), (&id.into(), &"bot-8".into()));
    let status = env.viam(&["machines", "status", "--machine", "bot-8"]).run().ok();
    assert!(status.out().starts_with("Old Mill School -> Classroom\n"), "{status}");
    env.viam(&["machines", "update", "--machine", "bot-8"]).run().code(2).says("--new-name");
    let outcome = env.viam(&["machines", "delete", "--machine", "bot-88"]).run().code(1);
    outcome.says("no machine found for \"bot-88\"").says("did you mean \"bot-8\"?");
    let words = ["machines", "delete", "--machine", "bot-8"];
    assert_eq!(env.viam(&words).run().ok().out(), "deleted machine bot-8\n");
    env.viam(&words).run().code(1).says("no machine found");
    env.viam(&["machines", "create", "--name", "x"])
        .run()
        .code(2)
        .says("must provide a location to create a machine in");
    env.viam(&["machines", "create", "--location", "Orchard"]).run().code(2).says("\"name\"");
    let words = ["machines", "create", "--name", "sprayer-1", "--location", "Orchard"];
    env.viam(&words).run().code(1).says("it exists already");
    let words = ["machines", "create", "--name", "n", "--location", "Orchard", "--format=json"];
    assert_eq!(env.viam(&words).run().ok().json()["name"], "n");
}

#[test]
fn a8_the_documented_script_reads_the_ids_of_a_new_machine_and_its_part() {
    let (env, _sandbox) = logged_in("fleet");
    let script = "set -euo pipefail
        CREATED=$(viam machines create --name=bot --location=Orchard)
        ID=$(echo \"$CREATED\" | grep -oE '[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}')
        PART=$(viam machines part list --machine=$ID | grep 'ID:' | head -1 | awk '{print $2}')
        viam machines part status --part=$PART --machine=$ID | grep -q 'bot-main (main)'
        echo $PART";
    assert_eq!(env.sh(script).run().ok().out().trim_end().len(), 36);
}

#[test]
fn a_key_of_a_machine_is_enough_for_its_status_and_logs() {
    let (env, sandbox) = logged_in("fleet");
    let words =
        ["robots", "api-key", "create", "--machine-id=rover-1", "--name=n", "--format=json"];
    let made = env.viam(&words).run().ok().json();
    let other = TestEnv::new();
    for words in [
        &["machines", "status", "--machine", "rover-1"][..],
        &["machines", "status", "--machine", ROVER],
        &["machines", "logs", "--machine", "rover-1"],
        &["machines", "part", "logs", "--part", "rover-1-arm"],
        &["machines", "part", "status", "--part", ROVER_ARM],
    ] {
        let outcome = other
            .viam(words)
            .env("VIAM_BASE_URL", sandbox.url())
            .env("VIAM_API_KEY_ID", made["id"].as_str().expect("id"))
            .env("VIAM_API_KEY", made["key"].as_str().expect("key"))
            .run()
            .ok();
        assert!(outcome.out().contains("Acme Robotics"), "{outcome}");
    }
}

#[test]
fn parts_are_created_restarted_and_deleted_and_have_a_history() {
    let (env, _sandbox) = logged_in("fleet");
    let made = env
        .viam(&["machines", "part", "create", "--part-name", "gripper", "--machine", "rover-1"])
        .run()
        .ok();
    let out = made.out();
    let id = out.strip_prefix("created new machine part with ID ").expect("line").trim_end();
    let words = ["machines", "part", "restart", "--part", "gripper"];
    let outcome = env.viam(&words).run().ok();
    assert_eq!(outcome.out(), "Info: Request to restart part sent successfully\n");
    let json = env.viam(&[&words[..], &["--format=json"]].concat()).run().ok().json();
    assert_eq!(json["id"], id);
    let history = env.viam(&["machines", "part", "history", "--part", id]).run().ok();
    assert_eq!(history.out(), "no history found for part gripper\n");
    let words = ["machines", "part", "delete", "--part", "gripper", "--machine", "rover-1"];
    let outcome = env.viam(&words).run().ok();
    assert_eq!(outcome.out(), format!("successfully deleted part gripper (ID: {id})\n"));
    env.viam(&words).run().code(1).says("no machine part found");
    env.viam(&["machines", "part", "delete", "--part", "rover-1-main"])
        .run()
        .code(1)
        .says("could not delete machine part \"rover-1-main\"");
    env.viam(&["machines", "part", "create", "--machine", "rover-1"]).run().code(2);
}

#[test]
fn logs_of_a_machine_newest_first_with_their_headers() {
    let (env, sandbox) = logged_in("fleet");
    say(&sandbox, ROVER_MAIN, numbered(0..300));
    sandbox.server.clear_requests();
    let outcome = env.viam(&["machines", "logs", "--machine", "rover-1"]).run().ok();
    let out = outcome.out();
    assert!(
        out.starts_with(
            "Robot: rover-1 -> Location: Warehouse -> Organization: Acme Robotics -> Machine: \
             rover-1\n\n===== Logs for Part: rover-1-main =====\n20"
        ),
        "{out}"
    );
    let lines = entries(&out);
    assert_eq!(lines.len(), 300 + 250 + 16);
    assert_eq!(lines[0], "info\ttest\tline 299\t");
    assert!(sandbox.asked(GET_LOGS) >= 7, "{}", sandbox.asked(GET_LOGS));
    assert_eq!(sandbox.asked(LIST_ORGANIZATIONS), 1);
    let (main, arm) = out.split_once("===== Logs for Part: rover-1-arm =====\n").expect("arm");
    assert_eq!((entries(main).len(), entries(arm).len()), (550, 16));
    // The count is one for each part, and the last page is cut.
    let words = ["robots", "logs", "--robot", ROVER, "--count", "120"];
    assert_eq!(entries(&env.viam(&words).run().ok().out()).len(), 120 + 16);
    let words = ["machines", "log", "--machine", "rover-1", "--order", "asc", "--count", "1"];
    let oldest = entries(&env.viam(&words).run().ok().out());
    assert_eq!(
        oldest[0],
        "info\trdk\tmachine server starts\t{\"version\": \"v0.80.0\", \"platform\": \"linux/arm64\", \"pid\": 812}"
    );
    // Levels, errors, one part, a window.
    let words = ["machines", "logs", "--part", "rover-1-main", "--levels", "warn,error"];
    let levels = entries(&env.viam(&words).run().ok().out());
    assert!(levels.iter().all(|line| line.starts_with("warn\t") || line.starts_with("error\t")));
    let words = ["robots", "logs", "--robot", "rover-1", "--errors", "true"];
    let errors = entries(&env.viam(&words).run().ok().out());
    assert!(!errors.is_empty() && errors.len() < levels.len());
    let words = ["machines", "logs", "--machine", "rover-1", "--end", "2020-01-01T00:00:00Z"];
    assert!(entries(&env.viam(&words).run().ok().out()).is_empty());
    let words = ["machines", "logs", "--machine", "rover-1", "--range", "1m", "--keyword=line"];
    assert_eq!(entries(&env.viam(&words).run().ok().out()).len(), 300);
}

#[test]
fn what_logs_cannot_print_is_said_before_any_call() {
    let (env, sandbox) = logged_in("fleet");
    sandbox.server.clear_requests();
    let logs = ["machines", "logs", "--machine", "rover-1"];
    let part_logs = ["machines", "part", "logs", "--part", ROVER_MAIN];
    let (start, end) = ("--start=2026-01-01T00:00:00Z", "--end=2026-01-02T00:00:00Z");
    for (words, said) in [
        (&["--count", "-1"][..], "\"count\" cannot be negative"),
        (&["--order", "up"], "invalid \"order\" value \"up\": must be one of \"asc\" or \"desc\""),
        (&[start, end, "--range=10m"], "cannot use --range together with both --start and --end"),
        (&["--start", "x"], "invalid start time format: "),
        (&["--end", "2026-13-01T00:00:00Z"], "invalid end time format: "),
        (&["--format", "xml"], "invalid format: xml"),
    ] {
        for verb in [&logs[..], &part_logs] {
            env.viam(&[verb, words].concat()).run().code(2).says(said);
        }
    }
    env.viam(&[&part_logs[..], &[start, "--count=1"]].concat()).run().code(2).says(
        "unsupported functionality: specifying both a start time and a count without an end time \
         is not supported",
    );
    env.viam(&["machines", "logs"]).run().code(2).says("required flag \"machine\"");
    assert_eq!(sandbox.asked(LIST_ORGANIZATIONS) + sandbox.asked(GET_LOGS), 0);
}

#[test]
fn logs_as_json_are_an_object_a_line_in_the_documented_order() {
    let (env, sandbox) = logged_in("fleet");
    let spec = LogSpec { ago_secs: 1, ..LogSpec::new("warn", "a.b", "tab\there") };
    say(&sandbox, ROVER_ARM, vec![spec]);
    for words in [
        &["machines", "logs", "--part", ROVER_ARM, "--format", "json", "--count", "1"][..],
        &["--format", "json", "machines", "part", "logs", "--part", ROVER_ARM, "--count", "1"],
        &["machines", "part", "logs", "--part", ROVER_ARM, "--format=json", "--count=1"],
    ] {
        let out = env.viam(words).run().ok().out();
        let start = r#"{"fields":"","level":"warn","logger":"a.b","message":"tab\there","part":"rover-1-arm","time":"20"#;
        assert!(out.starts_with(start) && out.lines().count() == 1, "{out}");
        let json: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        assert!(json["ts"].is_i64(), "{out}");
    }
    // In text, the tab is no column of its own.
    let words = ["machines", "part", "logs", "--part", ROVER_ARM, "--count", "1"];
    assert_eq!(entries(&env.viam(&words).run().ok().out()), ["warn\ta.b\ttab\\there\t"]);
}

#[test]
fn logs_in_a_file_are_private_and_whole_or_not_there() {
    let (env, sandbox) = logged_in("fleet");
    let work = env.root().join("work");
    let words = ["machines", "logs", "--machine", "rover-1", "--output", "logs.txt"];
    let outcome = env.viam(&words).run().ok();
    assert_eq!(outcome.out(), "");
    let text = std::fs::read_to_string(work.join("logs.txt")).expect("file");
    assert_eq!(entries(&text).len(), 266);
    let mode = std::fs::metadata(work.join("logs.txt")).expect("file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // A failure on the way leaves what was there, and nothing else.
    sandbox.fail(GET_LOGS, 9, 7, "no more");
    env.viam(&words).run().code(1).says("could not stream logs for part \"rover-1-main\"");
    assert_eq!(std::fs::read_to_string(work.join("logs.txt")).expect("file"), text);
    assert_eq!(std::fs::read_dir(&work).expect("folder").count(), 1);
    sandbox.server.set_faults(Vec::new());
    let words = ["machines", "logs", "--machine", "rover-1", "--output", "no/such/folder"];
    env.viam(&words).run().code(1).says("could not open file for writing");
    let words = ["machines", "logs", "--machine", "rover-1", "--output", "/dev/stdout"];
    assert_eq!(entries(&env.viam(&words).run().ok().out()).len(), 266);
}

#[test]
fn logs_of_a_part_oldest_first() {
    let (env, sandbox) = logged_in("fleet");
    say(&sandbox, ROVER_MAIN, numbered(0..30));
    let words = ["machines", "part", "logs", "--part", "rover-1-main"];
    let outcome = env.viam(&words).run().ok();
    assert!(outcome.out().starts_with("Acme Robotics -> Warehouse -> rover-1\n20"), "{outcome}");
    let all = entries(&outcome.out());
    assert_eq!(all.len(), 280);
    assert!(all[0].starts_with("info\trdk\tmachine server starts"));
    assert_eq!(all[279], "info\ttest\tline 29\t");
    // The newest of them, the oldest first.
    let cut = env.viam(&[&words[..], &["--count", "270"]].concat()).run().ok();
    assert_eq!(entries(&cut.out()), all[10..]);
    let newest_first = env.viam(&[&words[..], &["--order", "desc"]].concat()).run().ok();
    assert_eq!(entries(&newest_first.out())[0], all[279]);
    let complete = env
        .viam(&[
            "robots",
            "part",
            "logs",
            "--robot",
            "rover-1",
            "--part",
            "rover-1-main",
            "--location",
            "Warehouse",
            "--organization",
            "Acme Robotics",
            "--errors",
        ])
        .run()
        .ok();
    assert!(complete.out().lines().all(|line| line.contains("\terror\t")), "{complete}");
    let none = env.viam(&["machines", "part", "log", "--part", "dock-cam-1-main"]).run().ok();
    assert_eq!(none.out(), "Acme Robotics -> Loading Dock -> dock-cam-1\nNo recent logs\n");
    sandbox.fail(GET_LOGS, 9, 14, "down");
    env.viam(&words).run().code(1).says("down");
}

#[test]
fn b25_a_reader_of_logs_that_goes_away_ends_them_quietly() {
    let (env, sandbox) = logged_in("fleet");
    say(&sandbox, ROVER_MAIN, numbered(0..3000));
    let script = "set -euo pipefail; viam -q machines logs --machine rover-1 | head -5; \
                  viam -q machines part logs --part rover-1-main | head -5";
    let outcome = env.sh(script).run().ok();
    assert_eq!((outcome.out().lines().count(), outcome.err().as_str()), (10, ""), "{outcome}");
}

/// A started `part logs --tail`, whose lines are read as they come.
struct Tail {
    child: Child,
    lines: Receiver<String>,
    _watch: Watch,
}

impl Tail {
    fn start(env: &TestEnv, words: &[&str]) -> Self {
        let words = [&["machines", "part", "logs", "--part", ROVER_ARM][..], words].concat();
        // Whatever started the tests may have ignored the signal (a shell's background job).
        let program = env.viam.display().to_string();
        let words = [&["--default-signal=INT", &program][..], &words].concat();
        let mut child = env.program("/usr/bin/env").args(&words).spawn();
        let stdout = BufReader::new(child.stdout.take().expect("stdout"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let watch = Watch::on(&child);
        Self { child, lines, _watch: watch }
    }

    /// The message of the next line.
    fn next(&self) -> String {
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(30)).expect("a line");
            match entries(&line).pop() {
                Some(line) => return line.split('\t').nth(2).expect("message").to_owned(),
                None => assert_eq!(line, "Acme Robotics -> Warehouse -> rover-1"),
            }
        }
    }

    /// Waits until it follows: until something that was just said is printed.
    fn follows(&self, sandbox: &TestSandbox) {
        let until = Instant::now() + Duration::from_secs(30);
        let mut said = 0;
        loop {
            assert!(Instant::now() < until, "it does not follow");
            let hello = LogSpec::new("error", "test", format!("hello {said}"));
            say(sandbox, ROVER_ARM, vec![hello]);
            said += 1;
            match self.lines.recv_timeout(Duration::from_millis(100)) {
                Ok(line) if line.contains("hello") => break,
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => panic!("it ended"),
            }
        }
        // The rest of the greetings.
        let last = format!("hello {}", said - 1);
        let marker = LogSpec::new("error", "test", "begin");
        say(sandbox, ROVER_ARM, vec![marker]);
        loop {
            match self.next() {
                message if message == "begin" => break,
                message => assert!(message.starts_with("hello"), "{message} before {last}"),
            }
        }
    }

    fn expect(&self, numbers: std::ops::Range<usize>) {
        for number in numbers {
            assert_eq!(self.next(), format!("line {number}"));
        }
    }

    /// Interrupts it: the signal itself ends it, which a shell shows as 130.
    fn end(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("kill");
        assert_eq!(self.child.wait().expect("ends").signal(), Some(2));
    }
}

#[test]
fn a_tail_prints_what_comes_as_it_comes() {
    let (env, sandbox) = logged_in("fleet");
    for flags in [&["--tail"][..], &["-f"], &["--tail", "true"], &["--tail=true"]] {
        let tail = Tail::start(&env, flags);
        tail.follows(&sandbox);
        say(&sandbox, ROVER_ARM, numbered(0..250));
        tail.expect(0..250);
        tail.end();
    }
    let tail = Tail::start(&env, &["--tail", "--errors", "--keyword", "n"]);
    let mut loud = numbered(0..3);
    loud.push(LogSpec::new("error", "test", "begin n"));
    let until = Instant::now() + Duration::from_secs(30);
    while sandbox.asked(TAIL_LOGS) < 5 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    say(&sandbox, ROVER_ARM, loud);
    assert_eq!(tail.next(), "begin n");
    tail.end();
}

#[test]
fn a_tail_that_is_cut_goes_on_and_loses_and_repeats_nothing() {
    let (env, sandbox) = logged_in("fleet");
    let tail = Tail::start(&env, &["--tail"]);
    tail.follows(&sandbox);
    say(&sandbox, ROVER_ARM, numbered(0..10));
    tail.expect(0..10);
    // While it is away, and more than a page.
    sandbox.server.end_tails();
    say(&sandbox, ROVER_ARM, numbered(10..260));
    tail.expect(10..260);
    // In the same moment, again and again, the server away for good measure.
    for round in 0..4 {
        let first = 260 + round * 40;
        say(&sandbox, ROVER_ARM, numbered(first..first + 10));
        if round == 2 {
            sandbox.fail(TAIL_LOGS, 2, 14, "away");
        }
        sandbox.server.end_tails();
        for part in 1..4 {
            let first = first + part * 10;
            say(&sandbox, ROVER_ARM, numbered(first..first + 10));
            std::thread::sleep(Duration::from_millis(150));
        }
        tail.expect(first..first + 40);
    }
    say(&sandbox, ROVER_ARM, numbered(420..421));
    tail.expect(420..421);
    tail.end();
}

#[test]
fn a_tail_misses_nothing_and_repeats_nothing_of_the_moment_when_it_begins() {
    let (env, sandbox) = logged_in("fleet");
    // More than a page, and too new to be left out by its time.
    say(&sandbox, ROVER_ARM, numbered(0..150));
    sandbox.server.set_faults(vec![FaultRule {
        times: 1,
        delay_ms: Some(1000),
        ..FaultRule::on(TAIL_LOGS)
    }]);
    let tail = Tail::start(&env, &["--tail"]);
    let until = Instant::now() + Duration::from_secs(30);
    while sandbox.asked(GET_LOGS) == 0 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    // It has seen what is there, and the server has not begun to send what comes.
    std::thread::sleep(Duration::from_millis(200));
    say(&sandbox, ROVER_ARM, numbered(150..152));
    tail.expect(150..152);
    sandbox.server.end_tails();
    say(&sandbox, ROVER_ARM, numbered(152..154));
    tail.expect(152..154);
    tail.end();
}

#[test]
fn a_tail_goes_on_over_a_restart_of_the_server() {
    let env = TestEnv::new();
    let start =
        || TestSandbox::with("fleet", |options| options.dir = Some(env.root().join("cloud")));
    let sandbox = start();
    sandbox.log_in(&env);
    let tail = Tail::start(&env, &["--tail"]);
    tail.follows(&sandbox);
    say(&sandbox, ROVER_ARM, numbered(0..10));
    tail.expect(0..10);
    let url = sandbox.url().to_owned();
    drop(sandbox);
    let sandbox = start();
    assert_eq!(sandbox.url(), url);
    say(&sandbox, ROVER_ARM, numbered(10..150));
    tail.expect(10..150);
    say(&sandbox, ROVER_ARM, numbered(150..160));
    tail.expect(150..160);
    tail.end();
}

#[test]
fn a_tail_ends_at_once_for_what_another_attempt_would_not_change() {
    let (env, sandbox) = logged_in("fleet");
    for (code, said) in [(7, "permission denied: no"), (5, "not found: no"), (12, "no")] {
        sandbox.fail(TAIL_LOGS, 100, code, "no");
        let words = ["machines", "part", "logs", "--part", ROVER_ARM, "--tail"];
        env.viam(&words).run().code(1).says("could not tail logs").says(said);
    }
    sandbox.fail(TAIL_LOGS, 100, 16, "no");
    let words = ["machines", "part", "logs", "--part", ROVER_ARM, "--tail"];
    env.viam(&words).run().code(4);
}

#[test]
fn a_tail_whose_reader_goes_away_ends_quietly() {
    let (env, sandbox) = logged_in("fleet");
    let script =
        format!("set -o pipefail; viam -q machines part logs --part {ROVER_ARM} --tail | head -2");
    let child = env.sh(&script).spawn();
    let watch = Watch::on(&child);
    let (done, ended) = channel::<()>();
    let output = std::thread::scope(|scope| {
        let sandbox = &sandbox;
        scope.spawn(move || {
            while ended.recv_timeout(Duration::from_millis(50)) == Err(RecvTimeoutError::Timeout) {
                say(sandbox, ROVER_ARM, numbered(0..1));
            }
        });
        let output = child.wait_with_output().expect("ends");
        drop(done);
        output
    });
    drop(watch);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), 2);
}
