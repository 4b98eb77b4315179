//! `viam robots logs` (behaviour.md §1.5).

use std::time::Duration;

use viam_client::logs::Pages;
use viam_client::{lookup, rpc_error};
use viam_contract::{Context, Error, Kind, Result, Target, Wire, text};
use viam_proto::app::v1::{LogOrder, RobotPart};

use crate::args::{PlaceArgs, given};
use crate::entry::{Form, Writer};
use crate::follow::{follow, warn_of_window};
use crate::selection::{Selection, SelectionArgs};
use crate::sink::Sink;
use crate::when;

/// Without a start and a range, so much is printed.
const LAST: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    /// id or name of the machine
    #[arg(
        long,
        aliases = ["robot", "machine-id", "machine-name", "robot-id", "robot-name"],
        required_unless_present = "part"
    )]
    machine: Option<String>,
    /// id or name of the only part to print
    #[arg(long, aliases = ["part-id", "part-name"])]
    part: Option<String>,
    #[command(flatten)]
    place: PlaceArgs,
    /// follow the logs from now on, until interrupted
    #[arg(long, short = 'f', conflicts_with = "output")]
    tail: bool,
    #[command(flatten)]
    selection: SelectionArgs,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let mut selection = args.selection.check(cx)?;
    if args.tail {
        warn_of_window(cx, &selection);
    }
    if selection.start.is_none() && selection.range.is_none() {
        let start = when::timestamp(cx.clock.now() - LAST);
        // Where the window ends before that, the day before its end.
        selection.start = Some(match selection.end {
            Some(end) if end.seconds <= start.seconds => {
                let seconds = end.seconds - LAST.as_secs().cast_signed();
                prost_types::Timestamp { seconds, ..end }
            }
            _ => start,
        });
    }
    let (machine, part) = (given(args.machine.as_ref()), given(args.part.as_ref()));
    if machine.is_none() && part.is_none() {
        return Err(Error::new(Kind::Usage, "the name of the machine is empty")
            .hint_text("give --machine")
            .hint_run("viam robots list"));
    }
    let wire = cx.sessions.wire(&Target::App).await?;
    let scope = args.place.scope(cx);
    let (robot, parts) = match (machine, part) {
        (_, Some(part)) => {
            let part = lookup::part(&wire, &scope, machine, Some(part)).await?;
            (lookup::machine(&wire, &scope, &part.robot).await?, vec![part])
        }
        (Some(machine), None) => {
            let robot = lookup::machine(&wire, &scope, machine).await?;
            let parts = lookup::parts(&wire, &robot.id).await?;
            (robot, parts)
        }
        (None, None) => return Ok(()),
    };
    let mut sink = Sink::open(cx, args.selection.output.as_ref())?;
    if selection.form == Form::Text && !parts.is_empty() {
        let place = lookup::whereabouts(&wire, &robot.location).await?;
        let [name, location, organization, asked] =
            [&*robot.name, &place.location, &place.organization, machine.unwrap_or(&robot.name)]
                .map(text::one_line);
        sink.write(&format!(
            "Robot: {name} -> Location: {location} -> Organization: {organization} -> Machine: \
             {asked}\n\n"
        ))?;
    }
    if args.tail {
        return follow(cx, &wire, &selection, &parts, &mut sink).await;
    }
    for part in &parts {
        if selection.form == Form::Text {
            sink.write(&heading(part))?;
        }
        stream(cx, &wire, &selection, selection.order, part, &mut sink).await?;
    }
    sink.finish()
}

/// Says whose lines follow.
pub(crate) fn heading(part: &RobotPart) -> String {
    format!("===== Logs for Part: {} =====\n", text::one_line(&part.name))
}

/// Prints the entries of a part as their pages come, and says how many there were.
pub(crate) async fn stream(
    cx: &Context,
    wire: &Wire,
    selection: &Selection,
    order: Option<LogOrder>,
    part: &RobotPart,
    sink: &mut Sink<'_>,
) -> Result<usize> {
    let mut left = selection.count.unwrap_or(usize::MAX);
    let mut pages = Pages::new(wire, selection.request(&part.id, order), left);
    let mut writer = Writer::new(selection.form, &part.name);
    let mut printed = 0;
    let mut lines = String::new();
    while left > 0 {
        let Some(page) = pages.next().await.map_err(|status| failure(status, part))? else { break };
        lines.clear();
        for entry in page.iter().take(left) {
            writer.write(entry, &mut lines);
        }
        let count = page.len().min(left);
        left -= count;
        printed += count;
        sink.write(&lines)?;
    }
    complain(cx, &writer);
    Ok(printed)
}

/// A failure to fetch the logs of a part.
pub(crate) fn failure(status: tonic::Status, part: &RobotPart) -> Error {
    rpc_error(status, format!("could not stream logs for part {}", text::quoted(&part.name)))
}

/// Says once that fields are missing.
pub(crate) fn complain(cx: &Context, writer: &Writer<'_>) {
    if writer.bad_field {
        cx.output.warn("some entries have fields that cannot be read; they are left out");
    }
}
