//! The body of an answer as it is sent: whole, or with the faults of a rule.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::{Frame, SizeHint};
use tokio::sync::Notify;
use tokio::time::Sleep;

use super::traffic::{FaultRule, UnderWay};

/// Slow answers come in so many pieces a second.
const PIECES: u64 = 20;

/// Within this, what was sent has arrived.
const ARRIVING: Duration = Duration::from_millis(20);

/// How much longer than it is an answer says to be.
const MISSING: u64 = 1000;

/// What is to go wrong with a body.
pub(super) struct Faults {
    /// How many pieces still go before the connection breaks.
    pieces: Option<u32>,
    /// How many bytes.
    bytes: Option<u64>,
    /// Bytes a second.
    rate: Option<u64>,
    /// Nothing comes after the first piece.
    stall: bool,
    /// It is said to be longer than it is, so hyper is not to know.
    longer: bool,
    grpc: bool,
    breaker: Arc<Notify>,
}

impl Faults {
    /// Those of a rule, for a connection that `breaker` breaks.
    pub(super) fn new(rule: &FaultRule, grpc: bool, breaker: Arc<Notify>) -> Self {
        Self {
            pieces: rule.cut_after,
            bytes: rule.cut_at,
            rate: rule.bytes_per_second.map(|rate| rate.max(1)),
            stall: rule.stall,
            longer: rule.wrong_length,
            grpc,
            breaker,
        }
    }

    /// Breaks the connection, once what was sent before has arrived.
    fn cut(&self) {
        let breaker = self.breaker.clone();
        tokio::spawn(async move {
            tokio::time::sleep(ARRIVING).await;
            breaker.notify_one();
        });
    }

    /// Whether the piece that is due is not to be sent, because the connection breaks.
    fn cuts_here(&mut self) -> bool {
        let cut = self.pieces == Some(0);
        self.pieces = self.pieces.map(|left| left.saturating_sub(1));
        cut
    }

    /// How long nothing is sent after a piece of so many bytes.
    fn pause(&self, length: usize) -> Option<Duration> {
        match self.rate {
            Some(rate) => Some(Duration::from_secs_f64(length as f64 / rate as f64)),
            // An end that comes too early drops what was not sent before.
            None => self.longer.then_some(ARRIVING),
        }
    }

    /// How much of so many bytes goes at once.
    fn most(&self, length: usize) -> usize {
        let mut most = length;
        if let Some(rate) = self.rate {
            most = most.min(usize::try_from(rate / PIECES).unwrap_or(usize::MAX).max(1));
        }
        if self.stall && !self.grpc {
            most = most.min(length.div_ceil(2));
        }
        if let Some(left) = self.bytes {
            most = most.min(usize::try_from(left).unwrap_or(usize::MAX));
        }
        most
    }
}

/// Says of an answer that it is longer than it is.
pub(super) fn lengthen(headers: &mut HeaderMap) {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if let Some(length) = length.and_then(|length| length.parse::<u64>().ok()) {
        headers.insert(header::CONTENT_LENGTH, (length + MISSING).into());
    }
}

/// A body with its faults. Its request is under way until this is dropped.
pub(super) struct Faulty {
    body: Body,
    faults: Option<Faults>,
    /// What the body has given and was not sent yet.
    rest: Bytes,
    /// Until then nothing is sent.
    pause: Option<Pin<Box<Sleep>>>,
    /// Nothing more comes.
    over: bool,
    under_way: UnderWay,
}

impl Faulty {
    pub(super) fn new(body: Body, under_way: UnderWay, faults: Option<Faults>) -> Self {
        let (rest, pause, over) = (Bytes::new(), None, false);
        Self { body, faults, rest, pause, over, under_way }
    }
}

type Piece = Option<Result<Frame<Bytes>, axum::Error>>;

impl http_body::Body for Faulty {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Piece> {
        let this = self.get_mut();
        let Some(faults) = &mut this.faults else {
            let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
            if let Some(Ok(frame)) = &frame {
                this.under_way.send(frame.data_ref().map_or(0, Bytes::len));
            }
            return Poll::Ready(frame);
        };
        if this.over {
            return Poll::Pending;
        }
        if let Some(pause) = &mut this.pause {
            ready!(pause.as_mut().poll(cx));
            this.pause = None;
        }
        if this.rest.is_empty() {
            if faults.bytes == Some(0) {
                this.over = true;
                faults.cut();
                return Poll::Pending;
            }
            let piece = ready!(Pin::new(&mut this.body).poll_frame(cx));
            if faults.cuts_here() {
                this.over = true;
                faults.cut();
                return Poll::Pending;
            }
            match piece {
                Some(Ok(frame)) if frame.is_data() => {
                    this.rest = frame.into_data().unwrap_or_default();
                }
                other => return Poll::Ready(other),
            }
        }
        let piece = this.rest.split_to(faults.most(this.rest.len()));
        if let Some(left) = &mut faults.bytes {
            *left = left.saturating_sub(piece.len() as u64);
            if *left == 0 {
                // What is left of it is never sent.
                this.rest.clear();
            }
        }
        if let Some(pause) = faults.pause(piece.len()) {
            this.pause = Some(Box::pin(tokio::time::sleep(pause)));
        }
        this.over = faults.stall;
        this.under_way.send(piece.len());
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        let cuts = self.faults.as_ref().is_some_and(|faults| faults.bytes == Some(0));
        self.rest.is_empty() && !self.over && !cuts && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.faults {
            None => self.body.size_hint(),
            Some(faults) if faults.longer => SizeHint::default(),
            Some(_) => {
                let (hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
                hint.exact()
                    .map_or_else(SizeHint::default, |left| SizeHint::with_exact(left + rest))
            }
        }
    }
}
