//! A shell on a machine: until it says something, and until it has ended.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Failure, shell};

use super::super::measure::Times;
use super::super::scratch::Scratch;
use super::super::table::{Table, milliseconds};
use super::{DIRECT, Live, WEBRTC};

/// What is typed.
const TYPED: &[u8] = b"echo ready\nexit\n";

/// How the lines begin that are not the machine's.
const OWN: &str = "Info: ";

/// `part shell` by each way.
pub(crate) fn measure(scratch: &Scratch, runs: usize) -> Result<Table, Failure> {
    let live = Live::start(scratch)?;
    let ways = [DIRECT, WEBRTC];
    let mut begun = [Vec::new(), Vec::new()];
    let mut ended = [Vec::new(), Vec::new()];
    for _ in 0..runs {
        for (index, way) in ways.iter().enumerate() {
            let (first, last) = once(&mut live.part("shell", way, &[]))?;
            begun[index].push(first);
            ended[index].push(last);
        }
    }
    let mut table = Table::new("A shell, least / median");
    for ((way, begun), ended) in ways.iter().zip(begun).zip(ended) {
        let times = milliseconds(Times::of(begun));
        table.row(&format!("until the first byte, {way}"), times, String::new(), None);
        let times = milliseconds(Times::of(ended));
        table.row(&format!("`echo` and `exit`, {way}"), times, String::new(), None);
    }
    Ok(table)
}

/// From the start until the machine's first byte, and until the end.
fn once(command: &mut Command) -> Result<(Duration, Duration), Failure> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let cannot = |error: std::io::Error| format!("cannot use a shell: {error}");
    let start = Instant::now();
    let mut child = command.spawn().map_err(cannot)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(TYPED).map_err(cannot)?;
    }
    let mut stdout = child.stdout.take().ok_or("a shell without stdout")?;
    let (mut first, mut seen, mut buffer) = (None, Vec::new(), [0; 4096]);
    loop {
        let length = stdout.read(&mut buffer).map_err(cannot)?;
        if length == 0 {
            break;
        }
        seen.extend_from_slice(&buffer[..length]);
        if first.is_none() && !remote(&seen).is_empty() {
            first = Some(start.elapsed());
        }
    }
    let status = child.wait().map_err(cannot)?;
    let last = start.elapsed();
    match first {
        Some(first) if status.success() => Ok((first, last)),
        _ => Err(format!(
            "`{}` printed {:?}: {status}",
            shell::shown(command),
            String::from_utf8_lossy(&seen)
        )),
    }
}

/// What is left of the output without the lines that `viam` itself begins with.
fn remote(mut seen: &[u8]) -> &[u8] {
    while seen.starts_with(OWN.as_bytes()) {
        match seen.iter().position(|byte| *byte == b'\n') {
            Some(end) => seen = &seen[end + 1..],
            None => return &[],
        }
    }
    if OWN.as_bytes().starts_with(seen) { &[] } else { seen }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_lines_are_not_the_machines() {
        for (seen, expected) in [
            ("", ""),
            ("Inf", ""),
            ("Info: a line", ""),
            ("Info: a line\n", ""),
            ("Info: a line\nInfo: another\n$", "$"),
            ("$ echo", "$ echo"),
        ] {
            assert_eq!(remote(seen.as_bytes()), expected.as_bytes(), "{seen:?}");
        }
    }
}
