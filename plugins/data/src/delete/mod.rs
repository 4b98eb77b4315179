//! `viam data delete`: what cannot be undone, so nothing is guessed.

mod binary;
mod tabular;

use clap::Subcommand;
use serde::Serialize;
use viam_contract::{Context, Error, Format, Kind, Result, text};

use crate::count;

/// Words without a verb are taken, so that they can be answered: which data is meant is no detail.
#[derive(clap::Args, Debug, PartialEq)]
#[command(override_usage = "viam data delete <COMMAND>")]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[arg(hide = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

#[derive(Subcommand, Debug, PartialEq)]
enum Verb {
    /// Delete files, such as pictures, that a filter finds
    Binary(binary::Args),
    /// Delete readings that are older than some days
    Tabular(tabular::Args),
}

/// JSON result.
#[derive(Serialize)]
struct Deleted {
    deleted: u64,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let words = args.words;
    match args.verb {
        Some(Verb::Binary(args)) if words.is_empty() => binary::run(cx, args).await,
        Some(Verb::Tabular(args)) if words.is_empty() => tabular::run(cx, args).await,
        _ => Err(without_verb(&words)),
    }
}

fn without_verb(words: &[String]) -> Error {
    let error = match words.first() {
        Some(word) if !word.starts_with('-') => {
            let shown = text::quoted(word);
            Error::new(
                Kind::Usage,
                format!("unknown command {shown} for `viam data delete`: it is binary or tabular"),
            )
        }
        _ => Error::new(
            Kind::Usage,
            "say first what to delete: `viam data delete binary` or `viam data delete tabular`",
        ),
    };
    error.hint_run("viam data delete binary --help").hint_run("viam data delete tabular --help")
}

/// Says how much is gone.
fn report(cx: &Context, deleted: u64, thing: &str) -> Result<()> {
    if cx.output.format == Format::Json {
        return cx.output.json(&Deleted { deleted });
    }
    cx.output.line(format!("Deleted {}", count::of(deleted, thing)))
}

/// A failure after some was deleted says so.
fn halfway(cx: &Context, deleted: u64, thing: &str, error: Error) -> Error {
    if deleted > 0 {
        cx.output.warn(&format!("{} deleted before this", count::of(deleted, thing)));
    }
    error
}
