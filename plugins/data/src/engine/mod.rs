//! The engine of exports: pages of what there is, downloads side by side, files that are whole.
//!
//! ```text
//! pages → plan (shard, names, what is there already) → batches and large files → put
//! ```
//! Small files come several in one call, large ones by URL, and a budget of bytes bounds what is in
//! memory at a time.

mod batch;
mod download;
mod file;
mod plan;
mod progress;
mod summary;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Semaphore, SemaphorePermit};
use viam_contract::{Context, Error, Kind, Output, Result, Target, Wire};

use crate::destination::{Destination, Saved};
use crate::pages::Pages;
use crate::shard::Shard;
pub(crate) use file::File;
use plan::{Job, Rules};
use progress::Progress;
pub(crate) use summary::Summary;

/// What may be in memory at a time, in KiB.
const BUDGET: usize = 16 << 10;

/// After so many failures of the server in a row, without a success, the rest is not tried.
const IN_A_ROW: u32 = 3;

/// How to export.
pub(crate) struct Options {
    pub(crate) destination: Destination,
    /// How many requests for bytes are under way.
    pub(crate) parallel: usize,
    /// How long a download may be silent.
    pub(crate) stall: Duration,
    pub(crate) shard: Option<Shard>,
    /// Only counts.
    pub(crate) dry_run: bool,
    /// Whether every name has a mark of its file, so that none needs metadata to be told apart.
    pub(crate) marked: bool,
}

/// Finds out how many bytes are to come.
pub(crate) type Total = viam_contract::BoxFuture<'static, Option<u64>>;

/// What is shared by all downloads of an export.
struct Engine<'a> {
    output: Arc<Output>,
    wire: Wire,
    web: Wire,
    options: &'a Options,
    budget: Semaphore,
    progress: Progress,
}

/// What came of one file.
enum Outcome {
    Saved(Arc<File>, Saved),
    Failed(Error),
}

/// Exports what the pages name. `total` is asked only for somebody who looks on.
///
/// # Errors
/// The first failure, with how many files there were; what is complete stays.
pub(crate) async fn run(
    cx: &Context,
    wire: &Wire,
    pages: Pages,
    options: Options,
    total: Option<Total>,
) -> Result<Summary> {
    let engine = Engine {
        output: Arc::clone(&cx.output),
        wire: wire.clone(),
        web: cx.sessions.wire(&Target::Web).await?,
        options: &options,
        budget: Semaphore::new(BUDGET),
        progress: Progress::new(cx, !options.dry_run),
    };
    let mut summary = Summary::new(&cx.output, options.dry_run);
    let ended = tokio::select! {
        ended = engine.work(pages, &mut summary) => ended,
        () = engine.progress.measure(total) => Ok(()),
    };
    drop(engine);
    summary.end(ended)
}

impl Engine<'_> {
    async fn work(&self, pages: Pages, summary: &mut Summary) -> Result<()> {
        let Options { destination, shard, marked, .. } = self.options;
        let rules = Rules { destination: destination.clone(), shard: *shard, marked: *marked };
        let mut planned = plan::begin(pages, rules);
        let mut waiting = VecDeque::new();
        let mut running = FuturesUnordered::new();
        let mut more = true;
        let mut failed_in_a_row = 0;
        loop {
            while running.len() < self.options.parallel
                && let Some(job) = waiting.pop_front()
            {
                running.push(self.job(job));
            }
            if !more && running.is_empty() {
                return Ok(());
            }
            tokio::select! {
                page = planned.recv(), if more && waiting.is_empty() => {
                    let Some(page) = page else {
                        more = false;
                        continue;
                    };
                    let page = page?;
                    self.progress.skip(page.there.1);
                    summary.planned(&page);
                    if !self.options.dry_run {
                        waiting.extend(page.jobs);
                    }
                }
                Some(outcomes) = running.next(), if !running.is_empty() => {
                    for outcome in outcomes? {
                        match outcome {
                            Outcome::Saved(file, saved) => {
                                failed_in_a_row = 0;
                                self.progress.above(|| summary.saved(&file, &saved))?;
                            }
                            Outcome::Failed(error) => {
                                failed_in_a_row += u32::from(error.kind() == Kind::Remote);
                                summary.failed(error);
                                if failed_in_a_row >= IN_A_ROW {
                                    return Err(summary.first_failure());
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    async fn job(&self, job: Job) -> Result<Vec<Outcome>> {
        match job {
            Job::Batch(files) => self.batch(files).await,
            Job::Large(file) => Ok(vec![self.large(file).await?]),
        }
    }

    /// Leave to have so many bytes in memory.
    async fn leave(&self, bytes: u64) -> SemaphorePermit<'_> {
        let wanted = u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX);
        let most = u32::try_from(BUDGET).unwrap_or(u32::MAX);
        match self.budget.acquire_many(wanted.min(most)).await {
            Ok(leave) => leave,
            Err(_) => unreachable!("the budget is never closed"),
        }
    }

    fn notice(&self, words: &str) {
        self.progress.above(|| self.output.status_once(words));
    }
}
