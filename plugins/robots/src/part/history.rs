//! `viam robots part history` (behaviour.md §1.11).

use prost_types::Timestamp;
use serde::Serialize;
use viam_client::time::{rfc3339, utc};
use viam_client::{lookup, rpc_error};
use viam_contract::{Context, Format, Result, Target, text};
use viam_proto::app::v1::GetRobotPartHistoryRequest;

use crate::args::{PartArgs, given};
use crate::when;

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    #[command(flatten)]
    part: PartArgs,
    /// only what this user changed
    #[arg(long, value_name = "EMAIL")]
    filter_by_email: Option<String>,
}

/// JSON result: one of these each.
#[derive(Serialize)]
struct Change {
    index: usize,
    time: Option<String>,
    edited_by: Option<String>,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    args.part.check()?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let part = args.part.find(cx, &wire).await?;
    let filter = given(args.filter_by_email.as_ref());
    let json = cx.output.format == Format::Json;
    let mut client = lookup::app(wire);
    let mut request =
        GetRobotPartHistoryRequest { id: part.id.clone(), ..GetRobotPartHistoryRequest::default() };
    let (mut index, mut printed, mut changes) = (0, 0, Vec::new());
    loop {
        let page = client.get_robot_part_history(request.clone()).await.map_err(|status| {
            let name = text::quoted(&part.name);
            rpc_error(status, format!("could not get the history of part {name}"))
        })?;
        let page = page.into_inner();
        let empty = page.history.is_empty();
        for entry in page.history {
            index += 1;
            let who = entry.edited_by.map(|who| who.value).filter(|who| !who.is_empty());
            if filter.is_some_and(|filter| {
                !who.as_ref().is_some_and(|who| who.eq_ignore_ascii_case(filter))
            }) {
                continue;
            }
            printed += 1;
            if json {
                let time = rfc3339(entry.when.as_ref());
                changes.push(Change { index, time, edited_by: who });
                continue;
            }
            cx.output.line(line(index, entry.when.as_ref(), who.as_deref()))?;
        }
        let token = Some(page.next_page_token).filter(|token| !token.is_empty());
        if empty || token.is_none() || token == request.page_token {
            break;
        }
        request.page_token = token;
    }
    if json {
        return cx.output.json(&changes);
    }
    if printed == 0 {
        cx.output.line(format!("no history found for part {}", text::one_line(&part.name)))?;
    }
    Ok(())
}

/// The documented form of a change.
fn line(index: usize, time: Option<&Timestamp>, who: Option<&str>) -> String {
    let time = time.map_or("<unknown time>".to_owned(), |time| when::unix_date(utc(Some(time))));
    let who = who.map_or("<unknown>".into(), text::one_line);
    format!("[{index}] {time} — edited by {who}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_says_when_and_by_whom_where_that_is_known() {
        let time = Timestamp { seconds: 1_701_424_800, nanos: 0 };
        assert_eq!(
            line(1, Some(&time), Some("me@x.com")),
            "[1] Fri Dec  1 10:00:00 UTC 2023 — edited by me@x.com"
        );
        assert_eq!(line(2, None, None), "[2] <unknown time> — edited by <unknown>");
    }
}
