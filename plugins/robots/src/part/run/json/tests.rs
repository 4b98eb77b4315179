//! Tests of the JSON of requests and answers, by the built-in definitions.

use prost_reflect::DescriptorPool;

use super::*;

fn method(service: &str, method: &str) -> MethodDescriptor {
    let pool = DescriptorPool::decode(viam_proto::DESCRIPTORS).expect("built in");
    let service = pool.get_service_by_name(service).expect("service");
    service.methods().find(|found| found.name() == method).expect("method")
}

fn servo(name: &str) -> MethodDescriptor {
    method("viam.component.servo.v1.ServoService", name)
}

/// What a request says, read back.
fn read(
    data: &str,
    method: &MethodDescriptor,
    component: Option<&str>,
) -> Result<(String, String)> {
    let mut warnings = String::new();
    let warn = |words: &str| warnings.push_str(words);
    let requests = requests(&split(data)?, method, component, warn)?;
    let message = DynamicMessage::decode(method.input(), requests[0].clone()).expect("decode");
    let json = String::from_utf8(answer(&message, true)?).expect("UTF-8");
    Ok((json.trim_end().to_owned(), warnings))
}

#[test]
fn values_follow_each_other_and_nothing_is_an_empty_one() {
    assert_eq!(split("{} {\"a\":1}\n{}").expect("three").len(), 3);
    assert_eq!(split(" \n").expect("one").len(), 1);
    let error = split("{}\n{\"a\": x}").expect_err("no JSON");
    assert_eq!(error.kind(), Kind::Usage);
    assert_eq!(error.message(), "Error getting request data: expected value at line 2 column 7");
}

#[test]
fn a_wrong_type_is_placed_in_the_whole_of_the_data() {
    let list = method("viam.service.shell.v1.ShellService", "Shell");
    let pieces = split("{}\n {\n\"dataIn\": 5}").expect("JSON");
    let error = requests(&pieces, &list, None, |_| ()).expect_err("no string");
    assert!(error.message().ends_with(" at line 3 column 11"), "{error}");
    let pieces = split("{} {\"dataIn\": 5}").expect("JSON");
    let error = requests(&pieces, &list, None, |_| ()).expect_err("no string");
    assert!(error.message().ends_with(" at line 1 column 15"), "{error}");
}

#[test]
fn unknown_fields_are_named_and_ignored() {
    let (json, warnings) =
        read(r#"{"name":"s","angle_deg":5,"anlge":1}"#, &servo("Move"), None).expect("request");
    assert!(json.contains(r#""name":"s","angleDeg":5"#), "{json}");
    assert_eq!(warnings, "MoveRequest has no field \"anlge\": it is ignored");
}

#[test]
fn the_component_is_named_unless_it_is() {
    let (json, _) = read("", &servo("Move"), Some("s")).expect("request");
    assert!(json.contains(r#""name":"s""#), "{json}");
    let (json, _) = read(r#"{"name":"t"}"#, &servo("Move"), Some("s")).expect("request");
    assert!(json.contains(r#""name":"t""#), "{json}");
}

#[test]
fn one_request_takes_one_message() {
    let error = read("{} {}", &servo("Move"), None).expect_err("two");
    assert_eq!(
        error.message(),
        "Method \"Move\" is a unary RPC, but request data contained more than 1 message"
    );
}

#[test]
fn a_command_stands_under_its_field() {
    let error = read(r#"{"set":1,"name":"s"}"#, &servo("DoCommand"), None).expect_err("bare");
    assert_eq!(error.kind(), Kind::Usage);
    let hints = format!("{:?}", error.hints());
    assert!(hints.contains(r#"{\"command\":{\"set\":1},\"name\":\"s\"}"#), "{hints}");
    let right = r#"{"command":{"set":1.5,"on":2},"name":"s"}"#;
    let (json, _) = read(right, &servo("DoCommand"), None).expect("right");
    assert!(json.contains(r#""set":1.5"#) && json.contains(r#""on":2"#), "{json}");
    assert!(!json.contains("2.0"), "{json}");
}

#[test]
fn answers_have_defaults_and_two_spaces() {
    let position = servo("GetPosition");
    let message = decode(&position, Bytes::new()).expect("empty");
    let shown = String::from_utf8(answer(&message, false).expect("JSON")).expect("UTF-8");
    assert_eq!(shown, "{\n  \"positionDeg\": 0\n}\n");
    assert!(decode(&position, Bytes::from_static(b"\xff")).is_err());
}

#[test]
fn the_largest_bytes_are_found_where_they_lie() {
    let images = method("viam.component.camera.v1.CameraService", "GetImages");
    let data = r#"{"images":[{"image":"AQ=="},{"image":"AQID"}]}"#;
    let mut json = serde_json::Deserializer::from_str(data);
    let message = DynamicMessage::deserialize(images.output(), &mut json).expect("message");
    assert_eq!(largest_bytes(&message).as_deref(), Some(&[1, 2, 3][..]));
    let empty = DynamicMessage::new(images.output());
    assert_eq!(largest_bytes(&empty), None);
}
