//! Trying again: which failures pass, how long to wait, when to give up.
//!
//! Only for what may be done twice. Waits grow, with chance in them so that many clients do not
//! come back at once; a server that names its time is obeyed, within reason (RFC 9110 §10.2.3).

use std::future::Future;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use chrono::DateTime;
use http::{HeaderMap, StatusCode, header};
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};
use viam_contract::{Error, Kind, Result};

use crate::{lost, own_error, rpc_error};

/// How often something is tried.
const ATTEMPTS: u32 = 7;

/// The first wait, and the longest one that is not asked for.
const WAITS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(8));

/// A server that wants us to wait longer than this is not waited for.
const LONGEST: Duration = Duration::from_secs(60);

/// Whether another attempt may succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// No.
    Never,
    /// After a pause.
    Soon,
    /// After this time, which the server has named.
    After(Duration),
}

/// Why an attempt failed.
#[derive(Debug)]
pub struct Failure {
    /// The error, should it stand.
    pub error: Error,
    /// Whether to try again.
    pub again: Again,
}

impl Failure {
    /// One that stands.
    #[must_use]
    pub fn lasting(error: Error) -> Self {
        Self { error, again: Again::Never }
    }

    /// One that may pass.
    #[must_use]
    pub fn passing(error: Error) -> Self {
        Self { error, again: Again::Soon }
    }

    /// The failure of a call (transport.md §4.7, report A59: transient codes only).
    #[must_use]
    pub fn of_call(status: Status, doing: impl Into<String>) -> Self {
        let network = match own_error(&status) {
            Some(own) => own.kind() == Kind::Remote,
            None => lost(&status).is_some(),
        };
        let passes = matches!(
            status.code(),
            Code::Unavailable | Code::DeadlineExceeded | Code::Aborted | Code::ResourceExhausted
        );
        let passes = if own_error(&status).is_some() { network } else { network || passes };
        let again = match named(status.metadata()) {
            _ if !passes || is_too_large(&status) => Again::Never,
            Some(wait) => Again::After(wait),
            None => Again::Soon,
        };
        Self { error: rpc_error(status, doing), again }
    }

    /// The failure that an HTTP answer is.
    #[must_use]
    pub fn of_answer(status: StatusCode, headers: &HeaderMap, doing: impl Into<String>) -> Self {
        let why = format!("the server answered {status}");
        let error = match status {
            StatusCode::UNAUTHORIZED => {
                Error::new(Kind::Auth, doing).because(why).hint_run("viam login")
            }
            _ => Error::new(Kind::Remote, doing).because(why),
        };
        let passes = matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504);
        let again = match wait_named(headers) {
            _ if !passes => Again::Never,
            Some(wait) => Again::After(wait),
            None => Again::Soon,
        };
        Self { error, again }
    }
}

/// A failure of our own: only the network's pass.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let again = if error.kind() == Kind::Remote { Again::Soon } else { Again::Never };
        Self { error, again }
    }
}

/// Whether a call failed because the answer would have been too large: no reason to repeat it
/// (behaviour.md §2.5).
#[must_use]
pub fn is_too_large(status: &Status) -> bool {
    let said = status.message();
    said.contains("INCLUDE_BINARY_TOO_LARGE")
        || (matches!(status.code(), Code::ResourceExhausted | Code::OutOfRange)
            && (said.contains("larger than max")
                || said.contains("message length too large")
                || said.contains("message size")))
}

/// Does something until it succeeds, fails for good, or has failed too often. `notice` is told why
/// there is a wait of a second or more.
///
/// # Errors
/// The last failure.
pub async fn until_done<T, F, Fut>(notice: impl Fn(&str), mut attempt: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, Failure>>,
{
    let mut pauses = Pauses::default();
    loop {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err(failure) => pauses.after(failure, &notice).await?,
        }
    }
}

/// The waits between the attempts at one thing.
#[derive(Debug, Default)]
pub struct Pauses {
    failed: u32,
}

impl Pauses {
    /// Waits after a failure, if it is one to wait after.
    ///
    /// # Errors
    /// The failure, where it stands or was the last one.
    pub async fn after(&mut self, failure: Failure, notice: impl Fn(&str)) -> Result<()> {
        self.failed += 1;
        let wait = match failure.again {
            Again::Never => return Err(failure.error),
            Again::After(wait) if wait > LONGEST => {
                let words = format!("the server asks to come back in {} s", wait.as_secs());
                return Err(failure.error.hint_text(words));
            }
            Again::After(wait) => wait + wait.mul_f64(chance() / 10.0),
            Again::Soon => backoff(self.failed, chance()),
        };
        if self.failed >= ATTEMPTS {
            return Err(failure.error);
        }
        tracing::debug!(target: "viam", "{}: again in {wait:.1?}", failure.error.one_line());
        if wait >= Duration::from_secs(1) {
            notice(&format!("{}; trying again", failure.error.one_line()));
        }
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Something went well: what fails next is the first failure.
    pub fn reset(&mut self) {
        self.failed = 0;
    }
}

/// The wait after so many failures: half of it sure, half of it by chance.
fn backoff(failed: u32, chance: f64) -> Duration {
    let (first, longest) = WAITS;
    let full = first.saturating_mul(2_u32.saturating_pow(failed.saturating_sub(1))).min(longest);
    full / 2 + (full / 2).mul_f64(chance)
}

/// A number from 0 to 1. The keys of the standard hasher are random.
fn chance() -> f64 {
    let bits = RandomState::new().hash_one(0) >> 11;
    // 53 bits fit a double.
    bits as f64 / (1_u64 << 53) as f64
}

fn named(metadata: &MetadataMap) -> Option<Duration> {
    wait_named(metadata.as_ref())
}

/// `Retry-After`, in seconds or as a date; a date counts from the server's own.
fn wait_named(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let wait = text(header::RETRY_AFTER)?;
    if let Ok(seconds) = wait.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::parse_from_rfc2822(wait).ok()?;
    let now = DateTime::parse_from_rfc2822(text(header::DATE)?).ok()?;
    Some((until - now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    #[test]
    fn only_transient_codes_are_tried_again() {
        let again = |status: Status| Failure::of_call(status, "x").again;
        for (code, expected) in [
            (Code::Unavailable, Again::Soon),
            (Code::DeadlineExceeded, Again::Soon),
            (Code::Aborted, Again::Soon),
            (Code::ResourceExhausted, Again::Soon),
            (Code::InvalidArgument, Again::Never),
            (Code::NotFound, Again::Never),
            (Code::Unauthenticated, Again::Never),
            (Code::Internal, Again::Never),
            (Code::DataLoss, Again::Never),
        ] {
            assert_eq!(again(Status::new(code, "")), expected, "{code:?}");
        }
        let too_large = "INCLUDE_BINARY_TOO_LARGE: 20 MB";
        assert_eq!(again(Status::resource_exhausted(too_large)), Again::Never);
        assert_eq!(again(Status::unavailable(too_large)), Again::Never);
        let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert_eq!(again(Status::from_error(Box::new(broken))), Again::Soon);
        let own = Error::new(Kind::Auth, "not logged in");
        assert_eq!(again(Status::from_error(Box::new(own))), Again::Never);
        let mut busy = Status::resource_exhausted("");
        busy.metadata_mut().insert("retry-after", "2".parse().expect("value"));
        assert_eq!(again(busy), Again::After(Duration::from_secs(2)));
    }

    #[test]
    fn b54_a_server_names_its_time_in_seconds_or_as_a_date() {
        let answer = |status: u16, pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().expect("value"));
            }
            let status = StatusCode::from_u16(status).expect("status");
            Failure::of_answer(status, &headers, "x").again
        };
        assert_eq!(answer(429, &[("retry-after", "7")]), Again::After(Duration::from_secs(7)));
        let dates = [
            ("retry-after", "Wed, 21 Oct 2026 07:28:30 GMT"),
            ("date", "Wed, 21 Oct 2026 07:28:00 GMT"),
        ];
        assert_eq!(answer(503, &dates), Again::After(Duration::from_secs(30)));
        assert_eq!(answer(503, &dates[..1]), Again::Soon);
        assert_eq!(answer(404, &[("retry-after", "7")]), Again::Never);
    }

    #[test]
    fn waits_grow_to_a_limit() {
        let waits: Vec<u128> = (1..9).map(|failed| backoff(failed, 1.0).as_millis()).collect();
        assert_eq!(waits, [200, 400, 800, 1600, 3200, 6400, 8000, 8000]);
        assert_eq!(backoff(3, 0.0).as_millis(), 400);
        let chances: Vec<f64> = (0..50).map(|_| chance()).collect();
        assert!(chances.iter().all(|chance| (0.0..1.0).contains(chance)));
        assert!(chances.iter().any(|chance| chance != &chances[0]));
    }

    #[tokio::test(start_paused = true)]
    async fn b54_gives_up_when_the_wait_is_too_long_or_it_fails_too_often() {
        let count = Cell::new(0);
        let said = RefCell::new(Vec::new());
        let fail = |again| {
            count.set(count.get() + 1);
            std::future::ready(Err::<(), _>(Failure {
                error: Error::new(Kind::Remote, "x"),
                again,
            }))
        };
        let notice = |words: &str| said.borrow_mut().push(words.to_owned());
        let long = Again::After(Duration::from_secs(3600));
        let error = until_done(notice, || fail(long)).await.expect_err("too long");
        assert_eq!(count.replace(0), 1);
        assert!(format!("{:?}", error.hints()).contains("3600 s"));
        until_done(notice, || fail(Again::Soon)).await.expect_err("too often");
        assert_eq!(count.replace(0), ATTEMPTS);
        let begun = tokio::time::Instant::now();
        let after = Again::After(Duration::from_secs(2));
        until_done(notice, || fail(after)).await.expect_err("too often");
        assert!(begun.elapsed() >= Duration::from_secs(2) * (ATTEMPTS - 1));
        assert!(said.borrow().iter().all(|words| words == "x; trying again"));
        assert!(!said.borrow().is_empty());
    }
}
