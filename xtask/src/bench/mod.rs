//! `cargo xtask bench`: how fast, how large, side by side with what a user would use instead.
//!
//! It is no test: it fails when something cannot be run, never because a figure is poor. What is
//! compared runs in the same rounds, so that both see the same machine; the least of many is what
//! counts on a busy one.

mod data;
mod dispatch;
mod list;
mod machine;
mod measure;
mod sandbox;
mod scratch;
mod sizes;
mod startup;
mod table;

use std::env::consts::{ARCH, OS};
use std::thread;

use crate::workspace::Workspace;
use crate::{Failure, Outcome, dist, shell};
use scratch::Scratch;

/// The tables, in their order.
const NAMES: [&str; 10] =
    ["startup", "dispatch", "list", "run", "copy", "logs", "shell", "tabular", "files", "sizes"];

/// What the command line asks for.
#[derive(Debug, PartialEq)]
struct Args {
    runs: usize,
    skip_dist: bool,
    /// Names of tables; all of them where there is none.
    only: Vec<&'static str>,
}

/// Builds what is measured, measures, prints.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let args = parse(arguments)?;
    let target = Workspace::load()?.target();
    shell::must(&mut shell::cargo(["build", "--release", "--package", "viam"]))?;
    let shipped = if args.skip_dist { Vec::new() } else { dist::build(&target)? };
    // What packagers ship is what users start.
    let subject = if args.skip_dist { "release" } else { "dist" };
    let scratch = Scratch::new(&target, subject)?;

    let processors = processors();
    println!("# {OS} {ARCH}, {processors} processors, {} runs, the {subject} build", args.runs);
    for name in NAMES {
        if !args.only.is_empty() && !args.only.contains(&name) {
            continue;
        }
        // What takes longer runs less often.
        let (fewer, few) = (args.runs.min(40), args.runs.div_ceil(20));
        let table = match name {
            "startup" => startup::measure(&scratch, args.runs)?,
            "dispatch" => dispatch::measure(&scratch, args.runs)?,
            "list" => list::measure(&scratch, few)?,
            "run" => machine::run::measure(&scratch, &target, fewer)?,
            "copy" => machine::copy::measure(&scratch, few.min(3))?,
            "logs" => machine::logs::measure(&scratch, few)?,
            "files" => data::files::measure(&scratch, &target, few.min(3))?,
            "tabular" => data::tabular::measure(&scratch, &target, few.min(3))?,
            "shell" => machine::session::measure(&scratch, fewer)?,
            _ => sizes::measure(&target, &shipped)?,
        };
        table.print();
    }
    Ok(true)
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn parse(arguments: &[String]) -> Result<Args, Failure> {
    let mut args = Args { runs: 200, skip_dist: false, only: Vec::new() };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--runs" => {
                let number = words.next().and_then(|number| number.parse().ok());
                args.runs =
                    number.filter(|runs| *runs > 0).ok_or("--runs takes a number above 0")?;
            }
            "--skip-dist" => args.skip_dist = true,
            "--only" => {
                let names = words.next().ok_or("--only takes names of tables")?;
                for name in names.split(',') {
                    let known = NAMES.iter().find(|known| **known == name);
                    args.only.push(known.ok_or_else(|| {
                        format!("there is no table {name:?}, only {}", NAMES.join(", "))
                    })?);
                }
            }
            other => return Err(format!("unexpected argument {other:?}")),
        }
    }
    Ok(args)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn runs_are_a_number() {
        let expected = Args { runs: 7, skip_dist: true, only: Vec::new() };
        assert_eq!(parse(&words("--runs 7 --skip-dist")), Ok(expected));
        for wrong in ["--runs", "--runs 0", "--runs x", "7"] {
            assert!(parse(&words(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn tables_are_named() {
        let args = parse(&words("--only sizes,run --only logs")).unwrap();
        assert_eq!(args.only, ["sizes", "run", "logs"]);
        for wrong in ["--only", "--only nothing", "--only run,"] {
            assert!(parse(&words(wrong)).is_err(), "{wrong}");
        }
    }
}
