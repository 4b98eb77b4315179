//! Keys for tokens, tokens on calls.

use std::time::Duration;

use http::Request;
use tonic::Code;
use viam_proto::app::v1::ListOrganizationsRequest;
use viam_proto::rpc::v1::AuthenticateRequest;
use viam_proto::rpc::v1::auth_service_client::AuthServiceClient;
use viam_sandbox::seed::Seed;

use crate::common::{
    App, SMALL, authenticate, create_key, demo, get, json, send, start, start_world, wire, with_key,
};

#[tokio::test]
async fn authenticate_says_what_is_wrong() {
    let running = start_world(SMALL);
    let key = create_key(&mut demo(&running), "organization_owner", "one", "").await.expect("key");
    assert!(uuid::Uuid::parse_str(&key.id).is_ok(), "{}", key.id);
    authenticate(&running, &key.id, "api-key", &key.key).await.expect("the key is good");

    let table = [
        (key.id.as_str(), "api-key", "wrong", Code::Unauthenticated, "invalid credentials"),
        ("nobody", "api-key", key.key.as_str(), Code::Unauthenticated, "invalid credentials"),
        (
            key.id.as_str(),
            "x",
            key.key.as_str(),
            Code::InvalidArgument,
            "do not know how to handle credential type \"x\"",
        ),
    ];
    for (id, kind, secret, code, words) in table {
        let status = authenticate(&running, id, kind, secret).await.expect_err(words);
        assert_eq!((status.code(), status.message()), (code, words));
    }
    let mut bare = AuthServiceClient::new(wire(&running, None));
    let request = AuthenticateRequest { entity: key.id.clone(), credentials: None };
    let status = bare.authenticate(request.clone()).await.expect_err("no credentials");
    assert_eq!((status.code(), status.message()), (Code::InvalidArgument, "credentials required"));

    let login = running.login("demo@example.com").expect("login");
    let mut twice = AuthServiceClient::new(wire(&running, Some(&login.access_token)));
    let status = twice.authenticate(request).await.expect_err("twice");
    let words = "already authenticated; cannot re-authenticate";
    assert_eq!((status.code(), status.message()), (Code::InvalidArgument, words));
}

/// The status of a call with these `authorization` values, over gRPC-web so that a test sees it.
async fn refused(running: &viam_sandbox::server::Running, values: &[&str]) -> (String, String) {
    let url = format!("{}/viam.app.v1.AppService/ListOrganizations", running.base_url());
    let mut request = Request::post(url).header("content-type", "application/grpc-web+proto");
    for value in values {
        request = request.header("authorization", *value);
    }
    let answer = send(running, request, "\0\0\0\0\0").await;
    let header = |name: &str| {
        let value = answer.headers.get(name).map(|value| value.to_str().expect("text"));
        value.unwrap_or_default().to_owned()
    };
    (header("grpc-status"), header("grpc-message").replace("%20", " "))
}

#[tokio::test]
async fn every_call_needs_exactly_one_good_token() {
    let running = start(Seed::Fleet);
    let login = running.login("demo@example.com").expect("login");
    let good = format!("Bearer {}", login.access_token);
    let prefix = "expected authorization header with prefix: Bearer ";
    assert_eq!(refused(&running, &[]).await, ("16".into(), "authentication required".into()));
    for wrong in [good.replace("Bearer", "bearer"), login.access_token.clone()] {
        let (code, words) = refused(&running, &[&wrong]).await;
        assert_eq!((code.as_str(), words.trim_end()), ("16", prefix.trim_end()));
    }
    assert_eq!(refused(&running, &[&good, &good]).await.0, "16");
    assert_eq!(refused(&running, &["Bearer x.y.z"]).await.1, "invalid token");
    // An id token says who it is, and opens nothing.
    let id_token = format!("Bearer {}", login.id_token);
    assert_eq!(refused(&running, &[&id_token]).await.1, "invalid token");
    running.clock().advance(Duration::from_secs(24 * 3600));
    assert_eq!(refused(&running, &[&good]).await.1, "token expired");
}

#[tokio::test]
async fn a_key_that_was_rotated_or_deleted_opens_nothing() {
    let running = start_world(SMALL);
    let mut owner = demo(&running);
    let key = create_key(&mut owner, "organization_owner", "one", "").await.expect("key");
    let mut app = with_key(&running, &key).await;
    let list = |mut app: App| async move {
        app.list_organizations(ListOrganizationsRequest {}).await.map(drop)
    };
    list(app.clone()).await.expect("good");

    let request = viam_proto::app::v1::RotateKeyRequest { id: key.id.clone() };
    let rotated = app.rotate_key(request).await.expect("rotated").into_inner();
    assert_eq!(rotated.id, key.id);
    assert_ne!(rotated.key, key.key);
    assert_eq!(list(app).await.expect_err("rotated").code(), Code::Unauthenticated);
    authenticate(&running, &key.id, "api-key", &key.key).await.expect_err("the old secret");
    authenticate(&running, &key.id, "api-key", &rotated.key).await.expect("the new one");

    let request = viam_proto::app::v1::DeleteKeyRequest { id: key.id.clone() };
    owner.delete_key(request).await.expect("deleted");
    authenticate(&running, &key.id, "api-key", &rotated.key).await.expect_err("deleted");
}

#[tokio::test]
async fn user_info_knows_its_user() {
    let running = start(Seed::Fleet);
    let login = running.login("demo@example.com").expect("login");
    let request = Request::get(format!("{}/oauth/userinfo", running.base_url()))
        .header("authorization", format!("Bearer {}", login.access_token));
    let answer = json(&send(&running, request, "").await);
    assert_eq!((&answer["email"], &answer["sub"]), (&"demo@example.com".into(), &login.sub.into()));
    assert_eq!(get(&running, "/oauth/userinfo").await.status.as_u16(), 401);
}
