//! `viam dataset export` (behaviour.md §2.8): the files of a dataset, and `dataset.jsonl`, a line
//! for each that training scripts read.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use viam_client::time::rfc3339;
use viam_contract::{Context, Error, Kind, Result, Target, Wire, text};
use viam_proto::app::data::v1::{BinaryMetadata, Filter};
use viam_proto::app::dataset::v1::{DatasetType, ListDatasetsByIDsRequest};

use super::DatasetIdArgs;
use crate::client;
use crate::destination::Destination;
use crate::engine;
use crate::export::{HowArgs, interruptible};
use crate::listing::{self, Listed};
use crate::pages::Pages;

/// The file about all files.
const LIST: &str = "dataset.jsonl";

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// folder or bucket, as in `s3://BUCKET/PREFIX`
    #[arg(long, value_name = "PLACE")]
    destination: String,
    #[command(flatten)]
    dataset: DatasetIdArgs,
    /// write dataset.jsonl and no files
    #[arg(long, aliases = ["only-jsonlines"])]
    only_jsonl: bool,
    /// accepted for scripts that give it: dataset.jsonl is always written
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    include_jsonl: Option<bool>,
    /// accepted for scripts that give it: paths have slashes everywhere
    #[arg(long, hide = true)]
    force_linux_path: bool,
    #[command(flatten)]
    how: HowArgs,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    args.how.check()?;
    let id = args.dataset.id()?;
    let wire = cx.sessions.wire(&Target::App).await?;
    known(cx, &wire, &id).await?;
    let to = Destination::open(cx, &args.destination).await?;
    let filter = Filter { dataset_id: id, ..Filter::default() };
    let pages = || Pages::of_filters(cx, &wire, vec![filter.clone()], None);
    let (shard, absent) = (args.how.shard, args.only_jsonl);
    let work = async {
        if !args.only_jsonl {
            engine::run(cx, &wire, pages(), args.how.options(to.clone(), false), None).await?;
        }
        if args.how.dry_run {
            return Ok(());
        }
        let listed = Listed { shard, marked: false, absent };
        let folder = folder(&args.destination);
        listing::write(&to, &name(&args.how), pages(), listed, line, &folder).await?;
        Ok(())
    };
    interruptible(cx, work).await
}

/// Shards have lists of their own.
fn name(how: &HowArgs) -> String {
    match &how.shard {
        Some(shard) => shard.names(LIST),
        None => LIST.to_owned(),
    }
}

/// Checks that there is such a dataset, of files.
async fn known(cx: &Context, wire: &Wire, id: &str) -> Result<()> {
    let answer = client::patient(&cx.output, "could not look up the dataset", || {
        let mut client = client::datasets(wire);
        let request = ListDatasetsByIDsRequest { ids: vec![id.to_owned()] };
        async move { client.list_datasets_by_i_ds(request).await }
    })
    .await?;
    let Some(dataset) = answer.datasets.iter().find(|dataset| dataset.id == id) else {
        let words = format!("{} does not match any dataset IDs", text::one_line(id));
        return Err(Error::new(Kind::User, words).hint_run("viam dataset list"));
    };
    if dataset.r#type() == DatasetType::SequenceData {
        let words = format!("{} is a dataset of sequences", text::quoted(&dataset.name));
        return Err(Error::new(Kind::User, words)
            .hint_text("only datasets of files are exported by this release"));
    }
    Ok(())
}

/// What stands before the paths of files in the list.
fn folder(destination: &str) -> String {
    let destination = destination.strip_prefix("file://").unwrap_or(destination);
    match destination.trim_end_matches('/') {
        "" => "/".to_owned(),
        "." => String::new(),
        folder => format!("{}/", folder.strip_prefix("./").unwrap_or(folder)),
    }
}

/// The line of a file.
fn line(metadata: &BinaryMetadata, place: &str, folder: &str) -> Bytes {
    let capture = metadata.capture_metadata.clone().unwrap_or_default();
    let annotations = metadata.annotations.clone().unwrap_or_default();
    let labelled = |label: &str, confidence: Option<f64>| {
        let mut one = Map::new();
        one.insert("annotation_label".to_owned(), label.into());
        if let Some(confidence) = confidence {
            one.insert("confidence".to_owned(), confidence.into());
        }
        one
    };
    // Whoever classifies pictures by hand tags them.
    let tags = capture.tags.iter().map(|tag| Value::Object(labelled(tag, None)));
    let classes = annotations.classifications.iter();
    let classes = classes.map(|class| Value::Object(labelled(&class.label, class.confidence)));
    let boxes = annotations.bboxes.iter().map(|found| {
        let mut one = labelled(&found.label, found.confidence);
        for (key, value) in [
            ("x_min_normalized", found.x_min_normalized),
            ("y_min_normalized", found.y_min_normalized),
            ("x_max_normalized", found.x_max_normalized),
            ("y_max_normalized", found.y_max_normalized),
        ] {
            one.insert(key.to_owned(), value.into());
        }
        Value::Object(one)
    });
    let line = json!({
        "image_path": format!("{folder}data/{place}"),
        "classification_annotations": tags.chain(classes).collect::<Vec<_>>(),
        "bounding_box_annotations": boxes.collect::<Vec<_>>(),
        "timestamp": rfc3339(metadata.time_requested.as_ref()),
        "binary_data_id": metadata.binary_data_id,
        "organization_id": capture.organization_id,
        "location_id": capture.location_id,
        "machine_id": capture.robot_id,
        "part_id": capture.part_id,
        "component_name": capture.component_name,
    });
    format!("{line}\n").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_destination() {
        for (destination, expected) in [
            (".", ""),
            ("out", "out/"),
            ("./out/", "out/"),
            ("/a/b", "/a/b/"),
            ("/", "/"),
            ("s3://b/p", "s3://b/p/"),
            ("file:///a", "/a/"),
        ] {
            assert_eq!(folder(destination), expected, "{destination}");
        }
    }
}
