//! `viam data export --destination … --data-type …`, the form of 2023 (behaviour.md §2.2).

use clap::ValueEnum;
use viam_contract::{Context, Error, Kind, Result, text};

use super::FoundArgs;
use super::how::{HowArgs, MetadataFormat};
use super::{binary, tabular};
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
    found: FoundArgs,
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
    let LegacyArgs { how, found, file_format, metadata_format, .. } = args;
    let (destination, word) =
        (args.destination.unwrap_or_default(), args.data_type.unwrap_or_default());
    let Ok(data_type) = DataType::from_str(&word, false) else {
        let words = format!("data-type must be binary or tabular, got {}", text::quoted(&word));
        return Err(Error::new(Kind::Usage, words));
    };
    match data_type {
        DataType::Binary if file_format.is_some() => {
            Err(Error::new(Kind::Usage, "--file-format goes with --data-type tabular"))
        }
        DataType::Binary => {
            let metadata = metadata_format.unwrap_or_default();
            binary::by_filter(cx, &destination, &how, &found, metadata).await
        }
        DataType::Tabular if metadata_format.is_some() => {
            Err(Error::new(Kind::Usage, "--metadata-format goes with --data-type binary"))
        }
        DataType::Tabular => {
            let options = Options { format: file_format.unwrap_or_default(), shard: how.shard };
            tabular::by_filter(cx, &destination, options, &found, how.dry_run).await
        }
    }
}
