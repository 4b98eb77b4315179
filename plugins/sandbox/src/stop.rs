//! `viam sandbox stop`

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use viam_contract::{Context, Error, Format, Kind, Result};

use crate::home;
use crate::place::{self, Place};

/// How long it may take to end.
const LIMIT: Duration = Duration::from_secs(10);

/// Stop a sandbox that is running
#[derive(Debug, Default, PartialEq, clap::Args)]
pub(crate) struct Args {
    /// directory of the sandbox
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let place = Place::of(cx, args.dir.as_deref());
    let json = cx.output.format == Format::Json;
    let Some((state, _)) = place.running().await? else {
        if json {
            return cx.output.json(&json!({ "stopped": false }));
        }
        return cx.output.line("No sandbox is running");
    };
    place::ask::<Value>(&state, "stop", Some(json!({}))).await?;
    let end = async {
        while place.running().await?.is_some() || place.is_held() {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        Ok::<_, Error>(())
    };
    tokio::time::timeout(LIMIT, end).await.map_err(|_| {
        let words = format!("process {} did not end within {} s", state.pid, LIMIT.as_secs());
        Error::new(Kind::User, words)
    })??;
    home::forget(&place.home);
    if json {
        return cx.output.json(&json!({ "stopped": true, "pid": state.pid }));
    }
    cx.output.line(format!("Stopped the sandbox at {}", state.base_url))
}
