//! The cloud's side of a real machine server: its call sequence, replayed (cloud-side.md §1.3), and
//! a machine of this test's own that is reached through the relay.

use std::convert::Infallible;
use std::time::Duration;

use http::{Request as HttpRequest, Response as HttpResponse};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::{Code, Request, Status};
use viam_client::machine::link;
use viam_client::machine::webrtc::{
    Peer, decode_sdp, dial, encode_sdp, from_candidate, to_candidate,
};
use viam_client::wire::LongLived;
use viam_contract::Wire;
use viam_proto::app::v1 as pb;
use viam_proto::app::v1::robot_service_client::RobotServiceClient;
use viam_proto::common::v1::{LogEntry, ResourceName};
use viam_proto::robot::v1::robot_service_client::RobotServiceClient as MachineClient;
use viam_proto::robot::v1::robot_service_server::{RobotService, RobotServiceServer};
use viam_proto::robot::v1::{ResourceNamesRequest, ResourceNamesResponse};
use viam_proto::rpc::webrtc::v1 as rtc;
use viam_proto::rpc::webrtc::v1::answer_request::Stage as Asked;
use viam_proto::rpc::webrtc::v1::answer_response::Stage as Said;
use viam_proto::rpc::webrtc::v1::signaling_service_client::SignalingServiceClient;
use viam_sandbox::seed::{Seed, World};
use viam_sandbox::server::{IceServer, Options, Running, Server};

use super::common::{self, SMALL, admin, authenticate, authorization, start_world, wire};

type Machine = RobotServiceClient<Wire>;

/// What a machine server is started with.
async fn configured(running: &Running, robot: &str) -> (String, String) {
    let body = json!({ "robot": robot }).to_string();
    let (status, answer) = admin(running, "machine-config", Some(&body)).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["cloud"]["app_address"], running.base_url());
    let text = |key: &str| answer["cloud"][key].as_str().expect(key).to_owned();
    (text("id"), text("secret"))
}

/// A machine that has logged in.
async fn machine(running: &Running, id: &str, secret: &str) -> (Machine, String) {
    let token = authenticate(running, id, "robot-secret", secret).await.expect("a good secret");
    (RobotServiceClient::new(wire(running, Some(&token))), token)
}

async fn part(running: &Running, id: &str) -> pb::RobotPart {
    let request = pb::GetRobotPartRequest { id: id.to_owned() };
    let answer = common::demo(running).get_robot_part(request).await.expect("there");
    answer.into_inner().part.expect("a part")
}

fn entry(message: &str) -> LogEntry {
    let kind = prost_types::value::Kind::StringValue("v".to_owned());
    let field = [("Key".to_owned(), prost_types::Value { kind: Some(kind) })];
    LogEntry {
        host: "here".to_owned(),
        level: "warn".to_owned(),
        time: Some(prost_types::Timestamp { seconds: 1_760_000_000, nanos: 5_000_000 }),
        logger_name: "rdk".to_owned(),
        message: message.to_owned(),
        fields: vec![prost_types::Struct { fields: field.into() }],
        ..LogEntry::default()
    }
}

#[tokio::test]
async fn a_machine_comes_online_with_the_documented_calls() {
    let running = start_world(SMALL);
    let (id, secret) = configured(&running, "m1").await;
    let bad = authenticate(&running, &id, "robot-secret", "no").await.expect_err("refused");
    assert_eq!((bad.code(), bad.message()), (Code::Unauthenticated, "invalid credentials"));
    let (mut machine, token) = machine(&running, &id, &secret).await;

    let log = pb::LogRequest { id: id.clone(), logs: vec![entry("first"), entry("second")] };
    machine.log(log).await.expect("logs");
    let request = pb::GetRobotPartLogsRequest { id: id.clone(), ..Default::default() };
    let logs = common::demo(&running).get_robot_part_logs(request).await.expect("logs");
    let logs = logs.into_inner().logs;
    assert_eq!(logs.len(), 2);
    let first = logs.iter().find(|log| log.message == "first").expect("it");
    assert_eq!((first.level.as_str(), first.logger_name.as_str()), ("warn", "rdk"));
    assert_eq!((first.time, &first.fields), (entry("").time, &entry("").fields));

    let agent_info = Some(pb::AgentInfo {
        version: "0.99.0".to_owned(),
        platform: Some("linux/amd64".to_owned()),
        ..Default::default()
    });
    let request = pb::ConfigRequest { id: id.clone(), agent_info };
    let config = machine.config(request.clone()).await.expect("config").into_inner();
    let config = config.config.expect("config");
    let cloud = config.cloud.expect("who it is");
    assert_eq!((&cloud.id, &cloud.secret), (&id, &secret));
    assert_eq!(
        (&*cloud.machine_id, &*cloud.location_id, &*cloud.primary_org_id),
        ("m1", "hall", "one")
    );
    assert!(cloud.signaling_insecure);
    assert_eq!(format!("http://{}", cloud.signaling_address), running.base_url());
    assert!(cloud.fqdn.starts_with("127.0.0.1:") && !cloud.local_fqdn.is_empty(), "{cloud:?}");
    assert_eq!(cloud.location_secrets.len(), 1);
    let revision = config.revision;

    let part = part(&running, &id).await;
    assert_eq!((part.fqdn.as_str(), part.online_state()), (&*cloud.fqdn, pb::OnlineState::Online));
    let info = part.user_supplied_info.expect("said");
    let said = info.fields["platform"].kind.clone();
    assert_eq!(said, Some(prost_types::value::Kind::StringValue("linux/amd64".to_owned())));

    // Another configuration is another revision; a key of its machine gets in at the machine.
    let mut app = common::demo(&running);
    let key = common::create_key(&mut app, "robot_owner", "m1", "one").await.expect("a key");
    let other = json!({ "components": [{ "name": "s", "type": "servo", "model": "fake" }] });
    running.configure(&id, &other).expect("configured");
    let config = machine.config(request).await.expect("config").into_inner().config.expect("it");
    assert_ne!(config.revision, revision);
    assert_eq!(config.components[0].api, "rdk:component:servo");
    let handler = &config.auth.expect("auth").handlers[0];
    assert_eq!(handler.r#type(), pb::CredentialsType::ApiKey);
    assert!(handler.config.as_ref().expect("keys").fields.contains_key(&key.id));

    // A restart is asked for once, and the interval is never one that is taken for a fault.
    let ask = pb::NeedsRestartRequest { id: id.clone() };
    let marked = pb::MarkPartForRestartRequest { part_id: id.clone() };
    for (mark, wanted) in [(false, false), (true, true), (false, false)] {
        if mark {
            app.mark_part_for_restart(marked.clone()).await.expect("marked");
        }
        let answer = machine.needs_restart(ask.clone()).await.expect("answers").into_inner();
        assert_eq!(answer.must_restart, wanted);
        assert_eq!(answer.restart_check_interval.expect("there").seconds, 5);
    }
    // In cleartext there is no certificate to be had.
    let none = machine.certificate(pb::CertificateRequest { id: id.clone() }).await;
    assert_eq!(none.expect_err("none").code(), Code::Unimplemented);

    // The machine is nobody but itself.
    let (other, _) = configured(&running, "m2").await;
    let request = pb::ConfigRequest { id: other, agent_info: None };
    let refused = machine.config(request).await.expect_err("not its own");
    assert_eq!(refused.code(), Code::PermissionDenied);
    let mut app = pb::app_service_client::AppServiceClient::new(wire(&running, Some(&token)));
    let request = pb::GetRobotRequest { id: "m1".to_owned() };
    assert_eq!(app.get_robot(request).await.expect_err("no app").code(), Code::PermissionDenied);
    let wanted = vec![authorization("organization_owner", "one", "one")];
    let request = pb::CreateKeyRequest { authorizations: wanted, name: "x".to_owned() };
    assert_eq!(app.create_key(request).await.expect_err("no keys").code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_key_may_stand_for_a_machine_and_a_live_one_is_played() {
    let running = start_world(SMALL);
    let (id, _) = configured(&running, "m3").await;
    let mut app = common::demo(&running);
    let key = common::create_key(&mut app, "location_owner", "hall", "one").await.expect("a key");
    let token = authenticate(&running, &key.id, "api-key", &key.key).await.expect("good");
    let mut machine = RobotServiceClient::new(wire(&running, Some(&token)));
    let request = pb::ConfigRequest { id, agent_info: None };
    machine.config(request).await.expect("config");
    for (body, status) in [
        (r#"{"robot":"nobody"}"#, 404),
        (r#"{"robot":"m1","part":"nothing"}"#, 404),
        (r#"{}"#, 400),
    ] {
        assert_eq!(admin(&running, "machine-config", Some(body)).await.0, status, "{body}");
    }
    let fleet = common::start(Seed::Fleet);
    let (status, said) = admin(&fleet, "machine-config", Some(r#"{"robot":"rover-1"}"#)).await;
    assert_eq!(status, 409);
    assert!(said["error"].as_str().expect("words").contains("plays"), "{said}");
}

#[tokio::test]
async fn token_and_address_of_a_machine_outlive_a_restart() {
    let dir = tempfile::tempdir().expect("directory");
    let start = || {
        let dir = Some(dir.path().to_owned());
        let seed = Seed::World(Box::new(World::parse(SMALL).expect("world")));
        Server::start(Options { dir, seed, ..Options::default() }).expect("started")
    };
    let running = start();
    let (id, secret) = configured(&running, "m1").await;
    let (_, token) = machine(&running, &id, &secret).await;
    let fqdn = part(&running, &id).await.fqdn;
    drop(running);
    let running = start();
    let mut machine = RobotServiceClient::new(wire(&running, Some(&token)));
    let request = pb::ConfigRequest { id: id.clone(), agent_info: None };
    let config = machine.config(request).await.expect("config").into_inner();
    assert_eq!(config.config.and_then(|config| config.cloud).expect("cloud").fqdn, fqdn);
}

/// A machine of this test's own.
struct Names;

#[tonic::async_trait]
impl RobotService for Names {
    async fn resource_names(
        &self,
        _: Request<ResourceNamesRequest>,
    ) -> Result<tonic::Response<ResourceNamesResponse>, Status> {
        let name = ResourceName { name: "mine".to_owned(), ..ResourceName::default() };
        Ok(tonic::Response::new(ResourceNamesResponse { resources: vec![name] }))
    }
}

async fn call(request: HttpRequest<Body>) -> Result<HttpResponse<Body>, Infallible> {
    tower::ServiceExt::oneshot(RobotServiceServer::new(Names), request).await
}

/// Takes one offer, as a machine server does.
async fn answer_one(wire: Wire, host: &str) {
    let (said, saying) = mpsc::channel(16);
    let mut request = Request::new(ReceiverStream::new(saying));
    request.metadata_mut().insert("rpc-host", host.parse().expect("a name"));
    request.metadata_mut().insert("heartbeats-allowed", "true".parse().expect("a word"));
    request.extensions_mut().insert(LongLived);
    let answer = SignalingServiceClient::new(wire).answer(request).await.expect("a place");
    let mut asked = answer.into_inner();
    let first = asked.message().await.expect("comes").expect("an offer");
    let Some(Asked::Init(init)) = first.stage else { panic!("{first:?}") };
    let say = async |stage| {
        let response = rtc::AnswerResponse { uuid: first.uuid.clone(), stage: Some(stage) };
        said.send(response).await.expect("heard");
    };
    let mut peer = Peer::new(Vec::new()).await.expect("a socket");
    let offer = decode_sdp(&init.sdp).expect("an offer");
    peer.connection.set_remote_description(offer).await.expect("taken");
    let local = peer.connection.create_answer(None).await.expect("an answer");
    peer.connection.set_local_description(local).await.expect("taken");
    let mut candidates = vec![peer.candidates.recv().await.expect("one")];
    let local = peer.connection.local_description().await.expect("an answer");
    say(Said::Init(rtc::AnswerResponseInitStage { sdp: encode_sdp(&local) })).await;
    tokio::spawn(link::serve(peer.link, tower::service_fn(call)));
    // All of them at once and done, before the caller has said anything.
    while candidates.last().is_some_and(Option::is_some) {
        let next = tokio::time::timeout(Duration::from_secs(5), peer.candidates.recv()).await;
        candidates.push(next.ok().flatten().flatten());
    }
    for candidate in candidates.into_iter().flatten() {
        let candidate = Some(to_candidate(candidate));
        say(Said::Update(rtc::AnswerResponseUpdateStage { candidate })).await;
    }
    say(Said::Done(rtc::AnswerResponseDoneStage {})).await;
    while let Ok(Some(request)) = asked.message().await {
        match request.stage {
            Some(Asked::Update(update)) => {
                let candidate = from_candidate(update.candidate.expect("one"));
                peer.connection.add_ice_candidate(candidate).await.expect("taken");
            }
            Some(Asked::Done(_)) => break,
            Some(Asked::Heartbeat(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    peer.open.await.expect("open");
    // Until the caller has gone.
    tokio::time::sleep(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_machine_of_somebodys_own_is_reached_through_the_relay() {
    let running = start_world(SMALL);
    let (id, secret) = configured(&running, "m1").await;
    let (_, token) = machine(&running, &id, &secret).await;
    let host = part(&running, &id).await.fqdn;
    let app = {
        let login = running.login(viam_sandbox::seed::DEMO_USER).expect("logged in");
        wire(&running, Some(&login.access_token))
    };
    let wire = wire(&running, Some(&token));
    // One after the other, each on a stream of its own.
    for _ in 0..2 {
        let machine = tokio::spawn({
            let (wire, host) = (wire.clone(), host.clone());
            async move { answer_one(wire, &host).await }
        });
        let dialed = dial(&app, &host, &[]).await.unwrap_or_else(|error| panic!("{error:?}"));
        let mut client = MachineClient::new(dialed.wire.clone());
        let names = client.resource_names(ResourceNamesRequest {}).await.expect("answers");
        assert_eq!(names.into_inner().resources[0].name, "mine");
        dialed.close().await;
        machine.abort();
    }
    // The place of another machine is not to be had with this token.
    let (other, _) = configured(&running, "m2").await;
    let other = part(&running, &other).await.fqdn;
    let mut request = Request::new(tokio_stream::pending::<rtc::AnswerResponse>());
    request.metadata_mut().insert("rpc-host", other.parse().expect("a name"));
    let refused = SignalingServiceClient::new(wire).answer(request).await.expect_err("refused");
    assert_eq!(refused.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn both_ends_are_told_of_the_servers() {
    let server = IceServer::parse("turn:ann:secret@203.0.113.1:3478").expect("a server");
    let running = Server::start(Options {
        seed: Seed::World(Box::new(World::parse(SMALL).expect("a world"))),
        ice_servers: vec![server],
        ..Options::default()
    })
    .expect("started");
    let told = vec![rtc::IceServer {
        urls: vec!["turn:203.0.113.1:3478".to_owned()],
        username: "ann".to_owned(),
        credential: "secret".to_owned(),
    }];
    let (id, secret) = configured(&running, "m1").await;
    let (_, token) = machine(&running, &id, &secret).await;
    let host = part(&running, &id).await.fqdn;
    let mut client = SignalingServiceClient::new(wire(&running, Some(&token)));
    let mut request = Request::new(rtc::OptionalWebRtcConfigRequest {});
    request.metadata_mut().insert("rpc-host", host.parse().expect("a name"));
    let config = client.optional_web_rtc_config(request).await.expect("answers").into_inner();
    assert_eq!(config.config.expect("one").additional_ice_servers, told);

    let mut request = Request::new(tokio_stream::pending::<rtc::AnswerResponse>());
    request.metadata_mut().insert("rpc-host", host.parse().expect("a name"));
    request.extensions_mut().insert(LongLived);
    let mut asked = client.answer(request).await.expect("a place").into_inner();
    let mut request = Request::new(rtc::CallRequest::default());
    request.metadata_mut().insert("rpc-host", host.parse().expect("a name"));
    request.extensions_mut().insert(LongLived);
    let _answers = client.call(request).await.expect("under way");
    let first = asked.message().await.expect("comes").expect("an offer");
    let Some(Asked::Init(init)) = first.stage else { panic!("{first:?}") };
    assert_eq!(init.optional_config.expect("one").additional_ice_servers, told);
}
