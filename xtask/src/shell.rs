//! Running other programs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::Failure;

/// A command in the root of the repository.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(crate::workspace::root());
    command
}

/// `cargo`, the one that runs this program.
pub(crate) fn cargo<I: IntoIterator<Item: AsRef<OsStr>>>(arguments: I) -> Command {
    let mut command = command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    // What cargo tells a program that it runs would change the fingerprints of some builds.
    for (name, _) in env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR")
        {
            command.env_remove(name);
        }
    }
    command
}

/// How a command is shown.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// Says what is run, and whether it succeeded.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool, Failure> {
    eprintln!("$ {}", shown(command));
    let status = command.status().map_err(|error| cannot(command, &error))?;
    Ok(status.success())
}

/// Runs what must succeed.
pub(crate) fn must(command: &mut Command) -> Result<(), Failure> {
    if succeeds(command)? { Ok(()) } else { Err(format!("`{}` failed", shown(command))) }
}

/// The stdout of what must succeed; without success, the last words of its stderr.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>, Failure> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| cannot(command, &error))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let last = stderr.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no reason given");
    Err(format!("`{}` failed: {}", shown(command), last.trim()))
}

fn cannot(command: &Command, error: &std::io::Error) -> Failure {
    format!("cannot run `{}`: {error}", shown(command))
}

/// The first of some programs that PATH has.
pub(crate) fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    names.iter().find_map(|name| {
        folders.iter().map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
    })
}

/// Writes a file and the folders above it.
pub(crate) fn write(path: &Path, contents: impl AsRef<[u8]>) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, contents))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// Copies a file to a place that another copy may be running from.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let folder = to.parent().unwrap_or(to);
    let unfinished = folder.join(".unfinished");
    fs::create_dir_all(folder)
        .and_then(|()| fs::copy(from, &unfinished))
        .and_then(|_| fs::rename(&unfinished, to))
        .map_err(|error| format!("cannot copy {} to {}: {error}", from.display(), to.display()))
}
