//! An Internet of five network namespaces, with a client and a machine behind a NAT each.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use viam_test::{Outcome, TestEnv, Viam};

/// Where the STUN and TURN server is.
const HELPER: &str = "203.0.113.1";

/// The cloud, as the client sees it: a port of the NAT that the machine is behind.
const CLOUD: &str = "http://203.0.113.12:8080";

/// How long a server may take to begin.
const BEGIN: Duration = Duration::from_secs(60);

/// What the routers of both sides do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Nat {
    /// One port outside for each port inside, whoever is spoken to; the usual one.
    Ordinary,
    /// Another port outside for each that is spoken to.
    Symmetric,
    /// As the usual one, but that of the client lets no UDP through.
    WithoutUdp,
}

/// All of it; gone when this is dropped, also by a panic.
pub(super) struct Network {
    env: TestEnv,
    // Before the namespaces, which last until their processes have ended.
    helper: Server,
    _cloud: Server,
    spaces: Spaces,
}

impl Network {
    /// Makes it, with a sandbox that names these servers; `None`, said aloud, where that cannot be
    /// done, and quietly where only the quick tests are asked for.
    pub(super) fn new(nat: Nat, servers: &[&str]) -> Option<Self> {
        let spaces = Spaces::new()?;
        spaces.connect();
        spaces.route(nat);
        let env = TestEnv::new();
        let helper = spaces.helper(&env);
        let dir = env.root().join("cloud");
        let mut words = vec!["sandbox", "start", "--foreground", "--ephemeral", "--port", "8080"];
        words.extend(["--dir", dir.to_str().expect("text")]);
        words.extend(servers.iter().flat_map(|server| ["--ice-server", server]));
        let cloud = Server::start(spaces.viam(&env, "machine", &words).into_command());
        cloud.wait_for("Sandbox running at");
        let made = spaces
            .viam(&env, "machine", &["organizations", "api-key", "create", "--format", "json"])
            .args(&["--org-id", "Acme Robotics", "--name", "nat"])
            .env("VIAM_HOME", dir.join("home"))
            .run()
            .ok()
            .json();
        let network = Self { env, helper, _cloud: cloud, spaces };
        let text = |field: &str| made[field].as_str().expect("text").to_owned();
        let key = ["--key-id", &text("id"), "--key", &text("key")];
        network.client(&[&["--base-url", CLOUD, "login", "api-key"][..], &key].concat()).ok();
        Some(network)
    }

    /// Runs a command at the client's end.
    pub(super) fn client(&self, words: &[&str]) -> Outcome {
        let words = [&["--debug", "--allow-plaintext"], words].concat();
        self.spaces.viam(&self.env, "client", &words).run()
    }

    /// Its working folder.
    pub(super) fn work(&self) -> PathBuf {
        self.env.root().join("work")
    }

    /// Whether the server has said this.
    pub(super) fn helper_says(&self, words: &str) -> bool {
        self.helper.lines.try_iter().any(|line| line.contains(words))
    }
}

/// A process that runs for the whole test.
struct Server {
    child: Child,
    lines: Receiver<String>,
}

impl Server {
    fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("started");
        let (sender, lines) = channel();
        let pipes: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|pipe| Box::new(pipe) as _),
            child.stderr.take().map(|pipe| Box::new(pipe) as _),
        ];
        for pipe in pipes.into_iter().flatten() {
            let sender = sender.clone();
            // Read to the end, so that it is never held up by a full pipe.
            std::thread::spawn(move || {
                for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                    let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
                }
            });
        }
        Self { child, lines }
    }

    fn wait_for(&self, words: &str) {
        let mut said = Vec::new();
        while !said.last().is_some_and(|line: &String| line.contains(words)) {
            match self.lines.recv_timeout(BEGIN) {
                Ok(line) => said.push(line),
                Err(_) => panic!("no {words:?} in what it said:\n{}", said.join("\n")),
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The namespaces, under names that no other test has.
struct Spaces {
    ip: PathBuf,
    turn: PathBuf,
    prefix: String,
}

const NAMES: [&str; 5] = ["client", "nat-a", "inet", "nat-b", "machine"];

impl Spaces {
    fn new() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        if !viam_test::full() {
            return None;
        }
        if !rustix::process::getuid().is_root() {
            viam_test::skip("only root may make networks");
            return None;
        }
        let [Some(ip), Some(_), Some(turn)] = ["ip", "nft", "turnserver"].map(found) else {
            viam_test::missing("one of iproute2, nftables and coturn");
            return None;
        };
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let spaces = Self { ip, turn, prefix: format!("viam-{}-{number}", std::process::id()) };
        let mut add = Command::new(&spaces.ip);
        add.args(["netns", "add", &spaces.name("inet")]);
        if !add.output().expect("runs").status.success() {
            viam_test::skip("networks cannot be made here");
            return None;
        }
        Some(spaces)
    }

    fn name(&self, space: &str) -> String {
        format!("{}-{space}", self.prefix)
    }

    /// A command of the program under test in a namespace.
    fn viam<'e>(&self, env: &'e TestEnv, space: &str, words: &[&str]) -> Viam<'e> {
        let program = env.viam.to_str().expect("text");
        let inside = ["netns", "exec", &self.name(space), program];
        env.program(&self.ip).args(&inside).args(words)
    }

    /// Commands of `ip`, a line each, in a namespace or outside of all.
    fn ip(&self, space: Option<&str>, lines: &str) {
        let mut command = Command::new(&self.ip);
        if let Some(space) = space {
            command.args(["-n", &self.name(space)]);
        }
        must(command.args(["-batch", "-"]), lines);
    }

    /// A program in a namespace, with this on its stdin.
    fn run(&self, space: &str, words: &[&str], stdin: &str) {
        let mut command = Command::new(&self.ip);
        must(command.args(["netns", "exec", &self.name(space)]).args(words), stdin);
    }

    /// Cables and addresses: client - nat-a - inet - nat-b - machine.
    fn connect(&self) {
        let [client, nat_a, inet, nat_b, machine] = NAMES.map(|space| self.name(space));
        self.ip(
            None,
            &format!(
                "netns add {client}\nnetns add {nat_a}\nnetns add {nat_b}\nnetns add {machine}\n\
                 link add lan netns {nat_a} type veth peer name eth0 netns {client}\n\
                 link add lan netns {nat_b} type veth peer name eth0 netns {machine}\n\
                 link add wan netns {nat_a} type veth peer name to-a netns {inet}\n\
                 link add wan netns {nat_b} type veth peer name to-b netns {inet}\n"
            ),
        );
        // A private address leads nowhere in the Internet, here to a router that drops it. Without
        // any way the sending itself would fail, and a TURN server gives up a relay for that.
        self.ip(
            Some("inet"),
            &format!(
                "link set lo up\nlink set to-a up\nlink set to-b up\n\
                 addr add {HELPER} peer 203.0.113.11 dev to-a\n\
                 addr add {HELPER} peer 203.0.113.12 dev to-b\n\
                 route add 10.0.0.0/8 via 203.0.113.11\n"
            ),
        );
        for (nat, inside, number) in [("nat-a", "client", 1), ("nat-b", "machine", 2)] {
            self.ip(
                Some(nat),
                &format!(
                    "link set lo up\nlink set lan up\nlink set wan up\n\
                     addr add 10.0.{number}.1/24 dev lan\n\
                     addr add 203.0.113.1{number} peer {HELPER} dev wan\n\
                     route add default via {HELPER}\n"
                ),
            );
            self.ip(
                Some(inside),
                &format!(
                    "link set lo up\nlink set eth0 up\n\
                     addr add 10.0.{number}.2/24 dev eth0\n\
                     route add default via 10.0.{number}.1\n"
                ),
            );
        }
    }

    /// What the routers do with packets. From outside comes only what was asked for, and the TCP
    /// of the cloud, which is on the computer of the machine.
    fn route(&self, nat: Nat) {
        let ports = if nat == Nat::Symmetric { "random,fully-random" } else { "" };
        for (space, udp) in [("nat-a", nat != Nat::WithoutUdp), ("nat-b", true)] {
            let udp = if udp { "" } else { "meta l4proto udp drop" };
            let rules = format!(
                r#"table ip nat {{
                    chain out {{
                        type nat hook postrouting priority srcnat
                        oifname "wan" masquerade {ports}
                    }}
                    chain in {{
                        type nat hook prerouting priority dstnat
                        iifname "wan" tcp dport 8080 dnat to 10.0.2.2
                    }}
                }}
                table ip filter {{
                    chain input {{
                        type filter hook input priority filter
                        iifname "wan" drop
                    }}
                    chain forward {{
                        type filter hook forward priority filter
                        {udp}
                        ct state established,related accept
                        ct status dnat accept
                        iifname "wan" drop
                    }}
                }}"#
            );
            self.run(space, &["nft", "-f", "-"], &rules);
        }
        // A sandbox answers on the loopback only.
        let rules = r#"table ip nat {
                chain in {
                    type nat hook prerouting priority dstnat
                    iifname "eth0" tcp dport 8080 dnat to 127.0.0.1
                }
            }"#;
        self.run("machine", &["nft", "-f", "-"], rules);
        let set = "echo 1 >/proc/sys/net/ipv4/";
        for space in ["nat-a", "inet", "nat-b"] {
            self.run(space, &["sh", "-c", &format!("{set}ip_forward")], "");
        }
        self.run("machine", &["sh", "-c", &format!("{set}conf/all/route_localnet")], "");
    }

    /// The STUN and TURN server.
    fn helper(&self, env: &TestEnv) -> Server {
        let mut command = Command::new(&self.ip);
        command.args(["netns", "exec", &self.name("inet")]).arg(&self.turn);
        command.args(["-n", "-v", "--no-tls", "--no-dtls", "--log-file", "stdout"]);
        command.args(["--listening-ip", HELPER, "--relay-ip", HELPER]);
        command.args(["--lt-cred-mech", "--realm", "test", "--user", "ann:secret"]);
        command.arg("--pidfile").arg(env.root().join("turn.pid"));
        command.arg("--userdb").arg(env.root().join("turn.db"));
        let server = Server::start(command);
        server.wait_for("UDP listener opened");
        server
    }
}

impl Drop for Spaces {
    fn drop(&mut self) {
        for space in NAMES {
            // Some may not be there yet.
            let mut command = Command::new(&self.ip);
            let _ = command.args(["netns", "del", &self.name(space)]).output();
        }
    }
}

/// A tool of the system; those of root are not always on PATH.
fn found(tool: &str) -> Option<PathBuf> {
    let folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/local/bin"];
    folders.iter().map(|folder| Path::new(folder).join(tool)).find(|path| path.is_file())
}

fn must(command: &mut Command, stdin: &str) {
    let path = "/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin";
    command.env("PATH", path).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("started");
    child.stdin.take().expect("a pipe").write_all(stdin.as_bytes()).expect("taken");
    let output = child.wait_with_output().expect("ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {said}\n{stdin}");
}
