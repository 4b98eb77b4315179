//! One command of a test.

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::{Outcome, TestEnv};

/// What takes longer than this hangs, and is killed with all that it started.
const LIMIT: Duration = Duration::from_secs(300);

/// A command in the world of a test, about to run.
pub struct Viam<'e> {
    env: &'e TestEnv,
    command: Command,
    stdin: Option<Vec<u8>>,
}

impl<'e> Viam<'e> {
    pub(crate) fn new(env: &'e TestEnv, program: &Path) -> Self {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("HOME", env.home())
            .env("PATH", env.path())
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .env("TMPDIR", env.root())
            .current_dir(env.root().join("work"))
            .stdin(Stdio::null());
        for (name, value) in &env.vars {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Self { env, command, stdin: None }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, args: &[S]) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Removes a variable.
    #[must_use]
    pub fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Gives it these bytes on stdin.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// The standard library's command, for what this type has no word for.
    #[must_use]
    pub fn into_command(self) -> Command {
        self.command
    }

    /// Starts it and does not wait; stdout and stderr are pipes.
    #[must_use]
    pub fn spawn(mut self) -> Child {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        if self.stdin.is_some() {
            self.command.stdin(Stdio::piped());
        }
        let mut child = self.command.spawn().unwrap();
        if let Some(bytes) = self.stdin {
            let mut pipe = child.stdin.take().unwrap();
            std::thread::spawn(move || {
                // A child may end without having read it all.
                drop(pipe.write_all(&bytes));
            });
        }
        child
    }

    /// Runs it to its end.
    #[must_use]
    pub fn run(self) -> Outcome {
        let (root, home) = (self.env.root().to_path_buf(), self.env.home());
        let mut this = self;
        this.command.process_group(0);
        let child = this.spawn();
        let group = rustix::process::Pid::from_child(&child);
        let (done, ended) = channel::<()>();
        let watch = std::thread::spawn(move || {
            if ended.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
                // It may have ended in this moment.
                let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            }
        });
        let output = child.wait_with_output().unwrap();
        drop(done);
        watch.join().unwrap();
        Outcome::new(output, &root, &home)
    }
}
