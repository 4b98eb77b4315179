//! How long whole processes take.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::{Failure, shell};

/// Rounds that are not counted, to fill the caches.
const WARM_UP: usize = 3;

/// The times of one subject.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Times {
    /// The least, in milliseconds.
    pub(crate) min: f64,
    /// The middle one, in milliseconds.
    pub(crate) median: f64,
}

/// Runs every command once a round, and the next one first in the next round.
pub(crate) fn rounds(commands: &mut [Command], rounds: usize) -> Result<Vec<Times>, Failure> {
    let mut all = vec![Vec::with_capacity(rounds); commands.len()];
    for round in 0..rounds + WARM_UP {
        for step in 0..commands.len() {
            let index = (round + step) % commands.len();
            let time = once(&mut commands[index])?;
            if round >= WARM_UP {
                all[index].push(time);
            }
        }
    }
    Ok(all.into_iter().map(Times::of).collect())
}

/// From before the process is started until it has ended.
fn once(command: &mut Command) -> Result<Duration, Failure> {
    let start = Instant::now();
    let status = command.status();
    let time = start.elapsed();
    match status {
        Ok(status) if status.success() => Ok(time),
        Ok(status) => Err(format!("`{}` failed: {status}", shell::shown(command))),
        Err(error) => Err(format!("cannot run `{}`: {error}", shell::shown(command))),
    }
}

/// One run of a process that was looked at all the time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watched {
    pub(crate) time: Duration,
    /// The largest resident set, in KiB.
    pub(crate) peak: u64,
}

/// Runs a process; the largest resident set is what the kernel keeps of it.
pub(crate) fn watched(command: &mut Command) -> Result<Watched, Failure> {
    let cannot = |error: std::io::Error| format!("cannot measure the memory: {error}");
    let start = Instant::now();
    let mut child = command.spawn().map_err(cannot)?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        if let Some(ended) = child.try_wait().map_err(cannot)? {
            let time = start.elapsed();
            if !ended.success() {
                return Err(format!("`{}` failed: {ended}", shell::shown(command)));
            }
            return match peak {
                0 => Err(format!("{status} does not say how much memory was used")),
                peak => Ok(Watched { time, peak }),
            };
        }
        // The mark only ever rises, so the last look before the end has it.
        peak = peak.max(high_water(&fs::read_to_string(&status).unwrap_or_default()));
        // The longer it runs, the less often: this must not be what takes the time.
        let pause = start.elapsed() / 200;
        thread::sleep(pause.clamp(Duration::from_micros(200), Duration::from_millis(5)));
    }
}

fn high_water(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

impl Times {
    /// The figures of some runs.
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let milliseconds =
            |index: usize| times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e3);
        Self { min: milliseconds(0), median: milliseconds(times.len() / 2) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_and_the_middle() {
        let times = [5, 1, 9, 2, 7].map(Duration::from_millis).to_vec();
        assert_eq!(Times::of(times), Times { min: 1.0, median: 5.0 });
    }

    #[test]
    fn each_command_runs_and_a_failure_is_one() {
        let mut commands = [Command::new("true"), Command::new("sh")];
        commands[1].args(["-c", "exit 0"]);
        assert_eq!(rounds(&mut commands, 2).unwrap().len(), 2);
        assert!(rounds(&mut [Command::new("false")], 1).unwrap_err().contains("`false` failed"));
    }

    #[test]
    fn the_kernels_mark_is_read() {
        assert_eq!(high_water("Name:\tviam\nVmHWM:\t    5432 kB\nVmRSS:\t 10 kB\n"), 5432);
        assert_eq!(high_water("Name:\tviam\n"), 0);
        assert!(watched(Command::new("sleep").arg("0.2")).unwrap().peak > 100);
        assert!(watched(&mut Command::new("false")).unwrap_err().contains("`false` failed"));
    }
}
