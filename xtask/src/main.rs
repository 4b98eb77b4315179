//! `cargo xtask`: the chores of this workspace, one file each.
//!
//! It knows the workspace by its files and by `cargo` alone and links none of its crates, so that
//! it builds in seconds and works while they do not compile.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for developers: it has no context to ask for these things"
)]

mod bench;
mod codegen;
mod completions;
mod dist;
mod man;
mod peers;
mod reference;
mod shell;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

/// What went wrong; the words say it all.
type Failure = String;

/// How a chore ends: `false` when what it checks is not as it should be, and it has said so.
type Outcome = Result<bool, Failure>;

/// A chore.
struct Chore {
    name: &'static str,
    usage: &'static str,
    summary: &'static str,
    run: fn(&[String]) -> Outcome,
}

/// All chores, in the order of help.
const CHORES: &[Chore] = &[
    Chore {
        name: "test",
        usage: "[--full] [-- CARGO-TEST-ARGS…]",
        summary: "fetch the peers, build everything, run every test, add up",
        run: test::run,
    },
    Chore {
        name: "tidy",
        usage: "",
        summary: "check the rules that neither rustc nor clippy knows",
        run: tidy::run,
    },
    Chore {
        name: "codegen",
        usage: "[--check]",
        summary: "write proto/src/gen from proto/defs",
        run: codegen::run,
    },
    Chore {
        name: "reference",
        usage: "[--check]",
        summary: "write docs/reference.md from the command trees",
        run: reference::run,
    },
    Chore {
        name: "man",
        usage: "",
        summary: "write the manual pages into target/man",
        run: man::run,
    },
    Chore {
        name: "completions",
        usage: "",
        summary: "write the shells' completion scripts into target/completions",
        run: completions::run,
    },
    Chore {
        name: "dist",
        usage: "",
        summary: "build what packagers ship into target/dist-out",
        run: dist::run,
    },
    Chore {
        name: "bench",
        usage: "[--runs N] [--skip-dist] [--only NAME[,NAME]]",
        summary: "measure start-up, dispatch, a long list, live machines and sizes side by side",
        run: bench::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (name, rest) = match arguments.split_first() {
        None => {
            eprint!("{}", usage());
            return ExitCode::from(2);
        }
        Some((name, rest)) => (name.as_str(), rest),
    };
    if matches!(name, "help" | "--help" | "-h") {
        print!("{}", usage());
        return ExitCode::SUCCESS;
    }
    let Some(chore) = CHORES.iter().find(|chore| chore.name == name) else {
        eprintln!("Error: there is no chore {name:?}\n");
        eprint!("{}", usage());
        return ExitCode::from(2);
    };
    let own = rest.split(|word| word == "--").next().unwrap_or_default();
    if own.iter().any(|word| matches!(word.as_str(), "--help" | "-h")) {
        println!("Usage: {}\n\n{}", line(chore), chore.summary);
        return ExitCode::SUCCESS;
    }
    match (chore.run)(rest) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("Error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn line(chore: &Chore) -> String {
    format!("cargo xtask {} {}", chore.name, chore.usage).trim_end().to_owned()
}

fn usage() -> String {
    let mut text = String::from("Usage: cargo xtask CHORE\n\nChores:\n");
    for chore in CHORES {
        text.push_str(&format!("  {}\n      {}\n", line(chore), chore.summary));
    }
    text.push_str("\nExit codes: 0 all is well, 1 it is not, 2 wrong usage.\n");
    text
}

/// For chores whose only argument is `--check`.
fn check_flag(arguments: &[String]) -> Result<bool, Failure> {
    match arguments {
        [] => Ok(false),
        [word] if word == "--check" => Ok(true),
        _ => Err(format!("the only argument is --check, not {}", arguments.join(" "))),
    }
}

/// For chores without arguments.
fn no_arguments(arguments: &[String]) -> Result<(), Failure> {
    match arguments.first() {
        None => Ok(()),
        Some(word) => Err(format!("unexpected argument {word:?}")),
    }
}
