//! The database of an organization's readings: its user, its indexes, and queries.

use bson::{Bson, Document, doc};
use tonic::{Code, Status};
use viam_contract::Wire;
use viam_proto::app::data::v1 as pb;
use viam_proto::app::data::v1::data_service_client::DataServiceClient;
use viam_proto::app::v1::ListOrganizationsRequest;
use viam_sandbox::seed::{Amount, Seed};
use viam_sandbox::server::Running;

use crate::common::{SMALL, authenticate, create_key, demo, start, start_world, wire};

type Data = DataServiceClient<Wire>;

fn data(running: &Running) -> Data {
    let token = running.login("demo@example.com").expect("logged in").access_token;
    DataServiceClient::new(wire(running, Some(&token)))
}

async fn organization(running: &Running) -> String {
    let answer = demo(running).list_organizations(ListOrganizationsRequest {}).await;
    answer.expect("list").into_inner().organizations.remove(0).id
}

async fn sql(data: &mut Data, organization: &str, query: &str) -> Result<Vec<Document>, Status> {
    let request = pb::TabularDataBySqlRequest {
        organization_id: organization.to_owned(),
        sql_query: query.to_owned(),
    };
    let rows = data.tabular_data_by_sql(request).await?.into_inner().raw_data;
    Ok(rows.iter().map(|row| Document::from_reader(&row[..]).expect("BSON")).collect())
}

async fn mql(
    data: &mut Data,
    organization: &str,
    stages: &[Document],
) -> Result<Vec<Document>, Status> {
    let bytes = |stage: &Document| stage.to_vec().expect("bytes").into();
    let request = pb::TabularDataByMqlRequest {
        organization_id: organization.to_owned(),
        mql_binary: stages.iter().map(bytes).collect(),
        ..Default::default()
    };
    let rows = data.tabular_data_by_mql(request).await?.into_inner().raw_data;
    Ok(rows.iter().map(|row| Document::from_reader(&row[..]).expect("BSON")).collect())
}

#[tokio::test]
async fn readings_are_asked_for_in_both_languages() {
    let running = start(Seed::Data(Amount { files: 0, bytes: 0, rows: 2500 }));
    let mut data = data(&running);
    let org = organization(&running).await;
    let query = "SELECT robot_name, data, time_requested FROM readings
                 WHERE data ->> '$.readings.count' = 7";
    let rows = sql(&mut data, &org, query).await.expect("rows");
    let match_7 = doc! { "$match": { "data.readings.count": 7 } };
    let fields = doc! { "$project": { "robot_name": 1, "data": 1, "time_requested": 1 } };
    let stages = [match_7, fields];
    assert_eq!(mql(&mut data, &org, &stages).await.expect("rows"), rows);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get_str("robot_name").ok(), Some("store"));
    let readings = rows[0].get_document("data").expect("data").get_document("readings");
    assert_eq!(readings.expect("readings").get("count"), Some(&Bson::Int64(7)));
    assert!(rows[0].get_datetime("time_requested").is_ok());

    let all = sql(&mut data, &org, "SELECT count(*) AS n FROM readings").await.expect("rows");
    assert_eq!(all, [doc! { "n": 2500_i64 }]);
    let counted = mql(&mut data, &org, &[doc! { "$count": "n" }]).await.expect("rows");
    assert_eq!(counted, all);
    for (query, words) in [
        ("SELEC 1", "syntax error"),
        ("DELETE FROM readings", "one SELECT"),
        ("SELECT secret FROM keys", "no such table"),
    ] {
        let refused = sql(&mut data, &org, query).await.expect_err(query);
        assert_eq!(refused.code(), Code::InvalidArgument, "{query}");
        assert!(refused.message().contains(words), "{query}: {refused}");
    }
    let refused = mql(&mut data, &org, &[doc! { "$out": "x" }]).await.expect_err("refused");
    assert_eq!(refused.code(), Code::Unimplemented);
    assert!(refused.message().contains("$out"), "{refused}");
}

#[tokio::test]
async fn a_query_sees_what_its_caller_may_see() {
    let running = start(Seed::Fleet);
    let mut owner = data(&running);
    let org = organization(&running).await;
    let count = "SELECT count(*) AS n, count(DISTINCT robot_name) AS robots FROM readings";
    let seen = sql(&mut owner, &org, count).await.expect("rows");
    assert_eq!(seen, [doc! { "n": 48_i64, "robots": 1_i64 }], "not those of other organizations");
    let ids = sql(&mut owner, &org, "SELECT DISTINCT robot_id AS id FROM readings").await;
    let robot = ids.expect("rows")[0].get_str("id").expect("an id").to_owned();
    for (role, id, expected) in
        [("robot_owner", robot.as_str(), 48_i64), ("organization_operator", org.as_str(), 48)]
    {
        let key = create_key(&mut demo(&running), role, id, &org).await.expect("a key");
        let token = authenticate(&running, &key.id, "api-key", &key.key).await.expect("a token");
        let mut data = DataServiceClient::new(wire(&running, Some(&token)));
        let seen = sql(&mut data, &org, count).await.expect("rows");
        assert_eq!(seen[0].get_i64("n").ok(), Some(expected), "{role}");
    }
    let refused = sql(&mut owner, "no-such", count).await.expect_err("unknown");
    assert_eq!(refused.code(), Code::NotFound);
}

#[tokio::test]
async fn a_database_is_there_once_it_has_a_user() {
    let running = start_world(SMALL);
    let mut data = data(&running);
    let wanted = pb::GetDatabaseConnectionRequest { organization_id: "one".to_owned() };
    let refused = data.get_database_connection(wanted.clone()).await.expect_err("no user");
    assert_eq!(refused.code(), Code::NotFound);
    assert!(refused.message().contains("NotFound"), "{refused}");
    let user = |organization: &str, password: &str| pb::ConfigureDatabaseUserRequest {
        organization_id: organization.to_owned(),
        password: password.to_owned(),
    };
    for (organization, password, code) in [
        ("one", "", Code::InvalidArgument),
        ("two", "x", Code::PermissionDenied),
        ("no-such", "x", Code::NotFound),
    ] {
        let refused = data.configure_database_user(user(organization, password)).await;
        assert_eq!(refused.expect_err("refused").code(), code, "{organization}");
    }
    for password in ["Secret-1", "Secret-2"] {
        data.configure_database_user(user("one", password)).await.expect("set up");
    }
    let found = data.get_database_connection(wanted).await.expect("there").into_inner();
    assert_eq!(found.hostname, "data-federation-one.sandbox.invalid");
    assert!(found.mongodb_uri.contains(&found.hostname) && found.has_database_user);
}

#[tokio::test]
async fn indexes_are_kept_by_collection_and_name() {
    let running = start_world(SMALL);
    let mut data = data(&running);
    let hot = pb::IndexableCollection::HotStore;
    let create = |keys: Document, pipeline: Option<&str>| pb::CreateIndexRequest {
        organization_id: "one".to_owned(),
        collection_type: match pipeline {
            Some(_) => pb::IndexableCollection::PipelineSink.into(),
            None => hot.into(),
        },
        pipeline_name: pipeline.map(str::to_owned),
        index_spec: vec![keys.to_vec().expect("bytes").into()],
    };
    let first = create(doc! { "keys": { "robot_id": 1, "time_requested": -1 } }, None);
    for request in [
        first.clone(),
        first.clone(),
        create(doc! { "tags": 1 }, None),
        create(doc! { "a": 1 }, Some("p")),
    ] {
        data.create_index(request).await.expect("made");
    }
    let list = pb::ListIndexesRequest {
        organization_id: "one".to_owned(),
        collection_type: hot.into(),
        pipeline_name: None,
    };
    let found = data.list_indexes(list.clone()).await.expect("listed").into_inner().indexes;
    let names: Vec<&str> = found.iter().map(|index| index.index_name.as_str()).collect();
    assert_eq!(names, ["robot_id_1_time_requested_-1", "tags_1"]);
    assert_eq!(found[0].index_spec, first.index_spec);
    let delete = |name: &str| pb::DeleteIndexRequest {
        organization_id: "one".to_owned(),
        collection_type: hot.into(),
        pipeline_name: None,
        index_name: name.to_owned(),
    };
    data.delete_index(delete("tags_1")).await.expect("removed");
    let gone = data.delete_index(delete("tags_1")).await.expect_err("gone");
    assert_eq!(gone.code(), Code::NotFound);
    let other = create(doc! { "b": 1, "keys": { "robot_id": 1, "time_requested": -1 } }, None);
    let taken = data.create_index(other).await.expect_err("another spec");
    assert_eq!(taken.code(), Code::AlreadyExists);
    let nowhere = pb::ListIndexesRequest { collection_type: 0, ..list };
    let refused = data.list_indexes(nowhere).await.expect_err("no collection");
    assert_eq!(refused.code(), Code::InvalidArgument);
}
