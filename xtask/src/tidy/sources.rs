//! What may stand in which Rust file, and how long it may be.

use super::code::{Code, has};
use super::{File, Finding, Tree};

/// No file is longer.
const LONGEST: usize = 800;

/// Half of the files are no longer.
const MEDIAN: usize = 160;

/// Where the environment, the working directory and the clock are read.
const DOORS: &[&str] = &["core/sdk/", "core/host/", "xtask/", "plugins/sandbox/src/server/"];

/// What is read there.
const AMBIENT: &[&str] = &[
    "env::var",
    "env::var_os",
    "env::vars",
    "env::vars_os",
    "env::args",
    "env::args_os",
    "env::current_dir",
    "env::home_dir",
    "SystemTime::now",
];

/// The files that may hold `unsafe`.
const UNSAFE: &[&str] = &["core/sdk/src/descriptor.rs"];

/// The doors to the world that the contract does not have.
const OUTSIDE: &[&str] = &["fs", "net", "env", "process"];

pub(super) fn check(tree: &Tree, found: &mut Vec<Finding>) {
    let mut lengths = Vec::new();
    for (file, code) in tree.rust() {
        let length = file.text.lines().count();
        lengths.push(length);
        shape(file, length, found);
        for (number, line) in code.lines() {
            if has(line, "unsafe") && !UNSAFE.contains(&file.path.as_str()) {
                let words = format!("`unsafe` is in {} only; use rustix", UNSAFE.join(", "));
                found.push(Finding::new(&file.path, number, words));
            }
        }
        // A build script talks to cargo by its environment and stdout.
        if file.is_test() || file.path.ends_with("/build.rs") {
            continue;
        }
        ambient(file, code, found);
        printing(file, code, found);
        if file.path.starts_with("core/contract/src/") {
            contract(file, code, found);
        }
    }
    lengths.sort_unstable();
    let median = lengths.get(lengths.len() / 2).copied().unwrap_or(0);
    if median > MEDIAN {
        let words =
            format!("the median Rust file has {median} lines, more than {MEDIAN}; split some");
        found.push(Finding::new("Cargo.toml", 1, words));
    }
}

fn shape(file: &File, length: usize, found: &mut Vec<Finding>) {
    if length > LONGEST {
        let words = format!("{length} lines, more than {LONGEST}: split it");
        found.push(Finding::new(&file.path, LONGEST + 1, words));
    }
    let is_tests = file.path.ends_with("/tests.rs");
    if !is_tests && !file.text.starts_with("//!") {
        let words = "start with a `//!` comment that says what the file is for";
        found.push(Finding::new(&file.path, 1, words));
    }
}

fn ambient(file: &File, code: &Code, found: &mut Vec<Finding>) {
    if file.starts_with_any(DOORS) {
        return;
    }
    for (number, line) in code.working_lines() {
        for words in AMBIENT.iter().filter(|words| has(line, words)) {
            let words = format!("`{words}` is for viam-host and viam-plugin; ask Context");
            found.push(Finding::new(&file.path, number, words));
        }
    }
}

fn printing(file: &File, code: &Code, found: &mut Vec<Finding>) {
    if file.path.starts_with("xtask/") {
        return;
    }
    for (number, line) in code.working_lines() {
        for name in ["print", "println", "eprint", "eprintln"] {
            if has(line, name) && line.contains(&format!("{name}!")) {
                let words = format!("`{name}!` goes past Output; use Context::output");
                found.push(Finding::new(&file.path, number, words));
            }
        }
    }
}

fn contract(file: &File, code: &Code, found: &mut Vec<Finding>) {
    let mut report = |number, name: &str| {
        let words =
            format!("viam-contract does no I/O: `{name}` belongs in viam-host or viam-client");
        found.push(Finding::new(&file.path, number, words));
    };
    for (number, line) in code.working_lines() {
        if has(line, "tokio") {
            report(number, "tokio");
        }
        // A list in braces, as rustfmt lays out a short one.
        let listed = line.split_once("std::{").map_or("", |(_, list)| list);
        for name in OUTSIDE {
            if has(line, &format!("std::{name}")) || has(listed, name) {
                report(number, &format!("std::{name}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        found(check, &[(path, text)]).into_iter().map(|(_, line)| line).collect()
    }

    #[test]
    fn ambient_access_has_its_doors() {
        let text =
            "//! x\nlet a = std::env::var_os(x);\nSystemTime::now();\n// std::env::var\nenv!(X)\n";
        assert_eq!(lines("core/client/src/a.rs", text), [2, 3]);
        assert_eq!(lines("plugins/sandbox/src/a.rs", text), [2, 3]);
        for path in [
            "core/host/src/a.rs",
            "plugins/sandbox/src/server/a.rs",
            "tests/src/a.rs",
            "a/tests/b.rs",
            "core/viam/build.rs",
        ] {
            assert!(lines(path, text).is_empty(), "{path}");
        }
        let tests =
            "//! x\n#[cfg(test)]\nmod tests {\n  fn a() { std::env::args(); println!(); }\n}\n";
        assert!(lines("core/client/src/a.rs", tests).is_empty());
    }

    #[test]
    fn the_contract_has_no_doors() {
        let text = "//! x\nuse std::fs;\nuse std::{fmt, net};\nasync fn a() -> tokio::X {}\nstd::fmt;\nstd::io::Error;\n";
        assert_eq!(lines("core/contract/src/a.rs", text), [2, 3, 4]);
        assert!(lines("core/client/src/a.rs", text).is_empty());
    }

    #[test]
    fn unsafe_and_printing_have_their_places() {
        let text = "//! x\nunsafe { a }\nprintln!(\"x\");\neprintln!();\n#[expect(unsafe_code)]\nprintln_it!()\n";
        assert_eq!(lines("core/viam/src/a.rs", text), [2, 3, 4]);
        assert_eq!(lines("xtask/src/a.rs", text), [2]);
        assert_eq!(lines("core/sdk/src/descriptor.rs", text), [3, 4]);
    }

    #[test]
    fn files_say_what_they_are_for_and_are_short() {
        assert_eq!(lines("a/b.rs", "use x;\n"), [1]);
        assert!(lines("a/tests.rs", "use x;\n").is_empty());
        assert!(lines("proto/src/gen/x.rs", "use x;\n").is_empty());
        let long = format!("//! x\n{}", "\n".repeat(800));
        let places = found(check, &[("a/b.rs", &long)]);
        assert_eq!(places, [("Cargo.toml".to_owned(), 1), ("a/b.rs".to_owned(), 801)]);
    }
}
