//! Large files: by URL, in pieces, going on where it broke off (report B52).

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_RANGE, ETAG, IF_RANGE, RANGE};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::BodyExt as _;
use tokio::time::timeout;
use tonic::body::Body;
use viam_client::retry::{Failure, Pauses};
use viam_client::web;
use viam_client::wire::LongLived;
use viam_contract::{Error, Kind, Result};

use super::batch::{broken, failed};
use super::{Engine, File, Outcome};
use crate::destination::Writing;

/// What a download has in memory at most, in bytes.
const PIECES: u64 = 1 << 20;

const DOING: &str = "could not download it";

/// How far a download is.
#[derive(Default)]
struct Place {
    /// Bytes that have come.
    at: u64,
    /// What the server calls this version of the file; without it there is no going on.
    version: Option<HeaderValue>,
}

/// What ends an attempt.
enum Stop {
    /// The download, which may go on.
    Download(Failure),
    /// The destination, which may not.
    Destination(Error),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Download(failure)
    }
}

impl Engine<'_> {
    /// Brings a file by its URL.
    pub(super) async fn large(&self, file: Arc<File>) -> Result<Outcome> {
        let _leave = self.leave(PIECES).await;
        let to = &self.options.destination;
        let mut writing = to.begin(&file.item).await?;
        let mut place = Place::default();
        let mut pauses = Pauses::default();
        loop {
            let before = place.at;
            let stop = match self.attempt(&file, &mut place, &mut writing).await {
                Ok(()) => break,
                Err(stop) => stop,
            };
            let failure = match stop {
                Stop::Download(failure) => failure,
                Stop::Destination(error) => {
                    writing.abort().await;
                    return broken(&file, error);
                }
            };
            if place.at > before {
                pauses.reset();
            }
            if let Err(error) = pauses.after(failure, |words| self.notice(words)).await {
                writing.abort().await;
                if error.kind() == Kind::Auth {
                    return Err(error);
                }
                return Ok(Outcome::Failed(failed(&file, &error)));
            }
        }
        match writing.finish(to, &file.item).await {
            Ok(saved) => Ok(Outcome::Saved(file, saved)),
            Err(error) => broken(&file, error),
        }
    }

    async fn attempt(
        &self,
        file: &File,
        place: &mut Place,
        writing: &mut Writing,
    ) -> Result<(), Stop> {
        let request = request(&file.metadata.uri, place).map_err(Failure::lasting)?;
        let answered = timeout(self.options.stall, web::send(&self.web, request)).await;
        let answer = answered.map_err(|_| self.silent())?.map_err(Failure::from)?;
        let status = answer.status();
        match status {
            StatusCode::PARTIAL_CONTENT if begins_at(answer.headers(), place.at) => {}
            // The whole, also where a part was asked for: another version, or a server that has no
            // parts.
            StatusCode::OK => self.begin_anew(place, writing).await?,
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if place.at > 0 => {
                self.begin_anew(place, writing).await?;
                let words = "the server has no such part of it";
                return Err(Failure::passing(Error::new(Kind::Remote, words)).into());
            }
            _ => return Err(Failure::of_answer(status, answer.headers(), DOING).into()),
        }
        place.version = strong(answer.headers());
        let mut body = answer.into_body();
        loop {
            let frame = timeout(self.options.stall, body.frame()).await;
            match frame.map_err(|_| self.silent())? {
                None => break,
                Some(Err(status)) => {
                    let error = Error::new(Kind::Remote, "the download broke off");
                    let why =
                        viam_client::lost(&status).unwrap_or_else(|| status.message().to_owned());
                    return Err(Failure::passing(error.because(why)).into());
                }
                Some(Ok(frame)) => {
                    let Ok(bytes) = frame.into_data() else { continue };
                    self.received(place, writing, bytes).await?;
                }
            }
        }
        file.check(place.at).map_err(|why| {
            // Another attempt gets a whole one, or the same.
            place.version = None;
            Stop::Download(Failure::passing(Error::new(Kind::Remote, why)))
        })
    }

    async fn received(
        &self,
        place: &mut Place,
        writing: &mut Writing,
        bytes: Bytes,
    ) -> Result<(), Stop> {
        let length = bytes.len() as u64;
        writing.write(bytes).await.map_err(Stop::Destination)?;
        place.at += length;
        self.progress.advance(length);
        Ok(())
    }

    async fn begin_anew(&self, place: &mut Place, writing: &mut Writing) -> Result<(), Stop> {
        if place.at > 0 {
            self.progress.back(place.at);
            *place = Place::default();
            writing.restart().await.map_err(Stop::Destination)?;
        }
        Ok(())
    }

    fn silent(&self) -> Failure {
        let words = format!("nothing came for {} s", self.options.stall.as_secs());
        Failure::passing(Error::new(Kind::Remote, words))
    }
}

/// Asks for a file, or for the rest of it where its version is known.
fn request(uri: &str, place: &Place) -> Result<Request<Body>> {
    let bad = |error: http::Error| Error::new(Kind::Remote, "its URL is none").because(error);
    let mut request = Request::get(uri).body(Body::empty()).map_err(bad)?;
    request.extensions_mut().insert(LongLived);
    if let (Some(version), 1..) = (&place.version, place.at) {
        let headers = request.headers_mut();
        headers.insert(IF_RANGE, version.clone());
        let range = HeaderValue::try_from(format!("bytes={}-", place.at));
        headers.insert(RANGE, range.map_err(|error| bad(error.into()))?);
    }
    Ok(request)
}

/// Whether a part begins where it was asked to.
fn begins_at(headers: &HeaderMap, at: u64) -> bool {
    let range = headers.get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    range
        .and_then(|range| range.strip_prefix("bytes ")?.split_once('-'))
        .is_some_and(|(first, _)| first.parse() == Ok(at))
}

/// The name of a version that stands for its bytes; a weak one does not (RFC 9110 §8.8.1).
fn strong(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(ETAG).filter(|tag| !tag.as_bytes().starts_with(b"W/")).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b52_a_rest_is_asked_for_only_where_the_version_is_known() {
        let asked = |at, version: Option<&'static str>| {
            let place = Place { at, version: version.map(HeaderValue::from_static) };
            let request = request("http://h/x", &place).expect("request");
            let text = |name| request.headers().get(name).map(|value| format!("{value:?}"));
            (text(RANGE), text(IF_RANGE))
        };
        assert_eq!(asked(0, Some("\"v\"")), (None, None));
        assert_eq!(asked(5, None), (None, None));
        let range = Some(r#""bytes=5-""#.to_owned());
        assert_eq!(asked(5, Some("\"v\"")), (range, Some(r#""\"v\"""#.to_owned())));
        let mut headers = HeaderMap::new();
        headers.insert(ETAG, HeaderValue::from_static("W/\"v\""));
        assert_eq!(strong(&headers), None);
        for (range, is) in [("bytes 5-9/10", true), ("bytes 4-9/10", false), ("5-9", false)] {
            headers.insert(CONTENT_RANGE, HeaderValue::from_static(range));
            assert_eq!(begins_at(&headers, 5), is, "{range}");
        }
    }
}
