//! The bytes of captured files by plain HTTP (transport.md §4.7), whole or from a place on
//! (RFC 9110 §14).

use std::io;
use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Router};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::jwt::Access;
use super::rpc;
use super::state::Shared;
use super::traffic::FaultRule;
use crate::store::data::{File, files};

/// Where they are.
pub(super) const PATH: &str = "/files";

/// How much is read at once.
const PIECE: usize = 256 * 1024;

/// Pieces that wait for the network.
const QUEUE: usize = 4;

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new().route(&format!("{PATH}/{{id}}"), get(download)).with_state(shared)
}

/// A request extension: what a test asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Oddities {
    /// It comes whole.
    no_ranges: bool,
    /// It is of another version.
    other_etag: bool,
}

impl Oddities {
    pub(crate) fn of(rule: &FaultRule) -> Self {
        Self { no_ranges: rule.no_ranges, other_etag: rule.other_etag }
    }
}

async fn download(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    odd: Option<Extension<Oddities>>,
    headers: HeaderMap,
) -> Response {
    match find(&shared, id, &headers).await {
        Ok(file) => send(shared, file, &headers, odd.map(|odd| odd.0).unwrap_or_default()),
        Err(status) => {
            let code = match status.code() {
                tonic::Code::Unauthenticated => StatusCode::UNAUTHORIZED,
                tonic::Code::PermissionDenied => StatusCode::FORBIDDEN,
                tonic::Code::NotFound => StatusCode::NOT_FOUND,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            };
            (code, format!("{}\n", status.message())).into_response()
        }
    }
}

/// The file, if whoever asks may see it.
async fn find(shared: &Arc<Shared>, id: String, headers: &HeaderMap) -> Result<File, Status> {
    let access = match (text(headers, "key_id"), text(headers, "key")) {
        (Some(id), Some(secret)) => Access::of_key(id, secret),
        _ => rpc::identify(shared, headers)?,
    };
    rpc::look(shared, access, move |call| Ok(files::get(call.db, &call.caller.reach(), &id)?))
        .await?
        .ok_or_else(|| Status::not_found("there is no such file"))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn send(shared: Arc<Shared>, file: File, headers: &HeaderMap, odd: Oddities) -> Response {
    let size = u64::try_from(file.size).unwrap_or_default();
    let tag = format!("\"{}{}\"", file.id, if odd.other_etag { "-other" } else { "" });
    let asked = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let asked = asked.filter(|_| !odd.no_ranges);
    // A range of another version of the file is the whole of this one.
    let same = headers.get(header::IF_RANGE).is_none_or(|value| value.as_bytes() == tag.as_bytes());
    let (status, range) = match asked.filter(|_| same).map(|asked| range(asked, size)) {
        None | Some(None) => (StatusCode::OK, 0..size),
        Some(Some(range)) if range.is_empty() => {
            let head = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
            return (StatusCode::RANGE_NOT_SATISFIABLE, head).into_response();
        }
        Some(Some(range)) => (StatusCode::PARTIAL_CONTENT, range),
    };
    let mime = if file.capture.mime.is_empty() {
        "application/octet-stream".to_owned()
    } else {
        file.capture.mime.clone()
    };
    let mut head = vec![
        (header::CONTENT_TYPE, mime),
        (header::CONTENT_LENGTH, (range.end - range.start).to_string()),
        (header::ACCEPT_RANGES, if odd.no_ranges { "none" } else { "bytes" }.to_owned()),
        (header::ETAG, tag),
    ];
    if status == StatusCode::PARTIAL_CONTENT {
        let words = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        head.push((header::CONTENT_RANGE, words));
    }
    let mut response = Response::new(body(shared, file, range));
    *response.status_mut() = status;
    for (name, value) in head {
        if let Ok(value) = value.try_into() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// `bytes=A-B`, `bytes=A-` or `bytes=-N` of a file of that size; empty when it has no such place,
/// `None` for what is to be ignored.
fn range(asked: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = asked.strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| text.parse::<u64>().ok();
    match (first, last) {
        ("", last) => Some(size.saturating_sub(number(last)?)..size),
        (first, "") => Some(number(first)?.min(size)..size),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(first.min(size)..last.saturating_add(1).min(size))
        }
    }
}

/// Reads ahead a little, and no more than the network takes. Whoever reads slowly holds up no
/// thread, of which there are few.
fn body(shared: Arc<Shared>, file: File, mut range: Range<u64>) -> Body {
    let (sender, pieces) = mpsc::channel(QUEUE);
    let file = Arc::new(file);
    tokio::spawn(async move {
        while !range.is_empty() {
            let left = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
            let (shared, file, from) = (shared.clone(), file.clone(), range.start);
            let read = move || shared.contents.read(&file, from, left.min(PIECE));
            let piece =
                Shared::blocking(read).await.unwrap_or_else(|error| Err(io::Error::other(error)));
            let length = piece.as_ref().map_or(0, Vec::len);
            let broken = length == 0;
            range.start += length as u64;
            if sender.send(piece.map(Bytes::from)).await.is_err() || broken {
                return;
            }
        }
    });
    Body::from_stream(ReceiverStream::new(pieces))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_within_the_file() {
        for (asked, expected) in [
            ("bytes=0-", Some(0..10)),
            ("bytes=3-5", Some(3..6)),
            ("bytes=3-99", Some(3..10)),
            ("bytes=-4", Some(6..10)),
            ("bytes=10-", Some(10..10)),
            ("bytes=5-3", None),
            ("pages=1-2", None),
            ("bytes=x-", None),
        ] {
            assert_eq!(range(asked, 10), expected, "{asked}");
        }
    }
}
