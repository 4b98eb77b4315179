//! Files: pages of what a filter finds, and their bytes.

use std::collections::HashMap;
use std::sync::Arc;

use tonic::{Request, Response, Status};
use viam_proto::app::data::v1 as pb;

use super::super::{Answer, Call, access, ask};
use super::convert::{file_id, filter, metadata, page};
use crate::server::state::Shared;
use crate::store::data::{Cursor, File, files};

/// The most bytes of an answer with contents; the message may be a little longer.
const INLINE: u64 = 16 << 20;

pub(super) async fn by_filter(
    shared: &Arc<Shared>,
    request: Request<pb::BinaryDataByFilterRequest>,
) -> Result<Response<pb::BinaryDataByFilterResponse>, Status> {
    let access = access(&request)?;
    let request = request.into_inner();
    let (count_only, with_bytes) = (request.count_only, request.include_binary);
    let (found, answer) = ask(shared, &access, move |call| {
        let reach = call.caller.reach();
        let (filter, page) = page(request.data_request)?;
        if count_only {
            let (count, bytes) = files::count(call.db, &reach, &filter)?;
            let answer = pb::BinaryDataByFilterResponse {
                count: unsigned(count),
                total_size_bytes: unsigned(bytes),
                ..pb::BinaryDataByFilterResponse::default()
            };
            return Ok((Vec::new(), answer));
        }
        let found = files::page(call.db, &reach, &filter, &page)?;
        let last = found.last().map(|file| Cursor { time: file.requested, seq: file.seq });
        let answer = pb::BinaryDataByFilterResponse {
            count: found.len() as u64,
            total_size_bytes: found.iter().map(|file| unsigned(file.size)).sum(),
            last: last.map(Cursor::token).unwrap_or_default(),
            ..pb::BinaryDataByFilterResponse::default()
        };
        Ok((found, answer))
    })
    .await?;
    let data = with_contents(shared, found, with_bytes).await?;
    Ok(Response::new(pb::BinaryDataByFilterResponse { data, ..answer }))
}

pub(super) async fn by_ids(
    shared: &Arc<Shared>,
    request: Request<pb::BinaryDataByIDsRequest>,
) -> Result<Response<pb::BinaryDataByIDsResponse>, Status> {
    let access = access(&request)?;
    let request = request.into_inner();
    let with_bytes = request.include_binary;
    let found = ask(shared, &access, move |call| {
        let ids = ids(request.binary_ids, request.binary_data_ids);
        let found = files::get_all(call.db, &call.caller.reach(), &ids)?;
        let found: HashMap<&str, &File> =
            found.iter().map(|file| (file.id.as_str(), file)).collect();
        let in_order = ids.iter().map(|id| found.get(id.as_str()).map(|&file| file.clone()));
        let files: Answer<Vec<File>> =
            in_order.zip(&ids).map(|(file, id)| Ok(file.ok_or_else(|| unknown(id))?)).collect();
        files
    })
    .await?;
    let data = with_contents(shared, found, with_bytes).await?;
    let count = data.len() as u64;
    Ok(Response::new(pb::BinaryDataByIDsResponse { data, count }))
}

/// Removes what a filter finds. An empty one finds everything that the caller may see.
pub(super) async fn delete_by_filter(
    shared: &Arc<Shared>,
    request: Request<pb::DeleteBinaryDataByFilterRequest>,
) -> Result<Response<pb::DeleteBinaryDataByFilterResponse>, Status> {
    let access = access(&request)?;
    let filter = filter(request.into_inner().filter);
    let gone = ask(shared, &access, move |call| {
        let reach = call.caller.reach();
        let all = crate::store::data::Page { limit: usize::MAX >> 1, ..Default::default() };
        let found = files::page(call.db, &reach, &filter, &all)?;
        found.iter().try_for_each(|file| files::delete(call.db, file.seq))?;
        Ok(found)
    })
    .await?;
    gone.iter().for_each(|file| shared.contents.remove(file));
    let deleted_count = gone.len() as u64;
    Ok(Response::new(pb::DeleteBinaryDataByFilterResponse { deleted_count }))
}

pub(super) async fn delete_by_ids(
    shared: &Arc<Shared>,
    request: Request<pb::DeleteBinaryDataByIDsRequest>,
) -> Result<Response<pb::DeleteBinaryDataByIDsResponse>, Status> {
    let access = access(&request)?;
    let request = request.into_inner();
    let gone = ask(shared, &access, move |call| {
        let ids = ids(request.binary_ids, request.binary_data_ids);
        let found: Answer<Vec<File>> = ids.iter().map(|id| file(call, id)).collect();
        let found = found?;
        found.iter().try_for_each(|file| files::delete(call.db, file.seq))?;
        Ok(found)
    })
    .await?;
    gone.iter().for_each(|file| shared.contents.remove(file));
    let deleted_count = gone.len() as u64;
    Ok(Response::new(pb::DeleteBinaryDataByIDsResponse { deleted_count }))
}

/// The ids of a request of either era.
pub(super) fn ids(old: Vec<pb::BinaryId>, new: Vec<String>) -> Vec<String> {
    let old = old.into_iter().map(|id| id.file_id);
    let new = new.into_iter().map(|id| file_id(&id).to_owned());
    old.chain(new).collect()
}

/// A file that the caller may see.
pub(super) fn file(call: &Call<'_>, id: &str) -> Answer<File> {
    let found = files::get(call.db, &call.caller.reach(), id)?;
    Ok(found.ok_or_else(|| unknown(id))?)
}

fn unknown(id: &str) -> Status {
    Status::not_found(format!("no file {id} is known here"))
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// The messages of files, with their bytes if these are asked for and fit.
async fn with_contents(
    shared: &Arc<Shared>,
    found: Vec<File>,
    with_bytes: bool,
) -> Result<Vec<pb::BinaryData>, Status> {
    let sum: u64 = found.iter().map(|file| unsigned(file.size)).sum();
    if with_bytes && sum > INLINE {
        return Err(Status::resource_exhausted(format!(
            "INCLUDE_BINARY_TOO_LARGE: {sum} bytes are more than the {INLINE} of an answer"
        )));
    }
    let shared = shared.clone();
    let read = move |file: File| {
        let binary = if with_bytes {
            let length = usize::try_from(file.size).unwrap_or_default();
            let bytes = shared.contents.read(&file, 0, length).map_err(|error| {
                Status::data_loss(format!("the bytes of file {} are gone: {error}", file.id))
            })?;
            bytes.into()
        } else {
            Default::default()
        };
        let metadata = Some(metadata(file, &shared.base_url));
        Ok(pb::BinaryData { binary, metadata })
    };
    let work = move || found.into_iter().map(read).collect();
    Shared::blocking(work).await.map_err(|error| Status::internal(error.to_string()))?
}
