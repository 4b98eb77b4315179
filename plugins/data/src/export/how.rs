//! How an export is done: the flags that all of its verbs share.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use viam_contract::{Context, Error, Exit, Kind, Result, ResultExt as _};

use crate::destination::Destination;
use crate::engine;
use crate::shard::Shard;
use crate::tabular::Format;

#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "How")]
pub(crate) struct HowArgs {
    /// how many downloads are under way at a time
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) parallel: usize,
    /// how many seconds a download may be silent before it is begun anew
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) timeout: u64,
    /// only the Kth of N parts, as in `2/8`: workers with the same N and different K share an export
    #[arg(long, value_name = "K/N")]
    pub(crate) shard: Option<Shard>,
    /// count what would be exported, and export nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl HowArgs {
    /// Checks what can be checked without a call.
    pub(crate) fn check(&self) -> Result<()> {
        if self.parallel == 0 {
            return Err(Error::new(Kind::Usage, "--parallel must be greater than 0"));
        }
        Ok(())
    }

    /// For the engine.
    pub(crate) fn options(&self, destination: Destination, marked: bool) -> engine::Options {
        engine::Options {
            destination,
            parallel: self.parallel,
            stall: Duration::from_secs(self.timeout.max(1)),
            shard: self.shard,
            dry_run: self.dry_run,
            marked,
        }
    }
}

/// Where what is known of files goes.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum MetadataFormat {
    /// a file for each, `metadata/NAME.json`
    #[default]
    Json,
    /// one file for all, `metadata.ndjson`
    Ndjson,
    /// one file for all, `metadata.parquet`
    Parquet,
}

impl MetadataFormat {
    /// The format of the one file for all, if there is one.
    pub(crate) fn table(self) -> Option<Format> {
        match self {
            Self::Json => None,
            Self::Ndjson => Some(Format::Ndjson),
            Self::Parquet => Some(Format::Parquet),
        }
    }
}

/// Does the work until a signal ends it. What is unfinished goes away with it, what is complete
/// stays, so that the next run goes on there.
pub(crate) async fn interruptible(
    cx: &Context,
    work: impl Future<Output = Result<()>>,
) -> Result<()> {
    let doing = || "cannot wait for a signal".to_owned();
    let mut interrupted = signal(SignalKind::interrupt()).or_kind(Kind::Internal, doing)?;
    let mut ended = signal(SignalKind::terminate()).or_kind(Kind::Internal, doing)?;
    let kind = tokio::select! {
        result = work => return result,
        _ = interrupted.recv() => SignalKind::interrupt(),
        _ = ended.recv() => SignalKind::terminate(),
    };
    cx.output.status("interrupted; run it again to go on");
    Err(Error::new(Kind::Child(Exit::Signal(kind.as_raw_value())), "ended by a signal"))
}
