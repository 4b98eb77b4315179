//! The export of 2023: what filters find, page by page, with what is known of the captures in files
//! of their own (behaviour.md §2.4).

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::Arc;

use viam_client::parallel;
use viam_contract::{Context, Error, Kind, Result, Wire};
use viam_proto::app::data::v1::{CaptureMetadata, Filter, TabularDataByFilterResponse};

use super::chunks::{Chunks, Stopped};
use super::dots::Dots;
use super::pages::Pages;
use super::rows::{Found, Source};
use super::writer::Writer;
use super::{Exported, Options};
use crate::destination::{Destination, blocking, own};
use crate::json;

/// Writes what filters find to `data/data.ndjson`, or to the file of another format, and the
/// metadata to `metadata/0.json` and so on. They get their names when all of it has come, the
/// table last.
///
/// # Errors
/// Those of the server and of the destination.
pub(crate) async fn by_filter(
    cx: &Context,
    wire: &Wire,
    filters: Vec<Filter>,
    to: &Destination,
    options: Options,
) -> Result<Exported> {
    let folders = to.clone();
    blocking(move || ["data", "metadata"].iter().try_for_each(|path| folders.folder(path))).await?;
    let dots = Dots::begin(cx)?;
    let exported = export(wire, filters, to, options, &dots).await;
    dots.end()?;
    exported
}

async fn export(
    wire: &Wire,
    filters: Vec<Filter>,
    to: &Destination,
    options: Options,
    dots: &Dots,
) -> Result<Exported> {
    let path = format!("data/{}", options.file());
    let (chunks, rows) = Chunks::new(options.shard, dots);
    let writer = Writer::start(to, &path, options.format, rows).await?;
    let received = receive(Pages::of_filters(wire, filters, dots), chunks).await;
    // A file that cannot be written ends the pages, so it is what is to be told.
    let (file, rows) = writer.end().await?;
    let known = received?;
    parallel::map(known.texts.into_iter().enumerate(), |(number, text)| async move {
        let mut file = to.whole(&format!("metadata/{number}.json")).await?;
        blocking(move || {
            file.write_all(text.as_bytes()).map_err(own)?;
            file.finish()
        })
        .await
    })
    .await?;
    blocking(|| file.finish()).await?;
    Ok(Exported { rows })
}

/// Metadata by the order in which they came first, each once: their text is what tells them apart.
#[derive(Default)]
struct Known {
    numbers: HashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
}

impl Known {
    fn source(&mut self, metadata: CaptureMetadata) -> Source {
        let shown = json::capture(&metadata);
        let parameters = shown.get("methodParameters").map(ToString::to_string);
        let parameters = parameters.unwrap_or_default();
        let text = shown.to_string();
        let number = match self.numbers.get(&*text) {
            Some(number) => *number,
            None => {
                let (text, number) = (Arc::<str>::from(text), self.texts.len());
                let number = u32::try_from(number).unwrap_or(u32::MAX);
                self.texts.push(Arc::clone(&text));
                self.numbers.insert(text, number);
                number
            }
        };
        Source { metadata, number, parameters }
    }
}

async fn receive(mut pages: Pages, mut chunks: Chunks<Found>) -> Result<Known> {
    let mut known = Known::default();
    while let Some(page) = pages.next().await {
        for row in rows(page?, &mut known) {
            // The writer has failed, and says why.
            let Ok(()) = chunks.push(row?).await else { return Ok(known) };
        }
    }
    let (Ok(()) | Err(Stopped)) = chunks.end().await;
    Ok(known)
}

/// The readings of a page, with the numbers of their metadata among all pages.
fn rows(
    page: TabularDataByFilterResponse,
    known: &mut Known,
) -> impl Iterator<Item = Result<Found>> + use<> {
    let sources = page.metadata.into_iter().map(|metadata| Arc::new(known.source(metadata)));
    let sources: Vec<_> = sources.collect();
    page.data.into_iter().filter_map(move |row| {
        let data = row.data?;
        let source = sources.get(row.metadata_index as usize);
        let Some(source) = source else {
            let words = "the server names metadata that it does not send";
            return Some(Err(Error::new(Kind::Remote, words)));
        };
        Some(Ok(Found {
            data,
            requested: row.time_requested,
            received: row.time_received,
            source: Arc::clone(source),
        }))
    })
}

#[cfg(test)]
mod tests {
    use prost_types::Struct;
    use viam_proto::app::data::v1::TabularData;

    use super::*;

    fn page(locations: &[&str], rows: &[u32]) -> TabularDataByFilterResponse {
        let metadata = locations.iter().map(|&location_id| CaptureMetadata {
            location_id: location_id.to_owned(),
            ..CaptureMetadata::default()
        });
        let row = |&metadata_index: &u32| TabularData {
            data: Some(Struct::default()),
            metadata_index,
            ..TabularData::default()
        };
        TabularDataByFilterResponse {
            metadata: metadata.collect(),
            data: rows.iter().map(row).collect(),
            ..TabularDataByFilterResponse::default()
        }
    }

    #[test]
    fn metadata_are_numbered_over_all_pages() {
        let mut known = Known::default();
        let mut numbers = |page| -> Vec<u32> {
            rows(page, &mut known).map(|row| row.expect("row").source.number).collect()
        };
        assert_eq!(numbers(page(&["a", "b"], &[1, 0, 1])), [1, 0, 1]);
        assert_eq!(numbers(page(&["c", "b", "c"], &[0, 1, 2])), [2, 1, 2]);
        let texts: Vec<_> = known.texts.iter().map(|text| &**text).collect();
        let expected = [r#"{"locationId":"a"}"#, r#"{"locationId":"b"}"#, r#"{"locationId":"c"}"#];
        assert_eq!(texts, expected);
    }

    #[test]
    fn rows_without_data_are_no_rows_and_metadata_must_be_there() {
        let mut known = Known::default();
        let mut empty = page(&["a"], &[0]);
        empty.data[0].data = None;
        assert_eq!(rows(empty, &mut known).count(), 0);
        let error = rows(page(&["a"], &[1]), &mut known).next().expect("row").expect_err("wrong");
        assert_eq!(error.kind(), Kind::Remote);
    }
}
