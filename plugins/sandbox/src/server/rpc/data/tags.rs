//! Tags of files.

use std::collections::BTreeSet;

use viam_proto::app::data::v1 as pb;

use super::super::{Answer, Call};
use super::binary::{file, ids};
use super::convert::filter;
use crate::store::data::{Page, files};

pub(super) fn list(
    call: &Call<'_>,
    request: pb::TagsByFilterRequest,
) -> Answer<pb::TagsByFilterResponse> {
    let filter = filter(request.filter);
    let mut tags = BTreeSet::new();
    let mut page = Page { limit: 1000, ..Page::default() };
    loop {
        let found = files::page(call.db, &call.caller.reach(), &filter, &page)?;
        let Some(last) = found.last() else { break };
        page.after = Some(crate::store::data::Cursor { time: last.requested, seq: last.seq });
        tags.extend(found.into_iter().flat_map(|file| file.tags));
    }
    Ok(pb::TagsByFilterResponse { tags: tags.into_iter().collect() })
}

pub(super) fn add(
    call: &Call<'_>,
    request: pb::AddTagsToBinaryDataByIDsRequest,
) -> Answer<pb::AddTagsToBinaryDataByIDsResponse> {
    for id in ids(request.binary_ids, request.binary_data_ids) {
        files::add_tags(call.db, file(call, &id)?.seq, &request.tags)?;
    }
    Ok(pb::AddTagsToBinaryDataByIDsResponse {})
}

pub(super) fn remove(
    call: &Call<'_>,
    request: pb::RemoveTagsFromBinaryDataByIDsRequest,
) -> Answer<pb::RemoveTagsFromBinaryDataByIDsResponse> {
    let mut deleted_count = 0;
    for id in ids(request.binary_ids, request.binary_data_ids) {
        let removed = files::remove_tags(call.db, file(call, &id)?.seq, &request.tags)?;
        deleted_count += u64::from(removed > 0);
    }
    Ok(pb::RemoveTagsFromBinaryDataByIDsResponse { deleted_count })
}
