//! Times and durations as the existing program prints them.

use std::fmt::Write as _;
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use prost_types::Timestamp;
use viam_client::time::utc;
use viam_contract::Context;

/// `Fri Dec  1 10:00:00 UTC 2023`.
pub(crate) fn unix_date(time: DateTime<Utc>) -> String {
    time.format("%a %b %e %H:%M:%S UTC %Y").to_string()
}

/// `2023-12-01T10:00:00.000Z`.
pub(crate) fn log_time(time: Option<&Timestamp>) -> String {
    utc(time).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A moment on the wire.
pub(crate) fn timestamp(time: SystemTime) -> Timestamp {
    time.into()
}

/// `Fri Dec  1 10:00:00 UTC 2023 (1h2m3.000000004s ago)`.
pub(crate) fn last_access(cx: &Context, time: Option<&Timestamp>) -> String {
    let time = utc(time);
    let now: DateTime<Utc> = cx.clock.now().into();
    let age = now - time;
    // As Go does, what is too long for its durations is the longest one.
    let nanos = age.num_nanoseconds().unwrap_or(i64::MAX);
    format!("{} ({} ago)", unix_date(time), go_duration(nanos))
}

/// Go's `Duration.String`: `1h2m3.5s`, `1.5ms`, `0s`.
pub(crate) fn go_duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let left = nanos.unsigned_abs();
    let mut shown = String::from(sign);
    let (unit, scale) = match left {
        0 => return "0s".to_owned(),
        1..1_000 => ("ns", 1),
        1_000..1_000_000 => ("µs", 1_000),
        1_000_000..1_000_000_000 => ("ms", 1_000_000),
        _ => ("s", 1_000_000_000),
    };
    let mut whole = left / scale;
    if unit == "s" {
        let (hours, minutes) = (whole / 3600, whole / 60 % 60);
        // Writing to a string cannot fail.
        if hours > 0 {
            let _ = write!(shown, "{hours}h");
        }
        if hours > 0 || minutes > 0 {
            let _ = write!(shown, "{minutes}m");
        }
        whole %= 60;
    }
    let _ = write!(shown, "{whole}");
    let rest = left % scale;
    if rest > 0 {
        let digits = scale.ilog10() as usize;
        let fraction = format!("{rest:0digits$}");
        let _ = write!(shown, ".{}", fraction.trim_end_matches('0'));
    }
    shown.push_str(unit);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64, nanos: i32) -> Timestamp {
        Timestamp { seconds, nanos }
    }

    #[test]
    fn dates() {
        assert_eq!(unix_date(utc(Some(&at(1_701_424_800, 9)))), "Fri Dec  1 10:00:00 UTC 2023");
        assert_eq!(unix_date(utc(None)), "Thu Jan  1 00:00:00 UTC 1970");
        assert_eq!(log_time(Some(&at(1_701_424_800, 0))), "2023-12-01T10:00:00.000Z");
        assert_eq!(log_time(Some(&at(1_701_424_800, 987_654_321))), "2023-12-01T10:00:00.987Z");
    }

    #[test]
    fn durations() {
        for (nanos, shown) in [
            (0, "0s"),
            (1, "1ns"),
            (1_100, "1.1µs"),
            (2_200_000, "2.2ms"),
            (1_000_000_000, "1s"),
            (59_500_000_000, "59.5s"),
            (60_000_000_000, "1m0s"),
            (3_723_000_000_004, "1h2m3.000000004s"),
            (3_600_000_000_000, "1h0m0s"),
            (-1_500_000_000, "-1.5s"),
            (i64::MAX, "2562047h47m16.854775807s"),
        ] {
            assert_eq!(go_duration(nanos), shown, "{nanos}");
        }
    }
}
