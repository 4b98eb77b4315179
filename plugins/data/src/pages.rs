//! What filters find, page after page (transport.md §4.5). The next page is fetched while this
//! one is worked on.

use std::sync::Arc;

use tokio::sync::mpsc;
use viam_contract::{Context, Output, Result, Wire};
use viam_proto::app::data::v1::{
    BinaryDataByFilterRequest, BinaryDataByFilterResponse, BinaryDataByIDsRequest, BinaryMetadata,
    DataRequest, Filter,
};

use crate::client;

/// The most entries of a page: servers are too slow for more.
const PAGE: u64 = 100;

/// Pages that wait to be worked on.
const AHEAD: usize = 2;

const DOING: &str = "could not list what the filter finds";

/// Pages of what is known of files, without their bytes.
pub(crate) struct Pages(mpsc::Receiver<Result<Vec<BinaryMetadata>>>);

impl Pages {
    /// Begins to fetch what filters find, one filter after the other; at most `limit` files.
    pub(crate) fn of_filters(
        cx: &Context,
        wire: &Wire,
        filters: Vec<Filter>,
        limit: Option<u64>,
    ) -> Self {
        let (sender, pages) = mpsc::channel(AHEAD);
        let (output, wire) = (Arc::clone(&cx.output), wire.clone());
        tokio::spawn(async move {
            let mut left = limit;
            for filter in filters {
                let mut last = String::new();
                loop {
                    let size = left.map_or(PAGE, |left| left.min(PAGE));
                    if size == 0 {
                        return;
                    }
                    let request = DataRequest {
                        filter: Some(filter.clone()),
                        limit: size,
                        last,
                        ..DataRequest::default()
                    };
                    match page(&output, &wire, request).await {
                        Ok((found, _)) if found.is_empty() => break,
                        Ok((mut found, next)) => {
                            found.truncate(usize::try_from(size).unwrap_or(usize::MAX));
                            left = left.map(|left| left.saturating_sub(found.len() as u64));
                            if sender.send(Ok(found)).await.is_err() || next.is_empty() {
                                break;
                            }
                            last = next;
                        }
                        Err(error) => return drop(sender.send(Err(error)).await),
                    }
                }
            }
        });
        Self(pages)
    }

    /// Begins to fetch what is known of files of these ids.
    pub(crate) fn of_ids(cx: &Context, wire: &Wire, ids: Vec<String>) -> Self {
        let (sender, pages) = mpsc::channel(AHEAD);
        let (output, wire) = (Arc::clone(&cx.output), wire.clone());
        tokio::spawn(async move {
            for ids in ids.chunks(usize::try_from(PAGE).unwrap_or(1)) {
                let page = known(&output, &wire, ids).await;
                let failed = page.is_err();
                if sender.send(page).await.is_err() || failed {
                    return;
                }
            }
        });
        Self(pages)
    }

    /// The next page; `None` after the last one.
    pub(crate) async fn next(&mut self) -> Option<Result<Vec<BinaryMetadata>>> {
        self.0.recv().await
    }
}

async fn page(
    output: &Arc<Output>,
    wire: &Wire,
    request: DataRequest,
) -> Result<(Vec<BinaryMetadata>, String)> {
    let asked = BinaryDataByFilterRequest {
        data_request: Some(request),
        ..BinaryDataByFilterRequest::default()
    };
    let answer = client::patient(output, DOING, || {
        let (mut client, asked) = (client::data(wire), asked.clone());
        async move { client.binary_data_by_filter(asked).await }
    })
    .await?;
    let found = answer.data.into_iter().filter_map(|found| found.metadata).collect();
    Ok((found, answer.last))
}

/// How many files a filter finds, and how many bytes they have.
pub(crate) async fn count(
    output: &Arc<Output>,
    wire: &Wire,
    filter: &Filter,
) -> Result<BinaryDataByFilterResponse> {
    let request = DataRequest { filter: Some(filter.clone()), ..DataRequest::default() };
    let asked = BinaryDataByFilterRequest {
        data_request: Some(request),
        count_only: true,
        ..BinaryDataByFilterRequest::default()
    };
    client::patient(output, DOING, || {
        let (mut client, asked) = (client::data(wire), asked.clone());
        async move { client.binary_data_by_filter(asked).await }
    })
    .await
}

/// What is known of files of some ids.
async fn known(output: &Arc<Output>, wire: &Wire, ids: &[String]) -> Result<Vec<BinaryMetadata>> {
    let asked = BinaryDataByIDsRequest {
        binary_data_ids: ids.to_vec(),
        ..BinaryDataByIDsRequest::default()
    };
    let answer = client::patient(output, "could not look up the files", || {
        let (mut client, asked) = (client::data(wire), asked.clone());
        async move { client.binary_data_by_i_ds(asked).await }
    })
    .await?;
    Ok(answer.data.into_iter().filter_map(|found| found.metadata).collect())
}
