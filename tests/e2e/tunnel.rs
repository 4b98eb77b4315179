//! Tunnels to ports of live machines.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Child;
use std::time::Duration;

use serde_json::json;
use viam_test::{TestEnv, TestSandbox};

use crate::support::{Watch, logged_in};

const ROVER_MAIN: &str = "d43d916a-c077-5fad-9615-956618741961";

/// A tunnel that is open.
struct Tunnel {
    child: Child,
    port: u16,
    _watch: Watch,
}

impl Tunnel {
    fn open(env: &TestEnv, destination: u16) -> Self {
        let port = destination.to_string();
        let words = ["robots", "part", "tunnel", "--part", ROVER_MAIN, "--local-port", "0"];
        let mut child = env.viam(&[&words[..], &["--destination-port", &port]].concat()).spawn();
        let _watch = Watch::on(&child);
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout"));
        stdout.read_line(&mut line).expect("a line");
        let port = line
            .strip_prefix("Info: tunneling connections from local port ")
            .and_then(|rest| {
                rest.strip_suffix(&format!(
                    " to destination port {destination} on machine part...\n"
                ))
            })
            .unwrap_or_else(|| panic!("no tunnel: {line}"));
        Self { port: port.parse().expect("a port"), child, _watch }
    }

    fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(("127.0.0.1", self.port)).expect("connects");
        socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a limit");
        socket
    }

    /// Ends it; what it said on stderr.
    fn close(mut self) -> String {
        self.child.kill().expect("killed");
        let output = self.child.wait_with_output().expect("ends");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

/// The port of the machine's echo server.
fn echo(env: &TestEnv) -> u16 {
    let words = ["robots", "part", "run", "--part", ROVER_MAIN];
    let method = ["viam.robot.v1.RobotService.ListTunnels"];
    let listed = env.viam(&[&words[..], &method].concat()).run().ok().json();
    let port = listed["tunnels"][0]["port"].as_u64().expect("a port");
    port.try_into().expect("a port")
}

fn allow(sandbox: &TestSandbox, port: u16) {
    let config = json!({ "network": { "traffic_tunnel_endpoints": [{ "port": port }] } });
    sandbox.server.configure(ROVER_MAIN, &config).expect("configured");
}

/// Bytes that are different for each connection.
fn bytes(seed: usize) -> Vec<u8> {
    (0..1024 * 1024).map(|at| ((at * 31 + at / 256 + seed * 7) % 251) as u8).collect()
}

#[test]
fn twenty_connections_at_once_are_whole() {
    let (env, _sandbox) = logged_in("fleet");
    let tunnel = Tunnel::open(&env, echo(&env));
    let connections: Vec<_> = (0..20)
        .map(|seed| {
            let mut socket = tunnel.connect();
            std::thread::spawn(move || {
                let sent = bytes(seed);
                let mut writer = socket.try_clone().expect("clone");
                let writing = std::thread::spawn(move || {
                    writer.write_all(&sent).expect("sent");
                    writer.shutdown(Shutdown::Write).expect("shut down");
                });
                let mut came = Vec::new();
                socket.read_to_end(&mut came).expect("came");
                writing.join().expect("written");
                assert!(came == bytes(seed), "{} bytes of connection {seed}", came.len());
            })
        })
        .collect();
    for connection in connections {
        connection.join().expect("whole");
    }
    assert!(!tunnel.close().contains("Warning"));
}

#[test]
fn an_answer_arrives_after_the_request_was_closed() {
    let (env, sandbox) = logged_in("fleet");
    let server = TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = server.local_addr().expect("address").port();
    allow(&sandbox, port);
    let serving = std::thread::spawn(move || {
        let (mut socket, _) = server.accept().expect("accepts");
        let mut request = Vec::new();
        socket.read_to_end(&mut request).expect("request");
        // Long after a client would have been given up that reads nothing.
        std::thread::sleep(Duration::from_millis(300));
        request.reverse();
        socket.write_all(&request).expect("answers");
        drop(socket);
        // The other direction: a server that ends first.
        let (mut socket, _) = server.accept().expect("accepts");
        socket.write_all(b"bye").expect("answers");
    });
    let mut tunnel = Tunnel::open(&env, port);
    let mut stderr = BufReader::new(tunnel.child.stderr.take().expect("stderr"));
    let mut socket = tunnel.connect();
    socket.write_all(&bytes(1)).expect("sent");
    socket.shutdown(Shutdown::Write).expect("shut down");
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).expect("answer");
    answer.reverse();
    assert!(answer == bytes(1), "{} bytes", answer.len());
    let mut said = String::new();
    tunnel.connect().read_to_string(&mut said).expect("answer");
    assert_eq!(said, "bye");
    serving.join().expect("served");
    // Nobody listens there any more, which ends a connection and not the tunnel.
    for _ in 0..2 {
        let mut nothing = Vec::new();
        tunnel.connect().read_to_end(&mut nothing).expect("an end");
        assert_eq!(nothing, b"");
        let mut line = String::new();
        while !line.starts_with("Warning: ") {
            line.clear();
            assert_ne!(stderr.read_line(&mut line).expect("a line"), 0, "it ended");
        }
        assert!(line.contains(&format!("the tunnel to port {port} failed")), "{line}");
    }
    tunnel.close();
}

#[test]
fn a_port_that_is_not_allowed_is_refused_by_name() {
    let (env, sandbox) = logged_in("fleet");
    let tunnel = |words: &[&str]| {
        let all = ["machines", "part", "tunnel", "--part", ROVER_MAIN, "--local-port", "0"];
        env.viam(&[&all[..], words].concat()).run()
    };
    allow(&sandbox, 4321);
    tunnel(&["--destination-port", "9"])
        .code(1)
        .says("does not allow a tunnel to port 9; it allows 4321, ")
        .says("network.traffic_tunnel_endpoints");
    tunnel(&["--destination-port", "53/udp"]).code(2).says("only TCP");
    tunnel(&["--destination-port", "53", "--protocol", "udp"]).code(2).says("only TCP");
    tunnel(&[]).code(2).says("destination-port");
    let taken = TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = taken.local_addr().expect("address").port().to_string();
    let words = ["machines", "part", "tunnel", "--part", ROVER_MAIN, "--local-port", &port];
    let outcome = env.viam(&[&words[..], &["--destination-port", "4321"]].concat()).run();
    outcome.code(1).says(&format!("cannot listen on port {port}"));
}
