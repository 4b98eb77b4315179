//! What is shown while an export runs: a dot on stdout for each attempt, as the existing program
//! prints them, and the number of rows for somebody who looks on.

use std::sync::{Arc, Mutex, PoisonError};

use indicatif::ProgressBar;
use viam_contract::{Context, Format, Output, Result};

use crate::bar;

const TEMPLATE: &str = "{spinner} {human_pos} rows, {per_sec}";

/// The line on stdout, and the one on a terminal.
#[derive(Clone)]
pub(super) struct Dots {
    output: Arc<Output>,
    bar: Option<ProgressBar>,
    /// Dots that would share a line of the terminal with the bar: they are printed when it is gone.
    held: Option<Arc<Mutex<String>>>,
}

impl Dots {
    pub(super) fn begin(cx: &Context) -> Result<Self> {
        let output = Arc::clone(&cx.output);
        let bar = bar::begin(&output, TEMPLATE);
        let held = (bar.is_some() && output.stdout_tty()).then(Arc::default);
        let dots = Self { output, bar, held };
        dots.print("Downloading..")?;
        Ok(dots)
    }

    /// An attempt begins.
    pub(super) fn attempt(&self) -> Result<()> {
        self.print(".")
    }

    /// So many more rows are on their way into the file.
    pub(super) fn rows(&self, count: usize) {
        if let Some(bar) = &self.bar {
            bar.inc(count as u64);
        }
    }

    /// What was counted so far is thrown away.
    pub(super) fn again(&self) {
        if let Some(bar) = &self.bar {
            bar.set_position(0);
        }
    }

    /// Says something above the bar, once.
    pub(super) fn notice(&self, words: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.output.status_once(words)),
            None => self.output.status_once(words),
        }
    }

    /// Ends the line, whether it went well or not.
    pub(super) fn end(self) -> Result<()> {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let held = self.held.as_ref().map(|held| {
            let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *held)
        });
        let this = Self { held: None, ..self };
        this.print(&held.unwrap_or_default())?;
        this.print("\n")
    }

    fn print(&self, words: &str) -> Result<()> {
        // Where JSON is asked for, nothing else is on stdout.
        if self.output.format == Format::Json {
            return Ok(());
        }
        if let Some(held) = &self.held {
            held.lock().unwrap_or_else(PoisonError::into_inner).push_str(words);
            return Ok(());
        }
        self.output.bytes(words.as_bytes())?;
        self.output.flush()
    }
}
