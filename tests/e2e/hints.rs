//! A hint is a command that the user can run: every one in the sources is one that parses.

use std::fs;
use std::path::{Path, PathBuf};

use viam_test::TestEnv;

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// The first string literal after each `hint_run(`.
fn hints(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("hint_run(") {
        rest = &rest[at + "hint_run(".len()..];
        let Some(start) = rest.find('"').filter(|start| *start < 60) else { continue };
        let literal = &rest[start + 1..];
        if let Some(end) = literal.find('"') {
            found.push(literal[..end].to_owned());
        }
    }
    found
}

#[test]
fn every_command_of_a_hint_parses() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("root");
    let mut files = Vec::new();
    for dir in ["core", "plugins"] {
        sources(&root.join(dir), &mut files);
    }
    let mut all: Vec<String> = files
        .iter()
        .flat_map(|file| hints(&fs::read_to_string(file).expect("source")))
        .filter(|hint| hint.starts_with("viam "))
        .collect();
    all.sort();
    all.dedup();
    assert!(all.len() > 15, "{all:?}");
    let env = TestEnv::new();
    for hint in all {
        let mut words: Vec<&str> = hint.split_whitespace().skip(1).collect();
        if words.first().is_some_and(|word| *word == "--base-url") {
            words.drain(..2);
        }
        // The command words, then each flag by itself: `--help` parses them all.
        let is_word = |word: &&str| word.starts_with(|c: char| c.is_ascii_lowercase());
        let command: Vec<&str> = words.iter().copied().take_while(is_word).collect();
        if command.is_empty() || hint.starts_with("viam {") {
            continue;
        }
        let outcome = env.viam(&[&command[..], &["--help"]].concat()).run().ok();
        for flag in words.iter().filter(|word| word.starts_with("--") && **word != "--help") {
            assert!(outcome.out().contains(flag), "`{hint}` has no {flag}: {outcome}");
        }
    }
}
