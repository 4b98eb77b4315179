//! Tunnels to ports of this computer: those that the configuration allows, and an echo server of
//! the machine's own (transport.md §6.6).

use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming};
use viam_contract::cli;
use viam_proto::robot::v1::{Tunnel, TunnelRequest, TunnelResponse};

use super::resources::Resources;

/// How long it may take to connect where the configuration says nothing.
const LIMIT: Duration = Duration::from_secs(10);

/// How much is read at once.
const CHUNK: usize = 64 * 1024;

/// Messages that wait.
const QUEUE: usize = 4;

/// A port that may be reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Endpoint {
    port: u16,
    limit: Duration,
}

/// What a configuration allows in `network.traffic_tunnel_endpoints`.
pub(super) fn endpoints(config: &Map<String, Value>) -> Vec<Endpoint> {
    let list = config
        .get("network")
        .and_then(|network| network.get("traffic_tunnel_endpoints"))
        .and_then(Value::as_array);
    let read = |entry: &Value| {
        let port = u16::try_from(entry.get("port")?.as_u64()?).ok()?;
        let limit = match entry.get("connection_timeout") {
            Some(Value::String(text)) => cli::parse_duration(text).ok(),
            Some(Value::Number(nanos)) => nanos.as_u64().map(Duration::from_nanos),
            _ => None,
        };
        Some(Endpoint { port, limit: limit.filter(|limit| !limit.is_zero()).unwrap_or(LIMIT) })
    };
    list.into_iter().flatten().filter_map(read).collect()
}

/// A server that sends back what it gets; it ends with its machine.
pub(super) struct Echo {
    port: u16,
    _task: JoinSet<()>,
}

impl Echo {
    async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut socket, _)) = listener.accept().await {
                connections.spawn(async move {
                    let (mut input, mut output) = socket.split();
                    // Whoever breaks a connection wants no echo.
                    let _ = tokio::io::copy(&mut input, &mut output).await;
                    let _ = output.shutdown().await;
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { port, _task: task })
    }
}

impl Resources {
    /// Everything that may be reached.
    async fn endpoints(&self) -> Vec<Endpoint> {
        let mut all = self.tunnels();
        // Without a free port there is no echo.
        if let Ok(echo) = self.echo_server.get_or_try_init(Echo::start).await {
            all.push(Endpoint { port: echo.port, limit: LIMIT });
        }
        all
    }

    /// Answers `ListTunnels`.
    pub(super) async fn listed_tunnels(&self) -> Vec<Tunnel> {
        let tunnel = |endpoint: Endpoint| Tunnel {
            port: endpoint.port.into(),
            connection_timeout: prost_types::Duration::try_from(endpoint.limit).ok(),
        };
        self.endpoints().await.into_iter().map(tunnel).collect()
    }

    /// Answers `Tunnel`.
    pub(super) async fn tunnelled(
        &self,
        request: Request<Streaming<TunnelRequest>>,
    ) -> Result<Response<BoxStream<TunnelResponse>>, Status> {
        let mut requests = request.into_inner();
        // Its data, if there is any, is thrown away, as machines do.
        let first = requests
            .message()
            .await?
            .ok_or_else(|| Status::invalid_argument("the first message is missing"))?;
        let port = first.destination_port;
        let found = self.endpoints().await.into_iter().find(|one| u32::from(one.port) == port);
        let endpoint = found.ok_or_else(|| {
            Status::failed_precondition(format!("tunnel not available at port {port}"))
        })?;
        let connected =
            timeout(endpoint.limit, TcpStream::connect((Ipv4Addr::LOCALHOST, endpoint.port))).await;
        let socket = match connected {
            Ok(Ok(socket)) => socket,
            Ok(Err(error)) => {
                return Err(Status::unavailable(format!("cannot connect to port {port}: {error}")));
            }
            Err(_) => {
                return Err(Status::deadline_exceeded(format!("port {port} does not answer")));
            }
        };
        let (input, output) = socket.into_split();
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(feed(requests, output));
        tokio::spawn(show(input, sender));
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

/// What the client sends; the end of it is passed on.
async fn feed(mut requests: Streaming<TunnelRequest>, mut output: OwnedWriteHalf) {
    while let Ok(Some(request)) = requests.message().await {
        if output.write_all(&request.data).await.is_err() {
            return;
        }
    }
    // The server may have ended.
    let _ = output.shutdown().await;
}

/// What the server sends.
async fn show(mut input: OwnedReadHalf, sender: mpsc::Sender<Result<TunnelResponse, Status>>) {
    let mut buffer = vec![0; CHUNK];
    loop {
        let length = tokio::select! {
            length = input.read(&mut buffer) => length,
            () = sender.closed() => return,
        };
        let message = match length {
            Ok(0) => return,
            Ok(length) => Ok(TunnelResponse { data: buffer[..length].to_vec().into() }),
            Err(error) => Err(Status::unavailable(format!("the port broke off: {error}"))),
        };
        let failed = message.is_err();
        if sender.send(message).await.is_err() || failed {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ports_stand_in_the_configuration() {
        let config = json!({ "network": { "traffic_tunnel_endpoints": [
            { "port": 22 },
            { "port": 80, "connection_timeout": "500ms" },
            { "port": 81, "connection_timeout": 1_000_000_000 },
            { "port": 70000 },
            "x",
        ] } });
        let found = endpoints(config.as_object().expect("object"));
        let expected = [
            Endpoint { port: 22, limit: LIMIT },
            Endpoint { port: 80, limit: Duration::from_millis(500) },
            Endpoint { port: 81, limit: Duration::from_secs(1) },
        ];
        assert_eq!(found, expected);
        assert_eq!(endpoints(&Map::new()), []);
    }
}
