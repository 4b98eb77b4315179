//! `viam data query`: what a query answers, a line of JSON each.

mod binary;
mod mql;
mod rows;
mod sql;

use clap::Subcommand;
use viam_contract::{Context, Result};

#[derive(Subcommand, Debug, PartialEq)]
pub(crate) enum Verb {
    /// Query readings
    #[command(subcommand)]
    Tabular(TabularVerb),
    /// Query what is known of files
    #[command(subcommand)]
    Binary(BinaryVerb),
}

#[derive(Subcommand, Debug, PartialEq)]
pub(crate) enum TabularVerb {
    /// Query readings in SQL
    Sql(sql::Args),
    /// Query readings in MQL, as a MongoDB aggregation
    Mql(mql::Args),
}

#[derive(Subcommand, Debug, PartialEq)]
pub(crate) enum BinaryVerb {
    /// Print the metadata of the files that a filter finds
    Filter(Box<binary::Args>),
}

pub(crate) async fn run(cx: &Context, verb: Verb) -> Result<()> {
    match verb {
        Verb::Tabular(TabularVerb::Sql(args)) => sql::run(cx, args).await,
        Verb::Tabular(TabularVerb::Mql(args)) => mql::run(cx, args).await,
        Verb::Binary(BinaryVerb::Filter(args)) => binary::run(cx, *args).await,
    }
}
