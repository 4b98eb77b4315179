//! Dispatch: what `viam NAME` costs over running `viam-NAME`, with a login to hand over.

use crate::{Failure, shell};

use super::measure::{self, Times};
use super::scratch::Scratch;
use super::table::{Goal, Table, milliseconds, ratio};

const SCRIPT: &str = "#!/bin/sh\nexit 0\n";
const SOURCE: &str = "int main(void) { return 0; }\n";
const CC: &[&str] = &["cc", "-static", "-O2"];

/// A plugin in sh and one in C, by `viam`, by `git` and alone.
pub(crate) fn measure(scratch: &Scratch, runs: usize) -> Result<Table, Failure> {
    let git = shell::on_path(&["git"]).ok_or("there is no git to compare with")?;
    let mut table = Table::new("Dispatch, least / median");
    for (name, kind) in [("bench-sh", "an sh plugin"), ("bench-c", "a static C plugin")] {
        let own = format!("viam-{name}");
        let plugin = if name == "bench-sh" {
            scratch.script(&format!("git-{name}"), SCRIPT)?;
            scratch.script(&own, SCRIPT)?
        } else {
            scratch.compiled(&format!("git-{name}"), ("plugin.c", SOURCE), CC)?;
            scratch.compiled(&own, ("plugin.c", SOURCE), CC)?
        };
        let mut commands =
            [scratch.command(&plugin), scratch.command(&git), scratch.command(&scratch.viam)];
        commands[1].arg(name);
        commands[2].arg(name);
        let times = measure::rounds(&mut commands, runs)?;
        let (by_git, by_viam) = (added(times[1], times[0]), added(times[2], times[0]));

        table.row(&format!("{kind} alone"), milliseconds(times[0]), String::new(), None);
        table.row(&format!("`git {name}`"), milliseconds(times[1]), String::new(), None);
        let against = format!("{} git", ratio(times[2].min, times[1].min));
        table.row(&format!("`viam {name}`"), milliseconds(times[2]), against, None);
        table.row("added by git", milliseconds(by_git), String::new(), None);
        let against = format!("{} git", ratio(by_viam.min, by_git.min));
        let goal = Goal::new("≤ git's", by_viam.min <= by_git.min);
        table.row("added by viam", milliseconds(by_viam), against, Some(goal));
    }
    Ok(table)
}

/// The whole minus the plugin alone.
fn added(whole: Times, alone: Times) -> Times {
    Times { min: whole.min - alone.min, median: whole.median - alone.median }
}
