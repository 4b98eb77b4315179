//! The independent programs that some tests talk to.
//!
//! They are fetched once, before the tests, so that the tests themselves need no network.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::{Failure, shell};

/// The version of `viam-sdk` that the tests are written for.
const SDK: &str = "0.85.1";

/// The version of `zeroconf`, which announces machines on the local network.
const ZEROCONF: &str = "0.154.0";

/// The version of `pyarrow`, which reads tables.
const PYARROW: &str = "26.0.1";

/// Prints the versions of the packages that a Python has.
const ASK_VERSION: &str = "import importlib.metadata as m; \
    print(m.version('viam-sdk'), m.version('zeroconf'), m.version('pyarrow'))";

/// The names under which Chromium goes.
const CHROMIUM: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

/// What there is.
pub(crate) struct Peers {
    /// A Python with `viam-sdk`.
    pub(crate) python: Option<PathBuf>,
    /// A Chromium.
    pub(crate) chromium: Option<PathBuf>,
    /// Why one is missing, a line each.
    pub(crate) missing: Vec<String>,
}

/// Gets what is missing below `target/peers`.
pub(crate) fn get(target: &Path) -> Result<Peers, Failure> {
    let mut peers = Peers { python: None, chromium: chromium(), missing: Vec::new() };
    if peers.chromium.is_none() {
        let names = CHROMIUM.join(", ");
        peers
            .missing
            .push(format!("no Chromium: PATH has none of {names} and CHROMIUM names none"));
    }
    match python(&target.join("peers/python")) {
        Ok(path) => peers.python = Some(path),
        Err(why) => peers.missing.push(format!("no Python with viam-sdk {SDK}: {why}")),
    }
    if !peers.missing.is_empty() && required() {
        return Err(format!("{} (VIAM_REQUIRE_PEERS is set)", peers.missing.join("; ")));
    }
    Ok(peers)
}

/// Whether a missing peer is a failure.
fn required() -> bool {
    env::var_os("VIAM_REQUIRE_PEERS").is_some_and(|value| !value.is_empty() && value != "0")
}

fn chromium() -> Option<PathBuf> {
    let named = env::var_os("CHROMIUM").filter(|name| !name.is_empty()).map(PathBuf::from);
    named.filter(|path| path.is_file()).or_else(|| shell::on_path(CHROMIUM))
}

/// The Python of a virtual environment with the SDK in it.
fn python(venv: &Path) -> Result<PathBuf, Failure> {
    let python = venv.join("bin/python");
    if has_packages(&python) {
        return Ok(python);
    }
    eprintln!("fetching viam-sdk {SDK} into {}", venv.display());
    // What an interrupted run left behind is of no use.
    if venv.exists() {
        fs::remove_dir_all(venv)
            .map_err(|error| format!("cannot remove {}: {error}", venv.display()))?;
    }
    shell::output(shell::command("python3").args(["-m", "venv"]).arg(venv))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    let packages = [
        format!("viam-sdk=={SDK}"),
        format!("zeroconf=={ZEROCONF}"),
        format!("pyarrow=={PYARROW}"),
    ];
    shell::output(shell::command(&python).args(install).args(packages))?;
    if has_packages(&python) { Ok(python) } else { Err("it cannot be imported".to_owned()) }
}

fn has_packages(python: &Path) -> bool {
    python.exists()
        && shell::output(shell::command(python).args(["-c", ASK_VERSION])).is_ok_and(|version| {
            String::from_utf8_lossy(&version).trim() == format!("{SDK} {ZEROCONF} {PYARROW}")
        })
}
