//! The connection to a machine: by what the cloud says of its part, or at an address.

use std::future::Ready;
use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::OptionFuture;
use tokio::time::timeout;
use tonic::Code;
use viam_client::machine::lan;
use viam_client::machine::webrtc::{Dialed, Failure, STUN_SERVERS, dial};
use viam_client::{BaseUrl, rpc_error};
use viam_contract::{Context, Error, Kind, Result, Target, Wire, text};
use viam_proto::app::v1::{OnlineState, RobotPart};
use viam_proto::common::v1::ResourceName;
use viam_proto::robot::v1::ResourceNamesRequest;
use viam_proto::robot::v1::robot_service_client::RobotServiceClient;

use crate::args::{PartArgs, given};
use crate::when;

/// How long it may take until a machine says what it has (design.md §3: nothing waits for ever).
const LIMIT: Duration = Duration::from_secs(10);

/// By so much the direct way is ahead.
const HEAD_START: Duration = Duration::from_millis(200);

/// How a machine is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, clap::ValueEnum)]
pub(crate) enum Transport {
    /// By whatever way there is.
    #[default]
    Auto,
    /// By gRPC to its own address.
    Direct,
    /// By WebRTC, which the cloud arranges.
    Webrtc,
}

#[derive(clap::Args, Debug, Default, PartialEq)]
pub(crate) struct ConnectionArgs {
    /// reach the machine at this address, without the cloud
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["part", "machine"])]
    address: Option<String>,
    /// id of an API key that the machine at --address knows
    #[arg(long, value_name = "ID", requires_all = ["address", "key"])]
    key_id: Option<String>,
    /// the secret of that key
    #[arg(long, value_name = "SECRET", requires_all = ["address", "key_id"])]
    key: Option<String>,
    /// how to reach the machine
    #[arg(long, value_enum, default_value = "auto")]
    transport: Transport,
}

/// A part that may be given by its address instead.
#[derive(clap::Args, Debug, Default, PartialEq)]
pub(crate) struct WhichArgs {
    /// id or name of the part; may be left out for the only part of a machine
    #[arg(
        long,
        aliases = ["part-id", "part-name"],
        required_unless_present_any = ["machine", "address"]
    )]
    part: Option<String>,
    /// id or name of the machine to look in; all if not given
    #[arg(long, aliases = ["robot", "machine-id", "machine-name", "robot-id", "robot-name"])]
    machine: Option<String>,
    #[command(flatten)]
    place: crate::args::PlaceArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl WhichArgs {
    /// Checks what can be checked without a call.
    pub(crate) fn check(&self) -> Result<()> {
        if given(self.connection.address.as_ref()).is_some() { Ok(()) } else { self.part().check() }
    }

    fn part(&self) -> PartArgs {
        PartArgs {
            part: self.part.clone(),
            machine: self.machine.clone(),
            place: self.place.clone(),
        }
    }
}

/// A machine that answers.
pub(crate) struct Machine {
    /// Carries the calls.
    pub(crate) wire: Wire,
    /// What it has.
    pub(crate) resources: Vec<ResourceName>,
    /// What is to be closed at the end.
    dialed: Option<Dialed>,
}

impl Machine {
    /// A machine at the other end of a transport.
    #[cfg(test)]
    pub(crate) fn at(wire: Wire) -> Self {
        Self { wire, resources: Vec::new(), dialed: None }
    }

    /// Says goodbye, so that the machine need not find out that nobody is there any more.
    pub(crate) async fn close(&self) {
        if let Some(dialed) = &self.dialed {
            dialed.close().await;
        }
    }
}

/// Connects to the machine that is meant.
///
/// # Errors
/// `User` when there is no such part, `Remote` when it does not answer.
pub(crate) async fn connect(cx: &Context, which: &WhichArgs) -> Result<Machine> {
    let connection = &which.connection;
    if let Some(address) = given(connection.address.as_ref()) {
        let key = connection.key_id.clone().zip(connection.key.clone());
        if connection.transport == Transport::Webrtc {
            return Err(Error::new(Kind::Usage, "--address is reached directly, not by WebRTC")
                .hint_text("leave out --transport"));
        }
        let target = Target::Address { address: address.to_owned(), key };
        let wire = cx.sessions.wire(&target).await?;
        return ask(wire).await.map_err(|error| {
            error.within(format!("cannot reach a machine at {}", text::quoted(address)))
        });
    }
    which.check()?;
    let app = cx.sessions.wire(&Target::App).await?;
    let part = which.part().find(cx, &app).await?;
    reach(cx, &app, &part, connection.transport).await.map_err(|error| explained(cx, &part, error))
}

async fn reach(
    cx: &Context,
    app: &Wire,
    part: &RobotPart,
    transport: Transport,
) -> Result<Machine> {
    if part.fqdn.is_empty() {
        return Err(Error::new(Kind::Remote, "the cloud has no address for it"));
    }
    let direct = async {
        let wire = cx.sessions.wire(&Target::Part { fqdn: part.fqdn.clone() }).await?;
        ask(wire).await
    };
    match transport {
        Transport::Direct => first_of(direct, on_lan(cx, part), None::<Ready<_>>).await,
        Transport::Webrtc => by_webrtc(cx, app, part).await,
        Transport::Auto => first_of(direct, on_lan(cx, part), Some(by_webrtc(cx, app, part))).await,
    }
}

/// Tries all ways; the first that works is taken, and the others are given up. The direct one, if
/// there is one, needs a few milliseconds, and what it saves is an offer that nobody wants.
async fn first_of(
    direct: impl Future<Output = Result<Machine>>,
    lan: impl Future<Output = Option<Machine>>,
    webrtc: Option<impl Future<Output = Result<Machine>>>,
) -> Result<Machine> {
    let mut waiting = webrtc.is_some();
    let webrtc = OptionFuture::from(webrtc);
    let head_start = tokio::time::sleep(HEAD_START);
    tokio::pin!(direct, lan, webrtc, head_start);
    let (mut refused, mut signaled, mut no_lan) = (None, None, false);
    loop {
        let offer = !waiting && signaled.is_none();
        tokio::select! {
            biased;
            machine = &mut direct, if refused.is_none() => match machine {
                Ok(machine) => return Ok(machine),
                Err(error) => {
                    tracing::debug!(target: "viam", "not directly: {}", error.one_line());
                    refused = Some(error);
                    waiting = false;
                }
            },
            machine = &mut lan, if !no_lan => match machine {
                Some(machine) => return Ok(machine),
                None => no_lan = true,
            },
            () = &mut head_start, if waiting => waiting = false,
            machine = &mut webrtc, if offer => match machine {
                Some(Ok(machine)) => return Ok(machine),
                Some(Err(error)) => signaled = Some(Some(error)),
                None => signaled = Some(None),
            },
            else => break,
        }
    }
    // Most machines are reached by WebRTC only, so what it says counts.
    let error = signaled.flatten().or(refused);
    Err(error.unwrap_or_else(|| Error::new(Kind::Internal, "no way was tried")))
}

/// The machine, if it is on the local network and the login is an API key, which the machine
/// itself can check; a user's token it cannot (transport.md §5.3).
async fn on_lan(cx: &Context, part: &RobotPart) -> Option<Machine> {
    let fqdn = &part.fqdn;
    let bare = !fqdn.contains(':') && fqdn.parse::<IpAddr>().is_err();
    if !bare || !cx.sessions.subject().is_ok_and(|subject| subject.starts_with("key-")) {
        return None;
    }
    let mut search = lan::Search::begin(fqdn)?;
    while let Some(at) = search.next().await {
        let target = Target::Lan { fqdn: fqdn.clone(), at };
        let machine = match cx.sessions.wire(&target).await {
            Ok(wire) => ask(wire).await,
            Err(error) => Err(error),
        };
        match machine {
            Ok(machine) => return Some(machine),
            Err(error) => tracing::debug!(target: "viam", "not by LAN: {}", error.one_line()),
        }
    }
    None
}

async fn by_webrtc(cx: &Context, app: &Wire, part: &RobotPart) -> Result<Machine> {
    // A cloud on this computer has its machines here, too.
    let here = BaseUrl::parse(&cx.sessions.base_url()?)?.is_loopback();
    let stun = if here { &[][..] } else { &STUN_SERVERS[..] };
    let dialed = match dial(app, &part.fqdn, stun).await {
        Ok(dialed) => dialed,
        Err(failure) => return Err(refused(failure)),
    };
    // The first call follows at once: a machine does not take it well when a connection is closed
    // without any.
    match ask(dialed.wire.clone()).await {
        Ok(machine) => Ok(Machine { dialed: Some(dialed), ..machine }),
        Err(error) => {
            dialed.close().await;
            Err(error)
        }
    }
}

fn refused(failure: Failure) -> Error {
    match failure {
        Failure::Offline(said) => Error::new(Kind::Remote, text::one_line(&said)),
        Failure::NoSignaling => {
            Error::new(Kind::Remote, "the cloud arranges no connection to that machine")
        }
        Failure::Cloud(status) => rpc_error(status, "the cloud arranged no connection"),
        Failure::NoWay(why) => {
            Error::new(Kind::Remote, "there is no way to the machine").because(why).hint_text(
                "a network that lets no UDP through is the usual reason; relays by TCP are not \
                 supported",
            )
        }
    }
}

/// Asks what the machine has, which shows that it is there.
async fn ask(wire: Wire) -> Result<Machine> {
    let mut client = RobotServiceClient::new(wire.clone());
    let asked = client.resource_names(ResourceNamesRequest {});
    let answer = timeout(LIMIT, asked).await.map_err(|_| {
        Error::new(Kind::Remote, format!("it did not answer within {} s", LIMIT.as_secs()))
    })?;
    let machine = |resources| Machine { wire, resources, dialed: None };
    match answer {
        Ok(answer) => Ok(machine(answer.into_inner().resources)),
        // A machine may have none (transport.md §6.1).
        Err(status) if status.code() == Code::Unimplemented => Ok(machine(Vec::new())),
        Err(status) => Err(rpc_error(status, "cannot ask it what it has")),
    }
}

/// What the cloud knows of a machine that cannot be reached.
fn explained(cx: &Context, part: &RobotPart, error: Error) -> Error {
    if error.kind() != Kind::Remote {
        return error;
    }
    let name = text::quoted(&part.name);
    let offline = |words: String| {
        Error::new(Kind::Remote, words)
            .hint_text("turn the machine on, or see its last logs")
            .hint_run(format!("viam robots part logs --part {}", part.id))
    };
    match part.online_state() {
        OnlineState::Offline => {
            let last = when::last_access(cx, part.last_access.as_ref());
            offline(format!("machine part {name} is offline, last seen {last}"))
        }
        OnlineState::AwaitingSetup => offline(format!("machine part {name} has never been online")),
        _ => error.within(format!("cannot reach machine part {name}")),
    }
}
