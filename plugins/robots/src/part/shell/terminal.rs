//! The user's terminal: raw while a session lasts, and put back however that ends.

use std::io::{self, IsTerminal as _};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use viam_contract::{Kind, Result, ResultExt as _};

/// A terminal in raw mode.
pub(super) struct Raw {
    before: Arc<Mutex<Option<Termios>>>,
}

impl Raw {
    /// Makes the terminal raw; `None` where stdin is none.
    pub(super) fn enter() -> Result<Option<Self>> {
        if !io::stdin().is_terminal() {
            return Ok(None);
        }
        let doing = || "cannot switch the terminal to raw mode".to_owned();
        let before = tcgetattr(io::stdin()).or_kind(Kind::User, doing)?;
        let mut raw = before.clone();
        raw.make_raw();
        let before = Arc::new(Mutex::new(Some(before)));
        let this = Self { before: before.clone() };
        // A release build ends at a panic without dropping anything.
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            put_back(&before);
            hook(panic);
        }));
        tcsetattr(io::stdin(), OptionalActions::Now, &raw).or_kind(Kind::User, doing)?;
        Ok(Some(this))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        put_back(&self.before);
    }
}

fn put_back(before: &Mutex<Option<Termios>>) {
    if let Some(before) = before.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // A terminal that is gone needs nothing put back.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
    }
}

/// Columns and rows of the terminal, where there is one that says.
pub(super) fn size() -> Option<(u16, u16)> {
    let size = tcgetwinsize(io::stdout()).or_else(|_| tcgetwinsize(io::stdin())).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}
