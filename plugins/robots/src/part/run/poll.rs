//! `--stream`: the same call again and again.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};
use viam_contract::{Context, Error, Kind, Result, cli};

use super::call::Failure;

/// Reads the interval.
pub(super) fn interval(text: &str) -> Result<Duration, String> {
    match cli::parse_duration(text)? {
        Duration::ZERO => Err("the interval must be longer than nothing".to_owned()),
        interval => Ok(interval),
    }
}

/// Whether a method only looks, so that it may be asked again when the answer got lost.
pub(super) fn is_reading(method: &str) -> bool {
    ["Get", "Is", "List", "Read", "Resource"].iter().any(|verb| method.starts_with(verb))
}

/// What is polled.
pub(super) trait Polled {
    /// Makes the call once.
    async fn once(&mut self) -> Result<(), Failure>;
    /// Makes a new connection.
    async fn connect(&mut self) -> Result<()>;
    /// Whether the call may be made again after the connection was lost.
    fn may_retry(&self) -> bool;
}

/// Makes the call after each interval, the first one too, until it fails.
pub(super) async fn poll(cx: &Context, every: Duration, polled: &mut impl Polled) -> Failure {
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(failure) = once(cx, polled).await {
            return failure;
        }
    }
}

/// Makes the call. Where it only looks, a lost connection is made anew once.
pub(super) async fn once(cx: &Context, polled: &mut impl Polled) -> Result<(), Failure> {
    match polled.once().await {
        Err(failure) if failure.is_of_transport() && polled.may_retry() => {}
        done => return done,
    }
    cx.output.status("the connection to the machine is lost; connecting again");
    polled.connect().await.map_err(lost)?;
    polled.once().await
}

fn lost(error: Error) -> Error {
    match error.kind() {
        Kind::Cancelled => error,
        _ => error.within("the connection to the machine is lost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_longer_than_nothing() {
        assert_eq!(interval("500ms"), Ok(Duration::from_millis(500)));
        assert!(interval("0").is_err() && interval("0s").is_err() && interval("x").is_err());
    }

    #[test]
    fn only_what_looks_is_asked_again() {
        for name in ["GetPosition", "IsMoving", "ListTunnels", "ReadAnalog", "ResourceNames"] {
            assert!(is_reading(name), "{name}");
        }
        for name in ["Move", "Stop", "DoCommand", "SetPower"] {
            assert!(!is_reading(name), "{name}");
        }
    }
}
