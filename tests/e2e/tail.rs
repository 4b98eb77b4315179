//! Following the logs of machines and parts.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use viam_sandbox::seed::LogSpec;
use viam_sandbox::server::FaultRule;
use viam_test::{TestEnv, TestSandbox};

use crate::logs::{entries, numbered, say};
use crate::support::{Watch, logged_in};

const ROVER_MAIN: &str = "d43d916a-c077-5fad-9615-956618741961";
const ROVER_ARM: &str = "4865c313-e09e-5c52-b5fd-197d941dd91f";
const GET_LOGS: &str = "/viam.app.v1.AppService/GetRobotPartLogs";
const TAIL_LOGS: &str = "/viam.app.v1.AppService/TailRobotPartLogs";

/// A started `part logs --tail`, whose lines are read as they come.
struct Tail {
    child: Child,
    lines: Receiver<String>,
    _watch: Watch,
}

impl Tail {
    fn start(env: &TestEnv, words: &[&str]) -> Self {
        Self::of(env, &[&["machines", "part", "logs", "--part", ROVER_ARM][..], words].concat())
    }

    fn of(env: &TestEnv, words: &[&str]) -> Self {
        // Whatever started the tests may have ignored the signal (a shell's background job).
        let program = env.viam.display().to_string();
        let words = [&["--default-signal=INT", &program][..], words].concat();
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

#[test]
fn a_machine_is_followed_in_all_its_parts() {
    let (env, sandbox) = logged_in("fleet");
    let words = ["-q", "machines", "logs", "--machine", "rover-1", "--tail"];
    let tail = Tail::of(&env, &words);
    // What was said just now, again and again until it comes: both parts are followed.
    let mut parts: Vec<&str> = Vec::new();
    let mut current = "";
    let until = Instant::now() + Duration::from_secs(30);
    while !(parts.contains(&"rover-1-main") && parts.contains(&"rover-1-arm")) {
        assert!(Instant::now() < until, "{parts:?}");
        say(&sandbox, ROVER_MAIN, vec![LogSpec::new("info", "test", "by the main part")]);
        say(&sandbox, ROVER_ARM, vec![LogSpec::new("info", "test", "by the arm")]);
        while let Ok(line) = tail.lines.recv_timeout(Duration::from_millis(100)) {
            match &*line {
                "===== Logs for Part: rover-1-main =====" => current = "rover-1-main",
                "===== Logs for Part: rover-1-arm =====" => current = "rover-1-arm",
                line if line.contains("by the main part") => {
                    assert_eq!(current, "rover-1-main");
                    parts.push(current);
                }
                line if line.contains("by the arm") => {
                    assert_eq!(current, "rover-1-arm");
                    parts.push(current);
                }
                _ => {}
            }
        }
    }
    tail.end();
    let words = ["machines", "logs", "--part", "rover-1-arm", "--machine", "rover-1", "-f"];
    let tail = Tail::of(&env, &[&words[..], &["--format", "json"]].concat());
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        assert!(Instant::now() < until, "nothing came");
        say(&sandbox, ROVER_ARM, vec![LogSpec::new("info", "test", "json")]);
        if let Ok(line) = tail.lines.recv_timeout(Duration::from_millis(100)) {
            let entry: serde_json::Value = serde_json::from_str(&line).expect("an object");
            assert_eq!(
                (&entry["part"], &entry["message"]),
                (&"rover-1-arm".into(), &"json".into())
            );
            break;
        }
    }
    tail.end();
}
