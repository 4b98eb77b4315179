//! A long listing: 2,000 machines of a sandbox.

use std::process::{Command, Stdio};

use crate::{Failure, shell};

use super::measure;
use super::sandbox::Sandbox;
use super::scratch::Scratch;
use super::table::{Goal, Table, mebibytes, milliseconds};

const MACHINES: usize = 2000;

/// Time, memory and requests under way of `viam robots list --all`.
pub(crate) fn measure(scratch: &Scratch, runs: usize) -> Result<Table, Failure> {
    let sandbox = Sandbox::start(scratch, &format!("scale:{MACHINES}"))?;
    let mut command = scratch.command(&scratch.viam);
    command.args(["robots", "list", "--all"]).env("VIAM_HOME", sandbox.home());
    let listed = machines(&mut command)?;
    let times = measure::rounds(std::slice::from_mut(&mut command), runs)?[0];
    let mut memory = 0;
    for _ in 0..runs.min(5) {
        memory = memory.max(measure::watched(&mut command)?.peak);
    }
    let (requests, under_way) = sandbox.requests()?;

    let mut table = Table::new("`viam robots list --all` of a sandbox with `--seed scale:2000`");
    table.row(
        "machines listed",
        listed.to_string(),
        String::new(),
        Some(Goal::new(format!("{MACHINES}"), listed == MACHINES)),
    );
    let goal = Goal::new("≤ 1000 ms", times.min <= 1000.0);
    table.row("time, least / median", milliseconds(times), String::new(), Some(goal));
    let goal = Goal::new("≤ 40 MiB", memory <= 40 << 10);
    table.row("most memory of the client", mebibytes(memory), String::new(), Some(goal));
    let against = format!("{requests} requests in {} runs", runs + runs.min(5) + 4);
    let goal = Goal::new("≤ 16", under_way <= 16);
    table.row("requests under way at once", under_way.to_string(), against, Some(goal));
    Ok(table)
}

/// How many machines the listing names.
fn machines(command: &mut Command) -> Result<usize, Failure> {
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output();
    let output =
        output.map_err(|error| format!("cannot run `{}`: {error}", shell::shown(command)))?;
    command.stdout(Stdio::null()).stderr(Stdio::null());
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{}` failed: {}", shell::shown(command), stderr.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).matches("(main part id:").count())
}
