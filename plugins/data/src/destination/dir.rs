//! A folder of this computer. What is not complete lies in `.viam-partial`, in a folder of its own
//! for each process, which the next export clears away if the process is gone.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use viam_contract::{Error, Kind, Result};

use super::{Put, SMALL, Shelf, Stat};

/// Where unfinished files are.
const PARTIAL: &str = ".viam-partial";

/// Directories are the user's own (behaviour.md §2.2).
const MODE: u32 = 0o700;

/// An open folder.
pub(crate) struct Dir {
    root: PathBuf,
    partial: OnceLock<Partial>,
    next: AtomicU64,
}

/// Where this process puts what is not complete.
struct Partial {
    path: PathBuf,
    /// Held as long as this process lives.
    _lock: File,
}

/// A file that has no name yet; it is gone if it never gets one. Its path is empty once it has.
pub(crate) struct Unnamed {
    file: File,
    path: PathBuf,
    shown: PathBuf,
}

impl Dir {
    /// Clears away what a killed export has left in the folder. It is made when there is something
    /// to put into it.
    pub(super) fn open(root: PathBuf) -> Result<Self> {
        let folder = root.join(PARTIAL);
        let fail = |error| failure(&root, error);
        match File::open(&folder) {
            Ok(door) => {
                // A system without locks is one where nothing is cleared away.
                if door.lock().is_ok() {
                    clear(&folder).map_err(fail)?;
                    // Others may be at work there.
                    let _ = fs::remove_dir(&folder);
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(fail(error)),
        }
        Ok(Self { root, partial: OnceLock::new(), next: AtomicU64::new(0) })
    }

    fn partial(&self) -> Result<&Path> {
        if let Some(partial) = self.partial.get() {
            return Ok(&partial.path);
        }
        let made = Partial::make(&self.root).map_err(|error| failure(&self.root, error))?;
        // Of two at once, the folder of one is thrown away.
        Ok(&self.partial.get_or_init(|| made).path)
    }

    /// Makes a folder.
    pub(super) fn folder(&self, path: &str) -> Result<()> {
        let path = self.root.join(path);
        make(&path).map_err(|error| failure(&path, error))
    }

    /// Begins a file.
    pub(super) fn begin(&self) -> Result<Unnamed> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let path = self.partial()?.join(number.to_string());
        let file = File::options().write(true).create_new(true).open(&path);
        let file = file.map_err(|error| failure(&self.root, error))?;
        Ok(Unnamed { file, path, shown: self.root.clone() })
    }

    /// Gives a file its name; where the name cannot be had, the file comes back.
    pub(super) fn publish(
        &self,
        mut file: Unnamed,
        path: &str,
        how: Put,
    ) -> Result<Option<Unnamed>> {
        let to = self.root.join(path);
        let mut moved = rename(&file.path, &to, how);
        if moved.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound)
            && let Some(parent) = to.parent()
        {
            moved = make(parent).and_then(|()| rename(&file.path, &to, how));
        }
        match moved {
            Ok(()) => {
                file.path.clear();
                Ok(None)
            }
            Err(error) if is_taken(&error) => Ok(Some(file)),
            Err(error) => Err(failure(&to, error)),
        }
    }
}

impl Partial {
    fn make(root: &Path) -> io::Result<Self> {
        let folder = root.join(PARTIAL);
        loop {
            make(&folder)?;
            let door = File::open(&folder)?;
            // Without the lock another process might take it for one that was left.
            let locked = door.lock().is_ok();
            let mut number = 0_u64;
            let path = loop {
                let path = folder.join(number.to_string());
                match DirBuilder::new().mode(MODE).create(&path) {
                    Ok(()) => break Some(path),
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                    // The last one has just cleared it away.
                    Err(error) if error.kind() == ErrorKind::NotFound => break None,
                    Err(error) => return Err(error),
                }
            };
            let Some(path) = path else { continue };
            let lock = File::open(&path)?;
            if locked {
                lock.lock()?;
            }
            return Ok(Self { path, _lock: lock });
        }
    }
}

/// Nothing unfinished stays when the export ends, however it ends.
impl Drop for Partial {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
        if let Some(folder) = self.path.parent() {
            // Others may be at work there.
            let _ = fs::remove_dir(folder);
        }
    }
}

impl Unnamed {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| failure(&self.shown, error))
    }

    /// Throws away what was written.
    pub(crate) fn restart(&mut self) -> Result<()> {
        let again = self.file.set_len(0).and_then(|()| io::Seek::rewind(&mut self.file));
        again.map_err(|error| failure(&self.shown, error))
    }
}

impl Drop for Unnamed {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            // Its folder may have been cleared away.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Shelf for Dir {
    fn read(&self, path: &str) -> Result<Option<Bytes>> {
        let path = self.root.join(path);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(failure(&path, error)),
        };
        let mut bytes = Vec::new();
        match file.take(SMALL).read_to_end(&mut bytes) {
            Ok(_) => Ok(Some(bytes.into())),
            // A folder of that name.
            Err(error) if error.kind() == ErrorKind::IsADirectory => Ok(Some(Bytes::new())),
            Err(error) => Err(failure(&path, error)),
        }
    }

    fn stat(&self, path: &str) -> Result<Option<Stat>> {
        let path = self.root.join(path);
        match fs::metadata(&path) {
            Ok(meta) if meta.is_file() => {
                Ok(Some(Stat { size: meta.len(), changed: meta.modified().ok() }))
            }
            Ok(_) => Ok(None),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(failure(&path, error)),
        }
    }

    fn put(&self, path: &str, bytes: Bytes, how: Put) -> Result<bool> {
        let mut file = self.begin()?;
        file.write(&bytes)?;
        Ok(self.publish(file, path, how)?.is_none())
    }

    fn remove(&self, path: &str) -> Result<()> {
        let path = self.root.join(path);
        match fs::remove_file(&path) {
            Err(error) if !is_missing(&error) && !is_taken(&error) => Err(failure(&path, error)),
            _ => Ok(()),
        }
    }
}

/// Removes the folders of processes that are gone.
fn clear(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if let Ok(other) = File::open(&path)
            && other.try_lock().is_ok()
        {
            fs::remove_dir_all(&path)?;
        }
    }
    Ok(())
}

fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(MODE).create(folder)
}

fn rename(from: &Path, to: &Path, how: Put) -> io::Result<()> {
    if how == Put::Over {
        return fs::rename(from, to);
    }
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        // A file system that cannot do it in one step; most of those have links.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => match fs::hard_link(from, to) {
            Ok(()) => fs::remove_file(from),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
            Err(_) if fs::symlink_metadata(to).is_ok() => Err(ErrorKind::AlreadyExists.into()),
            Err(_) => fs::rename(from, to),
        },
        Err(error) => Err(error.into()),
    }
}

/// Whether there is nothing of the name. Below a file there is nothing either.
fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename
    )
}

/// Whether another name may be had where this one is not.
fn is_taken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::AlreadyExists
            | ErrorKind::IsADirectory
            | ErrorKind::NotADirectory
            | ErrorKind::DirectoryNotEmpty
            | ErrorKind::InvalidFilename
    )
}

fn failure(path: &Path, error: io::Error) -> Error {
    let full = matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
    let failed = Error::new(Kind::User, format!("cannot write to {}", path.display()));
    let failed = failed.because(error);
    if full {
        failed.hint_text("make room and run it again: what is complete stays")
    } else {
        failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_once_and_nothing_unfinished_stays() {
        let root = tempfile::tempdir().expect("folder");
        let dir = Dir::open(root.path().to_owned()).expect("open");
        assert!(dir.put("metadata/d/a.json", Bytes::from_static(b"1"), Put::New).expect("put"));
        assert!(!dir.put("metadata/d/a.json", Bytes::from_static(b"2"), Put::New).expect("put"));
        assert_eq!(dir.read("metadata/d/a.json").expect("read").as_deref(), Some(&b"1"[..]));
        assert!(dir.put("metadata/d/a.json", Bytes::from_static(b"3"), Put::Over).expect("put"));
        // A folder is no place for a file, and a file none for a folder.
        assert!(!dir.put("metadata/d", Bytes::new(), Put::New).expect("put"));
        assert!(!dir.put("metadata/d", Bytes::new(), Put::Over).expect("put"));
        assert!(!dir.put("metadata/d/a.json/x", Bytes::new(), Put::New).expect("put"));
        assert_eq!(dir.stat("metadata/d").expect("stat"), None);
        assert_eq!(dir.read("metadata/d/a.json/x").expect("read"), None);
        std::mem::forget(dir.begin().expect("begun"));
        drop(dir);
        assert!(!root.path().join(PARTIAL).exists());
    }

    #[test]
    fn what_a_killed_process_left_is_cleared_and_what_another_writes_is_not() {
        let root = tempfile::tempdir().expect("folder");
        let left = root.path().join(PARTIAL).join("0");
        let clean = Dir::open(root.path().join("none/there")).expect("open");
        assert!(!root.path().join("none").exists());
        drop(clean);
        fs::create_dir_all(&left).expect("left");
        fs::write(left.join("7"), "half").expect("left");
        let one = Dir::open(root.path().to_owned()).expect("open");
        assert!(!left.join("7").exists());
        let mut half = one.begin().expect("begun");
        half.write(b"half").expect("written");
        let two = Dir::open(root.path().to_owned()).expect("open");
        assert!(half.path.exists());
        drop(two);
        assert!(one.publish(half, "data/x", Put::New).expect("published").is_none());
        assert_eq!(fs::read(root.path().join("data/x")).expect("there"), b"half");
    }
}
