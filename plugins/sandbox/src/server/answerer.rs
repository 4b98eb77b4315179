//! The WebRTC end of a machine that the sandbox plays: takes offers and answers calls over the
//! channel (cloud-side.md §2.1).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{timeout, timeout_at};
use tonic::Status;
use viam_client::machine::link;
use viam_client::machine::webrtc::{Peer, decode_sdp, encode_sdp, from_candidate, to_candidate};
use viam_proto::rpc::webrtc::v1::call_response::Stage;
use viam_proto::rpc::webrtc::v1::call_update_request::Update;
use viam_proto::rpc::webrtc::v1::{CallResponse, CallResponseInitStage, CallResponseUpdateStage};

use super::ice::IceServer;
use super::relay::{Offer, Relay};
use crate::machine::Machine;

/// How long the first candidate of this end may take.
const FIRST_CANDIDATE: Duration = Duration::from_secs(1);

/// Takes offers until told to stop.
pub(super) async fn run(
    relay: Arc<Relay>,
    host: String,
    machine: Machine,
    servers: Vec<IceServer>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let mut place = relay.sit(&host);
        let offer = tokio::select! {
            offer = place.offer() => offer,
            // Its sender goes with the machine.
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let Some(offer) = offer else { return };
        tokio::spawn(connect(offer, machine.clone(), servers.clone()));
    }
}

async fn connect(offer: Offer, machine: Machine, servers: Vec<IceServer>) {
    let answers = offer.answers.clone();
    if let Err(why) = answer(offer, machine, servers).await {
        // The caller may have gone.
        let _ = answers.send(Err(Status::unknown(format!("error from answerer: {why}"))));
    }
}

/// Answers an offer and serves the connection until it ends.
async fn answer(offer: Offer, machine: Machine, servers: Vec<IceServer>) -> Result<(), String> {
    let Offer { uuid, sdp, deadline, answers, mut updates } = offer;
    let description = decode_sdp(&sdp).ok_or("the offer cannot be read")?;
    let servers = servers.into_iter().map(Into::into).collect();
    let mut peer = Peer::new(servers).await.map_err(|error| error.to_string())?;
    let connection = peer.connection.clone();
    let text = |error: webrtc::error::Error| error.to_string();
    connection.set_remote_description(description).await.map_err(text)?;
    let local = connection.create_answer(None).await.map_err(text)?;
    connection.set_local_description(local).await.map_err(text)?;
    let first = timeout(FIRST_CANDIDATE, peer.candidates.recv()).await.ok().flatten();
    let local = connection.local_description().await.ok_or("there is no answer")?;
    let say = |stage| answers.send(Ok(CallResponse { uuid: uuid.clone(), stage: Some(stage) }));
    let mut next = first;
    // A caller that has gone ends by the deadline.
    let _ = say(Stage::Init(CallResponseInitStage { sdp: encode_sdp(&local) }));
    let served = tokio::spawn({
        let service = tower::service_fn(move |request| {
            let machine = machine.clone();
            async move { Ok::<_, Infallible>(machine.call(request).await) }
        });
        link::serve(peer.link, service)
    });
    let mut open = peer.open;
    let mut gathered = false;
    let opened = timeout_at(deadline, async {
        loop {
            if let Some(candidate) = next.take() {
                match candidate {
                    Some(candidate) => {
                        let candidate = Some(to_candidate(candidate));
                        let _ = say(Stage::Update(CallResponseUpdateStage { candidate }));
                    }
                    None => gathered = true,
                }
            }
            tokio::select! {
                opened = &mut open => return opened.is_ok(),
                candidate = peer.candidates.recv(), if !gathered => next = candidate,
                update = updates.recv() => match update {
                    Some(Update::Candidate(candidate)) => {
                        // One candidate is not the connection.
                        let _ = connection.add_ice_candidate(from_candidate(candidate)).await;
                    }
                    Some(Update::Error(_)) => return false,
                    Some(Update::Done(_)) => {}
                    None => return (&mut open).await.is_ok(),
                },
            }
        }
    })
    .await;
    drop(answers);
    if opened == Ok(true) {
        // Ends with the connection.
        let _ = served.await;
    } else {
        served.abort();
    }
    let _ = connection.close().await;
    Ok(())
}
