//! `viam data export --destination … --data-type …`, the form of 2023 (behaviour.md §2.2).

use clap::ValueEnum;
use viam_contract::{Context, Error, Kind, Result, text};

use super::how::HowArgs;
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
}

/// The words of `--data-type`.
#[derive(Clone, Copy, ValueEnum)]
enum DataType {
    Binary,
    Tabular,
}

pub(crate) async fn run(cx: &Context, args: LegacyArgs) -> Result<()> {
    let LegacyArgs { destination, data_type, how, filter, tags, dataset_id, file_format } = args;
    let (destination, word) = (destination.unwrap_or_default(), data_type.unwrap_or_default());
    let Ok(data_type) = DataType::from_str(&word, false) else {
        let words = format!("data-type must be binary or tabular, got {}", text::quoted(&word));
        return Err(Error::new(Kind::Usage, words));
    };
    match data_type {
        DataType::Binary if file_format.is_some() => {
            Err(Error::new(Kind::Usage, "--file-format goes with --data-type tabular"))
        }
        DataType::Binary => {
            binary::by_filter(cx, &destination, &how, &filter, &tags, dataset_id.as_ref()).await
        }
        DataType::Tabular => {
            let options = Options { format: file_format.unwrap_or_default(), shard: how.shard };
            let (dataset, dry_run) = (dataset_id.as_ref(), how.dry_run);
            tabular::by_filter(cx, &destination, options, &filter, &tags, dataset, dry_run).await
        }
    }
}
