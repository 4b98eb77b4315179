//! Pages of readings that filters find. The next page is fetched while this one is written.

use tokio::sync::mpsc;
use viam_client::retry::{self, Failure};
use viam_contract::{Context, Result, Wire};
use viam_proto::app::data::v1::{
    DataRequest, Filter, TabularDataByFilterRequest, TabularDataByFilterResponse,
};

use super::dots::Dots;
use crate::client;

/// The most readings of a page (behaviour.md §2.4).
const PAGE: u64 = 100;

const DOING: &str = "failed to export tabular data";

/// Pages in their order, those of one filter after those of another.
pub(super) struct Pages(mpsc::Receiver<Result<TabularDataByFilterResponse>>);

impl Pages {
    /// Begins to fetch them.
    pub(super) fn of_filters(wire: &Wire, filters: Vec<Filter>, dots: &Dots) -> Self {
        let (sender, pages) = mpsc::channel(1);
        let (wire, dots) = (wire.clone(), dots.clone());
        tokio::spawn(async move {
            for filter in filters {
                let mut last = String::new();
                loop {
                    let request = DataRequest {
                        filter: Some(filter.clone()),
                        limit: PAGE,
                        last,
                        ..DataRequest::default()
                    };
                    let page = page(&wire, request, &dots).await;
                    let next = match &page {
                        Ok(page) if page.metadata.is_empty() => break,
                        Ok(page) => page.last.clone(),
                        Err(_) => return drop(sender.send(page).await),
                    };
                    if sender.send(page).await.is_err() {
                        return;
                    }
                    // Without a place to go on from, it would be the first page again.
                    if next.is_empty() {
                        break;
                    }
                    last = next;
                }
            }
        });
        Self(pages)
    }

    /// The next page; `None` after the last one.
    pub(super) async fn next(&mut self) -> Option<Result<TabularDataByFilterResponse>> {
        self.0.recv().await
    }
}

async fn page(
    wire: &Wire,
    request: DataRequest,
    dots: &Dots,
) -> Result<TabularDataByFilterResponse> {
    let asked = TabularDataByFilterRequest {
        data_request: Some(request),
        ..TabularDataByFilterRequest::default()
    };
    retry::until_done(
        |words| dots.notice(words),
        || {
            let (dotted, mut client, asked) = (dots.attempt(), client::data(wire), asked.clone());
            async move {
                dotted?;
                let answer = client.tabular_data_by_filter(asked).await;
                let answer = answer.map_err(|status| Failure::of_call(status, DOING))?;
                Ok(answer.into_inner())
            }
        },
    )
    .await
}

/// How many readings a filter finds.
///
/// # Errors
/// Those of the server.
pub(crate) async fn count(cx: &Context, wire: &Wire, filter: &Filter) -> Result<u64> {
    let request = DataRequest { filter: Some(filter.clone()), ..DataRequest::default() };
    let asked = TabularDataByFilterRequest {
        data_request: Some(request),
        count_only: true,
        ..TabularDataByFilterRequest::default()
    };
    let answer = client::patient(&cx.output, "could not count what the filter finds", || {
        let (mut client, asked) = (client::data(wire), asked.clone());
        async move { client.tabular_data_by_filter(asked).await }
    });
    Ok(answer.await?.count)
}
