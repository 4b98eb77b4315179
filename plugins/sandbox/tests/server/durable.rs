//! What outlives the process, and sandboxes side by side.

use std::path::Path;

use tonic::Code;
use viam_contract::Kind;
use viam_proto::app::v1::app_service_client::AppServiceClient;
use viam_proto::app::v1::{CreateOrganizationRequest, ListOrganizationsRequest, NewRobotRequest};
use viam_sandbox::seed::Seed;
use viam_sandbox::server::{Options, Running, STATE_FILE, Server, StateFile};

use crate::common::{App, authenticate, create_key, demo, json, post, start, wire, with_key};

fn in_dir(dir: &Path) -> Running {
    Server::start(Options { dir: Some(dir.to_owned()), ..Options::default() }).expect("started")
}

async fn names(app: &mut App) -> Vec<String> {
    let answer = app.list_organizations(ListOrganizationsRequest {}).await.expect("list");
    answer.into_inner().organizations.into_iter().map(|org| org.name).collect()
}

#[tokio::test]
async fn data_tokens_keys_and_the_port_outlive_a_restart() {
    let dir = tempfile::tempdir().expect("dir");
    let running = in_dir(dir.path());
    let login = running.login("demo@example.com").expect("login");
    let mut app = demo(&running);
    let request = CreateOrganizationRequest { name: "Mine".to_owned() };
    app.create_organization(request).await.expect("created");
    let all = names(&mut app).await;
    let org = app.list_organizations(ListOrganizationsRequest {}).await.expect("list");
    let org = org.into_inner().organizations.remove(0).id;
    let key = create_key(&mut app, "organization_owner", &org, "").await.expect("key");
    let token = authenticate(&running, &key.id, "api-key", &key.key).await.expect("token");
    let port = running.port();
    let certificate = running.certificate_pem().to_owned();
    running.stop();

    let running = in_dir(dir.path());
    assert_eq!(running.port(), port);
    assert_eq!(running.certificate_pem(), certificate);
    for token in [&token, &login.access_token] {
        let mut app = AppServiceClient::new(wire(&running, Some(token)));
        app.list_organizations(ListOrganizationsRequest {}).await.expect("still good");
    }
    assert_eq!(names(&mut demo(&running)).await, all);
    with_key(&running, &key).await;
    let fields = [
        ("client_id", login.client_id.as_str()),
        ("grant_type", "refresh_token"),
        ("refresh_token", login.refresh_token.as_str()),
    ];
    let tokens = json(&post(&running, "/oauth/token", &fields).await);
    assert!(tokens["access_token"].is_string(), "{tokens}");
}

#[tokio::test]
async fn data_outlives_a_process_that_was_killed() {
    let dir = tempfile::tempdir().expect("dir");
    let running = in_dir(dir.path());
    let login = running.login("demo@example.com").expect("login");
    let request = CreateOrganizationRequest { name: "Mine".to_owned() };
    demo(&running).create_organization(request).await.expect("created");
    // What lies on the disk in this moment is what a killed process leaves behind.
    let left = tempfile::tempdir().expect("dir");
    for entry in std::fs::read_dir(dir.path()).expect("directory") {
        let entry = entry.expect("entry");
        let is_file = entry.file_type().expect("a type").is_file();
        if is_file && entry.file_name() != "sandbox.lock" {
            std::fs::copy(entry.path(), left.path().join(entry.file_name())).expect("copied");
        }
    }
    assert!(left.path().join(STATE_FILE).exists());
    let again = in_dir(left.path());
    assert_ne!(again.port(), running.port());
    let mut app = AppServiceClient::new(wire(&again, Some(&login.access_token)));
    assert_eq!(names(&mut app).await.last().map(String::as_str), Some("Mine"));
}

#[tokio::test]
async fn the_state_file_says_who_runs_and_is_private() {
    let dir = tempfile::tempdir().expect("dir");
    let running = in_dir(dir.path());
    let file = dir.path().join(STATE_FILE);
    let state: StateFile =
        serde_json::from_slice(&std::fs::read(&file).expect("file")).expect("JSON");
    assert_eq!((state.pid, state.port), (std::process::id(), running.port()));
    assert_eq!(state.base_url, running.base_url());
    #[cfg(unix)]
    for name in [STATE_FILE, "key.pem", "sandbox.db", "sandbox.db-wal"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = dir.path().join(name).metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
    let options = Options { dir: Some(dir.path().to_owned()), ..Options::default() };
    let error = Server::start(options).expect_err("one runs already");
    assert_eq!(error.kind(), Kind::User);
    running.stop();
    assert!(!file.exists());
}

#[tokio::test]
async fn two_side_by_side_know_nothing_of_each_other() {
    let (one, other) = (start(Seed::Fleet), start(Seed::Fleet));
    assert_ne!(one.port(), other.port());
    let request = CreateOrganizationRequest { name: "Mine".to_owned() };
    demo(&one).create_organization(request).await.expect("created");
    assert_eq!(names(&mut demo(&one)).await.len(), 4);
    assert_eq!(names(&mut demo(&other)).await.len(), 3);
    let login = one.login("demo@example.com").expect("login");
    let mut stranger = AppServiceClient::new(wire(&other, Some(&login.access_token)));
    let status = stranger.list_organizations(ListOrganizationsRequest {}).await;
    assert_eq!(status.expect_err("of the other one").code(), Code::Unauthenticated);
}

#[tokio::test]
async fn data_in_memory_is_gone() {
    let dir = tempfile::tempdir().expect("dir");
    let options =
        || Options { dir: Some(dir.path().to_owned()), in_memory: true, ..Options::default() };
    let running = Server::start(options()).expect("started");
    let request = CreateOrganizationRequest { name: "Mine".to_owned() };
    demo(&running).create_organization(request).await.expect("created");
    running.stop();
    let running = Server::start(options()).expect("started");
    assert_eq!(names(&mut demo(&running)).await.len(), 3);
}

#[tokio::test]
async fn a_reset_makes_the_world_anew_and_logins_stay_good() {
    let running = start(Seed::Fleet);
    let mut app = demo(&running);
    let before = names(&mut app).await;
    let request = CreateOrganizationRequest { name: "Mine".to_owned() };
    app.create_organization(request).await.expect("created");
    running.reset(None).expect("reset");
    assert_eq!(names(&mut app).await, before);
    running.reset(Some(Seed::Empty)).expect("reset");
    assert_eq!(names(&mut app).await, ["Empty"]);
    running.reset(None).expect("the same once more");
    assert_eq!(names(&mut app).await, ["Empty"]);
    let request = NewRobotRequest { name: "x".to_owned(), location: "y".to_owned() };
    assert_eq!(app.new_robot(request).await.expect_err("no location").code(), Code::NotFound);
}
