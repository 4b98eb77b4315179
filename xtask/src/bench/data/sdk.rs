//! The Python SDK doing the same.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Failure, peers, shell};

use super::super::sandbox::Sandbox;
use super::super::scratch::Scratch;

/// Runs a script with the address of the sandbox and more arguments, a key in its environment. It
/// prints how many things came and the seconds that it took; the result is things a second.
pub(super) fn rate(
    scratch: &Scratch,
    target: &Path,
    sandbox: &Sandbox,
    script: &str,
    arguments: &[String],
) -> Result<f64, Failure> {
    let peers = peers::get(target)?;
    let python = peers.python.ok_or_else(|| peers.missing.join("; "))?;
    let mut key = scratch.command(&scratch.viam);
    key.args(["organizations", "api-key", "create", "--org-id", "Data", "--format", "json"])
        .env("VIAM_HOME", sandbox.home());
    let key = json(&output(&mut key)?)?;
    let login = fs::read(sandbox.home().join("cached_cli_config.json"));
    let login = json(&login.map_err(|error| error.to_string())?)?;
    let text = |value: &Value| value.as_str().map(str::to_owned).unwrap_or_default();
    let file = scratch.path("sdk.py");
    shell::write(&file, script)?;
    let mut command = scratch.command(&python);
    command
        .arg(&file)
        .arg(text(&login["base_url"]))
        .args(arguments)
        .env("KEY_ID", text(&key["id"]))
        .env("KEY", text(&key["key"]));
    let said = String::from_utf8_lossy(&output(&mut command)?).into_owned();
    read(&said).ok_or_else(|| format!("the script says {said:?}"))
}

fn json(bytes: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

fn output(command: &mut Command) -> Result<Vec<u8>, Failure> {
    shell::output(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
}

fn read(said: &str) -> Option<f64> {
    let (count, seconds) = said.trim().split_once(' ')?;
    let (count, seconds): (f64, f64) = (count.parse().ok()?, seconds.parse().ok()?);
    (count > 0.0 && seconds > 0.0).then_some(count / seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_says_a_count_and_seconds() {
        assert_eq!(read("100 4.0\n"), Some(25.0));
        assert_eq!(read("0 4.0"), None);
        assert_eq!(read("no rows"), None);
    }
}
