//! File copy of the shell service, within the machine's own folder (transport.md §6.3).

mod from;
mod to;

use std::fs;
use std::path::{Component, Path, PathBuf};

use tonic::Status;

pub(super) use from::copy as from_machine;
pub(super) use to::copy as to_machine;

/// How much of a file is in a message, in bytes.
const CHUNK: usize = 256 * 1024;

/// Messages that wait.
const QUEUE: usize = 4;

/// What tells a directory in a mode of Go.
const DIRECTORY: u32 = 1 << 31;

/// The largest message that is taken, as on machines.
pub(super) const RECEIVE_LIMIT: usize = 32 * 1024 * 1024;

/// A path of the machine: `~`, `$VIAM_HOME` and what is relative are in its folder, and nothing
/// else is there.
fn resolve(home: &Path, given: &str) -> Result<PathBuf, Status> {
    let denied = || Status::permission_denied(format!("{given:?} is not in the machine's folder"));
    let home = fs::canonicalize(home).map_err(|error| failed(home, &error))?;
    let inside = ["~", "$VIAM_HOME"].iter().find_map(|start| match given.strip_prefix(start) {
        Some("") => Some(""),
        Some(rest) => rest.strip_prefix('/'),
        None => None,
    });
    let mut path = home.clone();
    for component in home.join(inside.unwrap_or(given)).components() {
        match component {
            Component::RootDir => path = PathBuf::from("/"),
            Component::ParentDir => drop(path.pop()),
            Component::Normal(name) => path.push(name),
            Component::CurDir | Component::Prefix(_) => {}
        }
    }
    // Links that a shell made may lead out of it.
    let there = path.ancestors().find_map(|path| fs::canonicalize(path).ok());
    if path.starts_with(&home) && there.is_some_and(|there| there.starts_with(&home)) {
        Ok(path)
    } else {
        Err(denied())
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Status {
    let words = format!("{}: {error}", path.display());
    match error.kind() {
        std::io::ErrorKind::NotFound => Status::not_found(words),
        std::io::ErrorKind::PermissionDenied => Status::permission_denied(words),
        _ => Status::internal(words),
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    #[test]
    fn nothing_outside_the_folder_is_reached() {
        let root = tempfile::tempdir().expect("directory");
        let home = root.path().canonicalize().expect("path").join("home");
        fs::create_dir(&home).expect("made");
        std::os::unix::fs::symlink("/", home.join("out")).expect("linked");
        let inside = home.join("a/b").display().to_string();
        for given in ["a/b", "~/a/b", "$VIAM_HOME/a/b", "./a/x/../b", &*inside] {
            assert_eq!(resolve(&home, given).expect(given), home.join("a/b"));
        }
        for given in ["", "~", "$VIAM_HOME", "."] {
            assert_eq!(resolve(&home, given).expect(given), home);
        }
        for given in ["/etc", "..", "~/../x", "a/../../home2", "out/etc", "out"] {
            let status = resolve(&home, given).expect_err(given);
            assert_eq!(status.code(), Code::PermissionDenied, "{given}");
        }
    }
}
