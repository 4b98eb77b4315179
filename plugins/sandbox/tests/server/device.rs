//! The login provider: discovery, the device flow, refresh.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Request;
use serde_json::Value;
use tonic::Code;
use viam_proto::app::v1::ListOrganizationsRequest;
use viam_proto::app::v1::app_service_client::AppServiceClient;
use viam_sandbox::seed::Seed;
use viam_sandbox::server::Running;

use crate::common::{admin, get, json, post, send, start, text, wire};

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn ask(running: &Running) -> Value {
    let fields =
        [("client_id", "cli"), ("scope", "email openid offline_access"), ("audience", "x")];
    json(&post(running, "/oauth/device_authorization", &fields).await)
}

async fn poll(running: &Running, device: &Value) -> Value {
    let code = device["device_code"].as_str().expect("code");
    let fields = [("client_id", "cli"), ("device_code", code), ("grant_type", DEVICE_GRANT)];
    json(&post(running, "/oauth/token", &fields).await)
}

async fn refresh(running: &Running, tokens: &Value, client: &str) -> Value {
    let token = tokens["refresh_token"].as_str().expect("refresh token");
    let fields = [("client_id", client), ("grant_type", "refresh_token"), ("refresh_token", token)];
    json(&post(running, "/oauth/token", &fields).await)
}

fn wait(running: &Running, seconds: u64) {
    running.clock().advance(Duration::from_secs(seconds));
}

#[tokio::test]
async fn discovery_names_this_very_address() {
    let running = start(Seed::Fleet);
    let found = json(&get(&running, "/.well-known/openid-configuration").await);
    let base = running.base_url();
    assert_eq!(found["issuer"], base);
    assert_eq!(found["token_endpoint"], format!("{base}/oauth/token"));
    // Whoever calls it by another name is answered with that one.
    let other = base.replace("127.0.0.1", "localhost");
    let request = Request::get(format!("{other}/.well-known/openid-configuration"));
    assert_eq!(json(&send(&running, request, "").await)["issuer"], other);
    let keys = json(&get(&running, "/oauth/keys").await);
    assert_eq!(keys["keys"][0]["crv"], "Ed25519");
}

#[tokio::test]
async fn a_device_waits_for_the_user() {
    let running = start(Seed::Fleet);
    let device = ask(&running).await;
    let code = device["user_code"].as_str().expect("code");
    assert_eq!((&device["interval"], &device["expires_in"]), (&5.into(), &600.into()));
    let page = format!("{}/device", running.base_url());
    assert_eq!(device["verification_uri"], page);
    assert_eq!(device["verification_uri_complete"], format!("{page}?user_code={code}"));

    assert_eq!(poll(&running, &device).await["error"], "authorization_pending");
    // Too soon: from now on it is ten seconds, and then fifteen.
    assert_eq!(poll(&running, &device).await["error"], "slow_down");
    wait(&running, 5);
    assert_eq!(poll(&running, &device).await["error"], "slow_down");
    wait(&running, 15);
    assert_eq!(poll(&running, &device).await["error"], "authorization_pending");
    assert!(running.decide(&code.to_lowercase().replace('-', ""), true).expect("decided"));
    let tokens = poll(&running, &device).await;
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&"Bearer".into(), &86400.into()));

    let id_token = tokens["id_token"].as_str().expect("id token");
    let claims = id_token.split('.').nth(1).expect("claims");
    let claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect("base64")).expect("JSON");
    assert_eq!((&claims["email"], &claims["aud"]), (&"demo@example.com".into(), &"cli".into()));
    assert!(!claims["sub"].as_str().expect("sub").is_empty());
    let access = tokens["access_token"].as_str().expect("access token");
    let mut app = AppServiceClient::new(wire(&running, Some(access)));
    app.list_organizations(ListOrganizationsRequest {}).await.expect("logged in");
    let mut app = AppServiceClient::new(wire(&running, Some(id_token)));
    let status = app.list_organizations(ListOrganizationsRequest {}).await.expect_err("id token");
    assert_eq!(status.code(), Code::Unauthenticated);
    // A code is good once.
    assert_eq!(poll(&running, &device).await["error"], "invalid_grant");
}

#[tokio::test]
async fn denied_expired_and_unknown() {
    let running = start(Seed::Fleet);
    let denied = ask(&running).await;
    let code = denied["user_code"].as_str().expect("code");
    assert!(running.decide(code, false).expect("decided"));
    assert!(!running.decide(code, true).expect("decided before"));
    assert_eq!(poll(&running, &denied).await["error"], "access_denied");

    let late = ask(&running).await;
    wait(&running, 600);
    assert!(!running.decide(late["user_code"].as_str().expect("code"), true).expect("too late"));
    assert_eq!(poll(&running, &late).await["error"], "expired_token");

    let mut other = ask(&running).await;
    other["device_code"] = "x".into();
    assert_eq!(poll(&running, &other).await["error"], "invalid_grant");
    for (fields, error) in
        [(vec![], "invalid_request"), (vec![("grant_type", "password")], "unsupported_grant_type")]
    {
        let answer = post(&running, "/oauth/token", &fields).await;
        assert_eq!(answer.status.as_u16(), 400);
        assert_eq!(json(&answer)["error"], error);
    }
    let answer = post(&running, "/oauth/device_authorization", &[]).await;
    assert_eq!(json(&answer)["error"], "invalid_request");
}

#[tokio::test]
async fn a_refresh_token_is_good_once() {
    let running = start(Seed::Fleet);
    let device = ask(&running).await;
    assert!(running.decide(device["user_code"].as_str().expect("code"), true).expect("yes"));
    let first = poll(&running, &device).await;
    assert_eq!(refresh(&running, &first, "other").await["error"], "invalid_grant");
    let second = refresh(&running, &first, "cli").await;
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    for kind in ["access_token", "id_token"] {
        assert!(second[kind].is_string(), "{second}");
    }
    assert_eq!(refresh(&running, &first, "cli").await["error"], "invalid_grant");
    assert!(refresh(&running, &second, "cli").await["refresh_token"].is_string());
}

#[tokio::test]
async fn the_page_asks_and_takes_the_decision() {
    let running = start(Seed::Fleet);
    let device = ask(&running).await;
    let code = device["user_code"].as_str().expect("code");
    let page = get(&running, &format!("/device?user_code={code}")).await;
    let html = text(&page);
    assert!(html.contains(code) && html.contains("demo@example.com") && html.contains("Deny"));
    assert!(page.headers["content-security-policy"].to_str().expect("text").contains("'none'"));
    // Looking decides nothing.
    assert_eq!(poll(&running, &device).await["error"], "authorization_pending");

    let own = running.base_url().to_owned();
    let decide = |origin: String| {
        let url = format!("{own}/device");
        let request = Request::post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", origin);
        let body = format!("user_code={code}&decision=approve");
        let running = &running;
        async move { send(running, request, &body).await }
    };
    assert_eq!(decide("http://evil.example".to_owned()).await.status.as_u16(), 403);
    let done = decide(own.clone()).await;
    assert!(text(&done).contains("Approved"), "{done:?}");
    assert!(poll(&running, &device).await["access_token"].is_string());
    assert_eq!(get(&running, &format!("/device?user_code={code}")).await.status.as_u16(), 404);
    let strange = text(&get(&running, "/device?user_code=%3Cb%3E%22x").await);
    assert!(!strange.contains("<b>\"") && strange.contains("Unknown code"), "{strange}");
}

#[tokio::test]
async fn the_admin_interface_decides_too() {
    let running = start(Seed::Fleet);
    let device = ask(&running).await;
    let body = format!("{{\"user_code\": {}, \"deny\": true}}", device["user_code"]);
    assert_eq!(admin(&running, "approve", Some(&body)).await.0, 200);
    assert_eq!(admin(&running, "approve", Some(&body)).await.0, 409);
    let unknown = "{\"user_code\": \"WDJB-MJHT\"}";
    assert_eq!(admin(&running, "approve", Some(unknown)).await.0, 404);
    assert_eq!(poll(&running, &device).await["error"], "access_denied");
}
