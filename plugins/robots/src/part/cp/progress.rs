//! How far a copy is, for somebody who looks on.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use viam_contract::{Context, text};

/// How often it is drawn while nothing arrives.
const TICK: Duration = Duration::from_millis(200);

/// What is shown; the length grows with each file that begins.
const TEMPLATE: &str = "{spinner} {wide_msg} {bytes}/{total_bytes} {bytes_per_sec} {eta} left";

/// A line on a terminal's stderr, nothing elsewhere.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(super) fn new(cx: &Context, wanted: bool) -> Self {
        let shown = wanted && !cx.output.quiet && cx.output.stderr_tty();
        let bar = shown.then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
                bar.set_style(style);
            }
            bar.enable_steady_tick(TICK);
            bar
        });
        Self { bar }
    }

    /// A file begins.
    pub(super) fn begin(&self, name: &str, size: u64) {
        if let Some(bar) = &self.bar {
            bar.inc_length(size);
            bar.set_message(text::one_line(name).into_owned());
        }
    }

    /// So much more is copied.
    pub(super) fn advance(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(bytes);
        }
    }

    /// Another attempt begins.
    pub(super) fn again(&self) {
        if let Some(bar) = &self.bar {
            bar.set_position(0);
            bar.set_length(0);
        }
    }

    /// Says something above the line.
    pub(super) fn warn(&self, cx: &Context, words: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| cx.output.warn(words)),
            None => cx.output.warn(words),
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
