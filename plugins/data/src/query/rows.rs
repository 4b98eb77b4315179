//! Where the answer of a query goes: stdout, or `data.ndjson` in a folder, which is there whole or
//! not at all.

use std::fs::{self, Permissions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::PathBuf;

use serde::Serialize;
use tempfile::NamedTempFile;
use viam_contract::{Context, Error, Format, Kind, Result, ResultExt as _};

use crate::count;

pub(super) const NAME: &str = "data.ndjson";

/// The flag that every query has.
#[derive(clap::Args, Debug, Default, PartialEq)]
pub(super) struct RowsArgs {
    /// folder to write `data.ndjson` in, instead of stdout
    #[arg(long, value_name = "DIR")]
    destination: Option<PathBuf>,
}

/// JSON result where a file is written.
#[derive(Serialize)]
struct Written {
    path: String,
    count: u64,
}

/// An open destination.
pub(super) struct Rows<'a> {
    cx: &'a Context,
    file: Option<(BufWriter<NamedTempFile>, PathBuf)>,
    count: u64,
}

impl RowsArgs {
    /// Checks what can be checked without a call.
    pub(super) fn check(&self) -> Result<()> {
        match self.given().map(|path| path.to_string_lossy()) {
            Some(path) if path.contains("://") => {
                Err(Error::new(Kind::Usage, "the answer of a query is written to a folder only")
                    .hint_text("give a local folder as --destination, or use stdout"))
            }
            _ => Ok(()),
        }
    }

    fn given(&self) -> Option<&PathBuf> {
        self.destination.as_ref().filter(|path| !path.as_os_str().is_empty())
    }

    /// Opens it.
    pub(super) fn open<'a>(&self, cx: &'a Context) -> Result<Rows<'a>> {
        let Some(given) = self.given() else { return Ok(Rows { cx, file: None, count: 0 }) };
        let folder = cx.cwd.join(given);
        let doing = || format!("could not write to {}", given.display());
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.or_kind(Kind::User, doing)?;
        let file = tempfile::Builder::new()
            .prefix(".viam-query-")
            .suffix(".tmp")
            // As for any new file, what the umask leaves of it.
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(&folder)
            .or_kind(Kind::User, doing)?;
        Ok(Rows { cx, file: Some((BufWriter::new(file), given.join(NAME))), count: 0 })
    }
}

impl Rows<'_> {
    /// Writes a row.
    pub(super) fn write<T: Serialize + ?Sized>(&mut self, row: &T) -> Result<()> {
        self.count += 1;
        match &mut self.file {
            None => self.cx.output.json_line(row),
            Some((file, path)) => {
                let doing = || format!("could not write to {}", path.display());
                serde_json::to_writer(&mut *file, row).or_kind(Kind::User, doing)?;
                file.write_all(b"\n").or_kind(Kind::User, doing)
            }
        }
    }

    /// Gives the file its name and says so; `thing` is a row or a result.
    pub(super) fn finish(self, thing: &str) -> Result<()> {
        let (cx, count) = (self.cx, self.count);
        let Some((file, path)) = self.file else { return cx.output.flush() };
        let doing = || format!("could not write to {}", path.display());
        let file = file.into_inner().map_err(|error| error.into_error());
        let file = file.or_kind(Kind::User, doing)?;
        file.as_file().sync_all().or_kind(Kind::User, doing)?;
        file.persist(cx.cwd.join(&path)).or_kind(Kind::User, doing)?;
        let path = path.display().to_string();
        if cx.output.format == Format::Json {
            return cx.output.json(&Written { path, count });
        }
        cx.output.line(format!("Wrote {} to {path}", count::of(count, thing)))
    }
}
