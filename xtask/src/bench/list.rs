//! A long listing: 2,000 machines of a sandbox.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{Failure, shell};

use super::measure;
use super::scratch::Scratch;
use super::table::{Goal, Table, milliseconds};

const MACHINES: usize = 2000;

/// How long the sandbox may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A sandbox as a child process.
struct Sandbox {
    viam: PathBuf,
    folder: PathBuf,
    child: Child,
}

/// Time, memory and requests under way of `viam robots list --all`.
pub(crate) fn measure(scratch: &Scratch, runs: usize) -> Result<Table, Failure> {
    let sandbox = Sandbox::start(scratch)?;
    let mut command = scratch.command(&scratch.viam);
    command.args(["robots", "list", "--all"]).env("VIAM_HOME", sandbox.home());
    let listed = machines(&mut command)?;
    let times = measure::rounds(std::slice::from_mut(&mut command), runs)?[0];
    let mut memory = 0;
    for _ in 0..runs.min(5) {
        memory = memory.max(peak_memory(&mut command)?);
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
    #[expect(clippy::cast_precision_loss, reason = "for people to read")]
    let mebibytes = memory as f64 / 1024.0;
    let goal = Goal::new("≤ 40 MiB", mebibytes <= 40.0);
    table.row(
        "most memory of the client",
        format!("{mebibytes:.1} MiB"),
        String::new(),
        Some(goal),
    );
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

/// The largest resident set of a run in KiB, as the kernel keeps it.
fn peak_memory(command: &mut Command) -> Result<u64, Failure> {
    let cannot = |error: std::io::Error| format!("cannot measure the memory: {error}");
    let mut child = command.spawn().map_err(cannot)?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().map_err(cannot)?.is_none() {
        // The mark only ever rises, so the last look before the end has it.
        peak = peak.max(high_water(&fs::read_to_string(&status).unwrap_or_default()));
        thread::sleep(Duration::from_micros(200));
    }
    if peak == 0 {
        Err(format!("{status} does not say how much memory was used"))
    } else {
        Ok(peak)
    }
}

fn high_water(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

impl Sandbox {
    fn start(scratch: &Scratch) -> Result<Self, Failure> {
        let folder = scratch.path("sandbox");
        let mut command = scratch.command(&scratch.viam);
        command
            .env_remove("VIAM_HOME")
            .args(["sandbox", "start", "--ephemeral", "--foreground", "--dir"])
            .arg(&folder)
            .args(["--seed", &format!("scale:{MACHINES}")]);
        let child = command.spawn().map_err(|error| format!("cannot start a sandbox: {error}"))?;
        let mut sandbox = Self { viam: scratch.viam.clone(), folder, child };
        let start = Instant::now();
        while sandbox.state().is_none() {
            if let Ok(Some(status)) = sandbox.child.try_wait() {
                return Err(format!("the sandbox ended at once: {status}"));
            }
            if start.elapsed() > PATIENCE {
                return Err("the sandbox does not start".to_owned());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(sandbox)
    }

    /// The home that is logged in to it.
    fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// Written once it runs and the home is logged in.
    fn state(&self) -> Option<Value> {
        serde_json::from_slice(&fs::read(self.home().join("sandbox.json")).ok()?).ok()
    }

    /// How many requests it has seen, and the most at once.
    fn requests(&self) -> Result<(u64, u64), Failure> {
        let state = self.state().ok_or("the sandbox has ended")?;
        let port = state["port"].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap_or(0);
        let token = state["admin_token"].as_str().unwrap_or_default();
        let answer = get(port, "/sandbox/requests", &format!("x-sandbox-admin: {token}"))
            .map_err(|error| format!("cannot ask the sandbox: {error}"))?;
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let answer: Value = serde_json::from_str(body)
            .map_err(|error| format!("cannot read the sandbox's answer: {error}"))?;
        let counts = answer["counts"].as_object().into_iter().flatten();
        let calls = counts.filter(|(path, _)| !path.starts_with("/sandbox/"));
        let sum = calls.filter_map(|(_, count)| count.as_u64()).sum();
        let under_way = answer["highest_under_way"].as_u64();
        Ok((sum, under_way.ok_or("the sandbox does not say how many were under way")?))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let stopped = Command::new(&self.viam)
            .args(["sandbox", "stop", "--dir"])
            .arg(Path::new(&self.folder))
            .env_remove("VIAM_HOME")
            .stdout(Stdio::null())
            .status();
        if !stopped.is_ok_and(|status| status.success()) {
            // It keeps nothing, so nothing is lost.
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// A GET of HTTP/1.1.
fn get(port: u16, path: &str, header: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{header}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_mark_is_read() {
        assert_eq!(high_water("Name:\tviam\nVmHWM:\t    5432 kB\nVmRSS:\t 10 kB\n"), 5432);
        assert_eq!(high_water("Name:\tviam\n"), 0);
        assert!(peak_memory(Command::new("sleep").arg("0.2")).unwrap() > 100);
    }
}
