//! A sandbox as a child process.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Failure;

use super::scratch::Scratch;

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// One that runs until it is dropped, and keeps nothing.
pub(crate) struct Sandbox {
    viam: PathBuf,
    folder: PathBuf,
    child: Child,
}

impl Sandbox {
    /// Starts one with such a world; there is one at a time.
    pub(crate) fn start(scratch: &Scratch, seed: &str) -> Result<Self, Failure> {
        let folder = scratch.path("sandbox");
        let machines = scratch.path("machines");
        fs::create_dir_all(&machines)
            .map_err(|error| format!("cannot make {}: {error}", machines.display()))?;
        let mut command = scratch.command(&scratch.viam);
        command
            .env_remove("VIAM_HOME")
            // The folders of its machines are on the disk that everything else is on.
            .env("TMPDIR", &machines)
            .args(["sandbox", "start", "--ephemeral", "--foreground", "--dir"])
            .arg(&folder)
            .args(["--seed", seed]);
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
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// Leaves it these processors only, in the words of `taskset`.
    pub(crate) fn pin(&self, processors: &str) -> Result<(), Failure> {
        let pid = self.child.id().to_string();
        let mut command = Command::new("taskset");
        command.args(["-a", "-p", "-c", processors, &pid]).stdout(Stdio::null());
        match command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("taskset failed: {status}")),
            Err(error) => Err(format!("cannot run taskset: {error}")),
        }
    }

    /// Written once it runs and the home is logged in.
    fn state(&self) -> Option<Value> {
        serde_json::from_slice(&fs::read(self.home().join("sandbox.json")).ok()?).ok()
    }

    /// How many requests it has seen, and the most at once.
    pub(crate) fn requests(&self) -> Result<(u64, u64), Failure> {
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
