//! Which files are in a dataset.

use viam_proto::app::data::v1 as pb;

use super::super::access::Level;
use super::super::datasets::dataset;
use super::super::{Answer, Call};
use super::binary::{file, ids};
use crate::store::data::datasets;

pub(super) fn add(
    call: &Call<'_>,
    request: pb::AddBinaryDataToDatasetByIDsRequest,
) -> Answer<pb::AddBinaryDataToDatasetByIDsResponse> {
    let dataset = dataset(call, &request.dataset_id, Level::Write)?;
    for id in ids(request.binary_ids, request.binary_data_ids) {
        datasets::add(call.db, &dataset.id, file(call, &id)?.seq)?;
    }
    Ok(pb::AddBinaryDataToDatasetByIDsResponse {})
}

pub(super) fn remove(
    call: &Call<'_>,
    request: pb::RemoveBinaryDataFromDatasetByIDsRequest,
) -> Answer<pb::RemoveBinaryDataFromDatasetByIDsResponse> {
    let dataset = dataset(call, &request.dataset_id, Level::Write)?;
    for id in ids(request.binary_ids, request.binary_data_ids) {
        datasets::remove(call.db, &dataset.id, file(call, &id)?.seq)?;
    }
    Ok(pb::RemoveBinaryDataFromDatasetByIDsResponse {})
}
