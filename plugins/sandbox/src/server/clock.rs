//! The sandbox's clock: the only one that its server asks.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A clock that can be put forward, so that a test of expiry need not wait for it. Clones show
/// the same time.
#[derive(Clone)]
pub struct Clock {
    base: Base,
    ahead: Arc<AtomicI64>,
}

#[derive(Clone, Copy)]
enum Base {
    System,
    Still(i64),
}

impl Clock {
    /// The system's time.
    #[must_use]
    pub fn system() -> Self {
        Self { base: Base::System, ahead: Arc::default() }
    }

    /// A time that stands still until it is put forward.
    #[must_use]
    pub fn still_at(time: SystemTime) -> Self {
        Self { base: Base::Still(since_epoch(time)), ahead: Arc::default() }
    }

    /// Puts it forward.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.ahead.fetch_add(by, Ordering::Relaxed);
    }

    /// Microseconds since 1970.
    #[must_use]
    pub fn micros(&self) -> i64 {
        let base = match self.base {
            Base::Still(base) => base,
            Base::System => {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "the server is a program of its own; this is its one door to the time"
                )]
                let now = SystemTime::now();
                since_epoch(now)
            }
        };
        base.saturating_add(self.ahead.load(Ordering::Relaxed))
    }
}

fn since_epoch(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.micros()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_are_put_forward_together() {
        let clock = Clock::still_at(UNIX_EPOCH + Duration::from_secs(5));
        let other = clock.clone();
        clock.advance(Duration::from_millis(1500));
        assert_eq!(other.micros(), 6_500_000);
    }
}
