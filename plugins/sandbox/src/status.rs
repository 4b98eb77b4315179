//! `viam sandbox status`

use std::path::PathBuf;

use serde::Serialize;
use viam_contract::{Context, Error, Exit, Format, Kind, Result};

use crate::place::Place;

/// Show whether a sandbox is running, and where
///
/// The exit code is 1 when none is running.
#[derive(Debug, Default, PartialEq, clap::Args)]
pub(crate) struct Args {
    /// directory of the sandbox
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Serialize)]
struct Shown {
    running: bool,
    pid: Option<u32>,
    base_url: Option<String>,
    seed: Option<String>,
    version: Option<String>,
    dir: Option<String>,
    home: Option<String>,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let place = Place::of(cx, args.dir.as_deref());
    let status = place.running().await?.map(|(_, status)| status);
    let dir = place.dir.as_ref().map(|dir| dir.display().to_string());
    let home = place.home.display().to_string();
    let running = status.is_some();
    if cx.output.format == Format::Json {
        let (pid, base_url, seed, version) = match status {
            Some(s) => (Some(s.pid), Some(s.base_url), Some(s.seed), Some(s.version)),
            None => (None, None, None, None),
        };
        let home = running.then_some(home);
        cx.output.json(&Shown { running, pid, base_url, seed, version, dir, home })?;
    } else if let Some(status) = status {
        cx.output.line(format!("Sandbox running at {} (pid {})", status.base_url, status.pid))?;
        cx.output.line(format!("Seed: {}", status.seed))?;
        if let Some(dir) = dir {
            cx.output.line(format!("Directory: {dir}"))?;
        }
        cx.output.line(format!("Login home: {home}"))?;
    } else {
        cx.output.line("No sandbox is running")?;
    }
    if running {
        return Ok(());
    }
    Err(Error::new(Kind::Child(Exit::Code(1)), "no sandbox is running"))
}
