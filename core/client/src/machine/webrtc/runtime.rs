//! What a connection runs on: tokio, and more rounds of its loop while it is being made and where a
//! relay is in use.
//!
//! A step of the handshakes, and what goes through a relay, takes several rounds of the loop on its
//! way in and out, and the loop does not see that such a round is due: it waits for the next packet
//! or the next timer, 200 ms to two seconds. Here it goes round twice more each time before it
//! really waits.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime,
    TokioRuntime,
};

/// Rounds from a packet of the relay to the answer's being sent.
const ROUNDS: u8 = 2;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

tokio::task_local! {
    /// The rounds that are still due; there is one where the loop runs, and nowhere else.
    static DUE: Arc<AtomicU8>;
}

/// The runtime of a connection.
#[derive(Debug)]
pub(super) struct Rounds {
    /// Whether more rounds are made.
    eager: Arc<AtomicBool>,
}

impl Rounds {
    pub(super) fn new(eager: Arc<AtomicBool>) -> Self {
        Self { eager }
    }
}

impl Runtime for Rounds {
    fn spawn(&self, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        TokioRuntime.spawn(Box::pin(DUE.scope(Arc::new(AtomicU8::new(ROUNDS)), future)))
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        TokioRuntime.wrap_udp_socket(socket)
    }

    fn wrap_tcp_listener(
        &self,
        listener: std::net::TcpListener,
    ) -> io::Result<Arc<dyn AsyncTcpListener>> {
        TokioRuntime.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(
        &'a self,
        address: SocketAddr,
    ) -> Boxed<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        TokioRuntime.connect_tcp(address)
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        TokioRuntime.resolve_host(host)
    }

    fn sleep(&self, duration: Duration) -> Boxed<'static, ()> {
        let sleep = TokioRuntime.sleep(duration);
        match DUE.try_with(Arc::clone) {
            Ok(due) if self.eager.load(Ordering::Relaxed) => Box::pin(Wait { due, sleep }),
            _ => sleep,
        }
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        TokioRuntime.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        TokioRuntime.block_on(future);
    }

    fn name(&self) -> &'static str {
        "tokio"
    }
}

/// A wait of the loop: none while rounds are due.
struct Wait {
    due: Arc<AtomicU8>,
    sleep: Boxed<'static, ()>,
}

impl Future for Wait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.due.load(Ordering::Relaxed) == 0 {
            return self.sleep.as_mut().poll(cx);
        }
        Poll::Ready(())
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        // One round less; after a real wait all of them again.
        let due = self.due.load(Ordering::Relaxed).checked_sub(1).unwrap_or(ROUNDS);
        self.due.store(due, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_loop_goes_round_twice_before_it_waits() {
        let eager = Arc::new(AtomicBool::new(true));
        let runtime = Arc::new(Rounds::new(eager.clone()));
        let (said, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let begun = Instant::now();
        let inner = runtime.clone();
        runtime.spawn(Box::pin(async move {
            for _ in 0..8 {
                if said.send(begun.elapsed().as_secs()).is_err() {
                    return;
                }
                inner.sleep(Duration::from_secs(1)).await;
                if begun.elapsed().as_secs() == 2 {
                    eager.store(false, Ordering::Relaxed);
                }
            }
        }));
        let mut times = Vec::new();
        while let Some(time) = heard.recv().await {
            times.push(time);
        }
        assert_eq!(times, [0, 0, 0, 1, 1, 1, 2, 3]);
        // Others wait as long as they say.
        runtime.sleep(Duration::from_secs(5)).await;
        assert!(begun.elapsed().as_secs() >= 8);
    }
}
