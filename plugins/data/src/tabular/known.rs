//! What is known of exported files, as rows of one file: in place of a file of metadata for each.

use prost::Message as _;
use prost_types::{Struct, Timestamp};
use tokio::sync::mpsc;
use viam_contract::Result;
use viam_proto::app::data::v1::BinaryMetadata;

use super::Format;
use super::chunks::Chunk;
use super::columns::{Cells, Fixed, Kind};
use super::rows::Row;
use super::writer::Writer;
use crate::destination::{Destination, blocking};
use crate::json::metadata_json;
use crate::listing::Listed;
use crate::pages::Pages;

/// Pages that wait to be written.
const AHEAD: usize = 2;

/// An exported file, under the name that it has.
struct Known(BinaryMetadata);

/// Writes a row for each file of the pages that is there.
pub(crate) async fn metadata(
    to: &Destination,
    path: &str,
    format: Format,
    mut pages: Pages,
    listed: Listed,
) -> Result<()> {
    let (sender, rows) = mpsc::channel(AHEAD);
    let writer = Writer::start(to, path, format, rows).await?;
    while let Some(page) = pages.next().await {
        let places = listed.places(to, page?).await?;
        let rows: Vec<Known> = places
            .into_iter()
            .map(|(file, file_name)| {
                Known(BinaryMetadata { file_name, ..(*file.metadata).clone() })
            })
            .collect();
        let bytes = rows.iter().map(Row::size).sum();
        // Where the file cannot be written, the writer says why.
        if sender.send(Chunk { rows, bytes }).await.is_err() {
            break;
        }
    }
    drop(sender);
    let (file, _) = writer.end().await?;
    blocking(|| file.finish()).await
}

impl Row for Known {
    const FIXED: &'static [(&'static str, Kind)] = &[
        ("file_name", Kind::Text),
        ("id", Kind::Text),
        ("binary_data_id", Kind::Text),
        ("file_ext", Kind::Text),
        ("time_requested", Kind::Time),
        ("time_received", Kind::Time),
        ("file_size_bytes", Kind::Number),
        ("organization_id", Kind::Text),
        ("location_id", Kind::Text),
        ("robot_id", Kind::Text),
        ("robot_name", Kind::Text),
        ("part_id", Kind::Text),
        ("part_name", Kind::Text),
        ("component_type", Kind::Text),
        ("component_name", Kind::Text),
        ("method_name", Kind::Text),
        ("mime_type", Kind::Text),
        ("tags", Kind::Json),
        ("dataset_ids", Kind::Json),
        ("annotations", Kind::Json),
        ("method_parameters", Kind::Json),
    ];

    const PAYLOAD: bool = false;

    fn json(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(metadata_json(&self.0).to_string().as_bytes());
    }

    fn fixed<C: Cells>(&self, mut cells: Fixed<'_, C>) {
        let known = &self.0;
        let capture = known.capture_metadata.clone().unwrap_or_default();
        cells.texts([&known.file_name, &known.id, &known.binary_data_id, &known.file_ext]);
        cells.time(known.time_requested.as_ref());
        cells.time(known.time_received.as_ref());
        // Exact up to 2^53, as every number in JSON is.
        cells.number(known.file_size_bytes as f64);
        cells.texts([&capture.organization_id, &capture.location_id]);
        cells.texts([&capture.robot_id, &capture.robot_name]);
        cells.texts([&capture.part_id, &capture.part_name]);
        cells.texts([&capture.component_type, &capture.component_name, &capture.method_name]);
        cells.texts([&capture.mime_type]);
        cells.list(&capture.tags);
        cells.list(&known.dataset_ids);
        let json = metadata_json(known);
        for value in [&json["annotations"], &json["captureMetadata"]["methodParameters"]] {
            let value = (!value.is_null()).then_some(value);
            cells.json(value, |to, value| to.extend_from_slice(value.to_string().as_bytes()));
        }
    }

    fn payload(&self) -> Option<&Struct> {
        None
    }

    fn time(&self) -> Option<&Timestamp> {
        self.0.time_requested.as_ref()
    }

    fn size(&self) -> usize {
        self.0.encoded_len()
    }
}
