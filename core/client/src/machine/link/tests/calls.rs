//! Whole calls of a generated client to a generated server over a link.

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tonic::metadata::{BinaryMetadataValue, MetadataValue};
use tonic::{Code, Request};
use viam_proto::common::v1::{DoCommandRequest, GetStatusRequest, GetStatusResponse};
use viam_proto::service::shell::v1::ShellRequest;
use viam_proto::service::shell::v1::shell_service_client::ShellServiceClient;

use super::peers::{LARGE, Shell, soon};
use crate::machine::link::{Client, pair, serve};
use crate::wire::RECEIVE_LIMIT;

struct Both {
    client: ShellServiceClient<Client>,
    dropped: mpsc::UnboundedReceiver<()>,
    server: JoinHandle<()>,
}

fn both() -> Both {
    let (near, far) = pair();
    let (service, dropped) = Shell::service();
    let server = tokio::spawn(serve(far, service));
    let client = ShellServiceClient::new(Client::new(near)).max_decoding_message_size(LARGE);
    Both { client, dropped, server }
}

fn named(name: &str) -> GetStatusRequest {
    GetStatusRequest { name: name.to_owned() }
}

fn line(name: &str, count: usize) -> ShellRequest {
    ShellRequest { name: name.to_owned(), data_in: count.to_string(), ..Default::default() }
}

fn command(length: usize) -> DoCommandRequest {
    let text = prost_types::value::Kind::StringValue("x".repeat(length));
    let value = prost_types::Value { kind: Some(text) };
    let fields = [("text".to_owned(), value)].into();
    DoCommandRequest { name: String::new(), command: Some(prost_types::Struct { fields }) }
}

#[tokio::test]
async fn metadata_goes_both_ways_and_an_empty_message_arrives() {
    let mut client = both().client;
    let mut request = Request::new(named(""));
    request.metadata_mut().insert("x-ask", MetadataValue::from_static("why"));
    let raw = BinaryMetadataValue::from_bytes(&[0, 255, 7]);
    request.metadata_mut().insert_bin("raw-bin", raw.clone());
    let response = soon(client.get_status(request)).await.unwrap();
    assert_eq!(response.metadata().get("x-reply").unwrap(), "why");
    assert_eq!(response.metadata().get_bin("raw-bin").unwrap(), raw);
    assert_eq!(*response.get_ref(), GetStatusResponse::default());
}

#[tokio::test]
async fn an_error_keeps_its_message_and_metadata() {
    let mut client = both().client;
    let status = soon(client.get_status(named("fail"))).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(status.message(), "100 % s\u{fb}r\nзря");
    assert_eq!(status.metadata().get("x-why").unwrap(), "because");
}

#[tokio::test]
async fn streams_go_both_ways() {
    let mut client = both().client;
    // One request, many answers.
    let requests = stream::iter([line("many", 500)]);
    let mut answers = soon(client.shell(requests)).await.unwrap().into_inner();
    let mut count = 0;
    while let Some(answer) = soon(answers.message()).await.unwrap() {
        assert_eq!(answer.data_out, "many");
        count += 1;
    }
    assert_eq!(count, 500);
    // In turns.
    let (send, mut requests) = mpsc::unbounded_channel();
    let requests = stream::poll_fn(move |cx| requests.poll_recv(cx));
    let mut answers = soon(client.shell(requests)).await.unwrap().into_inner();
    for name in ["one", "", "three"] {
        send.send(line(name, 1)).unwrap();
        assert_eq!(soon(answers.message()).await.unwrap().unwrap().data_out, name);
    }
    drop(send);
    assert!(soon(answers.message()).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_at_once() {
    let client = both().client;
    let calls = (0..1000).map(|number: usize| {
        let mut client = client.clone();
        async move {
            let answer = client.do_command(command(number)).await.unwrap();
            assert_eq!(answer.into_inner().result, command(number).command);
        }
    });
    soon(join_all(calls)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_messages_are_carried_up_to_the_limit() {
    let mut client = both().client;
    let large = command(20 * 1024 * 1024);
    let answer = soon(client.do_command(large.clone())).await.unwrap();
    assert!(answer.into_inner().result == large.command);
    let status = soon(client.do_command(command(RECEIVE_LIMIT))).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    soon(client.get_status(named(""))).await.unwrap();
}

#[tokio::test]
async fn headers_over_the_envelope_fail() {
    let mut client = both().client;
    let mut request = Request::new(named(""));
    request.metadata_mut().insert("x-long", "x".repeat(70_000).parse().unwrap());
    let status = soon(client.get_status(request)).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn a_cancelled_call_is_dropped_by_the_server() {
    let mut both = both();
    // The answer is dropped half-way.
    let requests = stream::iter([line("endless", usize::MAX)]);
    let mut answers = soon(both.client.shell(requests)).await.unwrap().into_inner();
    for _ in 0..3 {
        soon(answers.message()).await.unwrap().unwrap();
    }
    drop(answers);
    soon(both.dropped.recv()).await.unwrap();
    // The call is dropped before there is an answer.
    let call = both.client.get_status(named("slow"));
    timeout(Duration::from_millis(50), call).await.unwrap_err();
    soon(both.dropped.recv()).await.unwrap();
}

#[tokio::test]
async fn a_deadline_ends_the_call_on_both_sides() {
    let mut both = both();
    let mut request = Request::new(named("slow"));
    request.set_timeout(Duration::from_millis(50));
    let status = soon(both.client.get_status(request)).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    soon(both.dropped.recv()).await.unwrap();
    let mut request = Request::new(named(""));
    request.set_timeout(Duration::ZERO);
    let status = soon(both.client.get_status(request)).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_server_that_is_silent_does_not_outlast_the_deadline() {
    let (mut client, mut server) = super::RawServer::start();
    let mut request = Request::new(named(""));
    request.set_timeout(Duration::from_millis(50));
    let status = soon(client.get_status(request)).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    server.next(1).await;
    server.next(1).await;
    assert_eq!(server.next(1).await, super::request::Type::RstStream(true));
}

#[tokio::test]
async fn a_link_that_closes_fails_all_calls() {
    let mut both = both();
    let requests = stream::pending();
    let mut answers = soon(both.client.shell(requests)).await.unwrap().into_inner();
    both.server.abort();
    let status = soon(answers.message()).await.unwrap_err();
    let lost = (Code::Unavailable, "the connection to the machine was lost");
    assert_eq!((status.code(), status.message()), lost);
    let status = soon(both.client.get_status(named(""))).await.unwrap_err();
    assert_eq!((status.code(), status.message()), lost);
    soon(both.dropped.recv()).await.unwrap();
}

#[tokio::test]
async fn the_server_ends_with_its_last_client() {
    let Both { client, server, .. } = both();
    drop(client);
    soon(server).await.unwrap();
}

#[tokio::test]
async fn a_slow_reader_does_not_block_other_streams() {
    let mut client = both().client;
    let name = "x".repeat(10_000);
    let requests = stream::iter([line(&name, 2000)]);
    let mut answers = soon(client.shell(requests)).await.unwrap().into_inner();
    for _ in 0..20 {
        soon(client.get_status(named(""))).await.unwrap();
    }
    let mut count = 0;
    while soon(answers.message()).await.unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 2000);
}

#[tokio::test]
async fn a_call_over_the_limit_of_older_servers_waits_for_another_to_end() {
    let (client, mut server) = super::RawServer::start();
    for _ in 0..257 {
        let mut client = client.clone();
        tokio::spawn(async move { client.get_status(named("")).await });
    }
    // Headers and a message of each.
    for _ in 0..2 * 256 {
        soon(server.link.incoming.recv()).await.unwrap();
    }
    timeout(Duration::from_millis(50), server.link.incoming.recv()).await.unwrap_err();
    server.trailers(7, 5, "").await;
    assert!(matches!(server.next(257).await, super::request::Type::Headers(_)));
}
