//! `viam sandbox reset`

use std::path::PathBuf;

use serde_json::{Value, json};
use viam_contract::{Context, Error, Format, Kind, Result};

use crate::place::{self, Place};
use crate::seed::Seed;
use crate::server::admin::Status;
use crate::server::{DATA_FILE, Options, Server};

/// Throw the world of a sandbox away and fill it anew
///
/// Logins stay good. A sandbox that is not running is reset in its directory.
#[derive(Debug, Default, PartialEq, clap::Args)]
pub(crate) struct Args {
    /// directory of the sandbox
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// what to fill it with: fleet, docs, empty, scale:N,
    /// data:FILES,BYTES,ROWS, hostile or a JSON file; else the same as before
    #[arg(long, value_name = "WORLD")]
    seed: Option<String>,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let seed = args.seed.as_deref().map(|word| Seed::parse(word, &cx.cwd)).transpose()?;
    let place = Place::of(cx, args.dir.as_deref());
    let label = match place.running().await? {
        Some((state, _)) => {
            place::ask::<Value>(&state, "reset", Some(json!({ "seed": seed }))).await?;
            place::ask::<Status>(&state, "status", None).await?.seed
        }
        None => {
            let dir = place.dir.clone().filter(|dir| dir.join(DATA_FILE).exists());
            let dir = dir.ok_or_else(|| {
                Error::new(Kind::User, format!("there is no sandbox in {}", place.shown()))
                    .hint_run("viam sandbox start")
            })?;
            let running = Server::start(Options { dir: Some(dir), ..Options::default() })?;
            running.reset(seed)?;
            running.status()?.seed
        }
    };
    if cx.output.format == Format::Json {
        return cx.output.json(&json!({ "seed": label }));
    }
    cx.output.line(format!("Sandbox filled with {label}"))
}
