//! Descriptors that the core has opened for us and named in the environment.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{FromRawFd as _, OwnedFd};

/// Takes over the descriptor of `fd:N`.
///
/// # Errors
/// When there is no such descriptor.
#[expect(unsafe_code, reason = "the other half of the hand-over by exec: the number is ours alone")]
fn take(place: &str) -> io::Result<OwnedFd> {
    let number: i32 = place
        .strip_prefix("fd:")
        .and_then(|number| number.parse().ok())
        .filter(|number| *number > 2)
        .ok_or_else(|| io::Error::other(format!("{place:?} names no descriptor")))?;
    // SAFETY: the core opened this descriptor for this process before it became it, and nothing
    // else in this process knows the number; it is taken once, at start.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Reads the session document from where `VIAM_SESSION` says it is, and gives the user's stdin
/// back its place.
///
/// # Errors
/// When the descriptors are not as the core left them.
pub(crate) fn read_session(session: &str, stdin: &str) -> io::Result<Vec<u8>> {
    let mut document = Vec::new();
    if session == "stdin" {
        io::stdin().lock().read_to_end(&mut document)?;
        if stdin.starts_with("fd:") {
            rustix::stdio::dup2_stdin(take(stdin)?)?;
        } else {
            rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
        }
    } else {
        File::from(take(session)?).read_to_end(&mut document)?;
    }
    Ok(document)
}
