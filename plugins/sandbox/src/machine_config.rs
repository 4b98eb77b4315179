//! `viam sandbox machine-config`

use std::path::PathBuf;

use serde_json::{Value, json};
use viam_contract::{Context, Result};

use crate::place::{self, Place};

/// Print the configuration with which a real machine server comes online here
///
/// It is the JSON that `viam-server -config FILE` takes. ROBOT is the name or the id of a machine
/// of the sandbox that the sandbox does not play itself.
#[derive(Debug, Default, PartialEq, clap::Args)]
pub(crate) struct Args {
    /// name or id of the machine
    #[arg(value_name = "ROBOT")]
    robot: String,
    /// name or id of one of its parts; the main one if not given
    #[arg(long)]
    part: Option<String>,
    /// directory of the sandbox
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let place = Place::of(cx, args.dir.as_deref());
    let (state, _) = place.required().await?;
    let body = json!({ "robot": args.robot, "part": args.part });
    let answer: Value = place::ask(&state, "machine-config", Some(body)).await?;
    cx.output.json(&answer)
}
