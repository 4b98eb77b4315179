//! One session: what is typed goes to the machine, what its shell prints comes back.

use std::io::Read as _;
use std::time::Duration;

use http::uri::PathAndQuery;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::client::Grpc;
use tonic_prost::ProstCodec;
use viam_client::rpc_error;
use viam_client::wire::LongLived;
use viam_contract::{Context, Error, Exit, Kind, Result, ResultExt as _, Wire};
use viam_proto::service::shell::v1::ShellRequest;

use super::escape::Escape;
use super::messages::{self, ShellOutput, Texts};
use super::terminal::{self, Raw};

/// A machine ignores a size that follows another within 200 ms (transport.md §6.2), so the last
/// one is told once more after this.
const SETTLED: Duration = Duration::from_millis(250);

/// Pieces of input and messages that wait.
const QUEUE: usize = 16;

/// Why a session ends where the machine did not end it.
#[derive(Debug)]
enum End {
    /// The user typed `~.`.
    Dropped,
    /// A signal asks this process to end.
    Signal(i32),
}

pub(super) async fn run(cx: &Context, wire: Wire, name: String) -> Result<()> {
    let raw = Raw::enter()?;
    let escape = raw.is_some().then(Escape::default);
    let (requests, outgoing) = mpsc::channel(QUEUE);
    let size = if escape.is_some() { terminal::size() } else { None };
    // There is room: nothing was sent yet.
    let _ = requests.send(messages::first(&name, size)).await;
    let output = match open(wire, outgoing).await {
        Ok(output) => output,
        Err(status) => {
            drop(raw);
            return Err(rpc_error(status, "could not start a shell on the machine"));
        }
    };
    let (ended, end) = mpsc::channel(1);
    tokio::spawn(pass_on(name, escape, requests, ended.clone()));
    tokio::spawn(signals(ended));
    let result = show(cx, output, end).await;
    let on_terminal = raw.is_some();
    drop(raw);
    if on_terminal && result.is_ok() {
        cx.output.status("the shell session has ended");
    }
    result
}

async fn open(
    wire: Wire,
    outgoing: mpsc::Receiver<ShellRequest>,
) -> Result<Streaming<ShellOutput>, tonic::Status> {
    let mut request = tonic::Request::new(ReceiverStream::new(outgoing));
    request.extensions_mut().insert(LongLived);
    let mut grpc = Grpc::new(wire);
    grpc.ready().await.map_err(|error| tonic::Status::from_error(Box::new(error)))?;
    let path = PathAndQuery::from_static("/viam.service.shell.v1.ShellService/Shell");
    let codec: ProstCodec<ShellRequest, ShellOutput> = ProstCodec::default();
    Ok(grpc.streaming(request, path, codec).await?.into_inner())
}

/// Prints what the shell prints, until it ends or the session is to end.
async fn show(
    cx: &Context,
    mut output: Streaming<ShellOutput>,
    mut end: mpsc::Receiver<End>,
) -> Result<()> {
    loop {
        let message = tokio::select! {
            message = output.message() => message,
            Some(end) = end.recv() => return match end {
                End::Dropped => Err(Error::new(Kind::Cancelled, "the session was dropped")),
                End::Signal(number) => {
                    let exit = Exit::Signal(number);
                    Err(Error::new(Kind::Child(exit), "ended by a signal"))
                }
            },
        };
        let message =
            message.map_err(|status| rpc_error(status, "the connection to the shell was lost"))?;
        let Some(message) = message else { return Ok(()) };
        if !message.data_out.is_empty() {
            cx.output.bytes(&message.data_out)?;
        }
        if !message.data_err.is_empty() {
            cx.output.bytes(&message.data_err)?;
        }
        cx.output.flush()?;
        if message.eof {
            return Ok(());
        }
    }
}

/// Passes on what is typed, and new sizes of the terminal.
async fn pass_on(
    name: String,
    mut escape: Option<Escape>,
    requests: mpsc::Sender<ShellRequest>,
    ended: mpsc::Sender<End>,
) {
    let mut input = stdin();
    let mut texts = Texts::default();
    let mut resizes =
        if escape.is_some() { signal(SignalKind::window_change()).ok() } else { None };
    let mut told = None;
    loop {
        let bytes = tokio::select! {
            bytes = input.recv() => bytes,
            () = next(&mut resizes) => {
                told = Some(tokio::time::Instant::now() + SETTLED);
                if let Some(size) = terminal::size()
                    && requests.send(messages::resized(&name, size)).await.is_err()
                {
                    return;
                }
                continue;
            }
            () = due(told) => {
                told = None;
                if let Some(size) = terminal::size()
                    && requests.send(messages::resized(&name, size)).await.is_err()
                {
                    return;
                }
                continue;
            }
        };
        let Some(bytes) = bytes else { break };
        let (bytes, dropped) = match &mut escape {
            Some(escape) => escape.filter(&bytes),
            None => (bytes, false),
        };
        let text = texts.push(&bytes);
        if !text.is_empty() && requests.send(messages::typed(&name, text)).await.is_err() {
            return;
        }
        if dropped {
            // The session ends by itself when nobody takes this.
            let _ = ended.send(End::Dropped).await;
            return;
        }
    }
    let rest = texts.end();
    if !rest.is_empty() {
        // The shell may have ended.
        let _ = requests.send(messages::typed(&name, rest)).await;
    }
    // Dropping the sender closes the stream on this side: the shell reads an end of input.
}

/// What comes on stdin. A thread of its own reads it: a read of a terminal cannot be taken back,
/// and must not hold up the end.
fn stdin() -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = stdin.read(&mut buffer) {
            if sender.blocking_send(buffer[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

async fn due(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Waits for a signal that asks this process to end.
async fn signals(ended: mpsc::Sender<End>) {
    let wait = |kind| async move {
        match signal(kind).or_kind(Kind::Internal, String::new) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    let number = tokio::select! {
        () = wait(SignalKind::terminate()) => SignalKind::terminate().as_raw_value(),
        () = wait(SignalKind::hangup()) => SignalKind::hangup().as_raw_value(),
    };
    // The session may have ended.
    let _ = ended.send(End::Signal(number)).await;
}
