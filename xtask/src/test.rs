//! `cargo xtask test`: everything that shows that the program works.

use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use crate::peers::{self, Peers};
use crate::workspace::Workspace;
use crate::{Failure, Outcome, shell};

/// What the command line asks for.
#[derive(Debug, PartialEq)]
struct Args {
    full: bool,
    /// For `cargo test`, from what follows `--`.
    cargo: Vec<String>,
}

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Tally {
    passed: u64,
    failed: u64,
    ignored: u64,
    /// Passed only by saying `SKIPPED 1: reason`; among `passed` for the test binary.
    unable: u64,
}

/// Fetches, builds, tests; the last line is the sum.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let args = parse(arguments)?;
    let workspace = Workspace::load()?;
    let tally = all(&args, &workspace).unwrap_or_else(|failure| {
        eprintln!("Error: {failure}");
        Tally { failed: 1, ..Tally::default() }
    });
    println!("{tally}");
    Ok(tally.failed == 0)
}

fn parse(arguments: &[String]) -> Result<Args, Failure> {
    let mut args = Args { full: false, cargo: Vec::new() };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--full" => args.full = true,
            "--" => args.cargo = words.by_ref().cloned().collect(),
            other => return Err(format!("unexpected argument {other:?}; cargo's own go after --")),
        }
    }
    Ok(args)
}

fn all(args: &Args, workspace: &Workspace) -> Result<Tally, Failure> {
    let target = workspace.target();
    let peers = peers::get(&target)?;
    for why in &peers.missing {
        // The tests that need it skip, and each says so: they are counted there.
        println!("SKIPPED 0: {why}");
    }

    // The core without groups first: both builds write target/debug/viam, and the whole one has
    // to be there when the tests run.
    let core_only = target.join("peers/core-only/viam");
    shell::must(&mut shell::cargo(["build", "--package", "viam", "--no-default-features"]))?;
    shell::copy(&target.join("debug/viam"), &core_only)?;

    // With --tests the dependencies get the features that the tests' own dependencies ask for, so
    // that `cargo test` after it compiles nothing a second time.
    let features = workspace.test_features().join(",");
    let features: &[&str] = if features.is_empty() { &[] } else { &["--features", &features] };
    shell::must(shell::cargo(["build", "--workspace", "--bins", "--tests"]).args(features))?;

    let (own, of_tests) = split(&args.cargo);
    let mut command = shell::cargo(["test", "--no-fail-fast"]);
    if !names_packages(own) {
        command.arg("--workspace").args(features);
    }
    // A test that skips says so on a stdout that is shown for failed tests only, unless asked for.
    command.args(own).args(["--", "--show-output"]).args(of_tests);
    environment(&mut command, args, &target, &core_only, &peers);
    watch(&mut command)
}

/// Cargo's arguments, and those of the test binaries.
fn split(arguments: &[String]) -> (&[String], &[String]) {
    match arguments.iter().position(|word| word == "--") {
        Some(at) => (&arguments[..at], &arguments[at + 1..]),
        None => (arguments, &[]),
    }
}

fn names_packages(arguments: &[String]) -> bool {
    arguments.iter().any(|word| {
        matches!(word.as_str(), "--package" | "--workspace" | "--all" | "--manifest-path")
            || word.starts_with("--package=")
            || (word.starts_with("-p") && !word.starts_with("--"))
    })
}

fn environment(command: &mut Command, args: &Args, target: &Path, core_only: &Path, peers: &Peers) {
    command.env("VIAM_TEST_BIN_DIR", target.join("debug")).env("VIAM_TEST_CORE_ONLY", core_only);
    for (name, path) in [
        ("VIAM_TEST_PYTHON", &peers.python),
        ("VIAM_TEST_NODE", &peers.node),
        ("VIAM_TEST_AZURITE", &peers.azurite),
        ("VIAM_TEST_CHROMIUM", &peers.chromium),
    ] {
        match path {
            Some(path) => command.env(name, path),
            None => command.env_remove(name),
        };
    }
    if args.full {
        command.env("VIAM_TEST_FULL", "1");
    }
}

/// Runs the tests, shows what they say as they say it, and adds up.
fn watch(command: &mut Command) -> Result<Tally, Failure> {
    eprintln!("$ {}", shell::shown(command));
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot run `{}`: {error}", shell::shown(command)))?;
    let stderr = child.stderr.take();
    let talk = thread::spawn(move || pass_on(stderr, io::stderr()));
    let mut tally = pass_on(child.stdout.take(), io::stdout());
    let of_talk = talk.join().unwrap_or_default();
    tally.add(of_talk);
    let status = child.wait().map_err(|error| format!("cannot wait for the tests: {error}"))?;
    if !status.success() && tally.failed == 0 {
        // It did not compile, or a test binary died before it could say how its tests went.
        tally.failed = 1;
    }
    Ok(tally)
}

/// Copies line by line, so that lines of both streams stay whole, and counts.
fn pass_on(from: Option<impl Read>, mut to: impl Write) -> Tally {
    let mut tally = Tally::default();
    let Some(from) = from else { return tally };
    let mut reader = BufReader::new(from);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        tally.add(count(&String::from_utf8_lossy(&line)));
        // A closed terminal is no reason to stop counting.
        let _ = to.write_all(&line).and_then(|()| to.flush());
        line.clear();
    }
    tally
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
        self.unable += other.unable;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let passed = self.passed.saturating_sub(self.unable);
        let skipped = self.ignored + self.unable;
        write!(f, "{passed} passed, {} failed, {skipped} skipped", self.failed)
    }
}

/// What a line of output says: the result of a test binary, or that tests were skipped.
fn count(line: &str) -> Tally {
    let mut tally = Tally::default();
    if let Some(result) = line.strip_prefix("test result: ") {
        let counts = result.split_once(". ").map_or("", |(_, counts)| counts);
        for part in counts.split(';') {
            let mut words = part.split_whitespace();
            let number = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
            match words.next() {
                Some("passed") => tally.passed = number,
                Some("failed") => tally.failed = number,
                Some("ignored") => tally.ignored = number,
                _ => {}
            }
        }
    } else if let Some(at) = line.find("SKIPPED ") {
        // A test may say it behind the name that the test binary has printed without a newline.
        let rest = &line[at + "SKIPPED ".len()..];
        if let Some((number, _)) = rest.split_once(':') {
            tally.unable = number.parse().unwrap_or(0);
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn what_follows_the_dashes_is_cargos() {
        let args = parse(&words("--full -- -p viam-host a11 -- --nocapture")).unwrap();
        assert!(args.full && names_packages(&args.cargo));
        let (own, of_tests) = split(&args.cargo);
        assert_eq!(own, words("-p viam-host a11"));
        assert_eq!(of_tests, words("--nocapture"));
        assert!(!names_packages(&words("a11 --test e2e")));
        assert!(parse(&words("-p viam-host")).is_err());
    }

    #[test]
    fn results_and_skipped_ones_are_added_up() {
        let mut sum = Tally::default();
        let output = "test result: ok. 12 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
            test a ... SKIPPED 3: no Python\n\
            SKIPPED 0: no Chromium\n\
            SKIPPED because: nothing\n\
            test result: FAILED. 1 passed; 4 failed; 0 ignored; 0 measured; 7 filtered out; finished in 1.00s\n";
        for line in output.lines() {
            sum.add(count(line));
        }
        assert_eq!(sum.to_string(), "10 passed, 4 failed, 5 skipped");
    }

    #[test]
    fn output_passes_unchanged() {
        let text = b"one\xff\ntest result: ok. 1 passed; 0 failed\nlast";
        let mut copy = Vec::new();
        assert_eq!(pass_on(Some(&text[..]), &mut copy).passed, 1);
        assert_eq!(copy, text);
    }
}
