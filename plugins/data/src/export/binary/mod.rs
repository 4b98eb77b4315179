//! `viam data export binary`.

pub(super) mod filter;
pub(super) mod ids;

use std::sync::Arc;

use viam_contract::{Context, Result, Target};

use crate::destination::Destination;
use crate::engine::{self, Total};
use crate::export::{HowArgs, interruptible};
use crate::filter::FilterArgs;
use crate::pages::{self, Pages};

/// Exports the files that a filter finds.
pub(super) async fn by_filter(
    cx: &Context,
    destination: &str,
    how: &HowArgs,
    filter: &FilterArgs,
    tags: &[String],
    dataset_id: Option<&String>,
) -> Result<()> {
    how.check()?;
    filter.check()?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let destination = Destination::open(cx, destination).await?;
    let filters = filter.resolve(cx, &wire, tags, dataset_id).await?;
    let (output, counted, to_count) = (Arc::clone(&cx.output), filters.clone(), wire.clone());
    let total: Total = Box::pin(async move {
        let counts = counted.iter().map(|filter| pages::count(&output, &to_count, filter));
        let counts = futures_util::future::try_join_all(counts).await.ok()?;
        Some(counts.iter().map(|count| count.total_size_bytes).sum())
    });
    let pages = Pages::of_filters(cx, &wire, filters, None);
    // Shares of the bytes are not known.
    let total = how.shard.is_none().then_some(total);
    let work = engine::run(cx, &wire, pages, how.options(destination, false), total);
    interruptible(cx, async { work.await.map(drop) }).await
}
