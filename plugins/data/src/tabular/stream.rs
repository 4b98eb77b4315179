//! Today's export: the rows of one method of one resource, as a stream (behaviour.md §2.5).

use viam_client::retry::{Failure, Pauses};
use viam_contract::{Context, Result, Wire};
use viam_proto::app::data::v1::{ExportTabularDataRequest, ExportTabularDataResponse};

use super::chunks::{Chunks, Stopped};
use super::dots::Dots;
use super::writer::Writer;
use super::{Exported, Options};
use crate::client;
use crate::destination::{Destination, blocking};

/// How often the whole stream is tried.
const ATTEMPTS: usize = 5;

const ASKING: &str = "failed to export tabular data";
const RECEIVING: &str = "error receiving tabular data";

/// Writes what the request finds to `data.ndjson`, or to the file of another format. It is there
/// only if all of it has come.
///
/// # Errors
/// Those of the server and of the destination.
pub(crate) async fn stream(
    cx: &Context,
    wire: &Wire,
    request: ExportTabularDataRequest,
    to: &Destination,
    options: Options,
) -> Result<Exported> {
    let dots = Dots::begin(cx)?;
    let exported = attempts(wire, request, to, options, &dots).await;
    dots.end()?;
    exported
}

async fn attempts(
    wire: &Wire,
    request: ExportTabularDataRequest,
    to: &Destination,
    options: Options,
    dots: &Dots,
) -> Result<Exported> {
    let mut pauses = Pauses::default();
    for left in (0..ATTEMPTS).rev() {
        dots.attempt()?;
        match attempt(wire, request.clone(), to, options, dots).await {
            Ok(exported) => return Ok(exported),
            Err(failure) if left == 0 => return Err(failure.error),
            Err(failure) => pauses.after(failure, |words| dots.notice(words)).await?,
        }
        dots.again();
    }
    Ok(Exported { rows: 0 })
}

async fn attempt(
    wire: &Wire,
    request: ExportTabularDataRequest,
    to: &Destination,
    options: Options,
    dots: &Dots,
) -> Result<Exported, Failure> {
    let (chunks, rows) = Chunks::new(options.shard, dots);
    let writer = Writer::start(to, &options.file(), options.format, rows).await?;
    let received = receive(wire, request, chunks).await;
    // A file that cannot be written ends the stream, so it is what is to be told.
    let (file, rows) = writer.end().await.map_err(Failure::lasting)?;
    received?;
    blocking(|| file.finish()).await?;
    Ok(Exported { rows })
}

async fn receive(
    wire: &Wire,
    request: ExportTabularDataRequest,
    mut chunks: Chunks<ExportTabularDataResponse>,
) -> Result<(), Failure> {
    let answer = client::data(wire).export_tabular_data(request).await;
    let mut rows = answer.map_err(|status| Failure::of_call(status, ASKING))?.into_inner();
    loop {
        let row = rows.message().await.map_err(|status| Failure::of_call(status, RECEIVING))?;
        let Some(row) = row else { break };
        // The writer has failed, and says why.
        let Ok(()) = chunks.push(row).await else { return Ok(()) };
    }
    let (Ok(()) | Err(Stopped)) = chunks.end().await;
    Ok(())
}
