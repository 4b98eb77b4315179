//! Every command line of README.md and docs/*.md is run.
//!
//! A page is run from its first line to its last, in one world: a home that is logged in to a
//! sandbox as `demo@example.com`, an empty working folder, and on PATH `~/.local/bin` and a folder
//! with the built `viam`. `$SANDBOX` is the sandbox's address; `$ID` and `$KEY` are an API key of
//! "Acme Robotics"; `$BIN` is the folder of the binaries. Blocks of code are:
//!
//! | block | what is done with it |
//! |---|---|
//! | `console` | each line that begins with `$ ` is run by bash, all of a page in one shell. Its exit code is 0, or what `# exit code N` at its end says. Lines below it are what it prints, stdout and stderr together; where there are none, output is not looked at |
//! | `sh`, `python`, `toml`, `json` after `<!-- file: PATH -->` | written to PATH before the commands below it: a plain `viam-NAME` into the folder of plugins on PATH (executable unless it ends in `.toml`), `~/…` into the home, the rest into the working folder |
//! | `rust` after `<!-- file: PATH -->` | is the same as that file of the repository |
//! | `json` without a file | is JSON |
//! | `text` | nothing |
//!
//! In expected output `[..]` stands for anything within a line, and a line `...` for any lines.
//! The notice of the base URL is left out of what is compared.
//!
//! What cannot be run as it stands is in [`OTHERWISE`]. A page that is not read by people for its
//! commands (the reference is written from the program itself) has none.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use viam_test::{TestEnv, bin_dir};

use crate::support::{logged_in, organization_key};

/// What is done with a line that cannot be run as it stands.
enum Instead {
    /// This is run.
    Run(&'static str),
    /// It is shown by what stands in this file of the repository.
    Shown(&'static str, &'static str),
}
use Instead::{Run, Shown};

/// Line, why it is not run, what is done instead.
const OTHERWISE: &[(&str, &str, Instead)] = &[
    (
        "cargo run --release -- sandbox tour",
        "builds the project",
        Shown(".ci/run", "cargo run --release -- sandbox tour"),
    ),
    ("cargo xtask test", "runs this very test", Shown(".ci/run", "cargo xtask test")),
    (
        "cargo build --profile dist -p viam",
        "builds the project",
        Shown("xtask/src/dist.rs", r#"["build", "--profile", "dist", "--package", "viam"]"#),
    ),
    (
        "install -D -m 0755 target/dist/viam ~/.local/bin/viam",
        "needs the build before it",
        Run(r#"install -D -m 0755 "$BIN/viam" ~/.local/bin/viam"#),
    ),
    (
        "cargo build --profile dist -p viam --no-default-features",
        "builds the project",
        Shown("xtask/src/dist.rs", r#"("core", &["--no-default-features"][..])"#),
    ),
    (
        "cargo build --profile dist -p viam-organizations",
        "builds the project",
        Shown(
            "tests/e2e/dispatch.rs",
            "fn groups_are_executables_of_their_own_under_a_core_without_them",
        ),
    ),
    (
        "cargo build --profile dist -p viam --no-default-features --features locations,robots",
        "builds the project",
        Shown(
            "core/viam/Cargo.toml",
            "locations = [\"dep:viam-locations\"]\nrobots = [\"dep:viam-robots\"]",
        ),
    ),
    (
        "cargo build -p viam-plugin --example viam-hello-rs",
        "builds the project; `cargo test --workspace` has built it",
        Shown("core/sdk/examples/viam-hello-rs.rs", "fn main()"),
    ),
    (
        "cp target/debug/examples/viam-hello-rs ~/.local/bin/",
        "is elsewhere, or not built when this crate is tested alone",
        Run(
            r#"[ ! -e "$BIN/examples/viam-hello-rs" ] || cp "$BIN/examples/viam-hello-rs" ~/.local/bin/"#,
        ),
    ),
    (
        "viam hello-rs",
        "needs the build before it",
        Run(
            r#"if [ -e ~/.local/bin/viam-hello-rs ]; then viam hello-rs; else echo 'Hello, demo@example.com!'; fi"#,
        ),
    ),
    (
        "viam login api-key --key-id \"$ID\" --key - < secret.txt",
        "the page goes on with the login in the browser",
        Run("printf '%s' \"$KEY\" | VIAM_HOME=other viam --base-url \"$SANDBOX\" login api-key \
             --key-id \"$ID\" --key -"),
    ),
    (
        "printf '%s' \"$KEY\" | viam login api-key --key-id \"$ID\" --key -",
        "logs in to the real cloud",
        Run("printf '%s' \"$KEY\" | viam --base-url \"$SANDBOX\" login api-key \
             --key-id \"$ID\" --key -"),
    ),
    (
        "viam data export binary filter --destination s3://BUCKET/some/prefix",
        "needs a bucket",
        Shown("tests/e2e/stores.rs", "fn files_come_into_s3"),
    ),
    (
        "viam login",
        "wants a browser",
        Shown("tests/e2e/device_flow.rs", "fn a21_a_login_is_approved_and_lasts"),
    ),
    (
        "viam login --no-browser",
        "wants somebody who approves it",
        Shown("tests/e2e/device_flow.rs", "fn a21_a_login_is_approved_and_lasts"),
    ),
    (
        "viam sandbox approve WDJB-MJHT",
        "wants a login that waits",
        Shown("tests/e2e/sandbox.rs", "fn two_side_by_side_and_a_login_by_code"),
    ),
    (
        "python3 fleet.py",
        "needs the Python package, which `cargo xtask test` fetches",
        Run(
            r#"[ -z "$VIAM_TEST_PYTHON" ] || "$VIAM_TEST_PYTHON" fleet.py | grep -q 'Acme Robotics / Warehouse / rover-1'"#,
        ),
    ),
    (
        "export VIAM_API_KEY_ID=\"$ID\" VIAM_API_KEY=\"$KEY\" VIAM_NO_INPUT=1",
        "a key of the environment goes to the real cloud",
        Run(
            "export VIAM_API_KEY_ID=\"$ID\" VIAM_API_KEY=\"$KEY\" VIAM_NO_INPUT=1 VIAM_BASE_URL=\"$SANDBOX\"",
        ),
    ),
];

/// Inline code that looks like a command of ours and is none: placeholders, and what the pages say
/// is not there.
const NOT_COMMANDS: &[&str] = &[
    "viam NAME",
    "viam NAME …",
    "viam help NAME",
    "viam bench-sh",
    "viam bench-c",
    "viam plugin install",
    "viam update",
];

/// A page of the docs.
struct Page {
    name: String,
    text: String,
}

/// Something to do, in the order of the page.
enum Step {
    File { path: String, content: String },
    Command { line: usize, words: String, expected: Vec<String> },
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("root").to_path_buf()
}

fn pages() -> Vec<Page> {
    let mut paths = vec![root().join("README.md")];
    let docs = fs::read_dir(root().join("docs")).expect("docs");
    paths.extend(
        docs.map(|entry| entry.expect("entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "md")),
    );
    paths.sort();
    paths
        .into_iter()
        .map(|path| Page {
            name: path.strip_prefix(root()).expect("below").display().to_string(),
            text: fs::read_to_string(&path).expect("page"),
        })
        .collect()
}

/// A block of code: the file it is, its language, the number of its first line, its lines.
struct Block<'p> {
    file: Option<&'p str>,
    language: &'p str,
    first: usize,
    lines: Vec<&'p str>,
}

fn blocks(page: &Page) -> Vec<Block<'_>> {
    let mut all = Vec::new();
    let mut open: Option<Block<'_>> = None;
    let mut file = None;
    for (number, line) in page.text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => {
                open = Some(Block {
                    file: file.take(),
                    language,
                    first: number + 2,
                    lines: Vec::new(),
                });
            }
            (Some(_), Some(_)) => all.extend(open.take()),
            (Some(block), None) => block.lines.push(line),
            (None, None) => {
                let comment =
                    line.strip_prefix("<!-- file: ").and_then(|rest| rest.strip_suffix(" -->"));
                if comment.is_some() || !line.is_empty() {
                    file = comment;
                }
            }
        }
    }
    assert!(open.is_none(), "{}: a block of code is not closed", page.name);
    all
}

fn steps(page: &Page) -> Vec<Step> {
    let mut steps = Vec::new();
    for Block { file, language, first, lines } in blocks(page) {
        let place = format!("{}:{first}", page.name);
        let mut content = lines.join("\n");
        content.push('\n');
        match (language, file) {
            ("console", None) => steps.extend(commands(&place, first, &lines)),
            ("sh" | "python" | "toml" | "json", Some(path)) => {
                steps.push(Step::File { path: path.to_owned(), content });
            }
            ("rust", Some(path)) => {
                let there = fs::read_to_string(root().join(path)).expect(path);
                assert_eq!(content, there, "{place} is not what {path} is");
            }
            ("json", None) => {
                let value = serde_json::from_str::<serde_json::Value>(&content);
                assert!(value.is_ok(), "{place}: {}", value.expect_err("no JSON"));
            }
            ("text", None) => {}
            _ => panic!("{place}: a block {language:?} is of no known kind, or has no file"),
        }
    }
    steps
}

fn commands(place: &str, first: usize, lines: &[&str]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (offset, line) in lines.iter().enumerate() {
        if let Some(words) = line.strip_prefix("$ ") {
            let (line, words) = (first + offset, words.to_owned());
            steps.push(Step::Command { line, words, expected: Vec::new() });
        } else if let Some(Step::Command { expected, .. }) = steps.last_mut() {
            expected.push((*line).to_owned());
        } else {
            panic!("{place}: a block of commands begins with `$ `");
        }
    }
    steps
}

fn otherwise(words: &str) -> Option<&'static Instead> {
    OTHERWISE.iter().find(|(line, ..)| *line == words).map(|(_, _, instead)| instead)
}

/// The exit code that the end of a line announces.
fn announced(words: &str) -> i32 {
    words.rsplit_once("# exit code ").map_or(0, |(_, code)| code.parse().expect("a number"))
}

/// Runs a page; what is not as it says is added to `faults`.
fn run(page: &Page, faults: &mut String) {
    let steps = steps(page);
    if !steps.iter().any(|step| matches!(step, Step::Command { .. })) {
        return;
    }
    let (mut env, sandbox) = logged_in("fleet");
    let (id, key) = organization_key(&env, "Acme Robotics");
    let local = env.home().join(".local/bin");
    fs::create_dir_all(&local).expect("dir");
    let steps_dir = env.root().join("steps");
    fs::create_dir(&steps_dir).expect("dir");
    let script = script(&env, &steps_dir, &steps);
    let mut path = local.into_os_string();
    path.push(":");
    path.push(env.path());
    env.set("PATH", path);
    std::os::unix::fs::symlink(&env.viam, env.bin().join("viam")).expect("link");
    for (name, value) in [("SANDBOX", sandbox.url()), ("ID", &id), ("KEY", &key)] {
        env.set(name, value);
    }
    env.set("BIN", bin_dir());
    if let Some(python) = std::env::var_os("VIAM_TEST_PYTHON") {
        env.set("VIAM_TEST_PYTHON", python);
    }
    let file = env.file(&steps_dir.join("script"), &script, 0o644);
    let outcome = env.program("/bin/bash").args(&[file]).run();
    for (number, step) in steps.iter().enumerate() {
        let Step::Command { line, words, expected } = step else { continue };
        let read = |what: &str| fs::read_to_string(steps_dir.join(format!("{number}.{what}")));
        let place = format!("{}:{line}: $ {words}", page.name);
        if let Some(Shown(file, needle)) = otherwise(words) {
            let there = fs::read_to_string(root().join(file)).expect(file);
            if !there.contains(needle) {
                let _ =
                    writeln!(faults, "{place}\n  {file} does not show it: it has no {needle:?}");
            }
            continue;
        }
        let Ok(code) = read("code") else {
            let _ = writeln!(faults, "{place}\n  was not reached: {outcome}");
            return;
        };
        let out = read("out").unwrap_or_default();
        if code.trim() != announced(words).to_string() {
            let _ = writeln!(faults, "{place}\n  exit code {}, and printed:\n{out}", code.trim());
        } else if !expected.is_empty() && !fits(expected, &out) {
            let _ =
                writeln!(faults, "{place}\n  printed:\n{out}\n  and not:\n{}", expected.join("\n"));
        }
    }
}

/// One shell for all of a page, so that `export` and `cd` last. Each command is a file of its
/// own: one that is no command line does not end the others.
fn script(env: &TestEnv, dir: &Path, steps: &[Step]) -> String {
    // Whatever the page has left running is stopped.
    let mut script = format!(
        "trap 'find {} -name sandbox.json -printf \"%h\\n\" | while read -r dir; do \
         viam sandbox stop --dir \"$dir\"; done' EXIT\n",
        env.root().display()
    );
    for (number, step) in steps.iter().enumerate() {
        let at = |what: &str| dir.join(format!("{number}.{what}"));
        match step {
            Step::File { path, content } => {
                fs::write(at("file"), content).expect("writes");
                let plugin = !path.contains('/') && path.starts_with("viam-");
                let target = match path.strip_prefix("~/") {
                    Some(path) => env.home().join(path),
                    None if plugin => env.bin().join(path),
                    None => env.root().join("work").join(path),
                };
                let mode = if plugin && !path.ends_with(".toml") { "0755" } else { "0644" };
                // By a process of its own, which no other test's fork holds open.
                let (from, to) = (at("file").display().to_string(), target.display().to_string());
                script.push_str(&format!("install -D -m {mode} '{from}' '{to}'\n"));
            }
            Step::Command { words, .. } => {
                let words = match otherwise(words) {
                    Some(Shown(..)) => continue,
                    Some(Run(other)) => other,
                    None => words.as_str(),
                };
                fs::write(at("sh"), format!("{words}\n")).expect("writes");
                let [sh, out, code] =
                    ["sh", "out", "code"].map(|what| at(what).display().to_string());
                script.push_str(&format!(
                    "{{ . '{sh}'; }} >'{out}' 2>&1 </dev/null\necho $? >'{code}'\n"
                ));
            }
        }
    }
    script
}

/// Whether the output is what was expected.
fn fits(expected: &[String], out: &str) -> bool {
    let printed: Vec<&str> =
        out.lines().filter(|line| !line.starts_with("Info: Using \"http://127.0.0.1:")).collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    lines_fit(&expected, &printed)
}

fn lines_fit(expected: &[&str], printed: &[&str]) -> bool {
    match (expected, printed) {
        ([], []) => true,
        (["...", rest @ ..], _) => {
            (0..=printed.len()).any(|skip| lines_fit(rest, &printed[skip..]))
        }
        ([wanted, rest @ ..], [line, more @ ..]) => {
            line_fits(wanted, line) && lines_fit(rest, more)
        }
        _ => false,
    }
}

fn line_fits(wanted: &str, line: &str) -> bool {
    let Some((start, rest)) = wanted.split_once("[..]") else { return wanted == line };
    let Some(line) = line.strip_prefix(start) else { return false };
    line.char_indices().map(|(at, _)| at).chain([line.len()]).any(|at| line_fits(rest, &line[at..]))
}

#[test]
fn every_command_line_of_the_docs_runs() {
    let missing = |tool: &&&str| !Path::new("/usr/bin").join(tool).exists();
    if let Some(tool) = ["curl", "jq", "python3"].iter().find(missing) {
        assert!(
            std::env::var_os("VIAM_REQUIRE_PEERS").is_none(),
            "{tool} is required and not there"
        );
        println!("SKIPPED 1: the examples of the docs use {tool}, which is not there");
        return;
    }
    let pages = pages();
    let mut faults = String::new();
    std::thread::scope(|scope| {
        let running: Vec<_> = pages
            .iter()
            .map(|page| {
                scope.spawn(|| {
                    let mut faults = String::new();
                    run(page, &mut faults);
                    faults
                })
            })
            .collect();
        for page in running {
            faults
                .push_str(&page.join().unwrap_or_else(|_| "a page could not be run\n".to_owned()));
        }
    });
    // A line that no page has any more leaves the table.
    let used: HashSet<String> = pages
        .iter()
        .flat_map(steps)
        .filter_map(|step| match step {
            Step::Command { words, .. } => Some(words),
            Step::File { .. } => None,
        })
        .collect();
    for (line, ..) in OTHERWISE.iter().filter(|(line, ..)| !used.contains(*line)) {
        let _ = writeln!(faults, "the line {line:?} of the table is on no page");
    }
    assert!(faults.is_empty(), "\n{faults}");
    if !bin_dir().join("examples/viam-hello-rs").exists() {
        println!(
            "SKIPPED 0: the Rust plugin of README is not built; `cargo test --workspace` builds it"
        );
    }
}

#[test]
fn links_of_the_docs_lead_somewhere() {
    for page in pages() {
        let folder = root().join(&page.name).parent().expect("folder").to_path_buf();
        for (number, line) in prose(&page) {
            for (at, open) in line.match_indices("](") {
                let target = line[at + open.len()..].split(')').next().unwrap_or_default();
                let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
                if path.contains("://") {
                    continue;
                }
                let other =
                    if path.is_empty() { root().join(&page.name) } else { folder.join(path) };
                assert!(other.exists(), "{}:{number}: {target} leads nowhere", page.name);
                let has = || headings(&fs::read_to_string(&other).expect("page")).contains(anchor);
                assert!(
                    anchor.is_empty() || has(),
                    "{}:{number}: {target} is no heading",
                    page.name
                );
            }
        }
    }
}

fn prose(page: &Page) -> impl Iterator<Item = (usize, &str)> {
    let mut code = false;
    page.text.lines().enumerate().map(|(number, line)| (number + 1, line)).filter(
        move |(_, line)| {
            let fence = line.starts_with("```");
            code ^= fence;
            !code && !fence
        },
    )
}

fn headings(text: &str) -> HashSet<String> {
    let heading = |line: &str| {
        let words = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
    };
    text.lines().filter(|line| line.starts_with('#')).map(heading).collect()
}

#[test]
fn commands_in_the_prose_of_the_docs_are_commands() {
    let env = TestEnv::new();
    // What examples are called.
    env.plugin("hello", "#!/bin/sh\nexit 0\n");
    env.plugin("hello-world", "#!/bin/sh\nexit 0\n");
    let (mut seen, mut faults) = (HashSet::new(), String::new());
    for page in pages() {
        let prose: String = prose(&page).flat_map(|(_, line)| [line, "\n"]).collect();
        for span in prose.split('`').skip(1).step_by(2) {
            let span = span.split_whitespace().collect::<Vec<_>>().join(" ");
            let Some(words) = span.strip_prefix("viam ") else { continue };
            let known = NOT_COMMANDS.contains(&span.as_str());
            // A pipe, an ellipsis or another program's words end what is this program's. Help has
            // no help.
            let help = if words.starts_with("help") { None } else { Some("--help") };
            let words: Vec<&str> = words
                .split(' ')
                .take_while(|word| !["…", "--", "\\|", "|", "&&"].contains(word))
                .map(|word| word.trim_matches(['"', '\'']))
                .chain(help)
                .collect();
            if known || !seen.insert(words.join(" ")) {
                continue;
            }
            let outcome = env.viam(&words).run();
            if outcome.code != 0 {
                let _ = writeln!(faults, "{}: `{span}`: {outcome}", page.name);
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
    assert!(seen.len() > 30, "{seen:?}");
}

#[test]
fn the_comparison_knows_its_wildcards() {
    let fits = |expected: &str, out: &str| {
        fits(&expected.lines().map(str::to_owned).collect::<Vec<_>>(), out)
    };
    assert!(fits("a [..] c\n...\nz", "a b c\nx\ny\nz\n"));
    assert!(fits("...", "") && fits("a\n...", "a\n") && fits("[..]b[..]", "abc"));
    assert!(!fits("a", "a\nb\n") && !fits("a\nb", "a\n") && !fits("[..]x", "abc\n"));
    assert_eq!((announced("x # exit code 127"), announced("x")), (127, 0));
}
