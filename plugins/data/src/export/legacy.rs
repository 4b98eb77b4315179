//! `viam data export --destination … --data-type …`, the form of 2023 (behaviour.md §2.2).

use clap::ValueEnum;
use viam_contract::{Context, Error, Kind, Result, text};

use super::binary::Found;
use super::how::{HowArgs, MetadataFormat};
use super::{binary, tabular};
use crate::filter::FilterArgs;
use crate::tabular::{Format, Options};

#[derive(clap::Args, Debug)]
pub(crate) struct LegacyArgs {
    /// folder or bucket, as in `s3://BUCKET/PREFIX`
    #[arg(long, value_name = "PLACE", required = true)]
    destination: Option<String>,
    /// binary for files, tabular for readings
    #[arg(long, value_name = "binary|tabular", required = true)]
    data_type: Option<String>,
    #[command(flatten)]
    how: HowArgs,
    #[command(flatten)]
    filter: FilterArgs,
    /// tags of which a file has one; `tagged` or `untagged` alone for any or none
    #[arg(long, value_delimiter = ',', value_name = "TAG,…")]
    tags: Vec<String>,
    /// id of a dataset
    #[arg(long, value_name = "ID")]
    dataset_id: Option<String>,
    /// what kind of file to write readings to
    #[arg(long, value_enum, value_name = "FORMAT")]
    file_format: Option<Format>,
    /// where what is known of files goes
    #[arg(long, value_enum, value_name = "FORMAT")]
    metadata_format: Option<MetadataFormat>,
}

/// The words of `--data-type`.
#[derive(Clone, Copy, ValueEnum)]
enum DataType {
    Binary,
    Tabular,
}

pub(crate) async fn run(cx: &Context, args: LegacyArgs) -> Result<()> {
    let LegacyArgs { how, filter, tags, file_format, metadata_format, .. } = args;
    let (destination, word) =
        (args.destination.unwrap_or_default(), args.data_type.unwrap_or_default());
    let dataset_id = args.dataset_id.as_ref();
    let Ok(data_type) = DataType::from_str(&word, false) else {
        let words = format!("data-type must be binary or tabular, got {}", text::quoted(&word));
        return Err(Error::new(Kind::Usage, words));
    };
    match data_type {
        DataType::Binary if file_format.is_some() => {
            Err(Error::new(Kind::Usage, "--file-format goes with --data-type tabular"))
        }
        DataType::Binary => {
            let found = Found { filter: &filter, tags: &tags, dataset_id };
            let metadata = metadata_format.unwrap_or_default();
            binary::by_filter(cx, &destination, &how, found, metadata).await
        }
        DataType::Tabular if metadata_format.is_some() => {
            Err(Error::new(Kind::Usage, "--metadata-format goes with --data-type binary"))
        }
        DataType::Tabular => {
            let options = Options { format: file_format.unwrap_or_default(), shard: how.shard };
            let dry_run = how.dry_run;
            tabular::by_filter(cx, &destination, options, &filter, &tags, dataset_id, dry_run).await
        }
    }
}
