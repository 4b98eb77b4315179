//! Requests that do not depend on each other, side by side, a bounded number at a time.

use std::future::Future;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

/// At most this many requests are under way for one command.
pub const LIMIT: usize = 16;

/// Runs `work` for each item, at most [`LIMIT`] at a time; results come in the order of the
/// items. The first error ends it.
///
/// # Errors
/// The first error of `work`.
pub async fn map<I, T, E, F, Fut>(items: I, work: F) -> Result<Vec<T>, E>
where
    I: IntoIterator,
    F: FnMut(I::Item) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    stream::iter(items.into_iter().map(work)).buffered(LIMIT).try_collect().await
}
