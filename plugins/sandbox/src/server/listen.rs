//! Connections: cleartext or TLS, told apart by their first byte; HTTP/1.1 and HTTP/2 on both.

use std::net::{Ipv4Addr, Ipv6Addr, TcpListener as Listener};
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use viam_contract::{Error, Kind, Result, ResultExt as _};

use super::front::Front;

/// How long a client may take to say its first byte and to shake hands.
const GREETING: Duration = Duration::from_secs(10);

/// How long requests under way may take to end when the server stops.
const FAREWELL: Duration = Duration::from_secs(1);

/// The first byte of a TLS handshake.
const TLS_HANDSHAKE: u8 = 0x16;

/// Takes a port of this machine, on IPv6 too where that is there.
///
/// # Errors
/// `User` when the port is in use.
pub(crate) fn bind(port: u16) -> Result<(Vec<Listener>, u16)> {
    let taken = |error: std::io::Error| {
        Error::new(Kind::User, format!("cannot listen on 127.0.0.1:{port}"))
            .because(error)
            .hint_text("--port 0 takes any port that is free")
    };
    let first = Listener::bind((Ipv4Addr::LOCALHOST, port)).map_err(taken)?;
    let port = first.local_addr().map_err(taken)?.port();
    let mut listeners = vec![first];
    listeners.extend(Listener::bind((Ipv6Addr::LOCALHOST, port)));
    for listener in &listeners {
        listener
            .set_nonblocking(true)
            .or_kind(Kind::Internal, || "cannot use a socket".to_owned())?;
    }
    Ok((listeners, port))
}

/// Serves until told to stop.
pub(crate) async fn serve(
    listeners: Vec<TcpListener>,
    tls: TlsAcceptor,
    front: Front,
    mut stop: watch::Receiver<bool>,
) {
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listeners, 0) => accepted,
            accepted = accept(&listeners, 1) => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, _)) => {
                tokio::spawn(connection(stream, tls.clone(), front.clone(), graceful.watcher()));
            }
            // Out of descriptors, most likely: some become free when others end.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    drop(listeners);
    // Requests under way are answered; a stream that never ends, or a client that keeps an idle
    // connection, does not hold up the end.
    tokio::select! {
        () = graceful.shutdown() => {}
        () = front.idle() => {}
        () = tokio::time::sleep(FAREWELL) => {}
    }
}

async fn accept(
    listeners: &[TcpListener],
    place: usize,
) -> std::io::Result<(TcpStream, std::net::SocketAddr)> {
    match listeners.get(place) {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

async fn connection(stream: TcpStream, tls: TlsAcceptor, front: Front, watcher: Watcher) {
    let _ = stream.set_nodelay(true);
    let mut first = [0];
    let Ok(Ok(1)) = timeout(GREETING, stream.peek(&mut first)).await else { return };
    if first[0] != TLS_HANDSHAKE {
        return speak(stream, "http", front, watcher).await;
    }
    if let Ok(Ok(stream)) = timeout(GREETING, tls.accept(stream)).await {
        speak(stream, "https", front, watcher).await;
    }
}

async fn speak<S>(stream: S, scheme: &'static str, front: Front, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let breaker = Arc::new(Notify::new());
    let broken = breaker.clone();
    let service = service_fn(move |request| front.clone().serve(scheme, breaker.clone(), request));
    let builder = auto::Builder::new(TokioExecutor::new());
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    // A client that goes away, or a cut that a test asked for, is nobody's fault.
    tokio::select! {
        _ = watcher.watch(connection) => {}
        () = broken.notified() => {}
    }
}
