//! The logs of a part: page by page, and as they come.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use prost_types::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tonic::{Code, Request, Status};
use viam_contract::{Error, Kind, Result, Wire};
use viam_proto::app::v1::app_service_client::AppServiceClient;
use viam_proto::app::v1::{
    GetRobotPartLogsRequest, GetRobotPartLogsResponse, LogOrder, TailRobotPartLogsRequest,
};
use viam_proto::common::v1::LogEntry;

use crate::lookup::app;
use crate::rpc_error;
use crate::wire::LongLived;

/// The pages of a part's logs. While one is looked at the next one is on its way.
pub struct Pages {
    client: AppServiceClient<Wire>,
    request: GetRobotPartLogsRequest,
    /// How many more entries are wanted.
    left: usize,
    ahead: Option<JoinHandle<Result<GetRobotPartLogsResponse, Status>>>,
    done: bool,
}

/// So often the runtime gets to send a request before its page is asked for: through the layers
/// of the transport, and to the socket.
const STEPS: usize = 4;

impl Pages {
    /// Makes the first request ready; no page is fetched beyond so many entries.
    #[must_use]
    pub fn new(wire: &Wire, request: GetRobotPartLogsRequest, count: usize) -> Self {
        let request = GetRobotPartLogsRequest {
            page_token: Some(String::new()),
            filter: Some(request.filter.unwrap_or_default()),
            ..request
        };
        Self { client: app(wire.clone()), request, left: count, ahead: None, done: false }
    }

    /// The next page; `None` after the last one.
    ///
    /// # Errors
    /// The status of the call.
    pub async fn next(&mut self) -> Result<Option<Vec<LogEntry>>, Status> {
        if self.done {
            return Ok(None);
        }
        let page = match self.ahead.take() {
            Some(ahead) => ahead.await.map_err(|error| Status::from_error(error.into()))??,
            None => self.client.get_robot_part_logs(self.request.clone()).await?.into_inner(),
        };
        self.left = self.left.saturating_sub(page.logs.len());
        self.done = page.logs.is_empty()
            || page.next_page_token.is_empty()
            || self.request.page_token.as_ref() == Some(&page.next_page_token);
        self.request.page_token = Some(page.next_page_token);
        if !self.done && self.left > 0 {
            let (mut client, request) = (self.client.clone(), self.request.clone());
            self.ahead = Some(tokio::spawn(async move {
                client.get_robot_part_logs(request).await.map(tonic::Response::into_inner)
            }));
            for _ in 0..STEPS {
                tokio::task::yield_now().await;
            }
        }
        Ok((!page.logs.is_empty()).then_some(page.logs))
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        if let Some(ahead) = &self.ahead {
            ahead.abort();
        }
    }
}

/// What a tail brings.
#[derive(Debug)]
pub enum Event {
    /// Entries, oldest first.
    Entries(Vec<LogEntry>),
    /// The stream broke off; another one is opened after the wait.
    Lost {
        /// In words.
        why: String,
        /// How long until then.
        wait: Duration,
    },
}

/// What is to be followed.
#[derive(Clone, Debug, Default)]
pub struct TailRequest {
    /// Id of the part.
    pub part_id: String,
    /// Errors only.
    pub errors_only: bool,
    /// What a line must contain.
    pub keyword: String,
    /// The levels; all where there is none.
    pub levels: Vec<String>,
    /// The time now: where there are no logs yet, a stream that broke off is made up from here.
    pub now: Timestamp,
}

/// The longest wait before another stream is opened.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// After so many failures in a row that are neither the network's nor a server's that is away,
/// it is over.
const STRANGE_FAILURES: u32 = 5;
/// After so many streams in a row that end without a word, it is over.
const EMPTY_STREAMS: u32 = 3;
/// Entries may reach the server late by this, and still none is missed after a break.
const MARGIN_SECONDS: i64 = 10;
/// So many entries are remembered.
const REMEMBERED: usize = 50_000;

/// Follows the logs until `on` fails. A stream that breaks off is
/// replaced by another one, and what came in between is fetched, so that nothing is missing and
/// nothing comes twice. A server that ends one stream after the other, with nothing in them, has
/// no more to say: that is the end, too.
///
/// # Errors
/// What `on` returns; `could not tail logs` for what another attempt would not change.
pub async fn tail(
    wire: &Wire,
    request: TailRequest,
    mut on: impl FnMut(Event) -> Result<()>,
) -> Result<()> {
    let mut tail = Tail {
        newest: millis(Some(request.now)),
        wire: wire.clone(),
        request,
        seen: Seen::default(),
        again: HashMap::new(),
    };
    let mut stream = tail.open();
    // What is there already is not printed, and counts as printed when a gap is filled. Where it
    // cannot be had, the time now has to do.
    if let Err(Failed::Call(status)) = tail.remember().await {
        tracing::debug!(target: "viam", "no logs to begin with: {status}");
        tail.seen.forgotten_until = tail.newest;
    }
    let mut trouble = Trouble::default();
    loop {
        let failed = match tail.follow(&mut stream, &mut trouble, &mut on).await {
            Failed::Sink(error) => return Err(error),
            Failed::Call(status) => *status,
            Failed::Ended => {
                trouble.empty += 1;
                if trouble.empty >= EMPTY_STREAMS {
                    return Ok(());
                }
                Status::unavailable("it ended the stream")
            }
        };
        trouble.failures += 1;
        trouble.broken = true;
        let away =
            failed.code() == Code::Unavailable || std::error::Error::source(&failed).is_some();
        let unknown_call = failed.code() == Code::Unimplemented;
        let error = rpc_error(failed, "could not tail logs");
        let over = unknown_call || !(away || trouble.failures < STRANGE_FAILURES);
        if error.kind() != Kind::Remote || over {
            return Err(error);
        }
        let wait = Duration::from_millis(100 << trouble.failures.min(8)).min(LONGEST_WAIT);
        let why = error.causes().into_iter().next().unwrap_or_default();
        on(Event::Lost { why, wait })?;
        tokio::time::sleep(wait).await;
        tail.again.clone_from(&tail.seen.counts);
        stream = tail.open();
    }
}

/// How it goes.
#[derive(Default)]
struct Trouble {
    /// A stream broke off.
    broken: bool,
    /// Failures since something worked.
    failures: u32,
    /// Streams that ended since something came.
    empty: u32,
}

/// Why following ended.
enum Failed {
    /// A call did not work.
    Call(Box<Status>),
    /// The entries could not be printed.
    Sink(Error),
    /// The server ended the stream.
    Ended,
}

impl From<Status> for Failed {
    fn from(status: Status) -> Self {
        Self::Call(Box::new(status))
    }
}

struct Tail {
    wire: Wire,
    request: TailRequest,
    /// When the newest entry was made, in milliseconds.
    newest: i64,
    seen: Seen,
    /// Entries that were printed, and that a new stream may bring as well.
    again: HashMap<u64, u32>,
}

/// A stream in a task of its own: a server may send its headers with the first entries only, and
/// meanwhile there is other work.
struct Stream {
    entries: mpsc::Receiver<Result<Vec<LogEntry>, Status>>,
    task: JoinHandle<()>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Tail {
    fn open(&self) -> Stream {
        let mut request = Request::new(TailRobotPartLogsRequest {
            id: self.request.part_id.clone(),
            errors_only: self.request.errors_only,
            filter: Some(self.request.keyword.clone()),
        });
        request.extensions_mut().insert(LongLived);
        let mut client = app(self.wire.clone());
        let (sender, entries) = mpsc::channel(16);
        let task = tokio::spawn(async move {
            let mut stream = match client.tail_robot_part_logs(request).await {
                Ok(answer) => answer.into_inner(),
                Err(status) => return drop(sender.send(Err(status)).await),
            };
            loop {
                let sent = match stream.message().await {
                    Ok(Some(batch)) => sender.send(Ok(batch.logs)).await,
                    Ok(None) => return,
                    Err(status) => return drop(sender.send(Err(status)).await),
                };
                if sent.is_err() {
                    return;
                }
            }
        });
        Stream { entries, task }
    }

    /// Prints what a stream brings, to its end.
    async fn follow(
        &mut self,
        stream: &mut Stream,
        trouble: &mut Trouble,
        on: &mut impl FnMut(Event) -> Result<()>,
    ) -> Failed {
        match self.try_follow(stream, trouble, on).await {
            Ok(()) => Failed::Ended,
            Err(failed) => failed,
        }
    }

    async fn try_follow(
        &mut self,
        stream: &mut Stream,
        trouble: &mut Trouble,
        on: &mut impl FnMut(Event) -> Result<()>,
    ) -> Result<(), Failed> {
        // The server may begin with a stream a moment after it was asked what there is, the first
        // one too. So it is asked again after a second, and when the stream proves to be there.
        let mut gaps = 2;
        if trouble.broken {
            self.fill_gap(on).await?;
        }
        loop {
            let settle = tokio::time::sleep(Duration::from_secs(1));
            let batch = tokio::select! {
                batch = stream.entries.recv() => batch,
                () = settle, if gaps == 2 => {
                    gaps = 1;
                    self.fill_gap(on).await?;
                    trouble.failures = 0;
                    continue;
                }
            };
            let Some(batch) = batch else { return Ok(()) };
            let mut batch = batch?;
            if gaps > 0 {
                gaps = 0;
                self.fill_gap(on).await?;
            }
            trouble.failures = 0;
            // The server sends the newest of a batch first.
            let ends = batch.first().zip(batch.last());
            if ends.is_some_and(|(first, last)| millis(first.time) >= millis(last.time)) {
                batch.reverse();
            }
            batch.retain(|entry| self.wanted(entry) && !self.came_already(entry));
            if !batch.is_empty() {
                trouble.empty = 0;
            }
            self.print(batch, on)?;
        }
    }

    fn wanted(&self, entry: &LogEntry) -> bool {
        let levels = &self.request.levels;
        levels.is_empty() || levels.iter().any(|level| level.eq_ignore_ascii_case(&entry.level))
    }

    fn came_already(&mut self, entry: &LogEntry) -> bool {
        match self.again.get_mut(&print_of(entry)) {
            Some(left @ 1..) => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }

    fn print(
        &mut self,
        entries: Vec<LogEntry>,
        on: &mut impl FnMut(Event) -> Result<()>,
    ) -> Result<(), Failed> {
        if entries.is_empty() {
            return Ok(());
        }
        for entry in &entries {
            self.newest = self.newest.max(millis(entry.time));
            self.seen.add(entry);
        }
        on(Event::Entries(entries)).map_err(Failed::Sink)
    }

    fn pages(&self, order: LogOrder, start: Option<Timestamp>, count: usize) -> Pages {
        Pages::new(
            &self.wire,
            GetRobotPartLogsRequest {
                id: self.request.part_id.clone(),
                errors_only: self.request.errors_only,
                filter: Some(self.request.keyword.clone()),
                levels: self.request.levels.clone(),
                order: Some(order.into()),
                start,
                ..GetRobotPartLogsRequest::default()
            },
            count,
        )
    }

    async fn remember(&mut self) -> Result<(), Failed> {
        let mut pages = self.pages(LogOrder::Descending, None, 1);
        let page = pages.next().await?.unwrap_or_default();
        for entry in page.iter().rev() {
            self.seen.add(entry);
        }
        // What is older than this page was there as well, and where there are more pages, so was
        // what else was made in the moment of its oldest entry.
        self.seen.forgotten_until = self.newest;
        let times = || page.iter().map(|entry| millis(entry.time));
        if let Some((oldest, newest)) = times().min().zip(times().max()) {
            self.seen.forgotten_until = oldest + i64::from(!pages.done);
            self.newest = newest;
        }
        Ok(())
    }

    /// Prints what the server has and we have not.
    async fn fill_gap(&mut self, on: &mut impl FnMut(Event) -> Result<()>) -> Result<(), Failed> {
        let from = (self.newest - MARGIN_SECONDS * 1000).max(self.seen.forgotten_until);
        let start = Timestamp {
            seconds: from.div_euclid(1000),
            nanos: i32::try_from(from.rem_euclid(1000)).unwrap_or_default() * 1_000_000,
        };
        let mut pages = self.pages(LogOrder::Ascending, Some(start), usize::MAX);
        let mut counted: HashMap<u64, u32> = HashMap::new();
        while let Some(mut page) = pages.next().await? {
            page.retain(|entry| {
                let print = print_of(entry);
                let count = counted.entry(print).or_default();
                *count += 1;
                millis(entry.time) >= from && *count > self.seen.count(print)
            });
            for entry in &page {
                *self.again.entry(print_of(entry)).or_default() += 1;
            }
            self.print(page, on)?;
        }
        Ok(())
    }
}

/// What was printed, as far back as it matters.
#[derive(Default)]
struct Seen {
    order: VecDeque<(i64, u64)>,
    counts: HashMap<u64, u32>,
    /// Entries up to this time may be forgotten.
    forgotten_until: i64,
}

impl Seen {
    fn add(&mut self, entry: &LogEntry) {
        let (time, print) = (millis(entry.time), print_of(entry));
        self.order.push_back((time, print));
        *self.counts.entry(print).or_default() += 1;
        if self.order.len() > REMEMBERED
            && let Some((time, print)) = self.order.pop_front()
        {
            self.forgotten_until = self.forgotten_until.max(time + 1);
            if let Some(count) = self.counts.get_mut(&print) {
                *count -= 1;
                if *count == 0 {
                    self.counts.remove(&print);
                }
            }
        }
    }

    fn count(&self, print: u64) -> u32 {
        self.counts.get(&print).copied().unwrap_or_default()
    }
}

/// What two copies of one entry have in common. The time counts in milliseconds: what is stored
/// may be less exact than what is streamed.
fn print_of(entry: &LogEntry) -> u64 {
    let mut hasher = DefaultHasher::new();
    millis(entry.time).hash(&mut hasher);
    (&entry.level, &entry.logger_name, &entry.message).hash(&mut hasher);
    hasher.finish()
}

fn millis(time: Option<Timestamp>) -> i64 {
    let time = time.unwrap_or_default();
    time.seconds.saturating_mul(1000).saturating_add(i64::from(time.nanos) / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seconds: i64, message: &str) -> LogEntry {
        LogEntry {
            time: Some(Timestamp { seconds, nanos: 0 }),
            message: message.to_owned(),
            ..LogEntry::default()
        }
    }

    #[test]
    fn what_was_seen_is_counted_and_forgotten_at_last() {
        let mut seen = Seen::default();
        seen.add(&entry(1, "a"));
        seen.add(&entry(1, "a"));
        assert_eq!(seen.count(print_of(&entry(1, "a"))), 2);
        assert_eq!(seen.count(print_of(&entry(2, "a"))), 0);
        for second in 0..REMEMBERED {
            seen.add(&entry(i64::try_from(second).expect("small") + 2, "b"));
        }
        assert_eq!(seen.count(print_of(&entry(1, "a"))), 0);
        assert_eq!(seen.forgotten_until, 1001);
        assert_eq!(seen.counts.len(), REMEMBERED);
    }
}
