//! Requests that do not depend on each other, side by side, a bounded number at a time.

use std::future::Future;
use std::sync::Arc;

use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::Semaphore;

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

/// Leave for [`LIMIT`] requests, for work that is nested: each request takes one.
#[derive(Clone, Debug)]
pub struct Permits(Arc<Semaphore>);

impl Default for Permits {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LIMIT)))
    }
}

impl Permits {
    /// Does the work as soon as there is leave for it.
    pub async fn take<T>(&self, work: impl Future<Output = T>) -> T {
        // The semaphore is never closed, so leave always comes.
        let _leave = self.0.acquire().await;
        work.await
    }
}

/// The results in the order of the futures, as they come, [`LIMIT`] of them ahead at most: what
/// is done with one result needs no memory for all.
pub fn in_order<Fut: Future>(futures: Vec<Fut>) -> impl Stream<Item = Fut::Output> {
    stream::iter(futures).buffered(LIMIT)
}
