//! One end of a WebRTC connection with the data channel that calls go over. Both ends are made
//! the same way: the channel is agreed on beforehand (transport.md §5.5).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use bytes::{Bytes, BytesMut};
use rtc::ice::mdns::MulticastDnsMode;
use tokio::sync::{mpsc, oneshot};
use webrtc::data_channel::{DataChannel, DataChannelEvent, RTCDataChannelInit};
use webrtc::error::{Error, Result};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
    RTCIceCandidateInit, RTCIceCandidateType, RTCIceGatheringState, RTCIceServer,
    RTCPeerConnectionIceEvent, RTCPeerConnectionState, SettingEngineBuilder,
};

use super::runtime::Rounds;
use super::servers::{Servers, usable};
use crate::machine::link::Link;

/// Sending waits while more than this is under way, in bytes (transport.md §5.6).
const BUFFERED: usize = 1 << 20;

/// Envelopes that wait for the channel.
const QUEUE: usize = 16;

/// One end.
pub struct Peer {
    /// Descriptions and candidates go in and out here.
    pub connection: Arc<dyn PeerConnection>,
    /// Candidates of this end; `None` after the last one.
    pub candidates: mpsc::UnboundedReceiver<Option<RTCIceCandidateInit>>,
    /// Becomes ready when calls can be made.
    pub open: Open,
    /// The connection as a link for calls.
    pub link: Link,
    /// The servers that were to help.
    pub servers: Servers,
}

/// Becomes ready when the channel is open; an error when it never will be.
pub type Open = oneshot::Receiver<()>;

struct Events {
    candidates: mpsc::UnboundedSender<Option<RTCIceCandidateInit>>,
    lost: mpsc::UnboundedSender<()>,
}

#[tonic::async_trait]
impl PeerConnectionEventHandler for Events {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        if let Ok(candidate) = event.candidate.to_json() {
            // Nobody takes them once the connection stands.
            let _ = self.candidates.send(Some(candidate));
        }
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            let _ = self.candidates.send(None);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        tracing::debug!(target: "viam", "webrtc: {state}");
        let ended = [
            RTCPeerConnectionState::Disconnected,
            RTCPeerConnectionState::Failed,
            RTCPeerConnectionState::Closed,
        ];
        if ended.contains(&state) {
            let _ = self.lost.send(());
        }
    }
}

impl Peer {
    /// Makes an end; must be called within a tokio runtime. Without servers it is found on this
    /// computer and its own networks only.
    ///
    /// # Errors
    /// When there is no socket to be had.
    pub async fn new(servers: Vec<RTCIceServer>) -> Result<Self> {
        let (usable, servers) = usable(&servers).await;
        // Names of machines in the local network (`….local`) are asked for by multicast; where
        // the network has none the whole connection would fail for it.
        let peer = match Self::with(usable.clone(), MulticastDnsMode::QueryOnly).await {
            Ok(peer) => peer,
            Err(error) => {
                tracing::debug!(target: "viam", "webrtc without multicast: {error}");
                Self::with(usable, MulticastDnsMode::Disabled).await?
            }
        };
        Ok(Self { servers, ..peer })
    }

    async fn with(servers: Vec<RTCIceServer>, multicast: MulticastDnsMode) -> Result<Self> {
        let (candidates, found) = mpsc::unbounded_channel();
        let (lost, loss) = mpsc::unbounded_channel();
        let eager = Arc::new(AtomicBool::new(true));
        let settings = SettingEngineBuilder::new().with_multicast_dns_mode(multicast).build();
        let connection = PeerConnectionBuilder::new()
            .with_configuration(RTCConfigurationBuilder::new().with_ice_servers(servers).build())
            .with_setting_engine(settings)
            .with_runtime(Arc::new(Rounds::new(eager.clone())))
            .with_handler(Arc::new(Events { candidates, lost }))
            // Every interface, and loopback, which is in no list of interfaces.
            .with_udp_addrs(vec!["0.0.0.0:0", "127.0.0.1:0"])
            .with_data_channel_send_buffer_limit(BUFFERED)
            .build()
            .await?;
        let connection: Arc<dyn PeerConnection> = Arc::new(connection);
        let init = RTCDataChannelInit { negotiated: Some(0), ..RTCDataChannelInit::default() };
        let channel = connection.create_data_channel("data", Some(init)).await?;
        let (opened, open) = oneshot::channel();
        let (arriving, incoming) = mpsc::unbounded_channel();
        let (outgoing, waiting) = mpsc::channel(QUEUE);
        let opened =
            Opened { opened: Some(opened), connection: Arc::downgrade(&connection), eager };
        tokio::spawn(receive(channel.clone(), opened, arriving, loss));
        tokio::spawn(send(channel, waiting));
        let link = Link { outgoing, incoming };
        let servers = Servers::default();
        Ok(Self { connection, candidates: found, open, link, servers })
    }
}

/// What is due when the channel opens.
struct Opened {
    opened: Option<oneshot::Sender<()>>,
    connection: Weak<dyn PeerConnection>,
    eager: Arc<AtomicBool>,
}

impl Opened {
    async fn tell(&mut self) {
        if let Some(opened) = self.opened.take() {
            if let Some(connection) = self.connection.upgrade() {
                self.eager.store(by_relay(&*connection).await, Ordering::Relaxed);
            }
            // Whoever waited may have given up.
            let _ = opened.send(());
        }
    }
}

/// Whether what this end sends goes to a relay of its own; it may when nothing is known.
async fn by_relay(connection: &dyn PeerConnection) -> bool {
    let Some(sctp) = connection.sctp().await else { return true };
    let ice = sctp.transport().ice_transport();
    match ice.get_selected_candidate_pair().await {
        Ok(Some(pair)) => {
            let (from, to) = (pair.local(), pair.remote());
            tracing::debug!(
                target: "viam",
                "webrtc: from {} {}:{} to {} {}:{}",
                from.typ, from.address, from.port, to.typ, to.address, to.port
            );
            from.typ == RTCIceCandidateType::Relay
        }
        _ => true,
    }
}

/// Passes on what arrives. The channel lives by being polled.
async fn receive(
    channel: Arc<dyn DataChannel>,
    mut opened: Opened,
    arriving: mpsc::UnboundedSender<Bytes>,
    mut lost: mpsc::UnboundedReceiver<()>,
) {
    loop {
        let event = tokio::select! {
            event = channel.poll() => event,
            _ = lost.recv() => return,
            () = arriving.closed() => return,
        };
        match event {
            Some(DataChannelEvent::OnOpen) => {
                opened.tell().await;
            }
            Some(DataChannelEvent::OnMessage(message)) => {
                if arriving.send(message.data.freeze()).is_err() {
                    return;
                }
            }
            None | Some(DataChannelEvent::OnClose) => return,
            Some(_) => {}
        }
    }
}

/// Sends what waits; a full channel makes the senders wait.
async fn send(channel: Arc<dyn DataChannel>, mut waiting: mpsc::Receiver<Bytes>) {
    while let Some(envelope) = waiting.recv().await {
        match channel.send(BytesMut::from(envelope)).await {
            Ok(()) => {}
            Err(Error::ErrDataChannelClosed) => return,
            Err(error) => {
                tracing::debug!(target: "viam", "webrtc: cannot send: {error}");
                return;
            }
        }
    }
}
