//! Times in RFC 3339.

use prost_types::Timestamp;

const BILLION: i64 = 1_000_000_000;

/// Writes a time in UTC without quotes, with 0, 3, 6 or 9 digits after the second.
pub(crate) fn time(to: &mut Vec<u8>, time: &Timestamp) {
    let nanos = i64::from(time.nanos);
    let seconds = time.seconds.saturating_add(nanos.div_euclid(BILLION));
    let nanos = nanos.rem_euclid(BILLION);
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = date(days);
    if year < 0 {
        to.push(b'-');
    }
    digits(to, year.abs(), 4);
    let parts = [
        (b'-', month),
        (b'-', day),
        (b'T', rest / 3600),
        (b':', rest / 60 % 60),
        (b':', rest % 60),
    ];
    for (mark, part) in parts {
        to.push(mark);
        digits(to, part, 2);
    }
    let (fraction, width) = match nanos {
        0 => (0, 0),
        nanos if nanos % 1_000_000 == 0 => (nanos / 1_000_000, 3),
        nanos if nanos % 1_000 == 0 => (nanos / 1_000, 6),
        nanos => (nanos, 9),
    };
    if width > 0 {
        to.push(b'.');
        digits(to, fraction, width);
    }
    to.push(b'Z');
}

/// Year, month and day of so many days after 1970-01-01, in the Gregorian calendar
/// (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn date(days: i64) -> (i64, i64, i64) {
    // Counted from the 1st of March of the year 0, leap days are at the end of a year.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + next, month, day)
}

fn digits(to: &mut Vec<u8>, mut number: i64, width: usize) {
    let mut shown = [b'0'; 20];
    let mut start = shown.len();
    while number > 0 {
        start -= 1;
        // One digit.
        shown[start] = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
    to.extend_from_slice(&shown[start.min(shown.len() - width)..]);
}

#[cfg(test)]
mod tests {
    use viam_client::time::rfc3339;

    use super::*;

    fn shown(seconds: i64, nanos: i32) -> String {
        let mut bytes = Vec::new();
        time(&mut bytes, &Timestamp { seconds, nanos });
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        // From the year 1 to 9999, in steps that meet every hour of the day.
        for step in 0..39_996 {
            let seconds = -62_135_596_800 + step * 7_889_231;
            for nanos in [0, 1, 5_000, 120_000_000] {
                let expected = rfc3339(Some(&Timestamp { seconds, nanos }));
                assert_eq!(Some(shown(seconds, nanos)), expected);
            }
        }
        assert_eq!(shown(253_402_300_799, 999_999_999), "9999-12-31T23:59:59.999999999Z");
    }

    #[test]
    fn times_that_are_none_do_no_harm() {
        assert_eq!(shown(0, -1), "1969-12-31T23:59:59.999999999Z");
        assert_eq!(shown(-62_167_219_201, 0), "-0001-12-31T23:59:59Z");
        assert!(shown(i64::MAX, i32::MAX).ends_with('Z') && shown(i64::MIN, i32::MIN).len() > 20);
    }
}
