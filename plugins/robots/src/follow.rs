//! Following the logs of parts: `logs --tail` and `part logs --tail` (behaviour.md §1.7).

use std::sync::{Mutex, PoisonError};

use futures_util::future::try_join_all;
use viam_client::logs::{Event, TailRequest, tail};
use viam_contract::{Context, Result, Wire};
use viam_proto::app::v1::RobotPart;
use viam_proto::common::v1::LogEntry;

use crate::entry::{Form, Writer};
use crate::logs::{complain, heading};
use crate::selection::Selection;
use crate::sink::Sink;
use crate::when;

/// Says that what chooses from the past does nothing.
pub(crate) fn warn_of_window(cx: &Context, selection: &Selection) {
    let window = selection.start.is_some() || selection.end.is_some() || selection.range.is_some();
    if window || selection.count.is_some() || selection.order.is_some() {
        cx.output.warn("with --tail, flags of time, count and order do nothing");
    }
}

/// What is printed, by whichever part has something to say.
struct Shared<'a, 's> {
    cx: &'a Context,
    sink: &'a mut Sink<'s>,
    writers: Vec<Writer<'a>>,
    /// The part whose heading was printed last; `None` where there is only one, without any.
    last: Option<usize>,
    complained: bool,
}

/// Prints what all the parts say from now on, until it is interrupted. Where there are several,
/// a heading says whose lines follow.
pub(crate) async fn follow(
    cx: &Context,
    wire: &Wire,
    selection: &Selection,
    parts: &[RobotPart],
    sink: &mut Sink<'_>,
) -> Result<()> {
    let now = when::timestamp(cx.clock.now());
    let writers = parts.iter().map(|part| Writer::new(selection.form, &part.name)).collect();
    let last = (parts.len() > 1 && selection.form == Form::Text).then_some(usize::MAX);
    let shared = Mutex::new(Shared { cx, sink, writers, last, complained: false });
    let tails = parts.iter().enumerate().map(|(number, part)| {
        let request = TailRequest {
            part_id: part.id.clone(),
            errors_only: selection.errors_only,
            keyword: selection.keyword.clone(),
            levels: selection.levels.clone(),
            now,
        };
        let shared = &shared;
        tail(wire, request, move |event| {
            // What is shared is as good after a panic as before.
            let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
            match event {
                Event::Entries(entries) => shared.print(number, part, &entries),
                Event::Lost { why, wait } => {
                    let seconds = wait.as_secs_f32();
                    shared
                        .cx
                        .output
                        .status(&format!("the stream broke off: {why}; again in {seconds:.1} s"));
                    Ok(())
                }
            }
        })
    });
    try_join_all(tails).await.map(drop)
}

impl Shared<'_, '_> {
    fn print(&mut self, number: usize, part: &RobotPart, entries: &[LogEntry]) -> Result<()> {
        let mut lines = String::new();
        if self.last.is_some_and(|last| last != number) {
            self.last = Some(number);
            lines.push_str(&heading(part));
        }
        let Some(writer) = self.writers.get_mut(number) else { return Ok(()) };
        for entry in entries {
            writer.write(entry, &mut lines);
        }
        if writer.bad_field && !self.complained {
            self.complained = true;
            complain(self.cx, writer);
        }
        self.sink.write(&lines)
    }
}
