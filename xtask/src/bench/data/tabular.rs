//! Readings, exported by `viam` and by the Python SDK, and the same stream merely decoded.

use std::path::Path;

use crate::{Failure, shell};

use super::super::measure::{self, Watched};
use super::super::sandbox::Sandbox;
use super::super::scratch::Scratch;
use super::super::table::{Goal, Table, mebibytes, ratio};
use super::sdk;

/// How many there are.
const ROWS: u32 = 1_000_000;

/// The SDK keeps all rows in memory, so it gets the newest ones only.
const SDK_ROWS: u32 = 100_000;

/// The part of that world.
const PART: &str = "a79d2c46-40be-5a0d-87e6-978c89c4607b";

/// The part of the speed of decoding that is to be reached, by format.
const FORMATS: [(&str, f64); 3] = [("ndjson", 0.5), ("parquet", 0.25), ("csv", 0.25)];

/// The most memory, in KiB.
const MEMORY: u64 = 64 << 10;

/// Prints how many rows came, and the seconds that it took.
const SCRIPT: &str = "\
import asyncio, os, sys, time
from datetime import datetime, timedelta, timezone
from viam.app.viam_client import ViamClient
from viam.rpc.dial import DialOptions

async def main(url, part, seconds):
    options = DialOptions.with_api_key(api_key=os.environ['KEY'], api_key_id=os.environ['KEY_ID'])
    options.insecure = True
    client = await ViamClient.create_from_dial_options(options, app_url=url)
    start = datetime.now(timezone.utc) - timedelta(seconds=int(seconds))
    begun = time.monotonic()
    rows = await client.data_client.export_tabular_data(
        part, 'sensor1', 'rdk:component:sensor', 'Readings', start_time=start)
    print(len(rows), time.monotonic() - begun)
    client.close()

asyncio.run(main(*sys.argv[1:]))
";

/// Each as a whole process, in the same rounds.
pub(crate) fn measure(scratch: &Scratch, target: &Path, runs: usize) -> Result<Table, Failure> {
    let example = ["build", "--release", "--package", "viam-data", "--example", "decode"];
    shell::must(&mut shell::cargo(example))?;
    let sandbox = Sandbox::start(scratch, &format!("data:0,0,{ROWS}"))?;
    let login = sandbox.home().join("cached_cli_config.json");

    let mut decode = scratch.command(&target.join("release/examples/decode"));
    decode.arg(&login).arg(PART);
    let mut commands = vec![decode];
    for (format, _) in FORMATS {
        let mut command = scratch.command(&scratch.viam);
        command
            .args(["data", "export", "tabular", "--part-id", PART, "--method", "Readings"])
            .args(["--resource-name", "sensor1", "--resource-subtype", "rdk:component:sensor"])
            .args(["--file-format", format, "--destination"])
            .arg(scratch.path("tabular"))
            .env("VIAM_HOME", sandbox.home());
        commands.push(command);
    }
    let mut best: Vec<Option<Watched>> = vec![None; commands.len()];
    for _ in 0..runs {
        for (command, best) in commands.iter_mut().zip(&mut best) {
            let run = measure::watched(command)?;
            let (time, peak) = best.map_or((run.time, 0), |best| (best.time, best.peak));
            *best = Some(Watched { time: time.min(run.time), peak: peak.max(run.peak) });
        }
    }
    let best: Vec<Watched> = best.into_iter().flatten().collect();
    let Some((decoded, exported)) = best.split_first() else { return Err("no runs".to_owned()) };

    let mut table = Table::new("`viam data export tabular`, 1,000,000 rows, the best of some runs");
    let bare = speed(ROWS, *decoded);
    table.row("decoded only", rows_a_second(bare), String::new(), None);
    for ((format, part), run) in FORMATS.iter().zip(exported) {
        let rate = speed(ROWS, *run);
        let goal = Goal::new(format!("≥ {part} × decoded"), rate >= part * bare);
        table.row(format, rows_a_second(rate), ratio(rate, bare), Some(goal));
    }
    for ((format, _), run) in FORMATS.iter().zip(exported) {
        let goal = Goal::new(format!("≤ {} MiB", MEMORY >> 10), run.peak <= MEMORY);
        let what = format!("most memory, {format}");
        table.row(&what, mebibytes(run.peak), String::new(), Some(goal));
    }
    let what = format!("PyPI viam-sdk, the newest {SDK_ROWS} rows");
    match sdk::rate(scratch, target, &sandbox, SCRIPT, &[PART.to_owned(), SDK_ROWS.to_string()]) {
        Ok(rate) => table.row(&what, rows_a_second(rate), ratio(rate, bare), None),
        Err(why) => table.row(&what, "not measured".to_owned(), why, None),
    }
    Ok(table)
}

fn speed(rows: u32, run: Watched) -> f64 {
    f64::from(rows) / run.time.as_secs_f64()
}

fn rows_a_second(rate: f64) -> String {
    format!("{rate:.0} rows/s")
}
