//! `cargo xtask tidy`: the rules of this workspace that neither rustc nor clippy knows.
//!
//! A rule is a function from the tree to what it finds; each finding says what to do. Rules look
//! at files only, so that they hold while nothing compiles.

mod code;
mod hosts;
mod links;
mod lock;
mod manifests;
mod places;
mod reports;
mod sources;
mod variables;

use std::fs;

use crate::workspace::{self, Workspace};
use crate::{Failure, Outcome, no_arguments};
use code::Code;

/// The files of the repository that are text.
pub(crate) struct Tree {
    files: Vec<File>,
}

/// A text file.
pub(crate) struct File {
    /// From the root of the repository.
    path: String,
    text: String,
    /// For Rust that people write.
    code: Option<Code>,
}

/// What a rule found.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    message: String,
}

impl Finding {
    fn new(path: impl Into<String>, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.into(), line, message: message.into() }
    }
}

/// Checks everything and prints what is found.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    no_arguments(arguments)?;
    let tree = Tree::load()?;
    let mut found = all(&tree, &Workspace::load()?);
    found.sort();
    for Finding { path, line, message } in &found {
        println!("{path}:{line}: {message}");
    }
    if found.is_empty() {
        println!("{} files are tidy", tree.files.len());
    } else {
        println!("{} findings in {} files", found.len(), tree.files.len());
    }
    Ok(found.is_empty())
}

fn all(tree: &Tree, workspace: &Workspace) -> Vec<Finding> {
    let mut found = Vec::new();
    manifests::check(tree, workspace, &mut found);
    lock::check(tree, &mut found);
    sources::check(tree, &mut found);
    variables::check(tree, &mut found);
    reports::check(tree, &mut found);
    links::check(tree, &mut found);
    hosts::check(tree, &mut found);
    places::check(tree, &mut found);
    found
}

impl Tree {
    fn load() -> Result<Self, Failure> {
        let root = workspace::root();
        let mut files = Vec::new();
        for path in workspace::files()? {
            let bytes = match fs::read(root.join(&path)) {
                Ok(bytes) => bytes,
                Err(error) => return Err(format!("cannot read {path}: {error}")),
            };
            // What is not text has no lines to check.
            if let Ok(text) = String::from_utf8(bytes) {
                files.push(File::new(path, text));
            }
        }
        Ok(Self { files })
    }

    fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The Rust that people write.
    fn rust(&self) -> impl Iterator<Item = (&File, &Code)> {
        self.files.iter().filter_map(|file| Some((file, file.code.as_ref()?)))
    }

    #[cfg(test)]
    fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| File::new((*path).into(), (*text).into()));
        Self { files: files.collect() }
    }
}

impl File {
    fn new(path: String, text: String) -> Self {
        let by_hand = path.ends_with(".rs") && !path.starts_with("proto/src/gen/");
        let code = by_hand.then(|| Code::read(&text));
        Self { path, text, code }
    }

    /// Its lines with their numbers.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    fn starts_with_any(&self, folders: &[&str]) -> bool {
        folders.iter().any(|folder| self.path.starts_with(folder))
    }

    /// Whether all of it is for tests.
    fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.contains("/tests/")
            || self.path.ends_with("/tests.rs")
    }
}

/// What a rule finds in files of these contents.
#[cfg(test)]
fn found(rule: fn(&Tree, &mut Vec<Finding>), files: &[(&str, &str)]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    rule(&Tree::of(files), &mut found);
    found.sort();
    found.into_iter().map(|finding| (finding.path, finding.line)).collect()
}
