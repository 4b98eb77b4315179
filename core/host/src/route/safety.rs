//! Whether a plugin's file can be trusted to be what its owner put there.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

const WORLD_WRITABLE: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// Why the file must not be run: anybody could have written it. Group-writable is accepted.
#[must_use]
pub fn unsafe_reason(path: &Path) -> Option<String> {
    let file = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) => return Some(format!("it cannot be looked at: {error}")),
    };
    if file.mode() & WORLD_WRITABLE != 0 {
        return Some(format!(
            "everybody may write to it (mode {:04o}); `chmod o-w {}` corrects that",
            file.mode() & 0o7777,
            path.display()
        ));
    }
    let dir = path.parent()?;
    let folder = fs::metadata(dir).ok()?;
    if folder.mode() & WORLD_WRITABLE != 0 {
        let own = file.uid() == rustix::process::geteuid().as_raw();
        if folder.mode() & STICKY != 0 && own {
            return None;
        }
        return Some(format!(
            "everybody may write to its folder {} (mode {:04o})",
            dir.display(),
            folder.mode() & 0o7777
        ));
    }
    None
}
