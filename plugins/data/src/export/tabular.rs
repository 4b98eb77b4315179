//! `viam data export tabular` (behaviour.md §2.5), and the readings of the form of 2023 (§2.4).

use prost_types::Struct;
use viam_client::time;
use viam_contract::{Context, Error, Format as Shown, Kind, Result, Target};
use viam_proto::app::data::v1::{CaptureInterval, ExportTabularDataRequest, Filter};

use super::{FoundArgs, interruptible};
use crate::count;
use crate::destination::Destination;
use crate::shard::Shard;
use crate::tabular::{self, Exported, Format, Options};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// folder or bucket, as in `s3://BUCKET/PREFIX`
    #[arg(long, value_name = "PLACE")]
    destination: String,
    /// id of the part
    #[arg(long, value_name = "ID")]
    part_id: String,
    /// name of the component or service
    #[arg(long, value_name = "NAME")]
    resource_name: String,
    /// API of the component or service, as in `rdk:component:sensor`
    #[arg(long, value_name = "API")]
    resource_subtype: String,
    /// method that captured, as in `Readings`
    #[arg(long)]
    method: String,
    /// captured at this time or later, in RFC 3339
    #[arg(long, value_name = "TIME")]
    start: Option<String>,
    /// captured at this time or before, in RFC 3339
    #[arg(long, value_name = "TIME")]
    end: Option<String>,
    /// parameters that the method was called with, as a JSON object
    #[arg(long, value_name = "JSON")]
    additional_params: Option<String>,
    /// what kind of file to write
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    file_format: Format,
    /// only the Kth of N parts, as in `2/8`: workers with the same N and different K share an export
    #[arg(long, value_name = "K/N")]
    shard: Option<Shard>,
}

impl Args {
    fn request(self) -> Result<ExportTabularDataRequest> {
        let start = time::parse("start", self.start.as_ref())?;
        let end = time::parse("end", self.end.as_ref())?;
        let parameters = self.additional_params.filter(|text| !text.is_empty());
        Ok(ExportTabularDataRequest {
            part_id: self.part_id,
            resource_name: self.resource_name,
            resource_subtype: self.resource_subtype,
            method_name: self.method,
            // It is sent with or without times in it, as the existing program does.
            interval: Some(CaptureInterval { start, end }),
            additional_parameters: parameters.as_deref().map(object).transpose()?,
        })
    }
}

fn object(text: &str) -> Result<Struct> {
    tabular::object(text).map_err(|error| {
        Error::new(Kind::Usage, "--additional-params is no JSON object")
            .because(error)
            .hint_text("it takes a JSON object, as in '{\"pin\": \"12\"}'")
    })
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let options = Options { format: args.file_format, shard: args.shard };
    let destination = args.destination.clone();
    let request = args.request()?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let to = Destination::open(cx, &destination).await?;
    interruptible(cx, async { told(cx, tabular::stream(cx, &wire, request, &to, options).await?) })
        .await
}

/// Exports the readings that a filter finds; where it is a dry run, counts them.
pub(super) async fn by_filter(
    cx: &Context,
    destination: &str,
    options: Options,
    found: &FoundArgs,
    dry_run: bool,
) -> Result<()> {
    found.check()?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let to = Destination::open(cx, destination).await?;
    let filters = found.resolve(cx, &wire).await?;
    if dry_run {
        let counts = filters.iter().map(|filter: &Filter| tabular::count(cx, &wire, filter));
        let counts = futures_util::future::try_join_all(counts).await?;
        let exported = Exported { rows: counts.iter().sum() };
        return match cx.output.format {
            Shown::Json => cx.output.json(&exported),
            Shown::Text => cx.output.line(format!("{} to export", count::of(exported.rows, "row"))),
        };
    }
    interruptible(cx, async {
        told(cx, tabular::by_filter(cx, &wire, filters, &to, options).await?)
    })
    .await
}

/// What it came to. On stdout only where JSON is asked for: the form of text has dots there.
fn told(cx: &Context, exported: Exported) -> Result<()> {
    cx.output.status(&format!("{} exported", count::of(exported.rows, "row")));
    match cx.output.format {
        Shown::Json => cx.output.json(&exported),
        Shown::Text => Ok(()),
    }
}
