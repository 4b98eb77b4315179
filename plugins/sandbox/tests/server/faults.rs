//! Faults on request, and what was asked.

use std::time::Duration;

use tonic::Code;
use viam_proto::app::v1::ListOrganizationsRequest;
use viam_sandbox::seed::Seed;
use viam_sandbox::server::FaultRule;

use crate::common::{admin, demo, get, json, post, start};

const LIST: &str = "/viam.app.v1.AppService/ListOrganizations";

#[tokio::test]
async fn a_status_is_answered_as_often_as_asked_for() {
    let running = start(Seed::Fleet);
    let mut app = demo(&running);
    let rules = format!(
        r#"[{{"path": "{LIST}", "times": 2, "status": {{"code": 14, "message": "100% away"}}}},
            {{"path": "/viam.app.v1.AppService/*", "status": {{"code": 16}}}}]"#
    );
    assert_eq!(admin(&running, "faults", Some(&rules)).await.0, 200);
    for code in [Code::Unavailable, Code::Unavailable, Code::Unauthenticated] {
        let status = app.list_organizations(ListOrganizationsRequest {}).await.expect_err("fault");
        assert_eq!(status.code(), code);
        assert!(code != Code::Unavailable || status.message() == "100% away", "{status}");
    }
    app.list_organizations(ListOrganizationsRequest {}).await.expect("used up");
    assert_eq!(admin(&running, "faults", None).await.1, serde_json::json!([]));
}

#[tokio::test]
async fn rules_with_unknown_keys_are_refused() {
    let running = start(Seed::Fleet);
    let (code, answer) =
        admin(&running, "faults", Some(r#"[{"path": "/x", "dealy_ms": 1}]"#)).await;
    assert_eq!(code, 400);
    assert!(answer["error"].as_str().expect("words").contains("dealy_ms"), "{answer}");
}

#[tokio::test]
async fn http_statuses_oauth_errors_and_cuts() {
    let running = start(Seed::Fleet);
    let discovery = "/.well-known/openid-configuration";
    running.set_faults(vec![
        FaultRule { http_status: Some(503), ..FaultRule::on(discovery) },
        FaultRule { oauth_error: Some("slow_down".to_owned()), ..FaultRule::on("/oauth/token") },
        FaultRule { http_status: Some(500), ..FaultRule::on(LIST) },
        FaultRule { cut: true, ..FaultRule::on(LIST) },
    ]);
    assert_eq!(get(&running, discovery).await.status.as_u16(), 503);
    let answer = post(&running, "/oauth/token", &[]).await;
    assert_eq!((answer.status.as_u16(), &json(&answer)["error"]), (400, &"slow_down".into()));
    let mut app = demo(&running);
    for _ in 0..2 {
        app.list_organizations(ListOrganizationsRequest {}).await.expect_err("a fault");
    }
    app.list_organizations(ListOrganizationsRequest {}).await.expect("used up");
}

#[tokio::test]
async fn requests_are_counted_and_so_is_how_many_were_at_once() {
    let running = start(Seed::Fleet);
    let delay = FaultRule { times: 4, delay_ms: Some(300), ..FaultRule::on(LIST) };
    running.set_faults(vec![delay]);
    let app = demo(&running);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let mut app = app.clone();
        calls.spawn(async move { app.list_organizations(ListOrganizationsRequest {}).await });
    }
    while let Some(done) = calls.join_next().await {
        done.expect("joined").expect("delayed only");
    }
    let seen = running.requests();
    assert_eq!((seen.of(LIST), seen.highest_under_way), (4, 4));
    get(&running, "/no/such/page").await;
    let (_, requests) = admin(&running, "requests", None).await;
    assert_eq!(requests["counts"], serde_json::json!({ LIST: 4, "/no/such/page": 1 }));
    admin(&running, "requests/clear", Some("")).await;
    assert_eq!(running.requests().of(LIST), 0);
}

#[tokio::test]
async fn the_admin_interface_wants_its_token() {
    let running = start(Seed::Fleet);
    for path in ["status", "requests", "faults"] {
        assert_eq!(get(&running, &format!("/sandbox/{path}")).await.status.as_u16(), 403, "{path}");
    }
    for path in ["reset", "stop", "approve", "clock", "login"] {
        let answer = post(&running, &format!("/sandbox/{path}"), &[]).await;
        assert_eq!(answer.status.as_u16(), 403, "{path}");
    }
    let (_, status) = admin(&running, "status", None).await;
    assert_eq!(
        (&status["seed"], &status["base_url"]),
        (&"fleet".into(), &running.base_url().into())
    );
}

#[tokio::test]
async fn the_clock_and_the_end_are_to_be_had_over_http() {
    let mut running = start(Seed::Fleet);
    let before = running.clock().micros();
    admin(&running, "clock", Some(r#"{"advance_secs": 60}"#)).await;
    assert_eq!(running.clock().micros() - before, 60_000_000);
    let (_, login) = admin(&running, "login", Some("")).await;
    assert_eq!(login["email"], "demo@example.com");
    assert_eq!(admin(&running, "stop", Some("")).await.0, 200);
    tokio::time::timeout(Duration::from_secs(10), running.ended()).await.expect("ended");
}
