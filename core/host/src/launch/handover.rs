//! Giving the document on a descriptor, and moving the user's stdin out of its way.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::os::fd::{AsFd as _, IntoRawFd as _, OwnedFd};

use rustix::io::FdFlags;
use viam_contract::{Kind, Result, ResultExt as _, SessionMode};

/// Where the plugin finds the two; the descriptors are open and survive `exec`.
pub(super) struct Places {
    /// `VIAM_SESSION`.
    pub(super) session: String,
    /// `VIAM_STDIN`.
    pub(super) stdin: String,
}

/// What is decided before the document is written, since the document names it.
pub(super) enum Plan {
    /// The document on stdin, the user's stdin on this descriptor, or nowhere.
    Stdin(Option<OwnedFd>),
    /// The document on another descriptor.
    Fd,
    /// No document.
    None,
}

/// Moves the user's stdin if the document takes its place.
///
/// # Errors
/// `Internal` when the system has no descriptor left.
pub(super) fn plan(mode: SessionMode) -> Result<Plan> {
    match mode {
        SessionMode::None => Ok(Plan::None),
        SessionMode::Fd => Ok(Plan::Fd),
        SessionMode::Stdin => {
            if stdin_was_closed() {
                return Ok(Plan::Stdin(None));
            }
            // The lowest free one from 3 (dash knows one digit), inherited.
            let moved = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)
                .or_kind(Kind::Internal, || "cannot move the standard input".to_owned())?;
            rustix::io::fcntl_setfd(&moved, FdFlags::empty())
                .or_kind(Kind::Internal, || "cannot keep the standard input open".to_owned())?;
            Ok(Plan::Stdin(Some(moved)))
        }
    }
}

impl Plan {
    /// The value of `VIAM_STDIN`.
    pub(super) fn stdin(&self) -> String {
        use std::os::fd::AsRawFd as _;
        match self {
            Self::Stdin(Some(fd)) => format!("fd:{}", fd.as_raw_fd()),
            Self::Stdin(None) => "none".to_owned(),
            Self::Fd | Self::None => {
                if stdin_was_closed() {
                    "none".to_owned()
                } else {
                    "inherit".to_owned()
                }
            }
        }
    }

    /// Puts the document in its place.
    ///
    /// # Errors
    /// `Internal` when the system refuses a descriptor.
    pub(super) fn deliver(self, document: &[u8]) -> Result<Places> {
        let stdin = self.stdin();
        let doing = || "cannot hand the session over".to_owned();
        let session = match self {
            Self::None => "none".to_owned(),
            Self::Fd => {
                // Never 0 to 2: those are open, if only on /dev/null.
                let reader = filled(document)?;
                rustix::io::fcntl_setfd(&reader, FdFlags::empty())
                    .or_kind(Kind::Internal, doing)?;
                format!("fd:{}", reader.into_raw_fd())
            }
            Self::Stdin(moved) => {
                let reader = filled(document)?;
                rustix::stdio::dup2_stdin(&reader).or_kind(Kind::Internal, doing)?;
                if let Some(moved) = moved {
                    // It stays open for the program that replaces this one.
                    let _ = moved.into_raw_fd();
                }
                "stdin".to_owned()
            }
        };
        Ok(Places { session, stdin })
    }
}

/// A descriptor from which the document can be read, with nobody left to write it: a pipe, or
/// where a pipe holds less (a user over the system's limit), a file without a name.
fn filled(document: &[u8]) -> Result<OwnedFd> {
    let doing = || "cannot hand the session over".to_owned();
    let (reader, writer) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).or_kind(Kind::Internal, doing)?;
    #[cfg(target_os = "linux")]
    let room = rustix::pipe::fcntl_getpipe_size(&writer).unwrap_or(4096);
    #[cfg(not(target_os = "linux"))]
    let room = 4096;
    if document.len() <= room {
        let mut writer = File::from(writer);
        writer.write_all(document).or_kind(Kind::Internal, doing)?;
        return Ok(reader);
    }
    let mut file = tempfile::tempfile().or_kind(Kind::Internal, doing)?;
    file.write_all(document).or_kind(Kind::Internal, doing)?;
    file.rewind().or_kind(Kind::Internal, doing)?;
    Ok(file.into())
}

/// Whether we were started without a stdin. The standard library has then opened `/dev/null`
/// for reading and writing in its place; a user's own `</dev/null` is open for reading.
fn stdin_was_closed() -> bool {
    let stdin = rustix::stdio::stdin();
    let Ok(stat) = rustix::fs::fstat(stdin.as_fd()) else { return true };
    let null = rustix::fs::stat("/dev/null").ok();
    let same =
        null.is_some_and(|null| null.st_rdev == stat.st_rdev && null.st_mode == stat.st_mode);
    let both = rustix::fs::fcntl_getfl(stdin)
        .is_ok_and(|flags| flags & rustix::fs::OFlags::RWMODE == rustix::fs::OFlags::RDWR);
    same && both
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn a_document_is_read_whole_whatever_its_size() {
        // The larger one does not fit into a pipe and goes by a file without a name.
        for size in [0, 1, 60 * 1024, 300 * 1024] {
            let document = vec![b'x'; size];
            let reader = filled(&document).expect("filled");
            let mut read = Vec::new();
            File::from(reader).read_to_end(&mut read).expect("reads to the end");
            assert_eq!(read.len(), size);
        }
    }
}
