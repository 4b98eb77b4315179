//! The frames of the link, byte by byte: each side against a hand-written other side.

mod calls;
mod peers;

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use prost::Message as _;
use tonic::body::Body;
use tonic::{Code, Status};
use tower_service::Service as _;
use viam_proto::rpc::webrtc::v1::{PacketMessage, request, response};

use super::frames::{Assembler, Messages, PACKET, packets};
use super::headers;
use peers::{RawClient, RawServer, SHELL, hex};
use viam_proto::common::v1::{DoCommandRequest, GetStatusRequest};

#[test]
fn the_end_is_marked_on_the_last_packet_with_data() {
    let sizes = |length: usize| -> Vec<(usize, bool)> {
        packets(vec![7; length].into()).map(|packet| (packet.data.len(), packet.eom)).collect()
    };
    assert_eq!(sizes(0), [(0, true)]);
    assert_eq!(sizes(1), [(1, true)]);
    assert_eq!(sizes(PACKET), [(PACKET, true)]);
    assert_eq!(sizes(2 * PACKET), [(PACKET, false), (PACKET, true)]);
    assert_eq!(sizes(PACKET + 1), [(PACKET, false), (1, true)]);
}

#[test]
fn packets_become_messages_again() {
    let mut assembler = Assembler::default();
    for length in [0, 5, PACKET * 2 + 3, 0] {
        let message = Bytes::from(vec![9; length]);
        let mut whole = None;
        for packet in packets(message.clone()) {
            assert!(whole.is_none());
            whole = assembler.push(packet).unwrap();
        }
        let whole = whole.unwrap();
        assert_eq!(whole[..5], [&[0][..], &u32::try_from(length).unwrap().to_be_bytes()].concat());
        assert_eq!(whole[5..], message);
        assert!(!assembler.is_partial());
    }
}

#[tokio::test]
async fn compressed_and_cut_messages_are_refused() {
    for (body, message) in [
        (&[1, 0, 0, 0, 0][..], "compressed messages cannot be carried over this link"),
        (&[0, 0, 0, 0, 2, 1][..], "the body ended within a message"),
    ] {
        let body = Body::new(http_body_util::Full::new(Bytes::from_static(body)));
        let status = Messages::new(body).next().await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::Internal, message));
    }
}

#[test]
fn headers_are_carried_both_ways() {
    let mut map = http::HeaderMap::new();
    for (name, value) in [
        ("x-one", "a"),
        ("x-one", "b"),
        ("data-bin", "AAE"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("user-agent", "x"),
        ("grpc-timeout", "1S"),
    ] {
        map.append(name, http::HeaderValue::from_static(value));
    }
    map.append("broken", http::HeaderValue::from_bytes(&[0xff]).unwrap());
    let mut metadata = headers::to_metadata(&map).unwrap();
    assert_eq!(metadata.md.len(), 2);
    for (name, value) in [(":path", "/"), ("X-Upper", "u"), ("bad", "a\nb"), ("grpc-status", "0")] {
        metadata.md.entry(name.to_owned()).or_default().values.push(value.to_owned());
    }
    let back = headers::from_metadata(Some(metadata));
    assert_eq!(back.get_all("x-one").iter().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(back["data-bin"], "AAE");
    assert_eq!(back["x-upper"], "u");
    assert_eq!(back.len(), 4);
    assert!(headers::to_metadata(&http::HeaderMap::new()).is_none());
}

#[test]
fn timeouts_are_read_and_written() {
    for (text, seconds) in [("1H", 3600.0), ("2M", 120.0), ("3S", 3.0), ("99999999m", 99_999.999)] {
        let value = http::HeaderValue::from_static(text);
        let timeout = headers::parse_timeout(&value).unwrap();
        assert_eq!(timeout.as_secs_f64(), seconds);
        assert_eq!(headers::parse_timeout(&headers::write_timeout(timeout)), Some(timeout));
    }
    for text in ["", "S", "1", "123456789S", "-1S", "1x"] {
        assert_eq!(headers::parse_timeout(&http::HeaderValue::from_static(text)), None, "{text}");
    }
    headers::write_timeout(std::time::Duration::MAX);
}

#[tokio::test]
async fn a_unary_request_has_the_known_bytes() {
    let (mut client, mut server) = RawServer::start();
    let call =
        tokio::spawn(
            async move { client.get_status(GetStatusRequest { name: "hi".to_owned() }).await },
        );
    let request::Type::Headers(head) = server.next(1).await else { panic!() };
    assert_eq!(head.method, format!("{SHELL}/GetStatus"));
    assert_eq!((head.metadata, head.timeout), (None, None));
    let message = server.link.incoming.recv().await.unwrap();
    assert_eq!(message, hex("0a0208011a0e080112080a040a02686910011801"));
    // An answer without fields: an empty packet.
    for answer in ["0a0208011200", "0a0208011a040a021001", "0a0208012200"] {
        server.send_bytes(hex(answer)).await;
    }
    call.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_answer_has_the_known_bytes() {
    let mut client = RawClient::start();
    client.headers(1, &format!("{SHELL}/Shell"), None).await;
    client.send_bytes(hex("0a0208011a0e080112080a040a02686910011801")).await;
    for expected in ["0a0208011200", "0a0208011a0a0a080a040a0268691001", "0a0208012200"] {
        assert_eq!(client.link.incoming.recv().await.unwrap(), hex(expected));
    }
}

#[tokio::test]
async fn the_client_refuses_what_is_out_of_order() {
    for (frames, message) in [
        (&["0a0208011a020a00"][..], "the machine sent a message before headers"),
        (&["0a0208011200", "0a0208011200"][..], "the machine sent headers twice"),
        (
            &["0a0208011200", "0a0208011a050a030a0131", "0a0208012200"][..],
            "the machine ended within a message",
        ),
    ] {
        let (mut client, mut server) = RawServer::start();
        for frame in frames {
            let frame = hex(frame);
            server.queue.push(frame);
        }
        let answering = tokio::spawn(async move {
            server.next(1).await;
            server.next(1).await;
            server.flush().await;
            server.next(1).await
        });
        let status = client.get_status(GetStatusRequest::default()).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::Internal, message));
        assert_eq!(answering.await.unwrap(), request::Type::RstStream(true));
    }
}

#[tokio::test]
async fn late_frames_are_dropped_and_details_arrive() {
    let (mut client, mut server) = RawServer::start();
    let answering = tokio::spawn(async move {
        for id in 1..=2 {
            server.next(id).await;
            server.next(id).await;
            server.trailers(id, 5, "no\u{e4} 100 %").await;
            server.send_bytes(hex("0a0208011a020a00")).await;
            server.send_bytes(hex("ffff")).await;
        }
        server
    });
    for _ in 0..2 {
        let status = client.do_command(DoCommandRequest::default()).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::NotFound, "no\u{e4} 100 %"));
        let details = viam_proto::google::rpc::Status::decode(status.details()).unwrap();
        assert_eq!(details.details[0].type_url, "type/x");
    }
    answering.await.unwrap();
}

#[tokio::test]
async fn a_message_over_the_limit_fails_on_both_sides() {
    let packet = PacketMessage { data: vec![1; PACKET].into(), eom: false };
    let (mut client, mut server) = RawServer::start();
    let part = packet.clone();
    let answering = tokio::spawn(async move {
        server.next(1).await;
        server.next(1).await;
        server.send_bytes(hex("0a0208011200")).await;
        for _ in 0..600 {
            server.packet(1, part.clone()).await;
        }
        server.next(1).await
    });
    let status = client.get_status(GetStatusRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(answering.await.unwrap(), request::Type::RstStream(true));

    let mut client = RawClient::start();
    client.headers(1, &format!("{SHELL}/Shell"), None).await;
    for _ in 0..600 {
        client.message(1, Some(packet.clone()), false).await;
    }
    let (code, _) = client.ended(1).await;
    assert_eq!(code, 8);
}

#[tokio::test]
async fn a_request_that_fails_is_reset() {
    let (_, mut server) = RawServer::start();
    let mut client = server.client.clone();
    let parts = [Ok(Frame::data(Bytes::from_static(&[0; 5]))), Err(Status::aborted("gone"))];
    let body = Body::new(StreamBody::new(stream::iter(parts)).boxed_unsync());
    let request = http::Request::builder().uri("/a.B/C").body(body).unwrap();
    let error = client.call(request).await.unwrap_err();
    assert_eq!(Status::from_error(error.into()).code(), Code::Aborted);
    assert!(matches!(server.next(1).await, request::Type::Headers(_)));
    assert!(matches!(server.next(1).await, request::Type::Message(_)));
    assert_eq!(server.next(1).await, request::Type::RstStream(true));
}

#[tokio::test]
async fn the_server_answers_the_odd_cases() {
    let shell = &format!("{SHELL}/Shell");
    let mut client = RawClient::start();
    // Frames of a stream that is not open get no answer, so the next answer is for the next one.
    client.message(9, None, true).await;
    client.reset(9).await;
    client.headers(2, &shell[1..], None).await;
    assert_eq!(client.ended(2).await, (12, "Unimplemented".to_owned()));
    client.headers(3, shell, None).await;
    client.headers(3, shell, None).await;
    assert_eq!(client.ended(3).await, (3, "headers already received".to_owned()));
    client.headers(4, &format!("{SHELL}/Nothing"), None).await;
    assert_eq!(client.ended(4).await.0, 12);
    for (id, seconds) in [(5, -1), (6, 0)] {
        client.headers(id, shell, Some(prost_types::Duration { seconds, nanos: 1 })).await;
        assert_eq!(client.ended(id).await, (4, "context deadline exceeded".to_owned()));
    }
    client.headers(0, shell, None).await;
    client.reset(0).await;
    assert_eq!(client.ended(0).await, (1, "request cancelled".to_owned()));
}

#[tokio::test]
async fn the_end_of_a_request_counts_only_with_the_end_of_a_message() {
    let mut client = RawClient::start();
    client.headers(1, &format!("{SHELL}/Shell"), None).await;
    // As the Go client does: the end of the stream on each packet of the last message.
    for (data, eom) in [("0a02", false), ("6869", true)] {
        client.message(1, Some(PacketMessage { data: hex(data), eom }), true).await;
    }
    assert!(matches!(client.next(1).await, response::Type::Headers(_)));
    let response::Type::Message(message) = client.next(1).await else { panic!() };
    assert_eq!(message.packet_message.unwrap().data, hex("0a026869"));
    assert_eq!(client.ended(1).await.0, 0);
}
