//! What was asked, how much at once, and faults on request.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// More distinct paths than this are counted together.
const PATHS: usize = 1000;

/// A fault that tests ask for: `POST /sandbox/faults` takes a list of these, which replaces the
/// one before it. The first rule that matches and is not used up applies; `delay_ms` goes with
/// any of the others, or stands alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// A path such as `/viam.app.v1.AppService/ListOrganizations`; a `*` at the end stands for
    /// any rest.
    pub path: String,
    /// How many requests it applies to.
    #[serde(default = "once")]
    pub times: u32,
    /// Waits before anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// Answers a gRPC call with this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<FaultStatus>,
    /// Answers with this HTTP status and a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
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
    rules: Vec<FaultRule>,
}

/// The counters and the rules.
#[derive(Clone, Default)]
pub(crate) struct Traffic(Arc<Mutex<Inner>>);

/// A request is under way until this is dropped.
pub(crate) struct UnderWay {
    traffic: Traffic,
    seen: bool,
}

impl Traffic {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request and finds the fault that is meant for it.
    pub(crate) fn enter(&self, path: &str) -> (UnderWay, Option<FaultRule>) {
        let mut inner = self.inner();
        inner.under_way += 1;
        inner.seen.highest_under_way = inner.seen.highest_under_way.max(inner.under_way);
        let counts = &mut inner.seen.counts;
        let name = if counts.len() < PATHS || counts.contains_key(path) { path } else { "others" };
        *counts.entry(name.to_owned()).or_default() += 1;
        let rule = inner.rules.iter_mut().find(|rule| rule.matches(path)).map(|rule| {
            rule.times -= 1;
            rule.clone()
        });
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
    }

    /// Puts other rules in place.
    pub(crate) fn set_rules(&self, rules: Vec<FaultRule>) {
        self.inner().rules = rules;
    }

    /// The rules that are not used up.
    pub(crate) fn rules(&self) -> Vec<FaultRule> {
        self.inner().rules.iter().filter(|rule| rule.times > 0).cloned().collect()
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
