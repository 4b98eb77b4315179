//! What is done with a live machine: `rover-1` of the sandbox's world `fleet`.

pub(crate) mod copy;
pub(crate) mod logs;
pub(crate) mod run;
pub(crate) mod session;

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::{Failure, shell};

use super::sandbox::Sandbox;
use super::scratch::Scratch;

/// The id of `rover-1-main`, which is the same in every sandbox.
const PART: &str = "d43d916a-c077-5fad-9615-956618741961";

/// The ways to it.
const DIRECT: &str = "direct";
const WEBRTC: &str = "webrtc";

/// The machine, which is there until it is dropped.
struct Live<'a> {
    scratch: &'a Scratch,
    sandbox: Sandbox,
}

impl<'a> Live<'a> {
    fn start(scratch: &'a Scratch) -> Result<Self, Failure> {
        Ok(Self { scratch, sandbox: Sandbox::start(scratch, "fleet")? })
    }

    /// `viam` with the login of the sandbox.
    fn viam(&self, words: &[&str]) -> Command {
        let mut command = self.scratch.command(&self.scratch.viam);
        command.args(words).env("VIAM_HOME", self.sandbox.home());
        command
    }

    /// A verb of `viam machines part` with the machine, reached in that way.
    fn part(&self, verb: &str, transport: &str, words: &[&str]) -> Command {
        let mut command =
            self.viam(&["machines", "part", verb, "--part", PART, "--transport", transport]);
        command.args(words);
        command
    }

    /// Where it listens; a client says so when it is asked for details.
    fn address(&self) -> Result<String, Failure> {
        let mut command = self.part("run", DIRECT, &["--list", "--debug"]);
        let output = finished(&mut command)?;
        let said = String::from_utf8_lossy(&output.stderr);
        let address = address(&said).map(str::to_owned);
        address.ok_or_else(|| format!("`{}` names no address", shell::shown(&command)))
    }

    /// Id and secret of a key that it knows.
    fn key(&self) -> Result<(String, String), Failure> {
        let words = ["organizations", "api-key", "create", "--org-id", "Acme Robotics"];
        let key = json(&mut self.viam(&[&words[..], &["--format", "json"]].concat()))?;
        let text = |name: &str| key[name].as_str().map(str::to_owned);
        text("id").zip(text("key")).ok_or_else(|| "the new key is not told".to_owned())
    }

    /// The folder that its files are in.
    fn folder(&self) -> Result<PathBuf, Failure> {
        let words = ["-c", "shell1", "--method", "DoCommand", "--data"];
        let words = [&words[..], &[r#"{"command":{"get_viam_home":true}}"#]].concat();
        let answer = json(&mut self.part("run", DIRECT, &words))?;
        let folder = answer["result"]["viam_home"].as_str().map(PathBuf::from);
        folder.ok_or_else(|| "the machine does not say where its files are".to_owned())
    }
}

/// What a command that must succeed printed.
fn finished(command: &mut Command) -> Result<Output, Failure> {
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output();
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let output =
        output.map_err(|error| format!("cannot run `{}`: {error}", shell::shown(command)))?;
    if output.status.success() {
        return Ok(output);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let last = stderr.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no reason given");
    Err(format!("`{}` failed: {}", shell::shown(command), last.trim()))
}

fn json(command: &mut Command) -> Result<Value, Failure> {
    let output = finished(command)?;
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("`{}` printed no JSON: {error}", shell::shown(command)))
}

/// The address in the trace of the call that every connection begins with.
fn address(trace: &str) -> Option<&str> {
    let (_, rest) = trace.split_once("RobotService/ResourceNames to ")?;
    rest.split_once(": ").map(|(address, _)| address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_in_the_trace() {
        let trace = "1 DEBUG rpc /viam.app.v1.AppService/GetRobotPart to 127.0.0.1:1: Ok in 1ms\n\
            2 DEBUG rpc /viam.robot.v1.RobotService/ResourceNames to 127.0.0.1:4567: Ok in 2ms\n";
        assert_eq!(address(trace), Some("127.0.0.1:4567"));
        assert_eq!(address("nothing"), None);
    }
}
