//! Brings callers and machines together: an offer goes to a machine that waits for one, answer and
//! candidates come back (cloud-side.md §2).

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};
use tonic::Status;
use viam_proto::rpc::webrtc::v1::CallResponse;
use viam_proto::rpc::webrtc::v1::call_update_request::Update;

/// How long an offer is good for.
const OFFER: Duration = Duration::from_secs(10);

/// How long a caller waits for a machine that is not there: a machine may be just between two
/// offers, and a caller that tries again and again is to be slow.
const ABSENT: Duration = Duration::from_secs(5);

/// Who waits for whom.
#[derive(Default)]
pub(crate) struct Relay {
    state: Mutex<State>,
    /// A machine began to wait.
    seated: Notify,
}

#[derive(Default)]
struct State {
    /// Machines that wait for an offer, by their FQDN.
    seats: HashMap<String, VecDeque<Seat>>,
    /// Offers under way, by their id.
    offers: HashMap<String, (mpsc::UnboundedSender<Update>, Instant)>,
    next: u64,
}

struct Seat {
    id: u64,
    offer: oneshot::Sender<Offer>,
}

/// What a caller offers.
pub(crate) struct Offer {
    /// Its id, which all messages about it carry.
    pub(crate) uuid: String,
    pub(crate) sdp: String,
    /// When the caller gives up.
    pub(crate) deadline: Instant,
    /// To the caller; dropping it says that no more candidates come.
    pub(crate) answers: mpsc::UnboundedSender<Result<CallResponse, Status>>,
    /// From the caller.
    pub(crate) updates: mpsc::UnboundedReceiver<Update>,
}

/// A machine's place; it no longer waits when this is dropped.
pub(crate) struct Place {
    relay: Arc<Relay>,
    host: String,
    id: u64,
    offer: oneshot::Receiver<Offer>,
}

impl Place {
    /// Waits for an offer.
    pub(crate) async fn offer(&mut self) -> Option<Offer> {
        (&mut self.offer).await.ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.relay.lock();
        if let Some(seats) = state.seats.get_mut(&self.host) {
            seats.retain(|seat| seat.id != self.id);
            if seats.is_empty() {
                state.seats.remove(&self.host);
            }
        }
    }
}

impl Relay {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A machine waits for an offer.
    pub(crate) fn sit(self: &Arc<Self>, host: &str) -> Place {
        let (offer, offered) = oneshot::channel();
        let mut state = self.lock();
        state.next += 1;
        let id = state.next;
        state.seats.entry(host.to_owned()).or_default().push_back(Seat { id, offer });
        drop(state);
        self.seated.notify_waiters();
        Place { relay: self.clone(), host: host.to_owned(), id, offer: offered }
    }

    /// Offers a connection to a machine; what comes back is for the caller.
    ///
    /// # Errors
    /// NOT_FOUND when no machine of that name waits in time.
    pub(crate) async fn call(
        &self,
        host: &str,
        uuid: String,
        sdp: String,
    ) -> Result<mpsc::UnboundedReceiver<Result<CallResponse, Status>>, Status> {
        let now = Instant::now();
        let (deadline, absent) = (now + OFFER, now + ABSENT);
        let (answers, answered) = mpsc::unbounded_channel();
        let (sender, updates) = mpsc::unbounded_channel();
        let mut offer = Offer { uuid: uuid.clone(), sdp, deadline, answers, updates };
        loop {
            let seated = self.seated.notified();
            tokio::pin!(seated);
            // From here on no machine that sits down is missed.
            seated.as_mut().enable();
            let seat = self.lock().seats.get_mut(host).and_then(VecDeque::pop_front);
            match seat {
                Some(seat) => match seat.offer.send(offer) {
                    Ok(()) => break,
                    // It went away in this moment.
                    Err(back) => offer = back,
                },
                None => timeout_at(absent, seated).await.map_err(|_| {
                    Status::not_found(
                        "host appears to be offline; ensure machine is online and try again",
                    )
                })?,
            }
        }
        let mut state = self.lock();
        state.offers.retain(|_, (_, deadline)| *deadline > now);
        state.offers.insert(uuid, (sender, deadline));
        Ok(answered)
    }

    /// Passes on what a caller says about its offer, also after the machine said all that it has
    /// to say (cloud-side.md §0.5).
    ///
    /// # Errors
    /// When there is no such offer.
    pub(crate) fn update(&self, uuid: &str, update: Update) -> Result<(), Status> {
        let state = self.lock();
        match state.offers.get(uuid) {
            Some((updates, _)) => {
                // A machine that has its connection wants no more.
                let _ = updates.send(update);
                Ok(())
            }
            None => Err(Status::invalid_argument(format!("offer with id {uuid:?} is inactive"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_offer_reaches_a_machine_and_updates_follow_it() {
        let relay = Arc::new(Relay::default());
        let mut place = relay.sit("a");
        let mut answers = relay.call("a", "u".to_owned(), "sdp".to_owned()).await.expect("there");
        let mut offer = place.offer().await.expect("an offer");
        assert_eq!((&*offer.uuid, &*offer.sdp), ("u", "sdp"));
        let said = CallResponse { uuid: "u".to_owned(), stage: None };
        offer.answers.send(Ok(said)).expect("taken");
        assert_eq!(answers.recv().await.expect("came").expect("fine").uuid, "u");
        relay.update("u", Update::Done(true)).expect("known");
        assert_eq!(offer.updates.recv().await, Some(Update::Done(true)));
        drop(offer);
        relay.update("u", Update::Done(true)).expect("a second one is accepted");
        assert!(relay.update("x", Update::Done(true)).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_machine_that_is_not_there_is_waited_for() {
        let relay = Arc::new(Relay::default());
        drop(relay.sit("a"));
        let begun = Instant::now();
        let status = relay.call("a", "u".to_owned(), String::new()).await.expect_err("nobody");
        assert_eq!(status.code(), tonic::Code::NotFound);
        assert_eq!(begun.elapsed().as_secs(), 5);
        let late = tokio::spawn({
            let relay = relay.clone();
            async move {
                tokio::time::sleep(Duration::from_secs(3)).await;
                relay.sit("a").offer().await.map(|offer| offer.uuid)
            }
        });
        relay.call("a", "v".to_owned(), String::new()).await.expect("in time");
        assert_eq!(late.await.expect("ran").expect("offered"), "v");
    }
}
