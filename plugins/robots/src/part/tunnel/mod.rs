//! `viam robots part tunnel` (behaviour.md §1.11, transport.md §6.6).

mod connection;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tonic::Code;
use viam_client::rpc_error;
use viam_contract::{Context, Error, Exit, Kind, Result, ResultExt as _, Wire};
use viam_proto::robot::v1::ListTunnelsRequest;
use viam_proto::robot::v1::robot_service_client::RobotServiceClient;

use crate::machine::{self, Machine, WhichArgs};

/// Before connections are accepted again when that failed, such as for want of descriptors.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    #[command(flatten)]
    which: WhichArgs,
    /// port of this computer to listen on; 0 takes any that is free
    #[arg(long, value_name = "PORT")]
    local_port: u16,
    /// port of the machine to connect to
    #[arg(long, value_name = "PORT", value_parser = destination)]
    destination_port: u16,
    /// protocol of the port, which is tcp
    #[arg(long, value_name = "NAME", hide = true, default_value = "tcp", value_parser = protocol)]
    protocol: String,
}

fn destination(text: &str) -> Result<u16, String> {
    let (number, name) = text.split_once('/').unwrap_or((text, "tcp"));
    protocol(name)?;
    match number.parse() {
        Ok(0) | Err(_) => Err("a port is a number from 1 to 65535".to_owned()),
        Ok(port) => Ok(port),
    }
}

fn protocol(name: &str) -> Result<String, String> {
    if name.eq_ignore_ascii_case("tcp") {
        Ok("tcp".to_owned())
    } else {
        Err("only TCP goes through a tunnel".to_owned())
    }
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let machine = machine::connect(cx, &args.which).await?;
    let tunneled = tokio::select! {
        tunneled = tunnel(cx, &machine, &args) => tunneled,
        () = interrupted() => {
            let exit = Exit::Signal(SignalKind::interrupt().as_raw_value());
            Err(Error::new(Kind::Child(exit), "ended by a signal"))
        }
    };
    machine.close().await;
    tunneled
}

async fn interrupted() {
    match signal(SignalKind::interrupt()) {
        Ok(mut interrupted) => {
            interrupted.recv().await;
        }
        // Then the signal itself ends the process.
        Err(_) => std::future::pending().await,
    }
}

async fn tunnel(cx: &Context, machine: &Machine, args: &Args) -> Result<()> {
    check(&machine.wire, args.destination_port).await?;
    let listeners = Listeners::bind(args.local_port).await?;
    cx.output.info(&format!(
        "tunneling connections from local port {} to destination port {} on machine part...",
        listeners.port, args.destination_port
    ))?;
    // Scripts wait for this line.
    cx.output.flush()?;
    let mut running = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listeners.accept() => accepted,
            Some(ended) = running.join_next(), if !running.is_empty() => {
                warn(cx, ended);
                continue;
            }
        };
        match accepted {
            Ok((socket, peer)) => {
                let (wire, port) = (machine.wire.clone(), args.destination_port);
                running.spawn(async move { (peer, connection::carry(wire, socket, port).await) });
            }
            Err(error) => {
                cx.output.warn(&format!("cannot accept a connection: {error}"));
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// A connection that failed ends only itself.
fn warn(cx: &Context, ended: Result<(SocketAddr, Result<()>), tokio::task::JoinError>) {
    match ended {
        Ok((_, Ok(()))) => {}
        Ok((peer, Err(error))) => cx.output.warn(&format!("{peer}: {}", error.one_line())),
        Err(error) => cx.output.warn(&format!("a connection broke off: {error}")),
    }
}

/// Whether the machine lets anybody through to a port. One that does not know the question is
/// not asked.
async fn check(wire: &Wire, port: u16) -> Result<()> {
    let asked = RobotServiceClient::new(wire.clone()).list_tunnels(ListTunnelsRequest {}).await;
    let tunnels = match asked {
        Ok(answer) => answer.into_inner().tunnels,
        Err(status) if status.code() == Code::Unimplemented => return Ok(()),
        Err(status) => {
            return Err(rpc_error(status, "could not ask the machine which ports it tunnels"));
        }
    };
    let allowed: Vec<u32> = tunnels.iter().map(|tunnel| tunnel.port).collect();
    if allowed.contains(&port.into()) { Ok(()) } else { Err(refused(port, &allowed)) }
}

fn refused(port: u16, allowed: &[u32]) -> Error {
    let ports: Vec<String> = allowed.iter().map(u32::to_string).collect();
    let allowed = match &*ports {
        [] => "it allows none".to_owned(),
        [one] => format!("it allows {one}"),
        ports => format!("it allows {}", ports.join(", ")),
    };
    Error::new(Kind::User, format!("the machine does not allow a tunnel to port {port}; {allowed}"))
        .hint_text(format!(
            "add {{\"port\": {port}}} to the list network.traffic_tunnel_endpoints in the \
             configuration of the part"
        ))
}

/// Where local programs connect to: `localhost` may be either address.
struct Listeners {
    v4: TcpListener,
    v6: Option<TcpListener>,
    port: u16,
}

impl Listeners {
    async fn bind(port: u16) -> Result<Self> {
        let doing = || format!("cannot listen on port {port} of this computer");
        let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.or_kind(Kind::User, doing)?;
        let port = v4.local_addr().or_kind(Kind::User, doing)?.port();
        // Not every computer has IPv6.
        let v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await.ok();
        Ok(Self { v4, v6, port })
    }

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let Some(v6) = &self.v6 else { return self.v4.accept().await };
        tokio::select! {
            accepted = self.v4.accept() => accepted,
            accepted = v6.accept() => accepted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ports_of_tcp_are_destinations() {
        assert_eq!(destination("8080"), Ok(8080));
        assert_eq!(destination("22/TCP"), Ok(22));
        for text in ["0", "65536", "x", "-1", ""] {
            assert!(destination(text).expect_err(text).contains("1 to 65535"), "{text}");
        }
        for text in ["53/udp", "53/", "53/sctp"] {
            assert!(destination(text).expect_err(text).contains("only TCP"), "{text}");
        }
        assert!(protocol("udp").is_err());
    }

    #[test]
    fn a_refusal_says_what_is_allowed() {
        for (allowed, said) in
            [(&[][..], "allows none"), (&[22], "allows 22"), (&[22, 80], "allows 22, 80")]
        {
            let error = refused(81, allowed);
            assert!(error.message().ends_with(said), "{}", error.message());
            assert!(format!("{:?}", error.hints()).contains("traffic_tunnel_endpoints"));
        }
    }
}
