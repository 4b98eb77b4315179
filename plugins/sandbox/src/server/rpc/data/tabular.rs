//! Readings: pages of what a filter finds, and a stream of those of one method.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};
use viam_proto::app::data::v1 as pb;

use super::super::access::Level;
use super::super::convert::timestamp;
use super::super::{Answer, Call, access, ask};
use super::convert::{capture, object, page, tags, times};
use crate::server::state::Shared;
use crate::store::data::{Capture, Cursor, Filter, Page, Reading, readings};

/// How many readings of a stream are fetched at once.
const PIECE: usize = 1000;

const DAY: i64 = 24 * 3600 * 1_000_000;

pub(super) fn by_filter(
    call: &Call<'_>,
    request: pb::TabularDataByFilterRequest,
) -> Answer<pb::TabularDataByFilterResponse> {
    let reach = call.caller.reach();
    let (filter, page) = page(request.data_request)?;
    if request.count_only {
        let count = readings::count(call.db, &reach, &filter)?;
        return Ok(pb::TabularDataByFilterResponse {
            count: u64::try_from(count).unwrap_or_default(),
            ..pb::TabularDataByFilterResponse::default()
        });
    }
    let found = readings::page(call.db, &reach, &filter, &page)?;
    let last = found.last().map(|found| Cursor { time: found.requested, seq: found.seq });
    let mut answer = pb::TabularDataByFilterResponse {
        count: found.len() as u64,
        last: last.map(Cursor::token).unwrap_or_default(),
        ..pb::TabularDataByFilterResponse::default()
    };
    let mut known: Vec<(Capture, Vec<String>)> = Vec::new();
    for reading in found {
        answer.total_size_bytes += reading.payload.len() as u64;
        let data = object(&reading.payload);
        let (requested, received) = (reading.requested, reading.received);
        let source = (reading.capture, reading.tags);
        let place = known.iter().position(|before| *before == source).unwrap_or_else(|| {
            answer.metadata.push(capture(source.0.clone(), source.1.clone()));
            known.push(source);
            known.len() - 1
        });
        answer.data.push(pb::TabularData {
            data: Some(data),
            metadata_index: u32::try_from(place).unwrap_or_default(),
            time_requested: Some(timestamp(requested)),
            time_received: Some(timestamp(received)),
        });
    }
    Ok(answer)
}

/// Readings of one method of one component, the oldest first.
pub(super) async fn export(
    shared: &Arc<Shared>,
    request: Request<pb::ExportTabularDataRequest>,
) -> Result<Response<BoxStream<pb::ExportTabularDataResponse>>, Status> {
    let access = access(&request)?;
    let asked = request.into_inner();
    for (what, value) in [
        ("part_id", &asked.part_id),
        ("resource_name", &asked.resource_name),
        ("resource_subtype", &asked.resource_subtype),
        ("method_name", &asked.method_name),
    ] {
        if value.is_empty() {
            return Err(Status::invalid_argument(format!("{what} is empty")));
        }
    }
    let part = asked.part_id.clone();
    ask(shared, &access, move |call| call.part(&part, Level::Read).map(drop)).await?;
    let filter = Filter {
        part: asked.part_id,
        component_name: asked.resource_name,
        component_type: asked.resource_subtype,
        method: asked.method_name,
        times: times(&asked.interval.unwrap_or_default()),
        ..Filter::default()
    };
    let (sender, answers) = mpsc::channel(PIECE);
    let shared = shared.clone();
    tokio::spawn(async move {
        let mut after = None;
        loop {
            let (filter, page) = (filter.clone(), Page { after, ascending: true, limit: PIECE });
            let piece = ask(&shared, &access, move |call| {
                Ok(readings::page(call.db, &call.caller.reach(), &filter, &page)?)
            });
            let piece = match piece.await {
                Ok(piece) => piece,
                Err(status) => return drop(sender.send(Err(status)).await),
            };
            let Some(last) = piece.last() else { return };
            after = Some(Cursor { time: last.requested, seq: last.seq });
            for reading in piece {
                if sender.send(Ok(exported(reading))).await.is_err() {
                    return;
                }
            }
        }
    });
    Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
}

fn exported(reading: Reading) -> pb::ExportTabularDataResponse {
    let capture = reading.capture;
    pb::ExportTabularDataResponse {
        part_id: capture.part,
        resource_name: capture.component_name,
        resource_subtype: capture.component_type,
        method_name: capture.method,
        time_captured: Some(timestamp(reading.requested)),
        organization_id: capture.organization,
        location_id: capture.location,
        robot_name: capture.robot_name,
        robot_id: capture.robot,
        part_name: capture.part_name,
        method_parameters: Some(object(&capture.params)),
        tags: reading.tags,
        payload: Some(object(&reading.payload)),
    }
}

/// Removes the readings of an organization that are older than so many days; with a filter, those
/// of them that it finds.
pub(super) fn delete(
    call: &Call<'_>,
    request: pb::DeleteTabularDataRequest,
) -> Answer<pb::DeleteTabularDataResponse> {
    call.organization(&request.organization_id, Level::Write)?;
    let asked = request.filter.unwrap_or_default();
    let days = i64::from(request.delete_older_than_days);
    let filter = Filter {
        organizations: vec![request.organization_id],
        locations: asked.location_ids,
        robot: asked.robot_id,
        part: asked.part_id,
        component_type: asked.component_type,
        component_name: asked.component_name,
        method: asked.method,
        tags: tags(asked.tags_filter),
        times: (i64::MIN, call.now.saturating_sub(days.saturating_mul(DAY))),
        ..Filter::default()
    };
    let deleted = readings::delete(call.db, &call.caller.reach(), &filter)?;
    Ok(pb::DeleteTabularDataResponse { deleted_count: deleted as u64 })
}
