//! `viam robots part logs` (behaviour.md §1.7).

use viam_client::logs::Pages;
use viam_contract::{Context, Error, Kind, Result, Target, Wire};
use viam_proto::app::v1::{LogOrder, RobotPart};

use super::status::above;
use crate::args::PartArgs;
use crate::entry::{Form, Writer};
use crate::follow::{follow, warn_of_window};
use crate::logs::{complain, failure, stream};
use crate::record;
use crate::selection::{Selection, SelectionArgs};
use crate::sink::Sink;

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    #[command(flatten)]
    part: PartArgs,
    /// follow the logs from now on, until interrupted
    #[arg(long, short = 'f', conflicts_with = "output")]
    tail: bool,
    #[command(flatten)]
    selection: SelectionArgs,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let selection = args.selection.check(cx)?;
    args.part.check()?;
    if args.tail {
        warn_of_window(cx, &selection);
    }
    if !args.tail
        && selection.order.is_none()
        && selection.count.is_some()
        && selection.start.is_some()
        && selection.end.is_none()
    {
        return Err(Error::new(
            Kind::Usage,
            "unsupported functionality: specifying both a start time and a count without an end \
             time is not supported",
        )
        .hint_text("say with --order which ones are meant: asc for the first, desc for the last"));
    }
    let wire = cx.sessions.wire(&Target::App).await?;
    let part = args.part.find(cx, &wire).await?;
    let mut sink = Sink::open(cx, args.selection.output.as_ref())?;
    if selection.form == Form::Text && !args.part.complete(cx) {
        let (place, machine) = above(&wire, &part).await?;
        sink.write(&format!("{}\n", record::part_header(&place, &machine)))?;
    }
    if args.tail {
        return follow(cx, &wire, &selection, &[part], &mut sink).await;
    }
    let printed = match (selection.order, selection.count) {
        // The newest ones, the oldest of them first.
        (None, Some(count)) => newest(cx, &wire, &selection, count, &part, &mut sink).await?,
        (order, _) => {
            let order = Some(order.unwrap_or(LogOrder::Ascending));
            stream(cx, &wire, &selection, order, &part, &mut sink).await?
        }
    };
    if printed == 0 && selection.form == Form::Text {
        sink.write("No recent logs\n")?;
    }
    sink.finish()
}

/// Prints the newest entries, the oldest of them first: as many as are kept in memory, as lines.
async fn newest(
    cx: &Context,
    wire: &Wire,
    selection: &Selection,
    count: usize,
    part: &RobotPart,
    sink: &mut Sink<'_>,
) -> Result<usize> {
    let request = selection.request(&part.id, Some(LogOrder::Descending));
    let mut pages = Pages::new(wire, request, count);
    let mut writer = Writer::new(selection.form, &part.name);
    let mut lines: Vec<Box<str>> = Vec::new();
    while lines.len() < count {
        let Some(page) = pages.next().await.map_err(|status| failure(status, part))? else { break };
        for entry in page.iter().take(count - lines.len()) {
            let mut line = String::new();
            writer.write(entry, &mut line);
            lines.push(line.into());
        }
    }
    lines.reverse();
    for lines in lines.chunks(1000) {
        sink.write(&lines.concat())?;
    }
    complain(cx, &writer);
    Ok(lines.len())
}
