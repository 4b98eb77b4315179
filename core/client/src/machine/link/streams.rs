//! The open streams of the calling side: what has arrived on each, and in which order it may.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::HeaderMap;
use tokio::sync::{mpsc, oneshot};
use tonic::Status;
use viam_proto::rpc::webrtc::v1::response;

use super::frames::{Assembler, lost};
use super::headers;
use super::receive::Event;

/// The open streams of a link.
#[derive(Default)]
pub(super) struct Streams {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Ids begin at 1 and are not used again (transport.md §5.6).
    last_id: u64,
    open: HashMap<u64, Open>,
    lost: bool,
}

/// The receiving side of a stream.
struct Open {
    queue: mpsc::UnboundedSender<Event>,
    /// Tells the sending side that nothing more is received.
    ended: Option<oneshot::Sender<Ended>>,
    has_headers: bool,
    assembler: Assembler,
}

/// Why nothing more is received.
pub(super) enum Ended {
    /// The other side ended the stream, or is gone.
    Silently,
    /// The other side has to be told to stop.
    Reset,
}

impl Streams {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lock().lost
    }

    /// Opens a stream and gives its id.
    ///
    /// # Errors
    /// `UNAVAILABLE` when the link is closed.
    pub(super) fn open(
        &self,
        queue: &mpsc::UnboundedSender<Event>,
        ended: oneshot::Sender<Ended>,
    ) -> Result<u64, Status> {
        let mut state = self.lock();
        if state.lost {
            return Err(lost());
        }
        state.last_id += 1;
        let id = state.last_id;
        let open = Open {
            queue: queue.clone(),
            ended: Some(ended),
            has_headers: false,
            assembler: Assembler::default(),
        };
        state.open.insert(id, open);
        Ok(id)
    }

    /// Forgets a stream; what still arrives for it is dropped.
    pub(super) fn forget(&self, id: u64) {
        self.lock().open.remove(&id);
    }

    /// Fails all streams, and those that would be opened later.
    pub(super) fn lose(&self) {
        let open = {
            let mut state = self.lock();
            state.lost = true;
            std::mem::take(&mut state.open)
        };
        for mut stream in open.into_values() {
            stream.finish(Ended::Silently, Event::Failed(lost()));
        }
    }

    /// Gives a frame to its stream.
    pub(super) fn take(&self, id: u64, r#type: response::Type) {
        let mut state = self.lock();
        // Late frames of a stream that is over are normal (transport.md §5.6).
        let Some(stream) = state.open.get_mut(&id) else { return };
        let over = match stream.take(r#type) {
            Ok(over) => over,
            Err(status) => {
                stream.finish(Ended::Reset, Event::Failed(status));
                true
            }
        };
        if over {
            state.open.remove(&id);
        }
    }
}

impl Open {
    /// Takes a frame; says whether it was the last one. Headers come exactly once, messages
    /// after them (transport.md §5.6).
    fn take(&mut self, r#type: response::Type) -> Result<bool, Status> {
        match r#type {
            response::Type::Headers(_) if self.has_headers => {
                Err(Status::internal("the machine sent headers twice"))
            }
            response::Type::Headers(head) => {
                self.head(headers::from_metadata(head.metadata));
                Ok(false)
            }
            response::Type::Message(_) if !self.has_headers => {
                Err(Status::internal("the machine sent a message before headers"))
            }
            response::Type::Message(message) => {
                let packet = message.packet_message.unwrap_or_default();
                if let Some(message) = self.assembler.push(packet)? {
                    let _ = self.queue.send(Event::Message(message));
                }
                Ok(false)
            }
            response::Type::Trailers(trailers) => {
                let failed = trailers.status.as_ref().is_some_and(|status| status.code != 0);
                if self.assembler.is_partial() && !failed {
                    return Err(Status::internal("the machine ended within a message"));
                }
                // A status without headers before it still says more than a complaint would.
                if !self.has_headers {
                    self.head(HeaderMap::new());
                }
                let trailers = headers::from_trailers(trailers);
                self.finish(Ended::Silently, Event::End(Some(trailers)));
                Ok(true)
            }
        }
    }

    fn head(&mut self, head: HeaderMap) {
        self.has_headers = true;
        let _ = self.queue.send(Event::Headers(head));
    }

    /// The sending side is told first: the reader of the last event closes the queue, which
    /// alone would mean a reset.
    fn finish(&mut self, ended: Ended, event: Event) {
        if let Some(tell) = self.ended.take() {
            let _ = tell.send(ended);
        }
        let _ = self.queue.send(event);
    }
}
