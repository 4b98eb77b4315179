//! A large file to a machine and back, with what copies cost that need no machine.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::Failure;

use super::super::measure::{self, Watched};
use super::super::scratch::Scratch;
use super::super::table::{Goal, Table, mebibytes, ratio};
use super::{DIRECT, Live, WEBRTC};

const MEBIBYTE: u64 = 1 << 20;

/// How much is read and written at once where no machine is.
const PIECE: usize = 256 * 1024;

/// What is copied, and what is to be reached.
struct Case {
    way: &'static str,
    size: u64,
    /// The most memory of the client, in MiB.
    memory: u64,
    /// The least speed, in MB/s.
    speed: Option<f64>,
}

const CASES: [Case; 2] = [
    Case { way: DIRECT, size: 1024 * MEBIBYTE, memory: 64, speed: Some(200.0) },
    Case { way: WEBRTC, size: 64 * MEBIBYTE, memory: 96, speed: None },
];

/// The best of some runs.
#[derive(Clone, Copy)]
struct Best {
    time: Duration,
    peak: u64,
}

/// `part cp` both ways, `cp`, and a copy through a socket, one after the other in each round.
pub(crate) fn measure(scratch: &Scratch, rounds: usize) -> Result<Table, Failure> {
    let live = Live::start(scratch)?;
    let mut table = Table::new("Copying a file, the best of some runs");
    for case in CASES {
        let files = Files::new(scratch, &live, case.size)?;
        let mut best = [Best { time: Duration::MAX, peak: 0 }; 4];
        for _ in 0..rounds {
            let runs = [
                files.plain(scratch)?,
                files.socket()?,
                files.sent(&live, case.way)?,
                files.fetched(&live, case.way)?,
            ];
            for (best, run) in best.iter_mut().zip(runs) {
                best.time = best.time.min(run.time);
                best.peak = best.peak.max(run.peak);
            }
        }
        rows(&mut table, &case, best);
    }
    Ok(table)
}

fn rows(table: &mut Table, case: &Case, best: [Best; 4]) {
    let size = case.size / MEBIBYTE;
    let rate = best.map(|best| speed(case.size, best.time));
    let shown = |index: usize| format!("{:.0} MB/s", rate[index]);
    let [plain, socket] = [rate[0], rate[1]];
    table.row(&format!("`cp`, {size} MiB"), shown(0), String::new(), None);
    table.row(&format!("through a socket, {size} MiB"), shown(1), String::new(), None);
    for (index, to) in [(2, "to"), (3, "from")] {
        let what = format!("`part cp` {to} the machine, {}, {size} MiB", case.way);
        let against =
            format!("{} cp, {} socket", ratio(rate[index], plain), ratio(rate[index], socket));
        let goal =
            case.speed.map(|least| Goal::new(format!("≥ {least} MB/s"), rate[index] >= least));
        table.row(&what, shown(index), against, goal);
        let goal = Goal::new(
            format!("≤ {} MiB", case.memory),
            best[index].peak <= case.memory * MEBIBYTE / 1024,
        );
        let what = format!("most memory of that client, {to}");
        table.row(&what, mebibytes(best[index].peak), String::new(), Some(goal));
    }
}

/// Megabytes in a second.
#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn speed(size: u64, time: Duration) -> f64 {
    size as f64 / 1e6 / time.as_secs_f64()
}

/// The file, where it is copied to, and the folder of the machine.
struct Files {
    source: PathBuf,
    copy: PathBuf,
    machine: PathBuf,
    size: u64,
}

impl Files {
    fn new(scratch: &Scratch, live: &Live<'_>, size: u64) -> Result<Self, Failure> {
        let source = scratch.path("large");
        let copy = scratch.path("copy");
        fill(&source, size).map_err(|error| cannot(&source, &error))?;
        Ok(Self { source, copy, machine: live.folder()?, size })
    }

    fn plain(&self, scratch: &Scratch) -> Result<Watched, Failure> {
        let mut command = scratch.command(Path::new("cp"));
        command.arg(&self.source).arg(&self.copy);
        let run = measure::watched(&mut command)?;
        self.gone(&self.copy)?;
        Ok(run)
    }

    fn socket(&self) -> Result<Watched, Failure> {
        let start = Instant::now();
        through_socket(&self.source, &self.copy).map_err(|error| cannot(&self.copy, &error))?;
        let time = start.elapsed();
        self.gone(&self.copy)?;
        Ok(Watched { time, peak: 0 })
    }

    fn sent(&self, live: &Live<'_>, way: &str) -> Result<Watched, Failure> {
        let mut command = live.part("cp", way, &["--no-progress"]);
        command.arg(&self.source).arg("machine:arrived");
        let run = measure::watched(&mut command)?;
        self.gone(&self.machine.join("arrived"))?;
        Ok(run)
    }

    fn fetched(&self, live: &Live<'_>, way: &str) -> Result<Watched, Failure> {
        // Another name of the same file costs no room.
        let there = self.machine.join("there");
        fs::hard_link(&self.source, &there).map_err(|error| cannot(&there, &error))?;
        let mut command = live.part("cp", way, &["--no-progress", "machine:there"]);
        command.arg(&self.copy);
        let run = measure::watched(&mut command)?;
        self.gone(&self.copy)?;
        self.gone(&there)?;
        Ok(run)
    }

    /// Removes a copy, which must be whole.
    fn gone(&self, path: &Path) -> Result<(), Failure> {
        let size = fs::metadata(path).map_err(|error| cannot(path, &error))?.len();
        fs::remove_file(path).map_err(|error| cannot(path, &error))?;
        if size == self.size {
            Ok(())
        } else {
            Err(format!("{} has {size} bytes instead of {}", path.display(), self.size))
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        for path in [&self.source, &self.copy] {
            // The copy is there after a failure only.
            let _ = fs::remove_file(path);
        }
    }
}

fn cannot(path: &Path, error: &io::Error) -> Failure {
    format!("cannot copy {}: {error}", path.display())
}

/// Writes a file that is not all the same, and waits until the disk has it.
fn fill(path: &Path, size: u64) -> io::Result<()> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut block = Vec::with_capacity(PIECE);
    while block.len() < PIECE {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        block.extend_from_slice(&state.to_le_bytes());
    }
    let mut file = File::create(path)?;
    let mut left = size;
    while left > 0 {
        let piece = left.min(PIECE as u64);
        io::copy(&mut block.as_slice().take(piece), &mut file)?;
        left -= piece;
    }
    file.sync_all()
}

/// What is read of one file goes through a connection into another one.
fn through_socket(from: &Path, to: &Path) -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let mut sending = TcpStream::connect(listener.local_addr()?)?;
    let (mut receiving, _) = listener.accept()?;
    let mut from = File::open(from)?;
    let sender = thread::spawn(move || pass(&mut from, &mut sending));
    let received = pass(&mut receiving, &mut File::create(to)?);
    sender.join().map_err(|_| io::Error::other("the sender died"))??;
    received
}

/// As programs do that look at what they copy: read, then write.
fn pass(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut buffer = vec![0; PIECE];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            length => to.write_all(&buffer[..length])?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_filled_and_goes_through_a_socket() {
        let folder = std::env::temp_dir().join(format!("xtask-copy-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (one, other) = (folder.join("one"), folder.join("other"));
        let size = PIECE as u64 * 3 + 5;
        fill(&one, size).unwrap();
        through_socket(&one, &other).unwrap();
        let content = fs::read(&other).unwrap();
        assert!(content.len() as u64 == size && fs::read(&one).unwrap() == content);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn megabytes_are_decimal() {
        let rate = speed(500_000_000, Duration::from_millis(2500));
        assert!((rate - 200.0).abs() < 1e-9, "{rate}");
    }
}
