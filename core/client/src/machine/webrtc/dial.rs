//! The calling side: an offer through the cloud, an answer, candidates both ways, and a channel
//! (transport.md §5.5).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use tonic::{Code, Request, Status};
use viam_contract::Wire;
use viam_proto::google::rpc::Status as RpcStatus;
use viam_proto::rpc::webrtc::v1::call_response::Stage;
use viam_proto::rpc::webrtc::v1::call_update_request::Update;
use viam_proto::rpc::webrtc::v1::signaling_service_client::SignalingServiceClient;
use viam_proto::rpc::webrtc::v1::{
    CallRequest, CallResponse, CallUpdateRequest, OptionalWebRtcConfigRequest,
};
use webrtc::peer_connection::{PeerConnection, RTCIceServer};

use super::peer::{Open, Peer};
use super::signal::{decode_sdp, encode_sdp, from_candidate, to_candidate};
use crate::machine::link::Client;
use crate::wire::LongLived;

/// Until the channel is open (transport.md §5.5: the offer is good for so long).
const LIMIT: Duration = Duration::from_secs(10);

/// How long the first candidate of this computer may take.
const FIRST_CANDIDATE: Duration = Duration::from_secs(1);

/// A connection that stands.
pub struct Dialed {
    /// The transport of calls.
    pub wire: Wire,
    connection: Arc<dyn PeerConnection>,
}

impl Dialed {
    /// Says goodbye, so that the machine need not find out.
    pub async fn close(&self) {
        // A connection that is gone is closed.
        let _ = self.connection.close().await;
    }
}

/// Why there is no connection.
#[derive(Debug)]
pub enum Failure {
    /// The machine is not there; the words are the cloud's.
    Offline(String),
    /// The server does not signal for that name: the machine may be reached directly.
    NoSignaling,
    /// The call to the cloud failed.
    Cloud(Status),
    /// Both ends are there and found no way to each other in time.
    NoWay(String),
}

/// Connects to a machine. `app` is the transport to the cloud, `host` the FQDN of the part.
///
/// # Errors
/// See [`Failure`]. An offer that gets lost is made once more.
pub async fn dial(app: &Wire, host: &str, stun: &[&str]) -> Result<Dialed, Failure> {
    match attempt(app, host, stun).await {
        // A machine that is just closing another connection loses an offer now and then.
        Err(Failure::NoWay(why)) => {
            tracing::debug!(target: "viam", "webrtc: {why}; once more");
            attempt(app, host, stun).await
        }
        done => done,
    }
}

async fn attempt(app: &Wire, host: &str, stun: &[&str]) -> Result<Dialed, Failure> {
    let deadline = Instant::now() + LIMIT;
    let mut signaling = SignalingServiceClient::new(app.clone());
    let config = signaling
        .optional_web_rtc_config(named(host, OptionalWebRtcConfigRequest {})?)
        .await
        .map_err(no_signaling)?
        .into_inner()
        .config
        .unwrap_or_default();
    let mut servers = vec![];
    if !stun.is_empty() {
        let urls = stun.iter().map(|&url| url.to_owned()).collect();
        servers.push(RTCIceServer { urls, ..RTCIceServer::default() });
    }
    servers.extend(config.additional_ice_servers.into_iter().map(|server| RTCIceServer {
        urls: server.urls,
        username: server.username,
        credential: server.credential,
    }));
    let no_way = |what: &str, why: &dyn std::fmt::Display| Failure::NoWay(format!("{what}: {why}"));
    let mut peer = Peer::new(servers).await.map_err(|error| no_way("no socket", &error))?;
    let helpers = std::mem::take(&mut peer.servers);
    let connection = peer.connection.clone();
    let signaled = async {
        let offer = connection.create_offer(None).await;
        let offer = offer.map_err(|error| no_way("no offer", &error))?;
        let set = connection.set_local_description(offer).await;
        set.map_err(|error| no_way("no offer", &error))?;
        // Machines begin with what the offer holds.
        let first = timeout(FIRST_CANDIDATE, peer.candidates.recv()).await.ok().flatten();
        let Some(local) = connection.local_description().await else {
            return Err(no_way("no offer", &"it is empty"));
        };
        let call = CallRequest { sdp: encode_sdp(&local), ..CallRequest::default() };
        let mut call = named(host, call)?;
        call.extensions_mut().insert(LongLived);
        let mut answers = signaling.call(call).await.map_err(offline)?.into_inner();
        let uuid = answer(&*connection, &mut answers).await?;
        let mut updates = Updates { signaling, host: host.to_owned(), uuid };
        let trickle = tokio::spawn({
            let mut updates = updates.clone();
            async move {
                let mut next = first;
                while let Some(Some(candidate)) = next {
                    updates.send(Update::Candidate(to_candidate(candidate))).await;
                    next = peer.candidates.recv().await;
                }
                updates.send(Update::Done(true)).await;
            }
        });
        let remote = tokio::spawn(candidates(connection.clone(), answers));
        let opened = open(peer.open).await;
        trickle.abort();
        remote.abort();
        match opened {
            // That ends the machine's wait for more candidates.
            Ok(()) => updates.send(Update::Done(true)).await,
            Err(Failure::NoWay(ref why)) => {
                let status = RpcStatus {
                    code: Code::DeadlineExceeded as i32,
                    message: why.clone(),
                    ..RpcStatus::default()
                };
                updates.send(Update::Error(status)).await;
            }
            Err(_) => {}
        }
        opened
    };
    let done = timeout_at(deadline, signaled)
        .await
        .unwrap_or_else(|_| Err(no_way("no connection", &"it took too long")));
    match done {
        Ok(()) => Ok(Dialed { wire: Wire::new(Client::new(peer.link)), connection }),
        Err(failure) => {
            let local = connection.local_description().await.unwrap_or_default();
            let _ = connection.close().await;
            Err(match failure {
                Failure::NoWay(why) => Failure::NoWay(why + &helpers.explain(&local.sdp)),
                failure => failure,
            })
        }
    }
}

/// A message to the signaling of a machine.
fn named<T>(host: &str, message: T) -> Result<Request<T>, Failure> {
    let mut request = Request::new(message);
    let host = host.parse().map_err(|_| {
        Failure::Cloud(Status::invalid_argument("the machine's name has strange characters"))
    })?;
    request.metadata_mut().insert("rpc-host", host);
    Ok(request)
}

fn no_signaling(status: Status) -> Failure {
    let none = status.code() == Code::Unimplemented
        || (status.code() == Code::InvalidArgument && status.message() == "host not preconfigured");
    if none { Failure::NoSignaling } else { Failure::Cloud(status) }
}

fn offline(status: Status) -> Failure {
    match status.code() {
        Code::NotFound => Failure::Offline(status.message().to_owned()),
        Code::DeadlineExceeded => Failure::NoWay(status.message().to_owned()),
        Code::Unimplemented => Failure::NoSignaling,
        _ => Failure::Cloud(status),
    }
}

/// Waits for the machine's answer; what the offer is called from then on.
async fn answer(
    connection: &dyn PeerConnection,
    answers: &mut tonic::Streaming<CallResponse>,
) -> Result<String, Failure> {
    let wrong = |why: &str| Failure::NoWay(format!("the machine's answer: {why}"));
    let first = answers.message().await.map_err(offline)?;
    let first = first.ok_or_else(|| wrong("there is none"))?;
    let Some(Stage::Init(init)) = first.stage else {
        return Err(wrong("it begins with something else"));
    };
    let description = decode_sdp(&init.sdp).ok_or_else(|| wrong("it cannot be read"))?;
    let set = connection.set_remote_description(description).await;
    set.map_err(|error| wrong(&error.to_string()))?;
    Ok(first.uuid)
}

/// Takes the machine's candidates, until there are no more.
async fn candidates(
    connection: Arc<dyn PeerConnection>,
    mut answers: tonic::Streaming<CallResponse>,
) {
    while let Ok(Some(response)) = answers.message().await {
        if let Some(Stage::Update(update)) = response.stage
            && let Some(candidate) = update.candidate
        {
            // Machines repeat themselves, and one candidate is not the connection.
            if let Err(error) = connection.add_ice_candidate(from_candidate(candidate)).await {
                tracing::debug!(target: "viam", "webrtc: a candidate is not used: {error}");
            }
        }
    }
}

async fn open(open: Open) -> Result<(), Failure> {
    open.await.map_err(|_| Failure::NoWay("the channel did not open".to_owned()))
}

/// Tells the machine more about this end.
#[derive(Clone)]
struct Updates {
    signaling: SignalingServiceClient<Wire>,
    host: String,
    uuid: String,
}

impl Updates {
    async fn send(&mut self, update: Update) {
        let request = CallUpdateRequest { uuid: self.uuid.clone(), update: Some(update) };
        let Ok(request) = named(&self.host, request) else { return };
        // A connection that stands needs none of this (transport.md §5.5, step 6).
        if let Err(status) = self.signaling.call_update(request).await {
            tracing::debug!(target: "viam", "webrtc: an update was refused: {}", status.message());
        }
    }
}
