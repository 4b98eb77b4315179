//! `viam sandbox approve`

use std::path::PathBuf;

use serde_json::{Value, json};
use viam_contract::{Context, Format, Result};

use crate::place::{self, Place};

/// Approve a login that waits for the user
///
/// USER-CODE is what the program that logs in shows.
#[derive(Debug, Default, PartialEq, clap::Args)]
pub(crate) struct Args {
    /// code of the login
    #[arg(value_name = "USER-CODE")]
    user_code: String,
    /// refuse it instead
    #[arg(long)]
    deny: bool,
    /// directory of the sandbox
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let place = Place::of(cx, args.dir.as_deref());
    let (state, _) = place.required().await?;
    let body = json!({ "user_code": args.user_code, "deny": args.deny });
    let answer: Value = place::ask(&state, "approve", Some(body)).await?;
    if cx.output.format == Format::Json {
        return cx.output.json(&answer);
    }
    let verb = if args.deny { "Denied" } else { "Approved" };
    cx.output.line(format!("{verb} the login with code {}", args.user_code))
}
