//! The line on a terminal's stderr that shows how far something is; nothing elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use viam_contract::Output;

/// How often it is drawn while nothing arrives.
const TICK: Duration = Duration::from_millis(200);

/// Begins it, where somebody looks on.
pub(crate) fn begin(output: &Output, template: &str) -> Option<ProgressBar> {
    (!output.quiet && output.stderr_tty()).then(|| {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        style(&bar, template);
        bar.enable_steady_tick(TICK);
        bar
    })
}

/// Gives it another look.
pub(crate) fn style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}
