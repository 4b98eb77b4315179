//! Datasets, and which files are in them.

use tonic::{Code, Request, Status};
use viam_contract::Wire;
use viam_proto::app::data::v1 as data;
use viam_proto::app::data::v1::data_service_client::DataServiceClient;
use viam_proto::app::dataset::v1 as pb;
use viam_proto::app::dataset::v1::dataset_service_client::DatasetServiceClient;
use viam_proto::app::v1::ListOrganizationsRequest;
use viam_sandbox::seed::Seed;
use viam_sandbox::server::Running;

use crate::common::{SMALL, authenticate, create_key, demo, start, start_world, wire};

type Datasets = DatasetServiceClient<Wire>;
type Data = DataServiceClient<Wire>;

fn clients(running: &Running, email: &str) -> (Datasets, Data) {
    let token = running.login(email).expect("logged in").access_token;
    let wire = wire(running, Some(&token));
    (DatasetServiceClient::new(wire.clone()), DataServiceClient::new(wire))
}

async fn create(datasets: &mut Datasets, org: &str, name: &str) -> Result<String, Status> {
    let request = pb::CreateDatasetRequest {
        name: name.to_owned(),
        organization_id: org.to_owned(),
        ..Default::default()
    };
    Ok(datasets.create_dataset(request).await?.into_inner().id)
}

/// Names and ids of those of an organization.
async fn listed(datasets: &mut Datasets, organization: &str) -> Vec<(String, String)> {
    let request = pb::ListDatasetsByOrganizationIdRequest {
        organization_id: organization.to_owned(),
        ..Default::default()
    };
    let found = datasets.list_datasets_by_organization_id(request).await.expect("listed");
    found.into_inner().datasets.into_iter().map(|one| (one.name, one.id)).collect()
}

/// The ids, of the form of today, of the files in a dataset, or of all.
async fn files(client: &mut Data, dataset: &str) -> Vec<String> {
    let filter = data::Filter { dataset_id: dataset.to_owned(), ..Default::default() };
    let data_request = data::DataRequest { filter: Some(filter), ..Default::default() };
    let request =
        data::BinaryDataByFilterRequest { data_request: Some(data_request), ..Default::default() };
    let page = client.binary_data_by_filter(request).await.expect("a page").into_inner();
    let metadata = page.data.into_iter().filter_map(|file| file.metadata);
    metadata.map(|file| file.binary_data_id).collect()
}

#[tokio::test]
async fn a_dataset_is_made_renamed_merged_and_removed() {
    let running = start_world(SMALL);
    let (mut datasets, _) = clients(&running, "demo@example.com");
    let first = create(&mut datasets, "one", "first").await.expect("made");
    let again = create(&mut datasets, "one", "first").await.expect_err("taken");
    assert_eq!(again.code(), Code::AlreadyExists);
    let second = create(&mut datasets, "one", "second").await.expect("made");
    let rename = |id: &str, name: &str| {
        Request::new(pb::RenameDatasetRequest { id: id.to_owned(), name: name.to_owned() })
    };
    for (request, code) in [
        (rename(&first, "second"), Code::AlreadyExists),
        (rename(&first, " "), Code::InvalidArgument),
        (rename("no-such", "x"), Code::NotFound),
    ] {
        let refused = datasets.rename_dataset(request).await.expect_err("refused");
        assert_eq!(refused.code(), code);
    }
    datasets.rename_dataset(rename(&first, "first")).await.expect("its own name");
    datasets.rename_dataset(rename(&first, "renamed")).await.expect("renamed");
    let expected = [("renamed".to_owned(), first.clone()), ("second".to_owned(), second.clone())];
    assert_eq!(listed(&mut datasets, "one").await, expected);

    let ids = vec![second.clone(), "no-such".to_owned(), first.clone()];
    let request = pb::ListDatasetsByIDsRequest { ids };
    let found = datasets.list_datasets_by_i_ds(request).await.expect("listed").into_inner();
    let found: Vec<String> = found.datasets.into_iter().map(|one| one.id).collect();
    assert_eq!(found, [second.clone(), first.clone()]);

    let delete = pb::DeleteDatasetRequest { id: first.clone() };
    datasets.delete_dataset(delete.clone()).await.expect("removed");
    let gone = datasets.delete_dataset(delete).await.expect_err("gone");
    assert_eq!(gone.code(), Code::NotFound);
    let request = pb::MergeDatasetsRequest {
        dataset_ids: vec![second, first],
        name: "both".to_owned(),
        organization_id: "one".to_owned(),
    };
    let refused = datasets.merge_datasets(request).await.expect_err("one is gone");
    assert_eq!(refused.code(), Code::NotFound);
    assert_eq!(listed(&mut datasets, "one").await.len(), 1, "nothing was made");
}

#[tokio::test]
async fn files_are_put_in_and_taken_out_by_ids_of_both_kinds() {
    let running = start(Seed::Fleet);
    let (mut datasets, mut client) = clients(&running, "demo@example.com");
    let mut app = demo(&running);
    let orgs = app.list_organizations(ListOrganizationsRequest {}).await.expect("list");
    let org = orgs.into_inner().organizations.remove(0).id;
    let seeded = listed(&mut datasets, &org).await.remove(0);
    assert_eq!(seeded.0, "rover-pictures");
    let pictures = files(&mut client, &seeded.1).await;
    assert_eq!(pictures.len(), 4);

    let all = files(&mut client, "").await;
    let other = all.iter().find(|id| !pictures.contains(id)).expect("another file");
    let made = create(&mut datasets, &org, "mine").await.expect("made");
    let old = |id: &str| data::BinaryId {
        file_id: id.rsplit('/').next().expect("an id").to_owned(),
        ..Default::default()
    };
    let request = data::AddBinaryDataToDatasetByIDsRequest {
        binary_ids: vec![old(&pictures[0])],
        binary_data_ids: vec![other.clone(), pictures[0].clone()],
        dataset_id: made.clone(),
    };
    client.add_binary_data_to_dataset_by_i_ds(request.clone()).await.expect("added");
    assert_eq!(files(&mut client, &made).await.len(), 2);
    let unknown = data::AddBinaryDataToDatasetByIDsRequest {
        dataset_id: "no-such".to_owned(),
        ..request.clone()
    };
    let refused = client.add_binary_data_to_dataset_by_i_ds(unknown).await.expect_err("unknown");
    assert_eq!(refused.code(), Code::NotFound);

    let merge = pb::MergeDatasetsRequest {
        dataset_ids: vec![made.clone(), seeded.1],
        name: "both".to_owned(),
        organization_id: org.clone(),
    };
    let merged = datasets.merge_datasets(merge).await.expect("merged").into_inner().dataset_id;
    assert_eq!(files(&mut client, &merged).await.len(), 5);
    let request = data::RemoveBinaryDataFromDatasetByIDsRequest {
        binary_ids: vec![old(&pictures[0])],
        binary_data_ids: vec![other.clone()],
        dataset_id: merged.clone(),
    };
    client.remove_binary_data_from_dataset_by_i_ds(request).await.expect("removed");
    assert_eq!(files(&mut client, &merged).await.len(), 3);
    datasets.delete_dataset(pb::DeleteDatasetRequest { id: made }).await.expect("removed");
    assert_eq!(files(&mut client, "").await.len(), all.len(), "files stay");
}

#[tokio::test]
async fn others_neither_see_nor_change_a_dataset() {
    let running = start_world(SMALL);
    let (mut datasets, _) = clients(&running, "demo@example.com");
    let id = create(&mut datasets, "one", "first").await.expect("made");
    let (mut stranger, _) = clients(&running, "ann@example.com");
    stranger.delete_dataset(pb::DeleteDatasetRequest { id: id.clone() }).await.expect("a member");
    let id = create(&mut datasets, "one", "first").await.expect("made");
    // A key of one of the machines knows the name of the organization, and no more.
    let key = create_key(&mut demo(&running), "robot_owner", "m1", "one").await.expect("a key");
    let token = authenticate(&running, &key.id, "api-key", &key.key).await.expect("a token");
    let mut stranger = DatasetServiceClient::new(wire(&running, Some(&token)));
    let request = pb::ListDatasetsByIDsRequest { ids: vec![id.clone()] };
    let seen = stranger.list_datasets_by_i_ds(request).await.expect("listed").into_inner();
    assert!(seen.datasets.is_empty());
    let refused = stranger.delete_dataset(pb::DeleteDatasetRequest { id }).await;
    assert_eq!(refused.expect_err("refused").code(), Code::PermissionDenied);
    let refused = create(&mut stranger, "one", "x").await.expect_err("refused");
    assert_eq!(refused.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn datasets_of_sequences_are_not_served() {
    let running = start_world(SMALL);
    let (mut datasets, _) = clients(&running, "demo@example.com");
    let request = pb::StartSequenceDatasetExportRequest { dataset_id: "x".to_owned() };
    let refused = datasets.start_sequence_dataset_export(request).await.expect_err("refused");
    assert_eq!(refused.code(), Code::Unimplemented);
    assert!(refused.message().contains("StartSequenceDatasetExport"), "{refused}");
}
