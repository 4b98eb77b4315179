//! Files of a machine on this computer: under another name until they are whole.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, FileTimes, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::Mode;
use tempfile::NamedTempFile;
use viam_contract::{Error, Kind, Result};
use viam_proto::service::shell::v1::FileData;

use super::attempt::{Failure, passing};

/// Modes where the machine sends none, and of directories that it does not send at all.
const FILE: u32 = 0o640;
const DIRECTORY: u32 = 0o750;
const BETWEEN: u32 = 0o755;

/// How much of a name goes into the one of the unfinished file, in bytes; names have up to 255.
const NAME: usize = 200;

/// Where everything is stored.
pub(super) struct Store {
    preserve: bool,
    /// What the user's settings take away of modes.
    umask: u32,
    /// The directories that were made here.
    made: HashSet<PathBuf>,
}

/// A file that is being received.
pub(super) struct Unfinished {
    file: NamedTempFile,
    path: PathBuf,
    size: i64,
    written: i64,
    mode: u32,
    modified: Option<SystemTime>,
}

impl Store {
    pub(super) fn new(preserve: bool) -> Self {
        // It can only be read by setting it.
        let umask = rustix::process::umask(Mode::from_raw_mode(0o077));
        rustix::process::umask(umask);
        Self { preserve, umask: umask.as_raw_mode(), made: HashSet::new() }
    }

    /// Begins a file.
    pub(super) fn begin(&mut self, path: PathBuf, first: &FileData) -> Result<Unfinished> {
        let fail = |error| unwritable(&path, error);
        let parent = path.parent().unwrap_or(Path::new("/"));
        self.directory(parent)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut length = name.len().min(NAME);
        while !name.is_char_boundary(length) {
            length -= 1;
        }
        let file = tempfile::Builder::new()
            .prefix(&format!("{}.download-", &name[..length]))
            .tempfile_in(parent)
            .map_err(fail)?;
        let mode = self.mode(first, FILE);
        let modified = self.modified(first);
        Ok(Unfinished { file, path, size: first.size, written: 0, mode, modified })
    }

    /// A directory that the machine sends after what is in it.
    pub(super) fn finish_directory(&mut self, path: &Path, data: &FileData) -> Result<()> {
        let fail = |error| unwritable(path, error);
        self.directory(path)?;
        // One that was there keeps its mode.
        if self.preserve || self.made.contains(path) {
            let mode = self.mode(data, DIRECTORY);
            fs::set_permissions(path, Permissions::from_mode(mode)).map_err(fail)?;
        }
        if let Some(modified) = self.modified(data) {
            let times = FileTimes::new().set_modified(modified);
            File::open(path).and_then(|file| file.set_times(times)).map_err(fail)?;
        }
        Ok(())
    }

    fn directory(&mut self, path: &Path) -> Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.directory(parent)?;
        }
        DirBuilder::new().mode(BETWEEN).create(path).map_err(|error| unwritable(path, error))?;
        self.made.insert(path.to_owned());
        Ok(())
    }

    /// Only bits of permissions: a machine gives no file to another user.
    fn mode(&self, data: &FileData, otherwise: u32) -> u32 {
        let mode = data.mode.map_or(otherwise, |mode| mode & 0o777);
        if self.preserve { mode } else { mode & !self.umask }
    }

    fn modified(&self, data: &FileData) -> Option<SystemTime> {
        data.mod_time.filter(|_| self.preserve)?.try_into().ok()
    }
}

impl Unfinished {
    pub(super) fn write(&mut self, data: &[u8]) -> Result<()> {
        self.file.write_all(data).map_err(|error| unwritable(&self.path, error))?;
        self.written = self.written.saturating_add(data.len().try_into().unwrap_or(i64::MAX));
        Ok(())
    }

    /// Gives it its name if it is whole.
    pub(super) fn finish(self) -> Result<(), Failure> {
        if self.written != self.size {
            return Err(passing(format!(
                "{} came with {} bytes instead of {}",
                self.path.display(),
                self.written,
                self.size
            )));
        }
        let fail = |error| unwritable(&self.path, error);
        let file = self.file.as_file();
        file.set_permissions(Permissions::from_mode(self.mode)).map_err(fail)?;
        if let Some(modified) = self.modified {
            file.set_times(FileTimes::new().set_modified(modified)).map_err(fail)?;
        }
        self.file.persist(&self.path).map_err(|error| unwritable(&self.path, error.error))?;
        Ok(())
    }
}

fn unwritable(path: &Path, error: io::Error) -> Error {
    Error::new(Kind::User, format!("cannot write {}", path.display())).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_files_get_their_name() {
        let root = tempfile::tempdir().expect("directory");
        let path = root.path().join("d/a b é");
        let mut store = Store::new(true);
        let first = FileData { size: 3, mode: Some(0o100_600), ..FileData::default() };
        let mut file = store.begin(path.clone(), &first).expect("begun");
        file.write(b"ab").expect("written");
        assert!(matches!(file.finish(), Err(Failure::Passing(_))));
        assert_eq!(fs::read_dir(root.path().join("d")).expect("read").count(), 0);
        let mut file = store.begin(path.clone(), &first).expect("begun");
        file.write(b"abc").expect("written");
        assert!(!path.exists());
        assert!(file.finish().is_ok());
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o7777, 0o600);
        let long = root.path().join("é".repeat(120));
        assert!(store.begin(long, &FileData::default()).expect("begun").finish().is_ok());
    }
}
