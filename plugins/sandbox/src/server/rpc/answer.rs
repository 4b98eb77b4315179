//! The machine's end of signaling: a stream on which it waits for one offer (cloud-side.md §2.1).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at, sleep_until};
use tonic::{Code, Status, Streaming};
use viam_proto::google::rpc::Status as RpcStatus;
use viam_proto::rpc::webrtc::v1 as pb;
use viam_proto::rpc::webrtc::v1::answer_request::Stage as Request;
use viam_proto::rpc::webrtc::v1::answer_response::Stage as Response;
use viam_proto::rpc::webrtc::v1::call_response::Stage;
use viam_proto::rpc::webrtc::v1::call_update_request::Update;

use crate::server::relay::{Offer, Relay};

/// A machine notices by these that the stream still stands.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// To the machine.
pub(super) type Sender = mpsc::Sender<Result<pb::AnswerRequest, Status>>;

/// A machine that waits for an offer.
pub(super) struct Waiting {
    pub(super) host: String,
    /// Whether it knows what a heartbeat is.
    pub(super) heartbeats: bool,
    /// What it is told for its connection.
    pub(super) config: pb::WebRtcConfig,
}

/// Waits for an offer and brings machine and caller together.
pub(super) async fn run(
    relay: Arc<Relay>,
    Waiting { host, heartbeats, config }: Waiting,
    mut machine: Streaming<pb::AnswerResponse>,
    requests: Sender,
) {
    let mut place = relay.sit(&host);
    let mut beats = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    let offer = loop {
        tokio::select! {
            offer = place.offer() => match offer {
                Some(offer) => break offer,
                None => return,
            },
            _ = beats.tick(), if heartbeats => {
                let beat = Request::Heartbeat(pb::AnswerRequestHeartbeatStage {});
                if send(&requests, "", beat).await.is_err() {
                    return;
                }
            }
            // A machine says nothing before it was asked, but for its end.
            _ = machine.message() => return,
            () = requests.closed() => return,
        }
    };
    drop(place);
    // Either side may have gone, which is the end of it.
    let _ = handshake(offer, config, machine, &requests).await;
}

async fn send(requests: &Sender, uuid: &str, stage: Request) -> Result<(), ()> {
    let request = pb::AnswerRequest { uuid: uuid.to_owned(), stage: Some(stage) };
    requests.send(Ok(request)).await.map_err(|_| ())
}

async fn handshake(
    offer: Offer,
    config: pb::WebRtcConfig,
    mut machine: Streaming<pb::AnswerResponse>,
    requests: &Sender,
) -> Result<(), ()> {
    let Offer { uuid, sdp, deadline, answers, mut updates } = offer;
    let init = Request::Init(pb::AnswerRequestInitStage {
        sdp,
        optional_config: Some(config),
        ..pb::AnswerRequestInitStage::default()
    });
    send(requests, &uuid, init).await?;
    let mut answers = Some(answers);
    loop {
        tokio::select! {
            said = machine.message() => {
                let Ok(Some(said)) = said else { return Err(()) };
                let stage = match said.stage {
                    Some(Response::Init(init)) => {
                        Stage::Init(pb::CallResponseInitStage { sdp: init.sdp })
                    }
                    Some(Response::Update(update)) => {
                        let candidate = update.candidate;
                        Stage::Update(pb::CallResponseUpdateStage { candidate })
                    }
                    Some(Response::Done(_)) => {
                        // The end of the stream tells the caller.
                        answers = None;
                        continue;
                    }
                    Some(Response::Error(error)) => {
                        let status = error.status.unwrap_or_default();
                        let code = Code::from_i32(status.code);
                        let words = format!(
                            "error from answerer: rpc error: code = {code:?} desc = {}",
                            status.message
                        );
                        if let Some(answers) = answers {
                            let _ = answers.send(Err(Status::unknown(words)));
                        }
                        return Ok(());
                    }
                    None => continue,
                };
                if let Some(answers) = &answers {
                    let response = pb::CallResponse { uuid: uuid.clone(), stage: Some(stage) };
                    // A caller whose stream ended goes on by its updates.
                    let _ = answers.send(Ok(response));
                }
            }
            update = updates.recv() => match update {
                Some(Update::Candidate(candidate)) => {
                    let candidate = Some(candidate);
                    let update = Request::Update(pb::AnswerRequestUpdateStage { candidate });
                    send(requests, &uuid, update).await?;
                }
                Some(Update::Error(status)) => {
                    let stage = pb::AnswerRequestErrorStage { status: Some(status) };
                    return send(requests, &uuid, Request::Error(stage)).await;
                }
                // That frees the machine for the next caller.
                Some(Update::Done(_)) | None => {
                    return send(requests, &uuid, Request::Done(pb::AnswerRequestDoneStage {})).await;
                }
            },
            () = sleep_until(deadline) => {
                let status = RpcStatus {
                    code: Code::DeadlineExceeded as i32,
                    message: "the caller is gone".to_owned(),
                    ..RpcStatus::default()
                };
                let stage = pb::AnswerRequestErrorStage { status: Some(status) };
                return send(requests, &uuid, Request::Error(stage)).await;
            }
        }
    }
}
