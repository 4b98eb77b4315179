//! Writing files so that a reader sees the old or the new content and never anything between,
//! and locks between processes.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use viam_contract::{Error, Kind, Result, ResultExt as _};

/// How long another process may hold a lock before we give up. Longer than a refresh takes.
const LOCK_LIMIT: Duration = Duration::from_secs(40);

/// Creates a folder and what is missing above it, 0700.
///
/// # Errors
/// `Config` with the path, the owner of what is in the way and the next step.
pub fn private_dir(dir: &Path) -> Result<()> {
    if dir.as_os_str().is_empty() {
        return Err(Error::new(Kind::Config, "there is no home folder to keep the login in")
            .hint_text("set HOME or VIAM_HOME to a folder of yours"));
    }
    if dir.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|error| explain(dir, "cannot create", error))
}

/// Replaces the content of a file: unique temporary file 0600 in the same folder, fsync, rename,
/// fsync of the folder. A link is followed, so that it stays a link.
///
/// # Errors
/// `Config` with the path, its owner and the next step; the old content is untouched.
pub fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let target = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_symlink() => fs::canonicalize(path).unwrap_or_else(|_| path.into()),
        _ => path.to_path_buf(),
    };
    let dir = target.parent().unwrap_or(Path::new("."));
    private_dir(dir)?;
    let fail = |error: io::Error| explain(path, "cannot write", error);
    let mut temporary =
        tempfile::Builder::new().prefix(".viam-").suffix(".tmp").tempfile_in(dir).map_err(fail)?;
    temporary.write_all(content).map_err(fail)?;
    temporary.as_file().sync_all().map_err(fail)?;
    temporary.persist(&target).map_err(|error| fail(error.error))?;
    if let Ok(dir) = File::open(dir) {
        // Some file systems cannot sync a folder; the rename is done all the same.
        drop(dir.sync_all());
    }
    Ok(())
}

/// Replaces the content of a file by a value as indented JSON, without a newline at the end: byte
/// for byte as the existing program writes its files.
///
/// # Errors
/// As [`replace`]; `Internal` for a value that JSON cannot hold, and then nothing is written.
pub fn replace_json<T: Serialize + ?Sized>(path: &Path, value: &T) -> Result<()> {
    let text = serde_json::to_vec_pretty(value)
        .or_kind(Kind::Internal, || format!("cannot write {} as JSON", path.display()))?;
    replace(path, &text)
}

/// Whether files in the folder can be written, tried without leaving anything.
///
/// # Errors
/// As [`replace`].
pub fn check_writable(dir: &Path) -> Result<()> {
    private_dir(dir)?;
    tempfile::Builder::new()
        .prefix(".viam-")
        .suffix(".tmp")
        .tempfile_in(dir)
        .map(drop)
        .map_err(|error| explain(dir, "cannot write into", error))
}

/// Reads a file; `None` where there is none.
///
/// # Errors
/// `Config` with the path and its owner.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(explain(path, "cannot read", error)),
    }
}

/// Removes a file; true when there was one.
///
/// # Errors
/// `Config` with the path and its owner.
pub fn remove(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(explain(path, "cannot remove", error)),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The failure of a file, with who owns what is in the way.
fn explain(path: &Path, doing: &str, error: io::Error) -> Error {
    let denied =
        matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem);
    let fault = Error::new(Kind::Config, format!("{doing} {}", path.display())).because(error);
    if !denied {
        return fault;
    }
    let me = rustix::process::getuid().as_raw();
    let mut at = path;
    loop {
        if let Ok(meta) = fs::symlink_metadata(at) {
            return if meta.uid() == me {
                fault.hint_text(format!(
                    "{} is yours but its mode {:04o} or its file system forbids it; VIAM_HOME can \
                     name another folder",
                    at.display(),
                    meta.mode() & 0o7777
                ))
            } else {
                fault.hint_text(format!(
                    "{} belongs to user {} and you are user {me}; `sudo chown -R {me} {}` \
                     gives it to you",
                    at.display(),
                    meta.uid(),
                    at.display()
                ))
            };
        }
        match at.parent() {
            Some(parent) => at = parent,
            None => return fault,
        }
    }
}

/// A lock between processes, let go when dropped or when the process ends.
#[derive(Debug)]
pub struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a child between fork and exec has the file open too.
        let _ = self.0.unlock();
    }
}

/// Waits for the lock that a file stands for.
///
/// # Errors
/// `Config` when the file cannot be made, or when the lock is not had within 40 s.
pub async fn lock(path: &Path) -> Result<Lock> {
    private_dir(path.parent().unwrap_or(Path::new(".")))?;
    let file = open_lock(path)?;
    let mut waited = Duration::ZERO;
    loop {
        if try_lock(&file, path)? {
            return Ok(Lock(file));
        }
        if waited >= LOCK_LIMIT {
            return Err(busy(path));
        }
        let step = Duration::from_millis(20);
        tokio::time::sleep(step).await;
        waited += step;
    }
}

/// The same without a runtime: for writes that take milliseconds.
///
/// # Errors
/// As [`lock`].
#[expect(clippy::disallowed_methods, reason = "no runtime is built for a write of a small file")]
pub fn lock_blocking(path: &Path) -> Result<Lock> {
    private_dir(path.parent().unwrap_or(Path::new(".")))?;
    let file = open_lock(path)?;
    let mut waited = Duration::ZERO;
    while !try_lock(&file, path)? {
        if waited >= LOCK_LIMIT {
            return Err(busy(path));
        }
        let step = Duration::from_millis(20);
        std::thread::sleep(step);
        waited += step;
    }
    Ok(Lock(file))
}

fn open_lock(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| explain(path, "cannot open the lock", error))
}

fn try_lock(file: &File, path: &Path) -> Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        // A file system without locks (some network mounts): go on without one.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(true),
        Err(TryLockError::Error(error)) => Err(explain(path, "cannot lock", error)),
    }
}

fn busy(path: &Path) -> Error {
    let path: PathBuf = path.into();
    Error::new(Kind::Config, format!("another viam process holds {}", path.display()))
        .hint_text("wait for it, or end it, and try again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_write_is_private_whole_and_leaves_nothing_beside() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("deep/er/file.json");
        replace(&path, b"one").expect("writes");
        replace(&path, b"two").expect("writes");
        assert_eq!(fs::read(&path).expect("reads"), b"two");
        assert_eq!(fs::metadata(&path).expect("meta").permissions().mode() & 0o777, 0o600);
        let parent = path.parent().expect("parent");
        assert_eq!(fs::metadata(parent).expect("meta").permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(parent).expect("list").count(), 1);
    }

    #[test]
    fn a_link_stays_a_link() {
        let dir = tempfile::tempdir().expect("dir");
        let real = dir.path().join("real");
        let link = dir.path().join("link");
        fs::write(&real, "old").expect("writes");
        std::os::unix::fs::symlink(&real, &link).expect("links");
        replace(&link, b"new").expect("writes");
        assert!(fs::symlink_metadata(&link).expect("meta").is_symlink());
        assert_eq!(fs::read(&real).expect("reads"), b"new");
    }

    #[test]
    fn absent_is_not_an_error_and_a_folder_is() {
        let dir = tempfile::tempdir().expect("dir");
        assert!(read(&dir.path().join("no/such")).expect("absent").is_none());
        let error = read(dir.path()).expect_err("a folder");
        assert!(error.message().contains("cannot read"));
    }

    #[test]
    fn one_holder_at_a_time() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("lock");
        let held = lock_blocking(&path).expect("locks");
        let other = open_lock(&path).expect("opens");
        assert!(!try_lock(&other, &path).expect("asks"));
        // What a child has open between fork and exec is a copy like this one.
        let _copy = held.0.try_clone().expect("copies");
        drop(held);
        assert!(try_lock(&other, &path).expect("asks"));
    }
}
