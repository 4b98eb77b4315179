//! The logs of parts: in pages, filtered, and as they come; changes and restarts of parts.

use std::time::Duration;

use tonic::{Code, Request, Status, Streaming};
use viam_proto::app::v1 as pb;
use viam_proto::app::v1::app_service_client::AppServiceClient;
use viam_proto::common::v1::LogEntry;
use viam_sandbox::seed::{DEMO_USER, LogSpec, Seed};
use viam_sandbox::server::{FaultRule, Running};

use crate::common::{
    App, SMALL, admin, authenticate, create_key, demo, start, start_world, user, with_key,
};

const TAIL: &str = "/viam.app.v1.AppService/TailRobotPartLogs";

/// The clock of [`start`] stands still at this second.
const NOW: i64 = 1_760_000_000;

async fn parts(app: &mut App, robot: &str) -> Vec<pb::RobotPart> {
    let request = pb::GetRobotPartsRequest { robot_id: robot.to_owned() };
    app.get_robot_parts(request).await.expect("parts").into_inner().parts
}

/// The id of the main part of a machine.
async fn part(app: &mut App, robot: &str) -> String {
    parts(app, robot).await.remove(0).id
}

/// The machines that the demo user sees.
async fn robots(app: &mut App) -> Vec<pb::Robot> {
    let organizations = app.list_organizations(pb::ListOrganizationsRequest {}).await;
    let mut robots = Vec::new();
    for org in organizations.expect("list").into_inner().organizations {
        let request = pb::ListRobotsForOrgRequest { org_id: org.id };
        robots.extend(app.list_robots_for_org(request).await.expect("list").into_inner().robots);
    }
    robots
}

/// A request for the logs of the first machine of the fleet.
async fn rover(running: &Running) -> (App, pb::GetRobotPartLogsRequest) {
    let mut app = demo(running);
    let robot = robots(&mut app).await.remove(0);
    assert_eq!(robot.name, "rover-1");
    let id = part(&mut app, &robot.id).await;
    (app, pb::GetRobotPartLogsRequest { id, ..Default::default() })
}

async fn page(
    app: &mut App,
    request: &pb::GetRobotPartLogsRequest,
) -> Result<pb::GetRobotPartLogsResponse, Status> {
    Ok(app.get_robot_part_logs(request.clone()).await?.into_inner())
}

/// All pages of a request.
async fn all(app: &mut App, request: &pb::GetRobotPartLogsRequest) -> Vec<LogEntry> {
    let mut request = request.clone();
    let mut logs = Vec::new();
    loop {
        let page = page(app, &request).await.expect("a page");
        logs.extend(page.logs);
        if page.next_page_token.is_empty() {
            return logs;
        }
        request.page_token = Some(page.next_page_token);
    }
}

fn seconds(log: &LogEntry) -> i64 {
    log.time.expect("a time").seconds
}

fn at(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

fn messages(logs: &[LogEntry]) -> Vec<&str> {
    logs.iter().map(|log| log.message.as_str()).collect()
}

fn said(level: &str, message: &str) -> LogSpec {
    LogSpec::new(level, "test.logger", message)
}

#[tokio::test]
async fn pages_stay_the_same_while_entries_arrive() {
    let running = start(Seed::Fleet);
    let (mut app, request) = rover(&running).await;
    for ascending in [false, true] {
        let order = if ascending { pb::LogOrder::Ascending } else { pb::LogOrder::Unspecified };
        let mut request =
            pb::GetRobotPartLogsRequest { order: Some(order as i32), ..request.clone() };
        let before = all(&mut app, &request).await;
        let sorted = before.windows(2).all(|two| {
            if ascending {
                seconds(&two[0]) <= seconds(&two[1])
            } else {
                seconds(&two[0]) >= seconds(&two[1])
            }
        });
        assert!(sorted, "{before:?}");
        let mut sizes = Vec::new();
        let mut paged = Vec::new();
        request.page_token = Some(String::new());
        loop {
            let page = page(&mut app, &request).await.expect("a page");
            sizes.push(page.logs.len());
            paged.extend(page.logs);
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = Some(page.next_page_token);
            // New ones, and some that come late.
            let late = LogSpec { ago_secs: 10_000, ..said("info", "late") };
            running.append_logs(&request.id, vec![said("info", "new"), late]).expect("added");
        }
        assert_eq!(paged, before);
        assert_eq!(sizes, if ascending { [100, 152] } else { [100, 150] });
    }
    assert_eq!(all(&mut app, &request).await.len(), 254);
}

#[tokio::test]
async fn a_range_of_pages_stays_where_it_was_when_time_goes_on() {
    let running = start(Seed::Fleet);
    let (mut app, request) = rover(&running).await;
    let mut request =
        pb::GetRobotPartLogsRequest { range: Some("3h".to_owned()), limit: Some(70), ..request };
    let before = all(&mut app, &request).await;
    let first = page(&mut app, &request).await.expect("a page");
    assert_eq!((before.len(), first.logs.len()), (120, 70));
    running.clock().advance(Duration::from_secs(3600));
    request.page_token = Some(first.next_page_token);
    let second = page(&mut app, &request).await.expect("a page");
    assert_eq!([first.logs, second.logs].concat(), before);
}

#[tokio::test]
async fn a_page_that_is_just_full_is_the_last() {
    let running = start_world(SMALL);
    let mut app = demo(&running);
    let id = part(&mut app, "m1").await;
    let entries = (0..100).map(|number| said("info", &number.to_string())).collect();
    running.append_logs(&id, entries).expect("added");
    let request = pb::GetRobotPartLogsRequest { id, limit: Some(1000), ..Default::default() };
    let full = page(&mut app, &request).await.expect("a page");
    // Of one moment, and still the newest comes first.
    assert_eq!((full.logs[0].message.as_str(), full.logs.len()), ("99", 100));
    assert_eq!(full.next_page_token, "");
    running.append_logs(&request.id, vec![said("info", "100")]).expect("added");
    let full = page(&mut app, &request).await.expect("a page");
    assert_ne!(full.next_page_token, "");
    let request = pb::GetRobotPartLogsRequest { filter: Some("none".to_owned()), ..request };
    let none = page(&mut app, &request).await.expect("a page");
    assert_eq!(none, pb::GetRobotPartLogsResponse::default());
}

#[tokio::test]
async fn filters() {
    let running = start(Seed::Fleet);
    let (mut app, request) = rover(&running).await;
    let everything = all(&mut app, &request).await;
    let count = |takes: &dyn Fn(&LogEntry) -> bool| {
        let count = everything.iter().filter(|log| takes(log)).count();
        assert!(count > 0 && count < everything.len());
        count
    };
    let errors = pb::GetRobotPartLogsRequest { errors_only: true, ..request.clone() };
    assert_eq!(all(&mut app, &errors).await.len(), count(&|log| log.level == "error"));
    let levels = pb::GetRobotPartLogsRequest {
        levels: vec!["Warn".to_owned(), "debug".to_owned()],
        ..request.clone()
    };
    let wanted = count(&|log| log.level == "warn" || log.level == "debug");
    assert_eq!(all(&mut app, &levels).await.len(), wanted);
    for (filter, wanted) in [
        ("POSITION Reached", count(&|log| log.message == "position reached")),
        ("resource_MANAGER", count(&|log| log.logger_name == "rdk.resource_manager")),
        ("°c", count(&|log| log.message.contains("°C"))),
        ("", everything.len()),
    ] {
        let request =
            pb::GetRobotPartLogsRequest { filter: Some(filter.to_owned()), ..request.clone() };
        assert_eq!(all(&mut app, &request).await.len(), wanted, "{filter}");
    }
    let old = |log: &LogEntry, from, to| (NOW - from..=NOW - to).contains(&seconds(log));
    for (start, end, range, wanted) in [
        (at(NOW - 7200), None, None, count(&|log| old(log, 7200, 0))),
        (None, at(NOW - 7200), None, count(&|log| old(log, 99_999, 7200))),
        (at(NOW - 7200), at(NOW - 3600), None, count(&|log| old(log, 7200, 3600))),
        (None, None, Some("10m"), count(&|log| old(log, 600, 0))),
        (None, None, Some("2h"), count(&|log| old(log, 7200, 0))),
        (None, None, Some("10d"), everything.len()),
        (at(NOW - 7200), None, Some("1h"), count(&|log| old(log, 7200, 3600))),
        (None, at(NOW - 7200), Some("1h"), count(&|log| old(log, 10_800, 7200))),
        // Both ends belong to it.
        (at(NOW - 5), at(NOW - 5), None, 1),
        (at(NOW), None, None, 0),
    ] {
        let range = range.map(str::to_owned);
        let request = pb::GetRobotPartLogsRequest { start, end, range, ..request.clone() };
        assert_eq!(all(&mut app, &request).await.len(), wanted, "{request:?}");
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let running = start(Seed::Fleet);
    let (mut app, request) = rover(&running).await;
    let r = || request.clone();
    for request in [
        pb::GetRobotPartLogsRequest { range: Some("10".to_owned()), ..r() },
        pb::GetRobotPartLogsRequest { range: Some("-1h".to_owned()), ..r() },
        pb::GetRobotPartLogsRequest { range: Some("1é".to_owned()), ..r() },
        pb::GetRobotPartLogsRequest {
            range: Some("1h".to_owned()),
            start: at(NOW),
            end: at(NOW),
            ..r()
        },
        pb::GetRobotPartLogsRequest { page_token: Some("x".to_owned()), ..r() },
        pb::GetRobotPartLogsRequest { order: Some(7), ..r() },
        pb::GetRobotPartLogsRequest { limit: Some(-1), ..r() },
        pb::GetRobotPartLogsRequest { user_facing_only: Some(true), ..r() },
        pb::GetRobotPartLogsRequest { id: String::new(), ..r() },
    ] {
        let status = page(&mut app, &request).await.expect_err("refused");
        assert_eq!(status.code(), Code::InvalidArgument, "{request:?}");
    }
    let request = pb::GetRobotPartLogsRequest { id: "nobody".to_owned(), ..r() };
    let status = page(&mut app, &request).await.expect_err("no such part");
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test]
async fn entries_have_fields_as_machines_send_them() {
    let running = start(Seed::Fleet);
    let (mut app, request) = rover(&running).await;
    let request =
        pb::GetRobotPartLogsRequest { filter: Some("machine server starts".to_owned()), ..request };
    let log = all(&mut app, &request).await.remove(0);
    assert_eq!((log.level.as_str(), log.logger_name.as_str()), ("info", "rdk"));
    assert_eq!(log.host, running.fqdn(&request.id).expect("address"));
    use prost_types::value::Kind::{NumberValue, StringValue};
    let value = |field: usize, key: &str| log.fields[field].fields[key].kind.clone();
    assert_eq!(value(0, "Key"), Some(StringValue("version".to_owned())));
    assert_eq!(value(0, "Type"), Some(NumberValue(15.0)));
    assert_eq!(value(2, "Type"), Some(NumberValue(11.0)));
    assert_eq!(value(2, "Integer"), Some(NumberValue(812.0)));
}

/// What arrives within a few seconds; the stream goes on.
async fn next(
    tail: &mut Streaming<pb::TailRobotPartLogsResponse>,
) -> Result<Option<Vec<LogEntry>>, Status> {
    let message = tokio::time::timeout(Duration::from_secs(10), tail.message());
    Ok(message.await.expect("something arrives")?.map(|piece| piece.logs))
}

/// Begins a tail. The client is tonic's own, which shows the beginning of a stream in which
/// nothing has arrived.
async fn tail(
    running: &Running,
    token: &str,
    id: &str,
    errors_only: bool,
    filter: Option<&str>,
) -> Result<Streaming<pb::TailRobotPartLogsResponse>, Status> {
    let filter = filter.map(str::to_owned);
    let id = id.to_owned();
    let mut request = Request::new(pb::TailRobotPartLogsRequest { id, errors_only, filter });
    let token = format!("Bearer {token}").parse().expect("a header");
    request.metadata_mut().insert("authorization", token);
    let address = running.base_url().to_owned();
    let channel = tonic::transport::Endpoint::new(address).expect("an address").connect_lazy();
    let mut app = AppServiceClient::new(channel);
    let begun = app.tail_robot_part_logs(request);
    let begun = tokio::time::timeout(Duration::from_secs(10), begun).await.expect("begins");
    Ok(begun?.into_inner())
}

/// Begins a tail of everything as the demo user.
async fn follow(running: &Running, id: &str) -> Streaming<pb::TailRobotPartLogsResponse> {
    tail(running, &token(running), id, false, None).await.expect("a stream")
}

fn token(running: &Running) -> String {
    running.login(DEMO_USER).expect("logged in").access_token
}

async fn token_of(running: &Running, key: &pb::CreateKeyResponse) -> String {
    authenticate(running, &key.id, "api-key", &key.key).await.expect("a good key")
}

#[tokio::test]
async fn a_tail_shows_what_arrives_after_it_began() {
    let running = start(Seed::Fleet);
    let (mut app, request) = rover(&running).await;
    assert_eq!(running.open_tails(), 0);
    let mut everything = follow(&running, &request.id).await;
    assert_eq!(running.open_tails(), 1);
    let mut errors =
        tail(&running, &token(&running), &request.id, true, Some("OW")).await.expect("a stream");
    running
        .append_logs(&request.id, vec![said("info", "one"), said("warn", "two")])
        .expect("added");
    // The newest comes first, as in a page.
    let logs = next(&mut everything).await.expect("goes on").expect("entries");
    assert_eq!(messages(&logs), ["two", "one"]);
    assert_eq!(seconds(&logs[0]), NOW);
    let robot = robots(&mut app).await.remove(0).id;
    let other = parts(&mut app, &robot).await.remove(1).id;
    running.append_logs(&other, vec![said("error", "elsewhere now")]).expect("added");
    let (code, answer) = admin(
        &running,
        "logs",
        Some(&format!(
            r#"{{"part_id": "{}", "entries": [
                {{"level": "error", "logger": "a", "message": "how"}},
                {{"level": "error", "logger": "a", "message": "why"}},
                {{"level": "info", "logger": "a", "message": "now", "fields": [{{"Key": "k"}}]}},
                {{"level": "fatal", "logger": "yellow", "message": "bye"}}]}}"#,
            request.id
        )),
    )
    .await;
    assert_eq!((code, answer), (200, serde_json::json!({ "added": 4 })));
    let logs = next(&mut everything).await.expect("goes on").expect("entries");
    assert_eq!(messages(&logs), ["bye", "now", "why", "how"]);
    assert_eq!(logs[1].fields.len(), 1);
    let logs = next(&mut errors).await.expect("goes on").expect("entries");
    assert_eq!(messages(&logs), ["bye", "how"]);
    let (_, tails) = admin(&running, "tails", None).await;
    assert_eq!(tails, serde_json::json!({ "open": 2 }));
    drop((everything, errors));
    while running.open_tails() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // What was streamed is stored as well.
    let newest = page(&mut app, &request).await.expect("a page").logs;
    assert_eq!(messages(&newest[..2]), ["bye", "now"]);
    let (code, answer) =
        admin(&running, "logs", Some(r#"{"part_id": "nobody", "entries": []}"#)).await;
    assert_eq!(code, 404, "{answer}");
    running.append_logs("nobody", Vec::new()).expect_err("no such part");
}

#[tokio::test]
async fn a_tail_misses_nothing_of_a_flood() {
    let running = start_world(SMALL);
    let mut app = demo(&running);
    let id = part(&mut app, "m1").await;
    let mut tail = follow(&running, &id).await;
    let mut wanted = Vec::new();
    for batch in 0..20 {
        let entries: Vec<_> =
            (0..150).map(|number| said("info", &format!("{batch}/{number}"))).collect();
        wanted.extend(entries.iter().map(|entry| entry.message.clone()));
        running.append_logs(&id, entries).expect("added");
    }
    let mut seen = Vec::new();
    while seen.len() < wanted.len() {
        let logs = next(&mut tail).await.expect("goes on").expect("entries");
        assert!(logs.len() <= 100);
        seen.extend(logs.into_iter().rev().map(|log| log.message));
    }
    assert_eq!(seen, wanted);
}

#[tokio::test]
async fn tails_end_when_told_to_and_with_the_server() {
    let running = start_world(SMALL);
    let mut app = demo(&running);
    let id = part(&mut app, "m1").await;
    for by_admin in [false, true] {
        let mut ended = follow(&running, &id).await;
        running.append_logs(&id, vec![said("info", "last")]).expect("added");
        if by_admin {
            assert_eq!(admin(&running, "tails/end", Some("")).await.0, 200);
        } else {
            running.end_tails();
        }
        let logs = next(&mut ended).await.expect("still sent").expect("entries");
        assert_eq!(messages(&logs), ["last"]);
        assert_eq!(next(&mut ended).await.expect_err("ended").code(), Code::Unavailable);
    }
    let mut again = follow(&running, &id).await;
    let stopped = tokio::task::spawn_blocking(move || running.stop());
    assert_eq!(next(&mut again).await.expect("an end without a fault"), None);
    stopped.await.expect("stopped");
}

#[tokio::test]
async fn a_tail_ends_with_the_rights_and_with_the_part() {
    let running = start_world(SMALL);
    let mut app = demo(&running);
    let id = part(&mut app, "m1").await;
    let key = create_key(&mut app, "robot_owner", "m1", "one").await.expect("key");
    let theirs = token_of(&running, &key).await;
    let mut theirs = tail(&running, &theirs, &id, false, None).await.expect("a stream");
    let mut ours = follow(&running, &id).await;
    app.delete_key(pb::DeleteKeyRequest { id: key.id }).await.expect("deleted");
    running.append_logs(&id, vec![said("info", "secret")]).expect("added");
    assert_eq!(next(&mut theirs).await.expect_err("no more").code(), Code::Unauthenticated);
    assert_eq!(messages(&next(&mut ours).await.expect("ours").expect("entries")), ["secret"]);
    running.reset(Some(Seed::Empty)).expect("reset");
    assert_eq!(next(&mut ours).await.expect_err("gone").code(), Code::NotFound);
}

#[tokio::test]
async fn a_tail_is_cut_in_the_middle() {
    let running = start_world(SMALL);
    let mut app = demo(&running);
    let id = part(&mut app, "m1").await;
    running.set_faults(vec![FaultRule { cut_after: Some(2), ..FaultRule::on(TAIL) }]);
    let mut cut = follow(&running, &id).await;
    for message in ["one", "two"] {
        running.append_logs(&id, vec![said("info", message)]).expect("added");
        assert_eq!(messages(&next(&mut cut).await.expect("goes on").expect("entries")), [message]);
    }
    running.append_logs(&id, vec![said("info", "three")]).expect("added");
    next(&mut cut).await.expect_err("cut");
    let mut again = follow(&running, &id).await;
    running.append_logs(&id, vec![said("info", "four")]).expect("added");
    assert_eq!(messages(&next(&mut again).await.expect("goes on").expect("entries")), ["four"]);
}

#[tokio::test]
async fn logs_history_and_restarts_are_only_for_those_who_may() {
    let running = start_world(SMALL);
    let mut app = demo(&running);
    let id = part(&mut app, "m1").await;
    let operator = create_key(&mut app, "robot_operator", "m1", "one").await.expect("key");
    let elsewhere = create_key(&mut app, "robot_owner", "m2", "one").await.expect("key");
    for key in [operator, elsewhere] {
        let token = token_of(&running, &key).await;
        let mut app = with_key(&running, &key).await;
        let logs = pb::GetRobotPartLogsRequest { id: id.clone(), ..Default::default() };
        let history = pb::GetRobotPartHistoryRequest { id: id.clone(), ..Default::default() };
        let restart = pb::MarkPartForRestartRequest { part_id: id.clone() };
        for status in [
            page(&mut app, &logs).await.expect_err("logs"),
            tail(&running, &token, &id, false, None).await.expect_err("tail"),
            app.get_robot_part_history(history).await.expect_err("history"),
            app.mark_part_for_restart(restart).await.expect_err("restart"),
        ] {
            assert_eq!(status.code(), Code::PermissionDenied, "{status}");
        }
    }
    let owner = create_key(&mut app, "robot_owner", "m1", "one").await.expect("key");
    let mut app = with_key(&running, &owner).await;
    tail(&running, &token_of(&running, &owner).await, &id, false, None).await.expect("allowed");
    let restart = |id: &str| pb::MarkPartForRestartRequest { part_id: id.to_owned() };
    app.mark_part_for_restart(restart(&id)).await.expect("allowed");
    let status = app.mark_part_for_restart(restart("nobody")).await.expect_err("no such part");
    assert_eq!(status.code(), Code::NotFound);
    let status =
        tail(&running, &token(&running), "nobody", false, None).await.expect_err("no such part");
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test]
async fn changes_are_kept_with_who_made_them() {
    let running = start_world(SMALL);
    let mut ann = user(&running, "ann@example.com");
    let mut app = demo(&running);
    let before = parts(&mut app, "m1").await.remove(0);
    let key = create_key(&mut app, "robot_owner", "m1", "one").await.expect("key");
    let mut with_key = with_key(&running, &key).await;
    let request = pb::GetRobotPartHistoryRequest { id: before.id.clone(), ..Default::default() };
    let history = app.get_robot_part_history(request.clone()).await.expect("history");
    assert_eq!(history.into_inner(), pb::GetRobotPartHistoryResponse::default());
    for (app, name) in [(&mut app, "a"), (&mut ann, "b"), (&mut with_key, "c")] {
        let update = pb::UpdateRobotPartRequest {
            id: before.id.clone(),
            name: name.to_owned(),
            robot_config_json: Some(format!(r#"{{"made":"{name}"}}"#)),
            ..Default::default()
        };
        app.update_robot_part(update).await.expect("updated");
        running.clock().advance(Duration::from_secs(60));
    }
    let history = app.get_robot_part_history(request.clone()).await.expect("history");
    let history = history.into_inner().history;
    let seen: Vec<_> = history
        .iter()
        .map(|entry| {
            let by = entry.edited_by.as_ref().expect("somebody");
            let old = entry.old.as_ref().expect("what it was");
            assert!(old.secret.is_empty() && old.secrets.is_empty());
            let config = old.robot_config_json.as_deref().expect("a configuration");
            let when = entry.when.expect("a time").seconds - NOW;
            (when, by.r#type(), by.value.as_str(), old.name.as_str(), config)
        })
        .collect();
    use pb::AuthenticationType::{ApiKey, WebOauth};
    let wanted = [
        (120, ApiKey, key.id.as_str(), "b", r#"{"made":"b"}"#),
        (60, WebOauth, "ann@example.com", "a", r#"{"made":"a"}"#),
        (0, WebOauth, "demo@example.com", "m1-main", "{}"),
    ];
    assert_eq!(seen, wanted);
    assert_eq!((history[0].part.as_str(), history[0].robot.as_str()), (&*before.id, "m1"));

    let mut paged = Vec::new();
    let mut pages = pb::GetRobotPartHistoryRequest { page_limit: Some(2), ..request.clone() };
    loop {
        let page = app.get_robot_part_history(pages.clone()).await.expect("page").into_inner();
        paged.extend(page.history);
        if page.next_page_token.is_empty() {
            break;
        }
        pages.page_token = Some(page.next_page_token);
    }
    assert_eq!(paged, history);
    let within =
        pb::GetRobotPartHistoryRequest { start: at(NOW + 60), end: at(NOW + 60), ..request };
    let within = app.get_robot_part_history(within).await.expect("history").into_inner();
    assert_eq!(within.history, history[1..2]);
}

#[tokio::test]
async fn a_world_says_who_was_there_when() {
    use pb::OnlineState::{AwaitingSetup, Offline, Online};
    let running = start(Seed::Fleet);
    let mut app = demo(&running);
    let robots = robots(&mut app).await;
    let state = |name: &str| {
        let robot = robots.iter().find(|robot| robot.name == name).expect(name);
        let ago = robot.last_access.map(|time| NOW - time.seconds);
        (robot.online_state(), ago, robot.seconds_since_online)
    };
    assert_eq!(state("rover-1"), (Online, Some(5), 0));
    assert_eq!(state("rover-2"), (Offline, Some(7200), 7200));
    assert_eq!(state("sprayer-2"), (AwaitingSetup, None, 0));
    let part = parts(&mut app, &robots[0].id).await.remove(0);
    assert_eq!((part.online_state(), part.last_access), (Online, robots[0].last_access));
    running.clock().advance(Duration::from_secs(100));
    let request = pb::GetRobotRequest { id: robots[0].id.clone() };
    let robot = app.get_robot(request).await.expect("robot").into_inner().robot.expect("robot");
    assert_eq!((robot.online_state(), robot.seconds_since_online), (Offline, 105));
}

#[tokio::test]
async fn a_world_of_ones_own_has_logs() {
    let running = start_world(
        r#"{"organizations": [{"name": "A", "locations": [{"name": "L", "machines": [
            {"id": "m", "name": "m", "parts": [{"id": "p", "name": "p", "last_access_ago_secs": 90,
             "logs": [
               {"level": "warn", "logger": "x", "message": "newer"},
               {"level": "info", "logger": "x", "message": "older", "ago_secs": 3,
                "fields": [{"Key": "k", "Type": 15, "String": "v"}]}]}]}]}]}]}"#,
    );
    let mut app = demo(&running);
    let request = pb::GetRobotPartLogsRequest { id: "p".to_owned(), ..Default::default() };
    let logs = all(&mut app, &request).await;
    let times: Vec<_> = logs.iter().map(|log| NOW - seconds(log)).collect();
    assert_eq!((messages(&logs), times), (vec!["newer", "older"], vec![0, 3]));
    assert_eq!(logs[1].fields.len(), 1);
    assert_eq!(parts(&mut app, "m").await[0].seconds_since_online, 90);
}
