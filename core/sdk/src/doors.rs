//! The doors to the ambient world. Everything else gets what comes through them as a value.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{Local, Offset as _, TimeZone as _};
use tokio::signal::unix::{SignalKind, signal};
use viam_contract::{
    BoxFuture, Captured, Clock, Env, Error, Exit, Job, Kind, Prompter, Result, ResultExt as _,
    Spawner,
};

/// The environment variables as they are now.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the door to the environment")]
pub fn env() -> Env {
    Env::new(std::env::vars_os())
}

/// The working directory, or `/` where it is gone.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the door to the working directory")]
pub fn cwd() -> PathBuf {
    std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"))
}

/// The absolute path of the running program.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the door to the program's own path")]
pub fn current_exe() -> PathBuf {
    std::env::current_exe().unwrap_or_default()
}

/// The words after argv\[0\].
#[must_use]
pub fn args() -> Vec<OsString> {
    std::env::args_os().skip(1).collect()
}

/// The wall clock of the system.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the door to the clock")]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn utc_offset(&self, when: SystemTime) -> i32 {
        let seconds = when.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Local
            .timestamp_opt(i64::try_from(seconds).unwrap_or(0), 0)
            .single()
            .map_or(0, |time| time.offset().fix().local_minus_utc())
    }
}

/// Questions on the terminal.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    /// `--no-input` or `VIAM_NO_INPUT`: nobody is asked.
    pub no_input: bool,
}

impl Prompter for Terminal {
    fn interactive(&self) -> bool {
        !self.no_input && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    fn confirm(&self, question: &str) -> Result<bool> {
        if !self.interactive() {
            return Err(Error::new(Kind::User, format!("nobody can be asked: {question}")));
        }
        write!(io::stderr(), "{} [y/N] ", viam_contract::text::for_terminal(question))?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }
}

/// Processes of the system.
#[derive(Clone, Copy, Debug)]
pub struct Processes;

impl Processes {
    #[expect(clippy::disallowed_methods, reason = "the door to processes")]
    fn command(job: &Job) -> std::process::Command {
        let mut command = std::process::Command::new(&job.program);
        command.args(&job.args);
        for (name, value) in &job.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }
}

fn exit_of(status: ExitStatus) -> Exit {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(u8::try_from(code & 0xff).unwrap_or(1)),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Code(1),
    }
}

fn cannot_start(job: &Job, error: io::Error) -> Error {
    let (kind, why) = match error.kind() {
        io::ErrorKind::NotFound => (Kind::NotFound, "it was not found"),
        io::ErrorKind::PermissionDenied => (Kind::CannotRun, "it may not be executed"),
        _ => (Kind::CannotRun, "the system refused"),
    };
    Error::new(kind, format!("cannot run {}: {why}", job.program.display())).because(error)
}

impl Spawner for Processes {
    fn run(&self, job: Job) -> BoxFuture<'_, Result<Exit>> {
        Box::pin(async move {
            let listen = |kind| {
                signal(kind).or_kind(Kind::Internal, || "cannot listen for signals".to_owned())
            };
            // Before the child starts: a signal that comes between would end us and leave it.
            let mut term = listen(SignalKind::terminate())?;
            let mut hup = listen(SignalKind::hangup())?;
            // A Ctrl-C at the terminal reaches the child by itself, so it is not passed on; we
            // only outlive it.
            let mut int = listen(SignalKind::interrupt())?;
            let mut child = tokio::process::Command::from(Self::command(&job))
                .kill_on_drop(true)
                .spawn()
                .map_err(|error| cannot_start(&job, error))?;
            loop {
                tokio::select! {
                    status = child.wait() => {
                        let status = status
                            .or_kind(Kind::Internal, || "cannot wait for the process".to_owned())?;
                        return Ok(exit_of(status));
                    }
                    _ = term.recv() => forward(&child, rustix::process::Signal::TERM),
                    _ = hup.recv() => forward(&child, rustix::process::Signal::HUP),
                    _ = int.recv() => {}
                }
            }
        })
    }

    fn capture(&self, job: Job) -> BoxFuture<'_, Result<Captured>> {
        Box::pin(async move {
            use tokio::io::AsyncWriteExt as _;
            let mut command = tokio::process::Command::from(Self::command(&job));
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
            command.stdin(if job.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
            let mut child = command.spawn().map_err(|error| cannot_start(&job, error))?;
            let feed = child.stdin.take().zip(job.stdin.clone());
            let feeding = async {
                if let Some((mut pipe, bytes)) = feed {
                    // A child that does not read its stdin is no failure of ours.
                    drop(pipe.write_all(&bytes).await);
                }
            };
            let (output, ()) = tokio::join!(child.wait_with_output(), feeding);
            let output =
                output.or_kind(Kind::Internal, || "cannot wait for the process".to_owned())?;
            Ok(Captured {
                exit: exit_of(output.status),
                stdout: output.stdout,
                stderr: output.stderr,
            })
        })
    }

    fn detach(&self, job: Job, log: &Path) -> Result<u32> {
        use std::os::unix::fs::OpenOptionsExt as _;
        use std::os::unix::process::CommandExt as _;
        let doing = || format!("cannot write {}", log.display());
        let out = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(log)
            .or_kind(Kind::Config, doing)?;
        let err = out.try_clone().or_kind(Kind::Config, doing)?;
        let mut command = Self::command(&job);
        // A group of its own: the terminal's Ctrl-C and hang-up do not reach it.
        command.process_group(0).stdin(Stdio::null()).stdout(out).stderr(err);
        let child = command.spawn().map_err(|error| cannot_start(&job, error))?;
        Ok(child.id())
    }
}

fn forward(child: &tokio::process::Child, signal: rustix::process::Signal) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok());
    if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
        // It may have ended in this moment; its status is collected by the caller.
        let _ = rustix::process::kill_process(pid, signal);
    }
}
