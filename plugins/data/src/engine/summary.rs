//! What an export came to.

use std::sync::Arc;

use indicatif::BinaryBytes;
use serde::Serialize;
use viam_contract::{Error, Format, Kind, Output, Result, text};

use super::File;
use super::plan::Planned;
use crate::count;
use crate::destination::Saved;

/// New names that are told one by one.
const TOLD: u64 = 10;

/// Downloads between two lines on stdout (behaviour.md §2.2).
const STEP: u64 = 100;

/// What an export came to so far.
pub(crate) struct Summary {
    output: Arc<Output>,
    dry_run: bool,
    counts: Counts,
    planned: (u64, u64),
    first_failure: Option<Error>,
}

/// JSON result.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Counts {
    files: u64,
    bytes: u64,
    skipped: u64,
    renamed: u64,
    failed: u64,
}

impl Summary {
    pub(super) fn new(output: &Arc<Output>, dry_run: bool) -> Self {
        Self {
            output: Arc::clone(output),
            dry_run,
            counts: Counts::default(),
            planned: (0, 0),
            first_failure: None,
        }
    }

    pub(super) fn planned(&mut self, page: &Planned) {
        self.counts.skipped += page.there.0;
        self.planned.0 += page.wanted.0;
        self.planned.1 += page.wanted.1;
    }

    pub(super) fn saved(&mut self, file: &File, saved: &Saved) -> Result<()> {
        self.counts.files += 1;
        self.counts.bytes += saved.bytes;
        if saved.renamed {
            self.counts.renamed += 1;
            if self.counts.renamed <= TOLD {
                let id = text::one_line(&file.metadata.id).into_owned();
                let given = text::quoted(&file.metadata.file_name);
                let words = format!("{given} of file {id} is {}", text::quoted(&saved.data));
                self.output.warn(&words);
            }
        }
        if self.counts.files.is_multiple_of(STEP) { self.downloaded() } else { Ok(()) }
    }

    pub(super) fn failed(&mut self, error: Error) {
        self.counts.failed += 1;
        self.first_failure.get_or_insert(error);
    }

    pub(super) fn first_failure(&mut self) -> Error {
        self.first_failure.take().unwrap_or_else(|| Error::new(Kind::Internal, "nothing failed"))
    }

    /// How many files are complete, on stdout as the existing program says it.
    fn downloaded(&self) -> Result<()> {
        if self.output.format == Format::Json {
            return Ok(());
        }
        self.output.line(format!("Downloaded {}", count::of(self.counts.files, "file")))
    }

    /// Says what it came to.
    pub(super) fn end(mut self, ended: Result<()>) -> Result<Self> {
        let Counts { files: done, bytes, skipped, renamed, failed } = self.counts;
        let size = |bytes| BinaryBytes(bytes).to_string();
        if self.dry_run && ended.is_ok() {
            let (planned, bytes) = self.planned;
            if self.output.format == Format::Json {
                self.output.json(&Counts { files: planned, bytes, ..self.counts })?;
            } else {
                self.output.line(format!(
                    "{} to export, {}",
                    count::of(planned, "file"),
                    size(bytes)
                ))?;
            }
        } else if !self.dry_run {
            if done > 0 && !done.is_multiple_of(STEP) {
                self.downloaded()?;
            }
            if self.output.format == Format::Json {
                self.output.json(&self.counts)?;
            }
        }
        let mut words = if self.dry_run {
            "nothing is exported".to_owned()
        } else {
            format!("{} exported, {}", count::of(done, "file"), size(bytes))
        };
        for (number, what) in
            [(skipped, "complete already"), (renamed, "under another name"), (failed, "failed")]
        {
            if number > 0 {
                words.push_str(&format!("; {number} {what}"));
            }
        }
        self.output.status(&words);
        let again = "run it again: what is complete is not exported twice";
        match (ended, self.first_failure.take()) {
            (Err(error), _) if error.kind() == Kind::BrokenPipe => Err(error),
            (Err(error), _) if self.dry_run => Err(error),
            (Err(error), _) => Err(error.hint_text(again)),
            (Ok(()), None) => Ok(self),
            (Ok(()), Some(first)) => Err(first
                .within(format!("{} could not be exported", count::of(failed, "file")))
                .hint_text(again)),
        }
    }
}
