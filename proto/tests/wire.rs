//! What messages look like on the wire, against bytes worked out by hand.

use bytes::Bytes;
use prost::Message as _;
use viam_proto::rpc::webrtc::v1::request::Type;
use viam_proto::rpc::webrtc::v1::{PacketMessage, Request, RequestMessage, Stream};

#[test]
fn a_request_over_webrtc() {
    let packet = PacketMessage { data: Bytes::from_static(b"hi"), eom: true };
    let message = RequestMessage { has_message: true, packet_message: Some(packet), eos: false };
    let request =
        Request { stream: Some(Stream { id: 300 }), r#type: Some(Type::Message(message)) };
    let expected = b"\x0a\x03\x08\xac\x02\x1a\x0a\x08\x01\x12\x06\x0a\x02hi\x10\x01";
    assert_eq!(request.encode_to_vec(), expected);
    assert_eq!(Request::decode(expected.as_slice()), Ok(request));
}

#[test]
fn bytes_are_not_copied_when_decoded() {
    let encoded = PacketMessage { data: Bytes::from(vec![7; 1000]), eom: false }.encode_to_vec();
    let encoded = Bytes::from(encoded);
    let decoded = PacketMessage::decode(encoded.clone()).expect("a packet");
    let outer = encoded.as_ptr_range();
    assert!(outer.contains(&decoded.data.as_ptr()), "the data lies in the buffer it came in");
}

#[test]
fn the_descriptors_name_every_area() {
    let set = prost_types::FileDescriptorSet::decode(viam_proto::DESCRIPTORS).expect("a set");
    let packages: Vec<_> = set.file.iter().map(|file| file.package()).collect();
    for package in ["viam.app.v1", "viam.app.data.v1", "viam.robot.v1", "proto.rpc.v1"] {
        assert!(packages.contains(&package), "{package}");
    }
}
