//! Files, exported by `viam` and by the Python SDK, and the same bytes merely received. Sandbox and
//! client have a core each.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failure, shell};

use super::super::measure::{self, Watched};
use super::super::sandbox::Sandbox;
use super::super::scratch::Scratch;
use super::super::table::{Goal, Table, mebibytes, ratio};
use super::sdk;

/// How many, how large, and the way on which they merely come.
const SMALL: (u64, u64) = (10_000, 100_000);
/// Not more of these: a computer that has to find ten gigabytes of memory for them, or a disk that
/// writes as much, would be what is measured.
const LARGE: (u64, u64) = (20, 100_000_000);

/// The SDK gets the first of the small ones only, and gives up on the large ones.
const SDK_FILES: u64 = 1_000;

/// The most memory, in KiB.
const MEMORY: u64 = 64 << 10;

/// Prints how many files were written, and the seconds that it took.
const SCRIPT: &str = "\
import asyncio, os, sys, time
from viam.app.viam_client import ViamClient
from viam.rpc.dial import DialOptions

async def main(url, folder, most):
    options = DialOptions.with_api_key(api_key=os.environ['KEY'], api_key_id=os.environ['KEY_ID'])
    options.insecure = True
    client = await ViamClient.create_from_dial_options(options, app_url=url)
    os.makedirs(folder, exist_ok=True)
    begun, count, last = time.monotonic(), 0, None
    while count < int(most):
        files, _, last = await client.data_client.binary_data_by_filter(
            limit=100, last=last, include_binary_data=True)
        if not files:
            break
        for file in files:
            with open(os.path.join(folder, file.metadata.id), 'wb') as out:
                out.write(file.binary)
        count += len(files)
    print(count, time.monotonic() - begun)
    client.close()

asyncio.run(main(*sys.argv[1:]))
";

/// Each as a whole process, in the same rounds.
pub(crate) fn measure(scratch: &Scratch, target: &Path, runs: usize) -> Result<Table, Failure> {
    let example = ["build", "--release", "--package", "viam-data", "--example", "fetch"];
    shell::must(&mut shell::cargo(example))?;
    let fetch = target.join("release/examples/fetch");
    // In memory, so that it is not the disk that is measured.
    let memory = Memory::new()?;
    let mut table = Table::new(
        "`viam data export binary filter`, a core each for it and the sandbox, the best of some runs",
    );
    for ((count, bytes), way, part) in [(SMALL, "calls", 0.5), (LARGE, "urls", 0.8)] {
        let sandbox = Sandbox::start(scratch, &format!("data:{count},{bytes},0"))?;
        sandbox.pin("0")?;
        let login = sandbox.home().join("cached_cli_config.json");
        let mut bare = scratch.command(Path::new("taskset"));
        bare.args(["-c", "1"]).arg(&fetch).arg(&login).arg(way);
        let folder = memory.path().join("files");
        let (mut received, mut exported): (Option<Watched>, Option<Watched>) = (None, None);
        for _ in 0..runs {
            keep_best(&mut received, measure::watched(&mut bare)?);
            remove(&folder)?;
            keep_best(&mut exported, measure::watched(&mut export(scratch, &sandbox, &folder))?);
        }
        remove(&folder)?;
        let (Some(received), Some(exported)) = (received, exported) else {
            return Err("no runs".to_owned());
        };
        let what = format!("{count} × {}", size(bytes));
        let rate = |run: Watched| count as f64 * bytes as f64 / 1e6 / run.time.as_secs_f64();
        let (bare, ours) = (rate(received), rate(exported));
        table.row(&format!("{what}, received only"), megabytes(bare), String::new(), None);
        let goal = Goal::new(format!("≥ {part} × received"), ours >= part * bare);
        table.row(&what, megabytes(ours), ratio(ours, bare), Some(goal));
        let goal = Goal::new(format!("≤ {} MiB", MEMORY >> 10), exported.peak <= MEMORY);
        let memory = format!("most memory, {what}");
        table.row(&memory, mebibytes(exported.peak), String::new(), Some(goal));
        if (count, bytes) == SMALL {
            let what = format!("PyPI viam-sdk, {SDK_FILES} of these");
            let arguments = [folder.display().to_string(), SDK_FILES.to_string()];
            match sdk::rate(scratch, target, &sandbox, SCRIPT, &arguments) {
                Ok(files) => {
                    let sdk = files * bytes as f64 / 1e6;
                    let goal = Goal::new("≥ 5 × the SDK".to_owned(), ours >= 5.0 * sdk);
                    table.row(&what, megabytes(sdk), ratio(ours, sdk), Some(goal));
                }
                Err(why) => table.row(&what, "not measured".to_owned(), why, None),
            }
            remove(&folder)?;
        }
    }
    Ok(table)
}

/// A folder on a file system in memory, as long as this lives.
struct Memory(PathBuf);

impl Memory {
    fn new() -> Result<Self, Failure> {
        let folder = Path::new("/dev/shm").join(format!("viam-bench-{}", std::process::id()));
        fs::create_dir(&folder)
            .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        Ok(Self(folder))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // It is gone with the next start of the system at the latest.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn export(scratch: &Scratch, sandbox: &Sandbox, folder: &Path) -> Command {
    let mut command = scratch.command(Path::new("taskset"));
    command
        .args(["-c", "1"])
        .arg(&scratch.viam)
        .args(["data", "export", "binary", "filter", "--destination"])
        .arg(folder)
        .env("VIAM_HOME", sandbox.home());
    command
}

fn keep_best(best: &mut Option<Watched>, run: Watched) {
    let (time, peak) = best.map_or((run.time, 0), |best| (best.time, best.peak));
    *best = Some(Watched { time: time.min(run.time), peak: peak.max(run.peak) });
}

fn remove(folder: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("cannot remove {}: {error}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        bytes if bytes >= 1_000_000 => format!("{} MB", bytes / 1_000_000),
        bytes => format!("{} KB", bytes / 1_000),
    }
}

fn megabytes(rate: f64) -> String {
    format!("{rate:.0} MB/s")
}
