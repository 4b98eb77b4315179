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
pub fn map<I, T, E, F, Fut>(
    items: I,
    work: F,
) -> impl Future<Output = Result<Vec<T>, E>> + use<I, T, E, F, Fut>
where
    I: IntoIterator,
    F: FnMut(I::Item) -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    // The futures are made here, not started: what is awaited must not hold the closure, or it
    // could not be proved to be `Send`.
    let futures: Vec<Fut> = items.into_iter().map(work).collect();
    run(futures)
}

async fn run<T, E, Fut: Future<Output = Result<T, E>>>(futures: Vec<Fut>) -> Result<Vec<T>, E> {
    stream::iter(futures).buffered(LIMIT).try_collect().await
}
