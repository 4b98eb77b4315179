//! The logs of machines and parts, page by page.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;

use viam_sandbox::seed::LogSpec;
use viam_test::TestSandbox;

use crate::support::{LIST_ORGANIZATIONS, Watch, logged_in};

const ROVER: &str = "a33001ed-0abb-54c8-9e35-f03700874511";
const ROVER_MAIN: &str = "d43d916a-c077-5fad-9615-956618741961";
const ROVER_ARM: &str = "4865c313-e09e-5c52-b5fd-197d941dd91f";
const GET_LOGS: &str = "/viam.app.v1.AppService/GetRobotPartLogs";

/// The lines of logs without their times, which are checked.
pub(crate) fn entries(out: &str) -> Vec<String> {
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
pub(crate) fn say(sandbox: &TestSandbox, part: &str, entries: Vec<LogSpec>) {
    sandbox.server.append_logs(part, entries).expect("logs");
}

pub(crate) fn numbered(numbers: std::ops::Range<usize>) -> Vec<LogSpec> {
    numbers.map(|number| LogSpec::new("info", "test", format!("line {number}"))).collect()
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
    assert_eq!(sandbox.asked(GET_LOGS), 2 + 1);
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

#[test]
fn many_entries_are_streamed_in_constant_memory() {
    let (env, sandbox) = logged_in("fleet");
    say(&sandbox, ROVER_MAIN, numbered(0..25_000));
    let machine = ["-q", "machines", "logs", "--machine", "rover-1", "--part", "rover-1-main"];
    let part = ["-q", "machines", "part", "logs", "--part", ROVER_MAIN];
    let last = |number: usize| format!("line {number}");
    let messages = |words: &[&str], more: &[&str]| -> Vec<String> {
        let outcome = env.viam(&[words, more].concat()).run().ok();
        let lines = entries(&outcome.out());
        lines.iter().map(|line| line.split('\t').nth(2).expect("message").to_owned()).collect()
    };
    let newest: Vec<String> = (10_000..25_000).rev().map(last).collect();
    assert!(messages(&machine, &["--count", "15000"]) == newest);
    // Today's default order of a part is the newest ones, the oldest of them first.
    let newest: Vec<String> = (10_000..25_000).map(last).collect();
    assert!(messages(&part, &["--count", "15000"]) == newest);
    let script = format!("set -o pipefail; viam {} | head -5", part.join(" "));
    let outcome = env.sh(&script).run().ok();
    assert_eq!((outcome.out().lines().count(), outcome.err().as_str()), (5, ""), "{outcome}");

    let mut child = env.viam(&[&part[..], &["--order", "asc"]].concat()).spawn();
    let _watch = Watch::on(&child);
    let status = format!("/proc/{}/status", child.id());
    let peak = || -> usize {
        let status = std::fs::read_to_string(&status).expect("it is still writing");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        line.trim_end_matches("kB").trim().parse().expect("a number")
    };
    let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    // A pipe holds a few hundred lines, so it waits for us.
    lines.by_ref().take(2_000).for_each(|line| drop(line.expect("a line")));
    let early = peak();
    lines.by_ref().take(20_000).for_each(|line| drop(line.expect("a line")));
    let late = peak();
    assert!(late < early + 4096, "{early} kB and then {late} kB");
    assert!(lines.count() >= 3_000);
    assert!(child.wait().expect("ends").success());
}
