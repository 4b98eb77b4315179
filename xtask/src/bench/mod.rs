//! `cargo xtask bench`: how fast, how large, side by side with what a user would use instead.
//!
//! It is no test: it fails when something cannot be run, never because a figure is poor. What is
//! compared runs in the same rounds, so that both see the same machine; the least of many is what
//! counts on a busy one.

mod dispatch;
mod list;
mod measure;
mod scratch;
mod sizes;
mod startup;
mod table;

use std::env::consts::{ARCH, OS};
use std::thread;

use crate::workspace::Workspace;
use crate::{Failure, Outcome, dist, shell};
use scratch::Scratch;

/// What the command line asks for.
#[derive(Debug, PartialEq)]
struct Args {
    runs: usize,
    skip_dist: bool,
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
    startup::measure(&scratch, args.runs)?.print();
    dispatch::measure(&scratch, args.runs)?.print();
    list::measure(&scratch, args.runs.div_ceil(20))?.print();
    sizes::measure(&target, &shipped)?.print();
    Ok(true)
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn parse(arguments: &[String]) -> Result<Args, Failure> {
    let mut args = Args { runs: 200, skip_dist: false };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--runs" => {
                let number = words.next().and_then(|number| number.parse().ok());
                args.runs =
                    number.filter(|runs| *runs > 0).ok_or("--runs takes a number above 0")?;
            }
            "--skip-dist" => args.skip_dist = true,
            other => return Err(format!("unexpected argument {other:?}")),
        }
    }
    Ok(args)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_a_number() {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(parse(&words("--runs 7 --skip-dist")), Ok(Args { runs: 7, skip_dist: true }));
        for wrong in ["--runs", "--runs 0", "--runs x", "7"] {
            assert!(parse(&words(wrong)).is_err(), "{wrong}");
        }
    }
}
