//! What several modules of tests need.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Output};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use viam_test::{TestEnv, TestSandbox};

/// The token endpoint of the sandbox's login provider.
pub(crate) const TOKEN: &str = "/oauth/token";
/// A method of the app.
pub(crate) const LIST_ORGANIZATIONS: &str = "/viam.app.v1.AppService/ListOrganizations";
/// The exchange of an API key.
pub(crate) const AUTHENTICATE: &str = "/proto.rpc.v1.AuthService/Authenticate";

/// A started `viam login` whose stderr is read as it comes.
pub(crate) struct Login {
    child: Child,
    lines: Receiver<String>,
    /// What it has said so far.
    pub(crate) said: String,
}

impl Login {
    pub(crate) fn start(env: &TestEnv, args: &[&str], vars: &[(&str, &str)]) -> Self {
        let mut command = env.viam(args);
        for (name, value) in vars {
            command = command.env(name, value);
        }
        let mut child = command.spawn();
        let stderr = BufReader::new(child.stderr.take().expect("stderr"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines, said: String::new() }
    }

    /// Waits for the code that the user is to approve.
    pub(crate) fn code(&mut self) -> String {
        loop {
            let Ok(line) = self.lines.recv_timeout(Duration::from_secs(30)) else {
                panic!("no code came: {}", self.said);
            };
            self.said.push_str(&line);
            self.said.push('\n');
            if let Some((_, code)) = line.split_once("approve the code ") {
                return code.trim_end_matches(':').to_owned();
            }
        }
    }

    /// Waits for the end: exit code, stdout, all of stderr.
    pub(crate) fn end(mut self) -> (i32, String, String) {
        let Output { status, stdout, .. } = self.child.wait_with_output().expect("ends");
        while let Ok(line) = self.lines.recv() {
            self.said.push_str(&line);
            self.said.push('\n');
        }
        (status.code().unwrap_or(-1), String::from_utf8_lossy(&stdout).into_owned(), self.said)
    }
}

/// An API key of an organization, made by the logged-in user of `env`.
pub(crate) fn organization_key(env: &TestEnv, org: &str) -> (String, String) {
    let made = env
        .viam(&[
            "organizations",
            "api-key",
            "create",
            "--org-id",
            org,
            "--name",
            "k",
            "--format",
            "json",
        ])
        .run()
        .ok()
        .json();
    (made["id"].as_str().expect("id").to_owned(), made["key"].as_str().expect("key").to_owned())
}

/// A world with a sandbox and the demo user logged in.
pub(crate) fn logged_in(seed: &str) -> (TestEnv, TestSandbox) {
    let (env, sandbox) = (TestEnv::new(), TestSandbox::start(seed));
    sandbox.log_in(&env);
    (env, sandbox)
}

/// An address of this machine where nobody listens.
pub(crate) fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    format!("http://{}", listener.local_addr().expect("address"))
}

/// Runs a script as a user who is not root, with its own copy of the program.
pub(crate) fn as_nobody(env: &TestEnv, script: &str) -> viam_test::Outcome {
    let copy = env.root().join("viam");
    if !copy.exists() {
        std::fs::copy(&env.viam, &copy).expect("copy");
    }
    let script = format!("viam() {{ {} \"$@\"; }}\n{script}", copy.display());
    if rustix::process::getuid().is_root() {
        let words =
            ["--reuid=65534", "--regid=65534", "--clear-groups", "/bin/bash", "-c", &script];
        env.program("/usr/bin/setpriv").args(&words).run()
    } else {
        env.program("/bin/bash").args(&["-c", &script]).run()
    }
}

/// A program that runs as long as its test does.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Kills a process that hangs on a terminal, so that its test fails instead of hanging too.
pub(crate) struct Watch(
    #[expect(dead_code, reason = "dropped at the end")] std::sync::mpsc::Sender<()>,
);

impl Watch {
    pub(crate) fn on(child: &Child) -> Self {
        let pid = rustix::process::Pid::from_child(child);
        let (sender, ended) = channel::<()>();
        std::thread::spawn(move || {
            let waited = ended.recv_timeout(Duration::from_secs(120));
            if waited == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                // It may have ended in this moment.
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        });
        Self(sender)
    }
}

/// A script of bash on a pty of the size 100x30, with `viam` for the program under test.
pub(crate) struct Pty {
    pub(crate) pty: pty_process::blocking::Pty,
    child: Child,
    seen: String,
    _watch: Watch,
}

impl Pty {
    pub(crate) fn run(env: &TestEnv, script: &str) -> Self {
        let (pty, pts) = pty_process::blocking::open().expect("pty");
        pty.resize(pty_process::Size::new(30, 100)).expect("size");
        let script = format!("viam() {{ {} \"$@\"; }}; {script}", env.viam.display());
        let mut command = pty_process::blocking::Command::new("/bin/bash")
            .args(["-c", &script])
            .current_dir(env.root())
            .env_clear();
        let home = env.home().into_os_string();
        for (name, value) in [("HOME", home), ("PATH", env.path()), ("TERM", "xterm".into())] {
            command = command.env(name, value);
        }
        let child = command.spawn(pts).expect("starts");
        let _watch = Watch::on(&child);
        Self { pty, child, seen: String::new(), _watch }
    }

    pub(crate) fn type_in(&mut self, keys: &str) {
        self.pty.write_all(keys.as_bytes()).expect("types");
    }

    /// Waits until it has shown the words; what it showed up to them, or the end of that.
    pub(crate) fn wait_for(&mut self, words: &str) -> String {
        let mut buffer = [0; 65536];
        while !self.seen.contains(words) {
            // What is far back is of no interest, and would be searched again and again.
            if let Some(far) = self.seen.len().checked_sub(10_000) {
                let near = (far..).find(|at| self.seen.is_char_boundary(*at));
                self.seen.drain(..near.unwrap_or_default());
            }
            match self.pty.read(&mut buffer) {
                Ok(length @ 1..) => self.seen.push_str(&String::from_utf8_lossy(&buffer[..length])),
                _ => panic!("it ended without {words:?}: {}", self.seen),
            }
        }
        let at = self.seen.find(words).expect("there") + words.len();
        self.seen.drain(..at).collect()
    }

    pub(crate) fn end(mut self) {
        self.child.wait().expect("ends");
    }
}
