//! How long whole processes take.

use std::process::Command;
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

impl Times {
    fn of(mut times: Vec<Duration>) -> Self {
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
}
