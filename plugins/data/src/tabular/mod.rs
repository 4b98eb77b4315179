//! Readings: rows of what sensors said, in one file.
//!
//! Rows come from the network, decoded, in chunks; one thread that may block writes them. The two
//! overlap, and the channel between them is short, so that memory is the same for any number of
//! rows. How a row looks in each format is in [`rows`]; where the file goes is the
//! destination's.

mod by_filter;
mod chunks;
mod columns;
mod csv;
mod dots;
mod json;
mod known;
mod ndjson;
mod pages;
mod parquet;
mod payload;
mod rows;
mod stream;
mod write;
mod writer;

use serde::Serialize;

use crate::shard::Shard;

pub(crate) use by_filter::by_filter;
pub(crate) use json::read as object;
pub(crate) use known::metadata;
pub(crate) use pages::count;
pub(crate) use stream::stream;

/// What the file is.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// a JSON object on each line
    #[default]
    Ndjson,
    /// a table as text, with a line of names
    Csv,
    /// a table for programs
    Parquet,
}

impl Format {
    /// The extension of the file.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }
}

/// How an export is done.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Options {
    /// What the file is.
    pub(crate) format: Format,
    /// Which rows go into it; all of them where nothing is said.
    pub(crate) shard: Option<Shard>,
}

impl Options {
    /// The name of the file. Those of shards differ, since shards may share a destination.
    fn file(self) -> String {
        let extension = self.format.extension();
        match self.shard {
            None => format!("data.{extension}"),
            Some(shard) => format!("data-{shard}.{extension}"),
        }
    }
}

/// What an export has written.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Exported {
    /// Rows in the file.
    pub(crate) rows: u64,
}
