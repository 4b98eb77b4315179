//! One connection through a tunnel: a stream of the machine's for each (transport.md §6.6).

use std::pin::pin;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Status};
use viam_client::rpc_error;
use viam_client::wire::{LongLived, RECEIVE_LIMIT};
use viam_contract::{Result, Wire};
use viam_proto::robot::v1::robot_service_client::RobotServiceClient;
use viam_proto::robot::v1::{TunnelRequest, TunnelResponse};

/// How much is read at once. Machines send up to 1 MiB and take as much.
const CHUNK: usize = 64 * 1024;

/// Messages that wait.
const QUEUE: usize = 4;

/// How long a local program may still send what nobody takes any more. Closing at once would
/// reset the connection, and what it has not read yet would be lost to it.
const LINGER: Duration = Duration::from_secs(5);

/// Why nothing more is read of a local program.
enum Ended {
    /// It sends no more, and may still wait for an answer.
    Closed,
    /// It is gone.
    Lost,
}

/// Carries a connection until both sides have ended.
pub(super) async fn carry(wire: Wire, socket: TcpStream, port: u16) -> Result<()> {
    // A tunnel is no place to hold back small pieces; a socket that is gone is noticed below.
    let _ = socket.set_nodelay(true);
    let (mut from_local, to_local) = socket.into_split();
    let (requests, outgoing) = mpsc::channel(QUEUE);
    // Machines throw away the data of the first message.
    let first = TunnelRequest { destination_port: port.into(), ..TunnelRequest::default() };
    // There is room: nothing was sent yet.
    let _ = requests.send(first).await;
    {
        let mut up = pin!(up(&mut from_local, requests));
        let mut down = pin!(down(wire, outgoing, to_local));
        let mut sending = true;
        loop {
            tokio::select! {
                ended = &mut up, if sending => match ended {
                    Ended::Closed => sending = false,
                    // Dropping the stream tells the machine.
                    Ended::Lost => return Ok(()),
                },
                ended = &mut down => match ended {
                    Ok(()) => break,
                    Err(status) if status.code() == Code::Cancelled => break,
                    Err(status) => {
                        return Err(rpc_error(status, format!("the tunnel to port {port} failed")));
                    }
                },
            }
        }
    }
    let _ = timeout(LINGER, discard(from_local)).await;
    Ok(())
}

/// Sends what the local program sends. Its end is the end of the stream of requests, which is
/// when `requests` is dropped.
async fn up(from_local: &mut OwnedReadHalf, requests: mpsc::Sender<TunnelRequest>) -> Ended {
    let mut buffer = vec![0; CHUNK];
    loop {
        let data = match from_local.read(&mut buffer).await {
            Ok(0) => return Ended::Closed,
            Ok(length) => buffer[..length].to_vec(),
            Err(_) => return Ended::Lost,
        };
        let request = TunnelRequest { destination_port: 0, data: data.into() };
        if requests.send(request).await.is_err() {
            // The other direction knows why.
            return Ended::Closed;
        }
    }
}

/// Gives the local program what the machine sends, and then the end of it.
async fn down(
    wire: Wire,
    outgoing: mpsc::Receiver<TunnelRequest>,
    mut to_local: OwnedWriteHalf,
) -> Result<(), Status> {
    let mut request = Request::new(ReceiverStream::new(outgoing));
    request.extensions_mut().insert(LongLived);
    let mut client = RobotServiceClient::new(wire).max_decoding_message_size(RECEIVE_LIMIT);
    let mut answers = client.tunnel(request).await?.into_inner();
    while let Some(TunnelResponse { data }) = answers.message().await? {
        if to_local.write_all(&data).await.is_err() {
            // It wants no more.
            return Ok(());
        }
    }
    // It may be gone.
    let _ = to_local.shutdown().await;
    Ok(())
}

async fn discard(mut from_local: OwnedReadHalf) {
    let mut buffer = vec![0; CHUNK];
    while let Ok(1..) = from_local.read(&mut buffer).await {}
}
