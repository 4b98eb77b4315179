//! The logs of parts: in pages, and as they come.

use std::ops::ControlFlow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};
use viam_proto::app::v1 as pb;
use viam_proto::common::v1::LogEntry;

use super::access::{Level, denied};
use super::convert::{micros, timestamp, to_struct};
use super::{Answer, Call, Refusal, access, ask};
use crate::seed::LogSpec;
use crate::server::jwt::Access;
use crate::server::state::Shared;
use crate::store::logs::Window;
use crate::store::{Failure, Log, Part, logs, parts};

/// The most entries of the first page, and of a message of a stream.
const PAGE: usize = 100;

/// The most of each page after it: whoever goes on wants many. How many there are is the server's
/// choice (transport.md §4.5).
const MORE: usize = 1000;

/// What `errors_only` lets through.
const ERRORS: &[&str] = &["error", "dpanic", "panic", "fatal"];

/// Which entries somebody asks for.
struct Wanted {
    errors_only: bool,
    /// In small letters.
    filter: String,
    levels: Vec<String>,
}

impl Wanted {
    fn new(errors_only: bool, filter: Option<String>, levels: Vec<String>) -> Self {
        Self { errors_only, filter: filter.unwrap_or_default().to_lowercase(), levels }
    }

    fn takes(&self, log: &Log) -> bool {
        let is = |level: &str| level.eq_ignore_ascii_case(&log.level);
        let says = |text: &str| text.to_lowercase().contains(&self.filter);
        (!self.errors_only || ERRORS.iter().any(|level| is(level)))
            && (self.levels.is_empty() || self.levels.iter().any(|level| is(level)))
            && (self.filter.is_empty() || says(&log.message) || says(&log.logger))
    }
}

fn message(log: Log, host: &str) -> LogEntry {
    let fields: Vec<Map<String, Value>> = serde_json::from_str(&log.fields).unwrap_or_default();
    LogEntry {
        host: host.to_owned(),
        level: log.level,
        time: Some(timestamp(log.time)),
        logger_name: log.logger,
        message: log.message,
        fields: fields.into_iter().map(to_struct).collect(),
        ..Default::default()
    }
}

/// Where the next page begins. Its window stays that of the first page, whatever the time, and
/// whatever was added, in between.
struct Cursor {
    newest: i64,
    times: (i64, i64),
    after: (i64, i64),
}

impl Cursor {
    fn token(&self) -> String {
        let Self { newest, times: (first, last), after: (time, seq) } = self;
        URL_SAFE_NO_PAD.encode(format!("{newest} {first} {last} {time} {seq}"))
    }

    fn parse(token: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
        let numbers: Vec<i64> = text.split(' ').map(str::parse).collect::<Result<_, _>>().ok()?;
        let [newest, first, last, time, seq] = numbers[..] else { return None };
        Some(Self { newest, times: (first, last), after: (time, seq) })
    }
}

fn wrong(words: impl Into<String>) -> Refusal {
    Refusal(Status::invalid_argument(words))
}

/// The microseconds of a range: `10m`, `10h`, `10d`.
fn range(text: &str) -> Answer<i64> {
    let bad = || wrong(format!("the range {text:?} is not like 10m, 10h or 10d"));
    let (number, seconds) = [("m", 60), ("h", 3600), ("d", 86400)]
        .into_iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))
        .ok_or_else(bad)?;
    let number: u32 = number.parse().map_err(|_| bad())?;
    Ok(i64::from(number) * seconds * 1_000_000)
}

/// The first and the last time that a request asks for.
fn times(request: &pb::GetRobotPartLogsRequest, now: i64) -> Answer<(i64, i64)> {
    let start = request.start.as_ref().map(micros);
    let end = request.end.as_ref().map(micros);
    let text = request.range.as_deref().unwrap_or_default();
    if text.is_empty() {
        return Ok((start.unwrap_or(i64::MIN), end.unwrap_or(i64::MAX)));
    }
    let range = range(text)?;
    match (start, end) {
        (Some(_), Some(_)) => Err(wrong("a range goes with a start or an end, not with both")),
        (Some(start), None) => Ok((start, start.saturating_add(range))),
        (None, end) => {
            let end = end.unwrap_or(now);
            Ok((end.saturating_sub(range), end))
        }
    }
}

/// The part, if the caller may see its logs: operators may not.
fn readable(call: &Call<'_>, id: &str) -> Answer<Part> {
    let (part, level) = call.part(id, Level::Read)?;
    if level < Level::Write {
        return Err(denied(Level::Read, "the logs of part", id));
    }
    Ok(part)
}

pub(super) fn page(
    call: &Call<'_>,
    request: pb::GetRobotPartLogsRequest,
) -> Answer<pb::GetRobotPartLogsResponse> {
    let part = readable(call, &request.id)?;
    if request.source.as_ref().is_some_and(|source| !source.is_empty())
        || request.user_facing_only == Some(true)
    {
        return Err(wrong("the sandbox's logs have no source and no user-facing entries"));
    }
    let ascending = match pb::LogOrder::try_from(request.order.unwrap_or_default()) {
        Ok(pb::LogOrder::Ascending) => true,
        Ok(pb::LogOrder::Descending | pb::LogOrder::Unspecified) => false,
        Err(error) => return Err(wrong(error.to_string())),
    };
    let limit = usize::try_from(request.limit.unwrap_or_default())
        .map_err(|_| wrong("the limit is below zero"))?;
    let cursor = match request.page_token.as_deref().unwrap_or_default() {
        "" => None,
        token => Some(Cursor::parse(token).ok_or_else(|| wrong("no page has that token"))?),
    };
    let most = if cursor.is_some() { MORE } else { PAGE };
    let limit = if limit == 0 { most } else { limit.min(most) };
    let (newest, times, after) = match cursor {
        Some(cursor) => (cursor.newest, cursor.times, Some(cursor.after)),
        None => (logs::newest(call.db)?, times(&request, call.now)?, None),
    };
    let wanted = Wanted::new(request.errors_only, request.filter, request.levels);
    let window = Window { part: &part.id, newest, times, ascending, after };
    let mut found: Vec<Log> = Vec::new();
    let mut more = false;
    logs::scan(call.db, &window, |log| {
        if !wanted.takes(&log) {
            return ControlFlow::Continue(());
        }
        more = found.len() == limit;
        if more {
            return ControlFlow::Break(());
        }
        found.push(log);
        ControlFlow::Continue(())
    })?;
    let last = found.last().filter(|_| more).map(|log| (log.time, log.seq));
    let next = last.map(|after| Cursor { newest, times, after }.token());
    Ok(pb::GetRobotPartLogsResponse {
        logs: found.into_iter().map(|log| message(log, &part.fqdn)).collect(),
        next_page_token: next.unwrap_or_default(),
    })
}

type Piece = Result<pb::TailRobotPartLogsResponse, Status>;

/// Sends what is added from now on; the newest entry of each message comes first, as in a page.
pub(super) async fn tail(
    shared: &Arc<Shared>,
    request: Request<pb::TailRobotPartLogsRequest>,
) -> Result<Response<BoxStream<pb::TailRobotPartLogsResponse>>, Status> {
    let access = access(&request)?;
    let request = request.into_inner();
    let shared = shared.clone();
    // Before it is asked what is there, so that nothing falls in between.
    let mut added = shared.tails.added.subscribe();
    let mut ended = shared.tails.ended.subscribe();
    let mut stop = shared.stop.subscribe();
    let id = request.id.clone();
    let after = ask(&shared, &access, move |call| {
        readable(call, &id)?;
        Ok(logs::newest(call.db)?)
    })
    .await?;
    let (pieces, receiver) = mpsc::channel(1);
    let mut tail = Tail {
        _open: shared.tails.open.subscribe(),
        shared,
        access,
        part: request.id,
        wanted: Arc::new(Wanted::new(request.errors_only, request.filter, Vec::new())),
        after,
        pieces,
    };
    tokio::spawn(async move {
        loop {
            let end = tokio::select! {
                biased;
                () = tail.pieces.closed() => return,
                _ = ended.changed() => Some(Err(Status::unavailable("the stream was ended"))),
                _ = stop.wait_for(|stop| *stop) => Some(Ok(())),
                _ = added.changed() => None,
            };
            // What was added before the end still belongs to it.
            match (tail.send().await, end) {
                (Ok(()), None) => {}
                (Ok(()), Some(Ok(()))) => return,
                (Err(status), _) | (Ok(()), Some(Err(status))) => {
                    let _ = tail.pieces.send(Err(status)).await;
                    return;
                }
            }
        }
    });
    Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
}

/// A stream under way.
struct Tail {
    shared: Arc<Shared>,
    access: Arc<Access>,
    part: String,
    wanted: Arc<Wanted>,
    /// The place of the last entry that was looked at.
    after: i64,
    pieces: mpsc::Sender<Piece>,
    _open: watch::Receiver<()>,
}

impl Tail {
    /// Sends what was added since the last time.
    async fn send(&mut self) -> Result<(), Status> {
        loop {
            let (part, wanted, after) = (self.part.clone(), self.wanted.clone(), self.after);
            // Rights that were taken away in between end the stream.
            let (seen, newest, logs) = ask(&self.shared, &self.access, move |call| {
                let part = readable(call, &part)?;
                let added = logs::added(call.db, &part.id, after, PAGE)?;
                let newest = added.last().map_or(after, |log| log.seq);
                let seen = added.len();
                let taken = added.into_iter().rev().filter(|log| wanted.takes(log));
                let logs: Vec<_> = taken.map(|log| message(log, &part.fqdn)).collect();
                Ok((seen, newest, logs))
            })
            .await?;
            self.after = newest;
            if !logs.is_empty() {
                let piece = pb::TailRobotPartLogsResponse { logs };
                // Whoever is gone is noticed by the loop.
                let _ = self.pieces.send(Ok(piece)).await;
            }
            if seen < PAGE {
                return Ok(());
            }
        }
    }
}

impl Shared {
    /// Adds entries to the logs of a part, the oldest first; `false` when there is no such part.
    pub(crate) fn append_logs(
        &self,
        part: &str,
        entries: &[LogSpec],
    ) -> viam_contract::Result<bool> {
        let now = self.clock.micros();
        let found = self.store.with(|db| {
            let found = parts::get(db, part)?.is_some();
            if found {
                for entry in entries {
                    logs::insert(db, part, &entry.log(now))?;
                }
            }
            Ok::<_, Failure>(found)
        })?;
        self.tails.added.send_replace(());
        Ok(found)
    }
}
