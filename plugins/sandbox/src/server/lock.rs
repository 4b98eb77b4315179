//! The lock by which one sandbox at a time has a directory.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use viam_contract::{Error, Kind, Result, ResultExt as _};

use crate::files;

/// The name of the file in the directory that a running sandbox holds locked.
const LOCK_FILE: &str = "sandbox.lock";

/// How often [`take`] tries, and the pause between: [`is_held`] has the lock while it looks.
const TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(20);

/// Held as long as the sandbox runs; the system lets go of it whatever happens.
#[derive(Debug)]
pub(crate) struct DirLock(File);

impl Drop for DirLock {
    fn drop(&mut self) {
        // Closing is not enough: a child between fork and exec has the file open too.
        let _ = self.0.unlock();
    }
}

/// Makes the directory this sandbox's own.
///
/// # Errors
/// `User` when another sandbox has it, `Config` when it cannot be used.
pub(crate) fn take(dir: &Path) -> Result<DirLock> {
    files::make_private_dir(dir)?;
    let doing = || format!("cannot lock the sandbox in {}", dir.display());
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join(LOCK_FILE))
        .or_kind(Kind::Config, doing)?;
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(DirLock(file)),
            Err(TryLockError::WouldBlock) => pause(),
            Err(TryLockError::Error(error)) => {
                return Err(Error::new(Kind::Config, doing()).because(error));
            }
        }
    }
    Err(Error::new(Kind::User, format!("a sandbox is running in {}", dir.display()))
        .hint_run("viam sandbox status"))
}

#[expect(clippy::disallowed_methods, reason = "a sandbox starts before it has a runtime")]
fn pause() {
    std::thread::sleep(PAUSE);
}

/// Whether a sandbox holds a directory, be it about to end.
pub(crate) fn is_held(dir: &Path) -> bool {
    let file = File::open(dir.join(LOCK_FILE)).ok();
    file.is_some_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_it_at_a_time() {
        let dir = tempfile::tempdir().expect("directory");
        assert!(!is_held(dir.path()));
        let held = take(dir.path()).expect("free");
        assert!(is_held(dir.path()));
        let error = take(dir.path()).expect_err("taken");
        assert!(error.message().starts_with("a sandbox is running in"), "{error:?}");
        drop(held);
        assert!(!is_held(dir.path()));
    }

    /// What a child has open between fork and exec is a copy like this one.
    #[test]
    fn a_copy_of_the_file_does_not_keep_it() {
        let dir = tempfile::tempdir().expect("directory");
        let held = take(dir.path()).expect("free");
        let _copy = held.0.try_clone().expect("copied");
        drop(held);
        take(dir.path()).expect("free again");
    }

    #[test]
    fn one_that_only_looks_is_no_hindrance() {
        let dir = tempfile::tempdir().expect("directory");
        drop(take(dir.path()).expect("free"));
        let looking = File::open(dir.path().join(LOCK_FILE)).expect("open");
        looking.try_lock_shared().expect("shared");
        std::thread::scope(|scope| {
            let taken = scope.spawn(|| take(dir.path()));
            pause();
            drop(looking);
            taken.join().expect("ended").expect("taken");
        });
    }
}
