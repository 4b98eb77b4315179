//! `viam data export binary`.

pub(super) mod filter;
pub(super) mod ids;

use std::sync::Arc;

use viam_contract::{Context, Result, Target, Wire};

use crate::destination::Destination;
use crate::engine::{self, Total};
use crate::export::{FoundArgs, HowArgs, MetadataFormat, interruptible};
use crate::listing::Listed;
use crate::pages::{self, Pages};
use crate::tabular;

/// Exports the files that a filter finds.
pub(super) async fn by_filter(
    cx: &Context,
    destination: &str,
    how: &HowArgs,
    found: &FoundArgs,
    metadata: MetadataFormat,
) -> Result<()> {
    how.check()?;
    found.check()?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let destination = Destination::open(cx, destination).await?;
    let filters = found.resolve(cx, &wire).await?;
    let (output, counted, to_count) = (Arc::clone(&cx.output), filters.clone(), wire.clone());
    let total: Total = Box::pin(async move {
        let counts = counted.iter().map(|filter| pages::count(&output, &to_count, filter));
        let counts = futures_util::future::try_join_all(counts).await.ok()?;
        Some(counts.iter().map(|count| count.total_size_bytes).sum())
    });
    // Shares of the bytes are not known.
    let total = how.shard.is_none().then_some(total);
    let pages = || Pages::of_filters(cx, &wire, filters.clone(), None);
    export(cx, &wire, destination, how, pages, metadata, total).await
}

/// Exports the files of some pages, which may be asked for twice.
async fn export(
    cx: &Context,
    wire: &Wire,
    to: Destination,
    how: &HowArgs,
    pages: impl Fn() -> Pages,
    metadata: MetadataFormat,
    total: Option<Total>,
) -> Result<()> {
    let table = metadata.table();
    let work = async {
        let options = how.options(to.clone(), table.is_some());
        engine::run(cx, wire, pages(), options, total).await?;
        let Some(format) = table.filter(|_| !how.dry_run) else { return Ok(()) };
        let name = format!("metadata.{}", format.extension());
        let name = how.shard.map_or(name.clone(), |shard| shard.names(&name));
        let listed = Listed { shard: how.shard, marked: true, absent: false };
        tabular::metadata(&to, &name, format, pages(), listed).await
    };
    interruptible(cx, work).await
}
