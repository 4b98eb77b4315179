//! Start-up: the program that has almost nothing to do.

use crate::{Failure, shell};

use super::measure;
use super::scratch::Scratch;
use super::table::{Goal, Table, milliseconds, ratio};

/// As the release profile builds.
const RUSTC: &[&str] =
    &["rustc", "--edition=2024", "-Copt-level=s", "-Cpanic=abort", "-Cstrip=symbols"];

/// `viam version` and `viam --help` against a program that does nothing, and git.
pub(crate) fn measure(scratch: &Scratch, runs: usize) -> Result<Table, Failure> {
    let empty = scratch.compiled("empty", ("empty.rs", "fn main() {}\n"), RUSTC)?;
    let git = shell::on_path(&["git"]).ok_or("there is no git to compare with")?;
    let mut commands = [
        scratch.command(&empty),
        scratch.command(&git),
        scratch.command(&scratch.viam),
        scratch.command(&scratch.viam),
    ];
    commands[1].arg("--version");
    commands[2].arg("version");
    commands[3].arg("--help");
    let times = measure::rounds(&mut commands, runs)?;
    let against = |index: usize| {
        let empty = ratio(times[index].min, times[0].min);
        format!("{empty} the empty one, {} git", ratio(times[index].min, times[1].min))
    };

    let mut table = Table::new("Start-up, least / median");
    table.row("an empty Rust program", milliseconds(times[0]), String::new(), None);
    table.row("`git --version`", milliseconds(times[1]), String::new(), None);
    let goal = Goal::new("≤ 1.5 × the empty one", times[2].min <= 1.5 * times[0].min);
    table.row("`viam version`", milliseconds(times[2]), against(2), Some(goal));
    let goal = Goal::new("≤ 10 ms", times[3].min <= 10.0);
    table.row("`viam --help`", milliseconds(times[3]), against(3), Some(goal));
    Ok(table)
}
