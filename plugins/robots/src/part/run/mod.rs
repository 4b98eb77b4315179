//! `viam robots part run` (behaviour.md §1.8): any method of a machine, with JSON.

mod call;
mod json;
mod list;
mod method;
mod number;
mod poll;
mod save;
mod schema;
#[cfg(test)]
mod tests;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use prost_reflect::MethodDescriptor;
use viam_contract::{Context, Error, Format, Kind, Result, ResultExt as _, cli};

use self::call::Failure;
use self::json::Piece;
use self::schema::Schema;
use crate::machine::{self, Machine, WhichArgs};

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    #[command(flatten)]
    which: WhichArgs,
    /// the method, such as viam.component.servo.v1.ServoService.Move
    #[arg(value_name = "METHOD")]
    word: Option<String>,
    /// the method, instead of the word; short, such as Move, with --component
    #[arg(long)]
    method: Option<String>,
    /// name of the component or service whose method it is
    #[arg(long, short = 'c', alias = "service", value_name = "NAME")]
    component: Option<String>,
    /// the request as JSON; several are several messages
    #[arg(long, short = 'd', value_name = "JSON|@FILE|-")]
    data: Option<String>,
    /// call again and again, at this interval, until interrupted
    #[arg(long, short = 's', value_name = "DURATION", value_parser = poll::interval)]
    stream: Option<Duration>,
    /// write the largest bytes field of the answer, such as an image, to a file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// print what the machine has and the methods of it
    #[arg(long, conflicts_with_all = ["word", "method", "component", "data", "stream", "output"])]
    list: bool,
    /// give up a call after this time; never if not given
    #[arg(long, value_name = "DURATION", value_parser = cli::parse_duration)]
    timeout: Option<Duration>,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let which = args.which;
    which.check()?;
    if args.list {
        let machine = machine::connect(cx, &which).await?;
        let listed = call::within(args.timeout, list::list(cx, &machine)).await;
        machine.close().await;
        return match listed {
            Err(failure) => Err(failure.report(cx, "could not list what the machine has")),
            Ok(()) => Ok(()),
        };
    }
    let component = args.component.filter(|name| !name.is_empty());
    let Some(name) = method::given(args.method, args.word)? else {
        let words = match component {
            Some(_) => "method is required when using --component",
            None => "service method required",
        };
        return Err(Error::new(Kind::Usage, words)
            .hint_text("give it with --method or as a word; --list prints what there is"));
    };
    // What is wrong without a machine is said before one is looked for.
    if component.is_none() {
        method::parse(&name)?;
    }
    let pieces = json::split(&data(cx, args.data.as_deref().unwrap_or_default())?)?;
    let machine = machine::connect(cx, &which).await?;
    let doing = format!("could not call {name}");
    let output = args.output.filter(|path| !path.as_os_str().is_empty());
    let preparing = prepare(cx, &machine, &name, component.as_deref(), &pieces);
    let (method, requests) = match call::within(args.timeout, preparing).await {
        Ok(prepared) => prepared,
        Err(failure) => {
            machine.close().await;
            return Err(failure.report(cx, &doing));
        }
    };
    let mut run = Run {
        cx,
        which: &which,
        machine,
        method,
        requests,
        output: output.map(|path| cx.cwd.join(path)),
        timeout: args.timeout,
    };
    let done = match args.stream {
        Some(every) => Err(poll::poll(cx, every, &mut run).await),
        None => poll::once(cx, &mut run).await,
    };
    run.machine.close().await;
    done.map_err(|failure| failure.report(cx, &doing))
}

/// What `--data` means: the text itself, that of a file or of stdin.
fn data(cx: &Context, given: &str) -> Result<String> {
    if given == "-" {
        let mut text = String::new();
        return match std::io::stdin().read_to_string(&mut text) {
            Ok(_) => Ok(text),
            Err(error) => Err(Error::new(Kind::User, "cannot read stdin").because(error)),
        };
    }
    match given.strip_prefix('@') {
        Some(file) => read(&cx.cwd.join(file)),
        None => Ok(given.to_owned()),
    }
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).or_kind(Kind::User, || format!("cannot read {}", path.display()))
}

/// Finds the method and makes the requests.
async fn prepare(
    cx: &Context,
    machine: &Machine,
    name: &str,
    component: Option<&str>,
    pieces: &[Piece],
) -> Result<(MethodDescriptor, Vec<Bytes>), Failure> {
    let wanted = match component {
        Some(component) => {
            method::parse_for(method::resource(&machine.resources, component)?, name)?
        }
        None => method::parse(name)?,
    };
    let service = Schema::new(&machine.wire).service(&wanted.service).await?;
    let method = method::pick(&service, &wanted.method)?;
    let requests = json::requests(pieces, &method, component, |words| cx.output.warn(words))?;
    Ok((method, requests))
}

/// A call that is ready to be made.
struct Run<'a> {
    cx: &'a Context,
    which: &'a WhichArgs,
    machine: Machine,
    method: MethodDescriptor,
    requests: Vec<Bytes>,
    output: Option<PathBuf>,
    timeout: Option<Duration>,
}

impl Run<'_> {
    /// Prints an answer, or saves what it brings.
    fn take(&self, answer: Bytes) -> Result<()> {
        let message = json::decode(&self.method, answer)?;
        if let Some(path) = &self.output {
            return save::save(&message, path);
        }
        let one_line = self.cx.output.format == Format::Json;
        let shown = json::answer(&message, one_line)?;
        match str::from_utf8(&shown) {
            Ok(shown) => self.cx.output.line(shown.trim_end())?,
            Err(_) => self.cx.output.bytes(&shown)?,
        }
        self.cx.output.flush()
    }
}

impl poll::Polled for Run<'_> {
    async fn once(&mut self) -> Result<(), Failure> {
        let requests = self.requests.clone();
        let take = |answer| self.take(answer);
        let work = call::call(&self.machine.wire, &self.method, requests, take);
        call::within(self.timeout, work).await
    }

    async fn connect(&mut self) -> Result<()> {
        self.machine.close().await;
        self.machine = machine::connect(self.cx, self.which).await?;
        Ok(())
    }

    fn may_retry(&self) -> bool {
        poll::is_reading(self.method.name())
    }
}
