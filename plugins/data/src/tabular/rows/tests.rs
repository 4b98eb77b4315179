use prost_reflect::{DescriptorPool, DynamicMessage};
use prost_types::value::Kind as Is;
use prost_types::{ListValue, Value};
use serde_json::Value as Json;

use super::*;

fn line(row: &impl Row) -> String {
    let mut bytes = Vec::new();
    row.json(&mut bytes);
    String::from_utf8(bytes).expect("UTF-8")
}

fn at(seconds: i64, nanos: i32) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos })
}

#[test]
fn a_row_of_today_is_its_message() {
    let row = ExportTabularDataResponse {
        part_id: "part".into(),
        time_captured: at(1_700_000_000, 120_000_000),
        robot_id: "robot".into(),
        tags: vec!["<a>".into()],
        method_parameters: Some(Struct::default()),
        payload: json::read(r#"{"b":{"y":1e21,"x":[1.0,null,true]},"a":"1 & 2"}"#).ok(),
        ..Default::default()
    };
    let expected = concat!(
        r#"{"partId":"part","timeCaptured":"2023-11-14T22:13:20.120Z","robotId":"robot","#,
        r#""methodParameters":{},"tags":["<a>"],"#,
        r#""payload":{"a":"1 & 2","b":{"x":[1,null,true],"y":1e+21}}}"#
    );
    assert_eq!(line(&row), expected);
    assert_eq!(line(&ExportTabularDataResponse::default()), "{}");
}

#[test]
fn a_row_of_2023_has_three_keys_among_its_own() {
    let data = json::read(r#"{"bool":true,"float":1.0,"string":"true"}"#).expect("JSON");
    let row = Found { data, ..Found::default() };
    let expected = r#"{"MetadataIndex":0,"TimeReceived":null,"TimeRequested":null,"bool":true,"float":1,"string":"true"}"#;
    assert_eq!(line(&row), expected);

    let data =
        r#"{"A":"<&>","MetadataIndex":"lost","Me":1,"TimeR":0.0000001,"Z":{"<":"\u2028"},"é":2}"#;
    let row = Found {
        data: json::read(data).expect("JSON"),
        requested: at(5, 0),
        received: at(0, 7),
        source: Arc::new(Source { number: 12, ..Source::default() }),
    };
    let expected = concat!(
        r#"{"A":"\u003c\u0026\u003e","Me":1,"MetadataIndex":12,"TimeR":1e-7,"#,
        r#""TimeReceived":{"nanos":7},"TimeRequested":{"seconds":5},"#,
        r#""Z":{"\u003c":"\u2028"},"é":2}"#
    );
    assert_eq!(line(&row), expected);
    let row = Found { requested: at(0, 0), ..Found::default() };
    assert_eq!(line(&row), r#"{"MetadataIndex":0,"TimeReceived":null,"TimeRequested":{}}"#);
}

/// Numbers that look like chance, the same in every run (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % sides
    }

    fn text(&mut self) -> String {
        const LETTERS: [char; 14] = [
            'a', 'é', '"', '\\', '\n', '\u{8}', '\u{c}', '\u{1}', '\u{7f}', '<', '&', '\u{2028}',
            '😀', '.',
        ];
        (0..self.roll(6)).map(|_| LETTERS[self.roll(14) as usize]).collect()
    }

    fn number(&mut self) -> f64 {
        match self.roll(4) {
            0 => self.roll(1000) as f64,
            1 => self.roll(1 << 40) as f64 / -1000.0,
            _ => {
                Some(f64::from_bits(self.roll(u64::MAX))).filter(|it| it.is_finite()).unwrap_or(0.5)
            }
        }
    }

    fn value(&mut self, depth: u64) -> Value {
        let kind = match self.roll(4 + depth) {
            0 => Is::NullValue(0),
            1 => Is::BoolValue(self.roll(2) == 0),
            2 => Is::StringValue(self.text()),
            3 => Is::NumberValue(self.number()),
            4 => Is::StructValue(self.object(depth - 1)),
            _ => {
                let values = (0..self.roll(4)).map(|_| self.value(depth - 1)).collect();
                Is::ListValue(ListValue { values })
            }
        };
        Value { kind: Some(kind) }
    }

    fn object(&mut self, depth: u64) -> Struct {
        let fields = (0..self.roll(5)).map(|_| (self.text(), self.value(depth)));
        Struct { fields: fields.collect() }
    }
}

#[test]
fn rows_are_what_another_writer_of_the_same_messages_writes() {
    let pool = DescriptorPool::decode(viam_proto::DESCRIPTORS).expect("descriptors");
    let name = "viam.app.data.v1.ExportTabularDataResponse";
    let descriptor = pool.get_message_by_name(name).expect("the message");
    let mut dice = Dice(7);
    for _ in 0..2_000 {
        let some = dice.roll(3) > 0;
        let row = ExportTabularDataResponse {
            part_id: dice.text(),
            resource_name: dice.text(),
            resource_subtype: dice.text(),
            method_name: dice.text(),
            time_captured: some.then(|| Timestamp {
                seconds: dice.roll(4_000_000_000) as i64,
                nanos: dice.roll(1000) as i32 * 1_000,
            }),
            organization_id: dice.text(),
            location_id: dice.text(),
            robot_name: dice.text(),
            robot_id: dice.text(),
            part_name: dice.text(),
            method_parameters: some.then(|| dice.object(2)),
            tags: (0..dice.roll(3)).map(|_| dice.text()).collect(),
            payload: some.then(|| dice.object(3)),
        };
        let mut other = DynamicMessage::new(descriptor.clone());
        other.transcode_from(&row).expect("the same message");
        let expected = serde_json::to_string(&other).expect("JSON");
        // Read again: both are one form or another of the same value.
        let read = |text: &str| serde_json::from_str::<Json>(text).expect("JSON");
        assert_eq!(floats(read(&line(&row))), floats(read(&expected)));
        // The order of keys is that of the fields.
        let order = |text: &str| -> Vec<String> {
            read(text).as_object().expect("object").keys().cloned().collect()
        };
        assert_eq!(order(&line(&row)), order(&expected));
    }
}

/// Whole numbers are numbers like others.
fn floats(value: Json) -> Json {
    match value {
        Json::Number(number) => number.as_f64().into(),
        Json::Array(values) => values.into_iter().map(floats).collect(),
        Json::Object(fields) => {
            fields.into_iter().map(|(key, value)| (key, floats(value))).collect()
        }
        other => other,
    }
}
