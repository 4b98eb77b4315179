//! What was asked, how much at once, and faults on request.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// More distinct paths than this are counted together.
const PATHS: usize = 1000;

/// So many request messages are kept of a path.
const MESSAGES: usize = 16;

/// Of so many paths.
const RECORDED: usize = 100;

/// A fault that tests ask for: `POST /sandbox/faults` takes a list of these, which replaces the
/// one before it. The first rule that matches and is not used up applies; `delay_ms` goes with
/// any of the others, or stands alone, and so does what is done to the body of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// A path such as `/viam.app.v1.AppService/ListOrganizations`; a `*` at the end stands for
    /// any rest.
    pub path: String,
    /// How many requests it applies to.
    #[serde(default = "once")]
    pub times: u32,
    /// Applies to each so-manieth of the requests only; the others go on to the next rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u32>,
    /// Waits before anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// Answers a gRPC call with this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<FaultStatus>,
    /// Answers with this HTTP status and a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// Says with either of these when to try again, as the header or the metadata `retry-after`:
    /// a number of seconds or an HTTP date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<String>,
    /// Answers HTTP 400 with this OAuth error (`slow_down`, `access_denied`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth_error: Option<String>,
    /// Breaks the connection or the stream instead of answering.
    #[serde(default)]
    pub cut: bool,
    /// Breaks the connection when so many pieces of the answer were sent and the next one is due:
    /// a message of a gRPC stream is a piece, and so is its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_after: Option<u32>,
    /// Breaks the connection after so many bytes of the body of the answer, be it a download or
    /// the messages of a gRPC call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_at: Option<u64>,
    /// The body of the answer comes no faster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_per_second: Option<u64>,
    /// After the first piece of the body nothing more comes, and the connection stays. Of a
    /// gRPC call that is a message; of a download it is never the whole.
    #[serde(default)]
    pub stall: bool,
    /// A download says that it is longer than it is, and ends early.
    #[serde(default)]
    pub wrong_length: bool,
    /// A download comes whole, whatever range was asked for.
    #[serde(default)]
    pub no_ranges: bool,
    /// A download is of another version than before: its `ETag` differs.
    #[serde(default)]
    pub other_etag: bool,
}

/// A gRPC status to answer with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultStatus {
    /// The number of the code: 14 is UNAVAILABLE, 16 UNAUTHENTICATED.
    pub code: i32,
    /// What it says.
    #[serde(default)]
    pub message: String,
}

fn once() -> u32 {
    1
}

impl FaultRule {
    /// A rule for the next request to a path.
    #[must_use]
    pub fn on(path: impl Into<String>) -> Self {
        Self { path: path.into(), times: 1, ..Self::default() }
    }

    fn matches(&self, path: &str) -> bool {
        self.times > 0
            && match self.path.strip_suffix('*') {
                Some(start) => path.starts_with(start),
                None => self.path == path,
            }
    }
}

/// What was asked since the start or since it was cleared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    /// Requests a path: gRPC methods and HTTP paths alike.
    pub counts: BTreeMap<String, u64>,
    /// The most that were under way at once.
    pub highest_under_way: usize,
}

impl Requests {
    /// How often a path was asked.
    #[must_use]
    pub fn of(&self, path: &str) -> u64 {
        self.counts.get(path).copied().unwrap_or_default()
    }
}

#[derive(Default)]
struct Inner {
    seen: Requests,
    under_way: usize,
    unseen: usize,
    rules: Vec<Rule>,
    messages: BTreeMap<String, VecDeque<Bytes>>,
}

/// A rule that is in place.
struct Rule {
    rule: FaultRule,
    /// How many requests came to it.
    matched: u32,
}

impl Rule {
    /// The fault of a request, if it is meant for this one.
    fn take(&mut self, path: &str) -> Option<FaultRule> {
        if !self.rule.matches(path) {
            return None;
        }
        self.matched += 1;
        if self.rule.every.is_some_and(|every| every > 1 && !self.matched.is_multiple_of(every)) {
            return None;
        }
        self.rule.times -= 1;
        Some(self.rule.clone())
    }
}

/// The counters and the rules.
#[derive(Clone, Default)]
pub(crate) struct Traffic {
    shared: Arc<Mutex<Inner>>,
    /// Bytes of the bodies of answers.
    sent: Arc<AtomicU64>,
}

/// A request is under way until this is dropped.
pub(crate) struct UnderWay {
    traffic: Traffic,
    seen: bool,
}

impl Traffic {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many bytes of answers were sent since the start.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Counts a request and finds the fault that is meant for it.
    pub(crate) fn enter(&self, path: &str) -> (UnderWay, Option<FaultRule>) {
        let mut inner = self.inner();
        inner.under_way += 1;
        inner.seen.highest_under_way = inner.seen.highest_under_way.max(inner.under_way);
        let counts = &mut inner.seen.counts;
        let name = if counts.len() < PATHS || counts.contains_key(path) { path } else { "others" };
        *counts.entry(name.to_owned()).or_default() += 1;
        let rule = inner.rules.iter_mut().find_map(|rule| rule.take(path));
        (UnderWay { traffic: self.clone(), seen: true }, rule)
    }

    /// A request that no test wants to know of.
    pub(crate) fn enter_unseen(&self) -> UnderWay {
        self.inner().unseen += 1;
        UnderWay { traffic: self.clone(), seen: false }
    }

    /// Whether any request is under way.
    pub(crate) fn is_busy(&self) -> bool {
        let inner = self.inner();
        inner.under_way + inner.unseen > 0
    }

    /// What was asked.
    pub(crate) fn requests(&self) -> Requests {
        self.inner().seen.clone()
    }

    /// Starts to count anew.
    pub(crate) fn clear(&self) {
        let mut inner = self.inner();
        inner.seen = Requests { highest_under_way: inner.under_way, ..Requests::default() };
        inner.messages.clear();
    }

    /// Keeps what a call was asked with.
    pub(crate) fn record(&self, path: &str, message: Bytes) {
        let messages = &mut self.inner().messages;
        if messages.len() >= RECORDED && !messages.contains_key(path) {
            return;
        }
        let kept = messages.entry(path.to_owned()).or_default();
        if kept.len() >= MESSAGES {
            kept.pop_front();
        }
        kept.push_back(message);
    }

    /// What the calls of a path were asked with, the oldest first.
    pub(crate) fn recorded(&self, path: &str) -> Vec<Bytes> {
        self.inner().messages.get(path).into_iter().flatten().cloned().collect()
    }

    /// Puts other rules in place.
    pub(crate) fn set_rules(&self, rules: Vec<FaultRule>) {
        let rules = rules.into_iter().map(|rule| Rule { rule, matched: 0 });
        self.inner().rules = rules.collect();
    }

    /// The rules that are not used up.
    pub(crate) fn rules(&self) -> Vec<FaultRule> {
        let inner = self.inner();
        let rules = inner.rules.iter().map(|rule| &rule.rule);
        rules.filter(|rule| rule.times > 0).cloned().collect()
    }
}

impl UnderWay {
    /// So many bytes of the answer are sent.
    pub(crate) fn send(&self, bytes: usize) {
        self.traffic.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut inner = self.traffic.inner();
        let count = if self.seen { &mut inner.under_way } else { &mut inner.unseen };
        *count = count.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_used_up() {
        let traffic = Traffic::default();
        traffic.set_rules(vec![
            FaultRule { times: 2, ..FaultRule::on("/a") },
            FaultRule { http_status: Some(500), ..FaultRule::on("/*") },
        ]);
        let applied: Vec<bool> = ["/a", "/a", "/a", "/a", "/b"]
            .iter()
            .map(|path| traffic.enter(path).1.is_some())
            .collect();
        assert_eq!(applied, [true, true, true, false, false]);
        assert!(traffic.rules().is_empty());
        assert_eq!(traffic.requests().of("/a"), 4);
    }

    #[test]
    fn a_rule_for_each_third_lets_the_others_go_on() {
        let traffic = Traffic::default();
        traffic.set_rules(vec![
            FaultRule { times: 2, every: Some(3), cut: true, ..FaultRule::on("/a") },
            FaultRule { times: 1, ..FaultRule::on("/a") },
        ]);
        let applied: Vec<Option<bool>> =
            (0..10).map(|_| traffic.enter("/a").1.map(|rule| rule.cut)).collect();
        let expected =
            [Some(false), None, Some(true), None, None, Some(true), None, None, None, None];
        assert_eq!(applied, expected);
    }

    #[test]
    fn the_last_messages_of_a_path_are_kept() {
        let traffic = Traffic::default();
        for number in 0..20 {
            traffic.record("/a", Bytes::from(vec![number]));
        }
        let kept: Vec<u8> = traffic.recorded("/a").iter().map(|message| message[0]).collect();
        assert_eq!(kept, (4..20).collect::<Vec<u8>>());
        assert!(traffic.recorded("/b").is_empty());
        traffic.clear();
        assert!(traffic.recorded("/a").is_empty());
    }

    #[test]
    fn the_highest_number_at_once_is_kept() {
        let traffic = Traffic::default();
        let one = traffic.enter("/a");
        let two = traffic.enter("/a");
        drop((one, two));
        drop(traffic.enter("/a"));
        assert_eq!(traffic.requests().highest_under_way, 2);
        traffic.clear();
        assert_eq!(traffic.requests(), Requests::default());
    }
}
