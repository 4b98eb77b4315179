//! Where logs are written: stdout, or a file that is there whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use viam_contract::{Context, Error, Kind, Result};

pub(crate) enum Sink<'a> {
    /// stdout.
    Out(&'a Context),
    /// A new file, under another name until it is complete.
    File { file: NamedTempFile, path: PathBuf },
    /// Something that is no ordinary file, such as a pipe.
    Special { file: File, path: PathBuf },
}

impl<'a> Sink<'a> {
    /// Opens it.
    pub(crate) fn open(cx: &'a Context, output: Option<&PathBuf>) -> Result<Self> {
        let Some(given) = output.filter(|path| !path.as_os_str().is_empty()) else {
            return Ok(Self::Out(cx));
        };
        let path = cx.cwd.join(given);
        let fail = |error| failure("could not open file for writing", given, error);
        // A link stays a link.
        let path = fs::canonicalize(&path).unwrap_or(path);
        match fs::metadata(&path) {
            Ok(meta) if meta.is_dir() => Err(fail(io::ErrorKind::IsADirectory.into())),
            Ok(meta) if !meta.is_file() => {
                let file = File::options().write(true).open(&path).map_err(fail)?;
                Ok(Self::Special { file, path })
            }
            _ => {
                let dir = path.parent().unwrap_or(Path::new("/"));
                let file = tempfile::Builder::new()
                    .prefix(".viam-logs-")
                    .suffix(".tmp")
                    .permissions(fs::Permissions::from_mode(0o600))
                    .tempfile_in(dir)
                    .map_err(fail)?;
                Ok(Self::File { file, path })
            }
        }
    }

    /// Writes text, all of it at once.
    pub(crate) fn write(&mut self, text: &str) -> Result<()> {
        match self {
            Self::Out(cx) => {
                cx.output.bytes(text.as_bytes())?;
                cx.output.flush()
            }
            Self::File { file, path } => file
                .write_all(text.as_bytes())
                .map_err(|error| failure("could not write the logs to", path, error)),
            Self::Special { file, path } => match file.write_all(text.as_bytes()) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(error.into()),
                other => other.map_err(|error| failure("could not write the logs to", path, error)),
            },
        }
    }

    /// Gives a file its name.
    pub(crate) fn finish(self) -> Result<()> {
        if let Self::File { file, path } = self {
            let fail = |error| failure("could not write the logs to", &path, error);
            file.as_file().sync_all().map_err(fail)?;
            file.persist(&path).map_err(|error| fail(error.error))?;
        }
        Ok(())
    }
}

fn failure(doing: &str, path: &Path, error: io::Error) -> Error {
    Error::new(Kind::User, format!("{doing} {}", path.display())).because(error)
}
