//! What is written by hand, compared with what the descriptions of the messages make of it.

use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage};
use prost_types::{Any, Duration, ListValue, Struct, Timestamp, Value as Given, value::Kind};
use viam_proto::app::data::v1::{Annotations, BoundingBox, CaptureMetadata, Classification};

use super::*;

/// By reflection.
fn reflected(metadata: &BinaryMetadata) -> Value {
    // The one that has the wrappers, which no message of ours names.
    let mut pool = DescriptorPool::global();
    pool.decode_file_descriptor_set(viam_proto::DESCRIPTORS).expect("built in");
    let message = pool.get_message_by_name("viam.app.data.v1.BinaryMetadata").expect("there");
    let bytes = metadata.encode_to_vec();
    let message = DynamicMessage::decode(message, &bytes[..]).expect("decodes");
    serde_json::to_value(&message).expect("serializes")
}

fn any(name: &str, value: Vec<u8>) -> Any {
    Any { type_url: format!("type.googleapis.com/google.protobuf.{name}"), value }
}

fn given(kind: Kind) -> Given {
    Given { kind: Some(kind) }
}

fn nested() -> Struct {
    let list = ListValue {
        values: vec![
            given(Kind::NumberValue(1.0)),
            given(Kind::NumberValue(-0.25)),
            Given::default(),
        ],
    };
    let fields = [
        ("list", Kind::ListValue(list)),
        ("text", Kind::StringValue("<é>\n".to_owned())),
        ("truth", Kind::BoolValue(false)),
        ("nothing", Kind::NullValue(0)),
        ("inner", Kind::StructValue(Struct::default())),
    ];
    let fields = fields.into_iter().map(|(name, kind)| (name.to_owned(), given(kind)));
    Struct { fields: fields.collect() }
}

fn full() -> BinaryMetadata {
    let texts = || vec!["a".to_owned(), "b".to_owned()];
    let parameters = [
        ("string", any("StringValue", "x".to_owned().encode_to_vec())),
        ("bool", any("BoolValue", true.encode_to_vec())),
        ("int32", any("Int32Value", (-7_i32).encode_to_vec())),
        ("uint32", any("UInt32Value", u32::MAX.encode_to_vec())),
        ("int64", any("Int64Value", i64::MIN.encode_to_vec())),
        ("uint64", any("UInt64Value", u64::MAX.encode_to_vec())),
        ("float", any("FloatValue", 0.5_f32.encode_to_vec())),
        ("double", any("DoubleValue", 0.1_f64.encode_to_vec())),
        ("bytes", any("BytesValue", vec![0_u8, 255, 7].encode_to_vec())),
        ("struct", any("Struct", nested().encode_to_vec())),
        ("value", any("Value", given(Kind::BoolValue(true)).encode_to_vec())),
        ("list", any("ListValue", ListValue { values: vec![Given::default()] }.encode_to_vec())),
        ("time", any("Timestamp", Timestamp { seconds: 1, nanos: 5_000_000 }.encode_to_vec())),
        ("duration", any("Duration", Duration { seconds: -3, nanos: -50_000 }.encode_to_vec())),
        ("second", any("Duration", Duration { seconds: 1, nanos: 0 }.encode_to_vec())),
        ("empty", any("Empty", Vec::new())),
    ];
    BinaryMetadata {
        id: "id".to_owned(),
        capture_metadata: Some(CaptureMetadata {
            organization_id: "o".to_owned(),
            location_id: "l".to_owned(),
            robot_name: "rn".to_owned(),
            robot_id: "r".to_owned(),
            part_name: "pn".to_owned(),
            part_id: "p".to_owned(),
            component_type: "rdk:component:camera".to_owned(),
            component_name: "cam".to_owned(),
            method_name: "ReadImage".to_owned(),
            method_parameters: parameters.map(|(name, value)| (name.to_owned(), value)).into(),
            tags: texts(),
            mime_type: "image/jpeg".to_owned(),
        }),
        time_requested: Some(Timestamp { seconds: 1_700_000_000, nanos: 123_456_000 }),
        time_received: Some(Timestamp { seconds: 1_700_000_001, nanos: 0 }),
        file_name: "dir/x.jpg".to_owned(),
        file_ext: ".jpg".to_owned(),
        uri: "https://example.com/x?a=b&c".to_owned(),
        annotations: Some(Annotations {
            bboxes: vec![
                BoundingBox::default(),
                BoundingBox {
                    id: "b".to_owned(),
                    label: "cat".to_owned(),
                    x_min_normalized: 0.1,
                    y_min_normalized: 1e-9,
                    x_max_normalized: f64::NAN,
                    y_max_normalized: f64::INFINITY,
                    confidence: Some(0.0),
                },
            ],
            classifications: vec![Classification {
                id: "c".to_owned(),
                label: "indoors".to_owned(),
                confidence: Some(1.0),
            }],
        }),
        dataset_ids: texts(),
        binary_data_id: "o/l/id".to_owned(),
        file_size_bytes: 1 << 60,
    }
}

#[test]
fn it_is_what_the_descriptions_say() {
    for metadata in [
        full(),
        BinaryMetadata::default(),
        BinaryMetadata {
            capture_metadata: Some(CaptureMetadata::default()),
            annotations: Some(Annotations::default()),
            time_requested: Some(Timestamp::default()),
            ..BinaryMetadata::default()
        },
    ] {
        assert_eq!(metadata_json(&metadata), reflected(&metadata));
    }
}

#[test]
fn floats_are_short_and_bytes_of_an_unknown_message_are_kept() {
    let url = "type.googleapis.com/acme.Unknown";
    let strange = Any { type_url: url.to_owned(), value: vec![1, 2, 3] };
    assert_eq!(any::json(&strange), json!({ "@type": url, "value": "AQID" }));
    // Reflection shows the double that is nearest.
    assert_eq!(any::json(&any("FloatValue", 0.1_f32.encode_to_vec()))["value"], 0.1);
    // Not what it is called.
    let broken = any("StringValue", vec![0x0a, 9, b'x']);
    assert_eq!(any::json(&broken)["value"], "Cgl4");
}
