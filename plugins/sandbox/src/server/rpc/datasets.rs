//! `viam.app.dataset.v1.DatasetService`: datasets of files. Those of sequences are not served.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use viam_proto::app::dataset::v1 as pb;
use viam_proto::app::dataset::v1::dataset_service_server::{DatasetService, DatasetServiceServer};

use super::access::{Level, missing};
use super::convert::timestamp;
use super::{Answer, Call, Refusal, answer};
use crate::server::state::Shared;
use crate::server::{names, secrets};
use crate::store::data::{Dataset, datasets};

struct Datasets {
    shared: Arc<Shared>,
}

pub(super) fn service(shared: Arc<Shared>) -> DatasetServiceServer<impl DatasetService> {
    DatasetServiceServer::new(Datasets { shared })
}

/// A method a line; the others keep the body that answers UNIMPLEMENTED.
macro_rules! methods {
    ($($method:ident($request:ident) -> $response:ident = $work:path;)*) => {
        #[tonic::async_trait]
        impl DatasetService for Datasets {
            $(async fn $method(
                &self,
                request: Request<pb::$request>,
            ) -> Result<Response<pb::$response>, Status> {
                answer(&self.shared, request, $work).await
            })*
        }
    };
}

methods! {
    create_dataset(CreateDatasetRequest) -> CreateDatasetResponse = create;
    delete_dataset(DeleteDatasetRequest) -> DeleteDatasetResponse = delete;
    rename_dataset(RenameDatasetRequest) -> RenameDatasetResponse = rename;
    list_datasets_by_organization_id(ListDatasetsByOrganizationIdRequest)
        -> ListDatasetsByOrganizationIdResponse = of_organization;
    list_datasets_by_i_ds(ListDatasetsByIDsRequest) -> ListDatasetsByIDsResponse = by_ids;
    merge_datasets(MergeDatasetsRequest) -> MergeDatasetsResponse = merge;
}

fn message(dataset: Dataset) -> pb::Dataset {
    pb::Dataset {
        id: dataset.id,
        name: dataset.name,
        organization_id: dataset.organization,
        time_created: Some(timestamp(dataset.created)),
        r#type: pb::DatasetType::BinaryData.into(),
    }
}

/// A dataset, if the caller's rights on its organization reach that far.
pub(super) fn dataset(call: &Call<'_>, id: &str, wanted: Level) -> Answer<Dataset> {
    let found = datasets::get(call.db, id)?.ok_or_else(|| missing("dataset", id))?;
    call.organization(&found.organization, wanted)?;
    Ok(found)
}

/// Refuses a name that another dataset of the organization has.
fn free(call: &Call<'_>, organization: &str, name: &str, id: &str) -> Answer<()> {
    names::check("dataset", name)?;
    let taken = datasets::named(call.db, organization, name)?.is_some_and(|other| other != id);
    if taken {
        let words = format!("organization {organization} has a dataset {name:?} already");
        return Err(Refusal(Status::already_exists(words)));
    }
    Ok(())
}

fn make(call: &Call<'_>, organization: String, name: String) -> Answer<Dataset> {
    call.organization(&organization, Level::Write)?;
    free(call, &organization, &name, "")?;
    let dataset = Dataset { id: secrets::id()?, name, organization, created: call.now };
    datasets::insert(call.db, &dataset)?;
    Ok(dataset)
}

fn create(call: &Call<'_>, request: pb::CreateDatasetRequest) -> Answer<pb::CreateDatasetResponse> {
    if request.r#type() == pb::DatasetType::SequenceData {
        let words = "the sandbox serves no datasets of sequences";
        return Err(Refusal(Status::failed_precondition(words)));
    }
    let made = make(call, request.organization_id, request.name)?;
    Ok(pb::CreateDatasetResponse { id: made.id })
}

fn delete(call: &Call<'_>, request: pb::DeleteDatasetRequest) -> Answer<pb::DeleteDatasetResponse> {
    let dataset = dataset(call, &request.id, Level::Write)?;
    datasets::delete(call.db, &dataset.id)?;
    Ok(pb::DeleteDatasetResponse {})
}

fn rename(call: &Call<'_>, request: pb::RenameDatasetRequest) -> Answer<pb::RenameDatasetResponse> {
    let dataset = dataset(call, &request.id, Level::Write)?;
    free(call, &dataset.organization, &request.name, &dataset.id)?;
    datasets::rename(call.db, &dataset.id, &request.name)?;
    Ok(pb::RenameDatasetResponse {})
}

fn of_organization(
    call: &Call<'_>,
    request: pb::ListDatasetsByOrganizationIdRequest,
) -> Answer<pb::ListDatasetsByOrganizationIdResponse> {
    call.organization(&request.organization_id, Level::Read)?;
    let found = match request.r#type() {
        pb::DatasetType::BinaryData => datasets::list(call.db, &request.organization_id)?,
        pb::DatasetType::SequenceData => Vec::new(),
    };
    let datasets = found.into_iter().map(message).collect();
    Ok(pb::ListDatasetsByOrganizationIdResponse { datasets })
}

/// Those that are there and that the caller may see.
fn by_ids(
    call: &Call<'_>,
    request: pb::ListDatasetsByIDsRequest,
) -> Answer<pb::ListDatasetsByIDsResponse> {
    let mut datasets = Vec::new();
    for id in &request.ids {
        if let Some(found) = datasets::get(call.db, id)?
            && call.organization_level(&found.organization)? >= Level::Read
        {
            datasets.push(message(found));
        }
    }
    Ok(pb::ListDatasetsByIDsResponse { datasets })
}

/// Makes one that holds what several hold.
fn merge(call: &Call<'_>, request: pb::MergeDatasetsRequest) -> Answer<pb::MergeDatasetsResponse> {
    if request.dataset_ids.is_empty() {
        return Err(Refusal(Status::invalid_argument("no dataset is named")));
    }
    let made = make(call, request.organization_id, request.name)?;
    for id in &request.dataset_ids {
        let from = dataset(call, id, Level::Read)?;
        if from.organization != made.organization {
            let words = format!("dataset {id} is of another organization");
            return Err(Refusal(Status::invalid_argument(words)));
        }
        datasets::merge(call.db, &from.id, &made.id)?;
    }
    Ok(pb::MergeDatasetsResponse { dataset_id: made.id })
}
