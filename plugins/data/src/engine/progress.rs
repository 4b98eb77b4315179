//! How far an export is, for somebody who looks on.

use indicatif::ProgressBar;
use viam_contract::Context;

use super::Total;
use crate::bar;

const UNMEASURED: &str = "{spinner} {bytes} {bytes_per_sec}";
const MEASURED: &str = "{spinner} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta} left";

/// A line on a terminal's stderr, nothing elsewhere.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(super) fn new(cx: &Context, wanted: bool) -> Self {
        let bar = if wanted { bar::begin(&cx.output, UNMEASURED) } else { None };
        Self { bar }
    }

    /// Finds out how much there is, beside the work; never ends.
    pub(super) async fn measure(&self, total: Option<Total>) {
        if let (Some(bar), Some(total)) = (&self.bar, total)
            && let Some(bytes) = total.await
        {
            bar.set_length(bytes);
            bar::style(bar, MEASURED);
        }
        std::future::pending::<()>().await;
    }

    /// So much more is there.
    pub(super) fn advance(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(bytes);
        }
    }

    /// So much was there before.
    pub(super) fn skip(&self, bytes: u64) {
        self.advance(bytes);
    }

    /// So much comes again.
    pub(super) fn back(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.dec(bytes);
        }
    }

    /// Says something above the line.
    pub(super) fn above<T>(&self, say: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
