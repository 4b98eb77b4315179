//! Live machines by WebRTC, through the sandbox's signaling.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use viam_client::BaseUrl;
use viam_client::machine::webrtc::{Dialed, Failure, dial};
use viam_client::net::Net;
use viam_client::wire::{Config, KeyTokens, LongLived, open};
use viam_contract::{Env, Wire};
use viam_proto::common::v1::DoCommandRequest;
use viam_proto::component::generic::v1::generic_service_client::GenericServiceClient;
use viam_proto::component::servo::v1::servo_service_client::ServoServiceClient;
use viam_proto::component::servo::v1::{GetPositionRequest, MoveRequest};
use viam_proto::service::shell::v1::ShellRequest;
use viam_proto::service::shell::v1::shell_service_client::ShellServiceClient;
use viam_sandbox::server::{FaultRule, FaultStatus};
use viam_test::TestSandbox;

use crate::support::{logged_in, organization_key};

const ROVER_MAIN: &str = "d43d916a-c077-5fad-9615-956618741961";
const CALL: &str = "/proto.rpc.webrtc.v1.SignalingService/Call";

/// The transport to the cloud, with a key of an organization.
pub(crate) fn app(sandbox: &TestSandbox, env: &viam_test::TestEnv) -> Wire {
    let (id, key) = organization_key(env, "Acme Robotics");
    let config = Config {
        net: Net::new(Env::default(), Arc::new(|words: &str| panic!("{words}"))),
        base_url: BaseUrl::parse(sandbox.url()).expect("url"),
        tokens: None,
        on_wait: None,
    };
    let tokens = Arc::new(KeyTokens::new(config.clone(), id, key));
    open(Config { tokens: Some(tokens), ..config }).expect("transport")
}

async fn connected(app: &Wire, sandbox: &TestSandbox) -> Dialed {
    let host = sandbox.server.fqdn(ROVER_MAIN).expect("address");
    dial(app, &host, &[]).await.unwrap_or_else(|failure| panic!("{failure:?}"))
}

#[test]
fn the_servo_moves_by_either_transport() {
    let (env, _sandbox) = logged_in("docs");
    let run = |transport: &str, words: &[&str]| {
        let all = ["robots", "part", "run", "--part", "myrobot-main", "-c", "myServo"];
        env.viam(&[&all[..], &["--transport", transport], words].concat()).run().ok()
    };
    for (angle, one, other) in [(75, "webrtc", "direct"), (76, "direct", "webrtc")] {
        let data = json!({ "angle_deg": angle }).to_string();
        run(one, &["--method", "Move", "--data", &data]);
        assert_eq!(run(other, &["--method", "GetPosition"]).json()["positionDeg"], angle);
    }
    let traced = run("webrtc", &["--method", "GetPosition", "--debug"]);
    traced.says("rpc /viam.component.servo.v1.ServoService/GetPosition by WebRTC: Ok in ");
    let words = ["-d", r#"{"name":"no"}"#, "viam.component.servo.v1.ServoService.Stop"];
    let words = [&words[..], &["--part", "myrobot-main", "--transport", "webrtc"]].concat();
    let refused = env.viam(&[&["robots", "part", "run", "--debug"][..], &words].concat()).run();
    refused.code(1).says("/Stop by WebRTC: NotFound in ");
    let words = ["robots", "part", "shell", "--part", "myrobot-main", "--transport", "webrtc"];
    let outcome = env.viam(&words).stdin("echo a$((1+1))b\n").run().ok();
    assert!(outcome.out().contains("a2b"), "{outcome}");
}

#[test]
fn files_go_both_ways_by_webrtc() {
    let (env, _sandbox) = logged_in("fleet");
    let content: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
    std::fs::write(env.root().join("work/there"), &content).expect("written");
    let cp = |from: &str, to: &str| {
        let words = ["robots", "part", "cp", "--part", ROVER_MAIN, "--transport", "webrtc"];
        let mut command = env.viam(&[&words[..], &[from, to]].concat()).into_command();
        let output = command.current_dir(env.root().join("work")).output().expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    cp("there", "machine:~");
    cp("machine:~/there", "back");
    assert!(std::fs::read(env.root().join("work/back")).expect("there") == content, "whole");
}

#[test]
fn a61_an_offline_machine_says_so_by_webrtc_in_time() {
    let (env, _sandbox) = logged_in("fleet");
    let begun = Instant::now();
    let words = ["robots", "part", "run", "--part", "rover-2-main", "--transport", "webrtc"];
    let outcome = env.viam(&[&words[..], &["-c", "x", "--method", "Move"]].concat()).run().code(1);
    assert!(outcome.err().contains("offline, last seen"), "{outcome}");
    assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
}

#[tokio::test]
async fn ten_connections_of_ten_answer_a_call_that_follows_at_once() {
    let (env, sandbox) = logged_in("fleet");
    let app = app(&sandbox, &env);
    for number in 0..10 {
        let dialed = connected(&app, &sandbox).await;
        let mut servo = ServoServiceClient::new(dialed.wire.clone());
        let name = "servo1".to_owned();
        let request = MoveRequest { name: name.clone(), angle_deg: number, extra: None };
        servo.r#move(request).await.expect("moves");
        let position = servo.get_position(GetPositionRequest { name, extra: None }).await;
        assert_eq!(position.expect("answers").into_inner().position_deg, number);
        dialed.close().await;
    }
}

#[tokio::test]
async fn a_thousand_calls_at_once() {
    let (env, sandbox) = logged_in("fleet");
    let dialed = connected(&app(&sandbox, &env), &sandbox).await;
    let calls = (0..1000).map(|number| {
        let wire = dialed.wire.clone();
        tokio::spawn(async move {
            let command = [("number".to_owned(), number_value(f64::from(number)))];
            let command = Some(prost_types::Struct { fields: command.into() });
            let request = DoCommandRequest { name: "generic1".to_owned(), command };
            let sent = request.command.clone();
            let answer = GenericServiceClient::new(wire).do_command(request).await;
            assert_eq!(answer.expect("answers").into_inner().result, sent);
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.expect("ran");
    }
    dialed.close().await;
}

fn number_value(number: f64) -> prost_types::Value {
    prost_types::Value { kind: Some(prost_types::value::Kind::NumberValue(number)) }
}

#[tokio::test]
async fn twenty_megabytes_each_way() {
    let (env, sandbox) = logged_in("fleet");
    let dialed = connected(&app(&sandbox, &env), &sandbox).await;
    let text: String = (0..2_500_000).map(|number| format!("{number:08x}")).collect();
    let text = prost_types::Value { kind: Some(prost_types::value::Kind::StringValue(text)) };
    let command = Some(prost_types::Struct { fields: [("text".to_owned(), text)].into() });
    let mut client = GenericServiceClient::new(dialed.wire.clone())
        .max_decoding_message_size(32 << 20)
        .max_encoding_message_size(32 << 20);
    let request = DoCommandRequest { name: "generic1".to_owned(), command: command.clone() };
    let answer = client.do_command(request).await.expect("answers").into_inner();
    assert!(answer.result == command, "it came back whole");
    dialed.close().await;
}

#[tokio::test]
async fn a_stream_that_is_given_up_ends_at_the_machine_and_the_connection_stays() {
    let (env, sandbox) = logged_in("fleet");
    let dialed = connected(&app(&sandbox, &env), &sandbox).await;
    let (requests, asked) = tokio::sync::mpsc::channel(4);
    let first = ShellRequest { name: "shell1".to_owned(), ..ShellRequest::default() };
    requests.send(first).await.expect("room");
    let marker = env.root().join("marker");
    let line = format!(
        "trap 'echo gone > {}' HUP; echo re''ady; while :; do sleep 0.05; done\n",
        marker.display()
    );
    let typed = ShellRequest { name: "shell1".to_owned(), data_in: line, extra: None };
    requests.send(typed).await.expect("room");
    let mut request = tonic::Request::new(tokio_stream::wrappers::ReceiverStream::new(asked));
    request.extensions_mut().insert(LongLived);
    let mut shell = ShellServiceClient::new(dialed.wire.clone());
    let mut output = shell.shell(request).await.expect("a shell").into_inner();
    let mut seen = String::new();
    while !seen.contains("ready") {
        seen += &output.message().await.expect("comes").expect("more").data_out;
    }
    drop(output);
    // The machine ends the shell of a stream that nobody reads, and answers other calls.
    let mut servo = ServoServiceClient::new(dialed.wire.clone());
    let request = GetPositionRequest { name: "servo1".to_owned(), extra: None };
    servo.get_position(request).await.expect("answers");
    dialed.close().await;
}

#[tokio::test]
async fn a_first_offer_that_is_lost_is_made_again() {
    let (env, sandbox) = logged_in("fleet");
    let app = app(&sandbox, &env);
    sandbox.server.set_faults(vec![FaultRule {
        times: 1,
        status: Some(FaultStatus { code: 4, message: "lost".to_owned() }),
        ..FaultRule::on(CALL)
    }]);
    let dialed = connected(&app, &sandbox).await;
    assert_eq!(sandbox.asked(CALL), 2);
    dialed.close().await;
}

#[tokio::test]
async fn who_may_not_see_a_machine_is_refused_by_signaling() {
    let (env, sandbox) = logged_in("fleet");
    let app = app(&sandbox, &env);
    // A machine of another organization.
    let words = ["machines", "part", "status", "--part", "weather-station-main"];
    let part = env.viam(&[&words[..], &["--format", "json"]].concat()).run().ok().json();
    let host = sandbox.server.fqdn(part["id"].as_str().expect("id")).expect("address");
    match dial(&app, &host, &[]).await {
        Err(Failure::Cloud(status)) => {
            assert_eq!(status.code(), tonic::Code::PermissionDenied, "{status}");
        }
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was let in"),
    }
    assert!(matches!(dial(&app, "127.0.0.1:1", &[]).await, Err(Failure::NoSignaling)));
}
