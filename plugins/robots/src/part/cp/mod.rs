//! `viam robots part cp` (behaviour.md §1.10, transport.md §6.3).

mod attempt;
mod place;
mod progress;
mod receive;
mod renamed;
mod send;
mod store;
mod walk;
mod words;

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use viam_contract::{Context, Error, Exit, Kind, Result, ResultExt as _};

use self::attempt::Failure;
use self::progress::Progress;
use self::receive::Receiving;
use self::send::{Sending, Sent};
use self::words::Copy;
use super::shell;
use crate::machine::{self, Machine, WhichArgs};

/// How much of a file is in a message, in bytes. Machines take more, and need memory for it.
const CHUNK: usize = 256 * 1024;

/// Messages that wait.
const QUEUE: usize = 4;

/// What tells a directory in a mode of Go.
const DIRECTORY: u32 = 1 << 31;

/// The pauses between attempts, of which there is one more.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    #[command(flatten)]
    which: WhichArgs,
    /// copy directories with all that is in them
    #[arg(long, short)]
    recursive: bool,
    /// keep the modes and times of files
    #[arg(long, short)]
    preserve: bool,
    /// do not show how far the copy is
    #[arg(long, short)]
    no_progress: bool,
    /// what to copy, then where to; paths of the machine begin with machine:
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let copy = Copy::parse(&args.paths)?;
    let doing = || "cannot wait for a signal".to_owned();
    let mut interrupted = signal(SignalKind::interrupt()).or_kind(Kind::Internal, doing)?;
    let mut ended = signal(SignalKind::terminate()).or_kind(Kind::Internal, doing)?;
    // What is unfinished goes away with the copy.
    let kind = tokio::select! {
        result = work(cx, &args, &copy) => return result,
        _ = interrupted.recv() => SignalKind::interrupt(),
        _ = ended.recv() => SignalKind::terminate(),
    };
    Err(Error::new(Kind::Child(Exit::Signal(kind.as_raw_value())), "ended by a signal"))
}

async fn work(cx: &Context, args: &Args, copy: &Copy) -> Result<()> {
    let (recursive, preserve) = (args.recursive, args.preserve);
    match copy {
        Copy::To { sources, destination } => {
            // The bar is gone before an error is shown.
            let progress = &Progress::new(cx, false);
            Sending { cx, progress, sources, destination, recursive, preserve }.check()?;
            let mut attempts = Attempts::new(cx, &args.which).await?;
            let progress = &Progress::new(cx, !args.no_progress);
            let sending = Sending { cx, progress, sources, destination, recursive, preserve };
            let mut sent = Sent::default();
            while let Some((machine, service)) = attempts.next(progress).await? {
                let ended = sending.attempt(machine.wire.clone(), &service, &mut sent).await;
                machine.close().await;
                attempts.ended(progress, ended)?;
            }
        }
        Copy::From { sources, destination } => {
            let mut attempts = Attempts::new(cx, &args.which).await?;
            let progress = &Progress::new(cx, !args.no_progress);
            let receiving = Receiving { cx, progress, sources, destination, recursive, preserve };
            let mut kept = receiving.keep();
            while let Some((machine, service)) = attempts.next(progress).await? {
                let ended = receiving.attempt(machine.wire.clone(), &service, &mut kept).await;
                machine.close().await;
                attempts.ended(progress, ended)?;
            }
        }
    }
    Ok(())
}

/// Attempts at a copy, each on a connection of its own.
struct Attempts<'a> {
    cx: &'a Context,
    which: &'a WhichArgs,
    machine: Option<Machine>,
    pauses: std::slice::Iter<'static, Duration>,
    last: Option<Error>,
    over: bool,
}

impl<'a> Attempts<'a> {
    async fn new(cx: &'a Context, which: &'a WhichArgs) -> Result<Self> {
        // A machine that is not there in the beginning is reported as by the other verbs.
        let machine = Some(machine::connect(cx, which).await?);
        Ok(Self { cx, which, machine, pauses: PAUSES.iter(), last: None, over: false })
    }

    /// The machine and the name of its shell service for the next attempt; `None` when the copy
    /// is complete.
    async fn next(&mut self, progress: &Progress) -> Result<Option<(Machine, String)>> {
        loop {
            if self.over {
                return Ok(None);
            }
            let machine = match self.machine.take() {
                Some(machine) => machine,
                None => {
                    let Some(pause) = self.pauses.next() else {
                        let all = PAUSES.len() + 1;
                        let words = format!("all {all} copy attempts failed, try again later");
                        let error = Error::new(Kind::Remote, words);
                        return Err(match self.last.take() {
                            Some(last) => error.because(last.one_line()),
                            None => error,
                        });
                    };
                    tokio::time::sleep(*pause).await;
                    progress.again();
                    match machine::connect(self.cx, self.which).await {
                        Ok(machine) => machine,
                        Err(error) if error.kind() == Kind::Remote => {
                            self.failed(progress, error);
                            continue;
                        }
                        Err(error) => return Err(error),
                    }
                }
            };
            return match shell::service(&machine.resources) {
                Ok(service) => Ok(Some((machine, service))),
                Err(error) => {
                    machine.close().await;
                    Err(error)
                }
            };
        }
    }

    fn ended(&mut self, progress: &Progress, ended: Result<(), Failure>) -> Result<()> {
        match ended {
            Ok(()) => self.over = true,
            Err(Failure::Permanent(error)) => return Err(error),
            // A refused login may be renewed for one more attempt, and then it is good or not.
            Err(Failure::Passing(error))
                if error.kind() == Kind::Auth
                    && self.last.as_ref().is_some_and(|last| last.kind() == Kind::Auth) =>
            {
                return Err(error);
            }
            Err(Failure::Passing(error)) => self.failed(progress, error),
        }
        Ok(())
    }

    fn failed(&mut self, progress: &Progress, error: Error) {
        let attempt = PAUSES.len() + 1 - self.pauses.len();
        let words = format!("attempt {attempt} failed: {}", error.one_line());
        progress.warn(self.cx, &words);
        self.last = Some(error);
    }
}
