//! Times of flags and messages.

use chrono::{DateTime, SecondsFormat, Utc};
use prost_types::Timestamp;
use viam_contract::{Error, Kind, Result};

/// The time in UTC; a missing one is the epoch.
#[must_use]
pub fn utc(time: Option<&Timestamp>) -> DateTime<Utc> {
    let time = time.copied().unwrap_or_default();
    DateTime::from_timestamp(time.seconds, u32::try_from(time.nanos).unwrap_or_default())
        .unwrap_or_default()
}

/// RFC 3339 with 0, 3, 6 or 9 digits after the second, as in JSON; `None` where there is no time.
#[must_use]
pub fn rfc3339(time: Option<&Timestamp>) -> Option<String> {
    time.map(|time| utc(Some(time)).to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// Reads the value of `--start` or `--end`; an empty one is none.
///
/// # Errors
/// `Usage` when it is not RFC 3339.
pub fn parse(flag: &str, text: Option<&String>) -> Result<Option<Timestamp>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => Ok(Some(Timestamp {
            seconds: time.timestamp(),
            nanos: i32::try_from(time.timestamp_subsec_nanos()).unwrap_or_default(),
        })),
        Err(error) => {
            let words = format!("invalid {flag} time format: {error}");
            Err(Error::new(Kind::Usage, words)
                .hint_text(format!("--{flag} takes RFC 3339, as in 2026-01-31T15:04:05Z")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64, nanos: i32) -> Timestamp {
        Timestamp { seconds, nanos }
    }

    #[test]
    fn times_are_shown_as_in_json() {
        assert_eq!(rfc3339(None), None);
        assert_eq!(rfc3339(Some(&at(0, 500_000_000))).as_deref(), Some("1970-01-01T00:00:00.500Z"));
        assert_eq!(utc(None).timestamp(), 0);
    }

    #[test]
    fn flags() {
        let read = |text: &str| parse("start", Some(&text.to_owned()));
        assert_eq!(
            read("2023-12-01T11:00:00.5+01:00").ok(),
            Some(Some(at(1_701_424_800, 500_000_000)))
        );
        assert_eq!(read("").ok(), Some(None));
        let error = read("yesterday").expect_err("no time");
        assert_eq!(error.kind(), Kind::Usage);
        assert!(error.message().starts_with("invalid start time format: "));
    }
}
