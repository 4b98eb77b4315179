//! The logs of a part, page by page to the last one.

use std::process::Command;

use serde_json::{Value, json};

use crate::{Failure, shell};

use super::super::measure::{self, Watched};
use super::super::sandbox::Sandbox;
use super::super::scratch::Scratch;
use super::super::table::{Goal, Table, mebibytes, ratio};
use super::finished;

/// Ids of the parts and how many entries they have.
const PARTS: [(&str, usize); 2] = [
    ("7d0a3c5e-2f64-4f0e-9a51-0f5f6c1c2a01", 200_000),
    ("7d0a3c5e-2f64-4f0e-9a51-0f5f6c1c2a02", 20_000),
];

/// Lines in a second.
const SPEED: f64 = 200_000.0;

/// `part logs` of many entries and of a tenth of them.
pub(crate) fn measure(scratch: &Scratch, runs: usize) -> Result<Table, Failure> {
    let file = scratch.path("logs.json");
    shell::write(&file, world().to_string())?;
    let sandbox = Sandbox::start(scratch, &file.display().to_string())?;
    let logs = |(part, count): (&str, usize), words: &[&str]| {
        let mut command = scratch.command(&scratch.viam);
        command.args(["machines", "part", "logs", "--part", part]).args(words);
        command.env("VIAM_HOME", sandbox.home());
        whole(&mut command, count).map(|()| command)
    };
    let [many, few] = PARTS;
    let count = many.1.to_string();
    let mut commands = [
        logs(many, &["--count", &count, "--order", "asc"])?,
        logs(many, &[])?,
        logs(few, &["--order", "asc"])?,
    ];
    let mut best: [Option<Watched>; 3] = [None; 3];
    for _ in 0..runs {
        for (command, best) in commands.iter_mut().zip(&mut best) {
            let run = measure::watched(command)?;
            let (time, peak) = best.map_or((run.time, 0), |best| (best.time, best.peak));
            *best = Some(Watched { time: time.min(run.time), peak: peak.max(run.peak) });
        }
    }

    let mut table = Table::new("`viam machines part logs`, the best of some runs");
    let names = [
        format!("{} entries, `--count {count} --order asc`", many.1),
        format!("{} entries", many.1),
        format!("{} entries", few.1),
    ];
    let rows = names.iter().zip(best).zip([many.1, many.1, few.1]);
    let mut peaks = Vec::new();
    for (index, ((name, best), lines)) in rows.enumerate() {
        let Some(best) = best else { continue };
        let rate = speed(lines, best);
        let goal = (index < 2).then(|| Goal::new(format!("≥ {SPEED} lines/s"), rate >= SPEED));
        let against = format!("{:.0} ms", best.time.as_secs_f64() * 1e3);
        table.row(name, format!("{rate:.0} lines/s"), against, goal);
        peaks.push(best.peak);
    }
    if let [_, all, tenth] = peaks[..] {
        #[expect(clippy::cast_precision_loss, reason = "for people to read")]
        let against = format!("{} that of {} entries", ratio(all as f64, tenth as f64), few.1);
        let memory = |entries: usize| format!("most memory of the client, {entries} entries");
        table.row(&memory(few.1), mebibytes(tenth), String::new(), None);
        table.row(&memory(many.1), mebibytes(all), against, None);
    }
    Ok(table)
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn speed(lines: usize, run: Watched) -> f64 {
    lines as f64 / run.time.as_secs_f64()
}

/// Checks that a command prints so many lines at least.
fn whole(command: &mut Command, count: usize) -> Result<(), Failure> {
    let output = finished(command)?;
    let lines = output.stdout.split(|byte| *byte == b'\n').count();
    if lines >= count {
        Ok(())
    } else {
        Err(format!("`{}` printed {lines} lines instead of {count}", shell::shown(command)))
    }
}

/// A machine for each part, with its entries.
fn world() -> Value {
    let machines = PARTS.iter().enumerate().map(|(number, (id, count))| {
        let logs: Vec<_> = (0..*count).map(|number| entry(number, *count)).collect();
        json!({
            "name": format!("machine-{number}"),
            "parts": [{ "name": format!("part-{number}"), "id": id, "logs": logs }],
        })
    });
    let machines: Vec<_> = machines.collect();
    json!({
        "organizations": [{
            "name": "Bench",
            "locations": [{ "name": "Bench", "machines": machines }],
        }],
    })
}

/// A second apart from the next one; every fourth has a field.
fn entry(number: usize, count: usize) -> Value {
    let level = ["info", "debug", "info", "warn"][number % 4];
    let mut entry = json!({
        "level": level,
        "logger": "rdk.resource_manager",
        "message": format!("checked the resources, round {number}"),
        "ago_secs": count - number,
    });
    if number.is_multiple_of(4) {
        let field = json!({ "Key": "count", "Type": 11, "Integer": number, "String": "" });
        entry["fields"] = json!([field]);
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_become_newer() {
        let first = entry(0, 10);
        assert_eq!(first["ago_secs"], 10);
        assert_eq!(first["fields"][0]["Key"], "count");
        assert_eq!(entry(9, 10)["ago_secs"], 1);
    }

    #[test]
    fn lines_are_counted() {
        let mut command = Command::new("printf");
        command.arg("a\\nb\\n");
        assert!(whole(&mut command, 2).is_ok());
        assert!(whole(&mut command, 4).unwrap_err().contains("3 lines instead of 4"));
    }
}
