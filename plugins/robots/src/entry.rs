//! One entry of the logs as a line of text or of JSON (behaviour.md §1.5).

use std::fmt::Write as _;

use prost_types::value::Kind as Shape;
use prost_types::{Struct, Value};
use serde::Serialize;
use viam_client::time::rfc3339;
use viam_contract::text;
use viam_proto::common::v1::LogEntry;

use crate::when;

/// How entries are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `TIME LEVEL LOGGER MESSAGE FIELDS` with tabs in between.
    Text,
    /// One object a line.
    Json,
}

/// The keys in the order in which they are printed.
#[derive(Serialize)]
struct Line<'a> {
    fields: String,
    level: &'a str,
    logger: &'a str,
    message: &'a str,
    part: &'a str,
    time: String,
    ts: i64,
}

/// Writes entries, and notices what cannot be written.
pub(crate) struct Writer<'a> {
    form: Form,
    part: &'a str,
    /// An entry had a field that is none.
    pub(crate) bad_field: bool,
}

impl<'a> Writer<'a> {
    /// For the entries of a part.
    pub(crate) fn new(form: Form, part: &'a str) -> Self {
        Self { form, part, bad_field: false }
    }

    /// Adds an entry and a newline.
    pub(crate) fn write(&mut self, entry: &LogEntry, to: &mut String) {
        let fields = fields(&entry.fields).unwrap_or_else(|| {
            self.bad_field = true;
            String::new()
        });
        let time = when::log_time(entry.time.as_ref());
        match self.form {
            Form::Text => {
                let [level, logger, message, fields] =
                    [&entry.level, &entry.logger_name, &entry.message, &fields]
                        .map(|text| text::one_line(text));
                // Writing to a string cannot fail.
                let _ = writeln!(to, "{time}\t{level}\t{logger}\t{message}\t{fields}");
            }
            Form::Json => {
                let line = Line {
                    fields,
                    level: &entry.level,
                    logger: &entry.logger_name,
                    message: &entry.message,
                    part: self.part,
                    time,
                    ts: entry.time.unwrap_or_default().seconds,
                };
                to.push_str(&serde_json::to_string(&line).unwrap_or_default());
                to.push('\n');
            }
        }
    }
}

/// `{"k": "v", "k2": 3}`; nothing where there are no fields; `None` where one is no field.
fn fields(fields: &[Struct]) -> Option<String> {
    let mut shown = String::new();
    for field in fields {
        let Some(value) = value_of(field)? else { continue };
        shown.push_str(if shown.is_empty() { "{" } else { ", " });
        let _ = write!(shown, "{}: {value}", json_string(text_of(field, "Key")?));
    }
    if !shown.is_empty() {
        shown.push('}');
    }
    Some(shown)
}

fn shape<'a>(field: &'a Struct, key: &str) -> Option<&'a Shape> {
    field.fields.get(key)?.kind.as_ref()
}

fn text_of<'a>(field: &'a Struct, key: &str) -> Option<&'a str> {
    match shape(field, key)? {
        Shape::StringValue(text) => Some(text),
        _ => None,
    }
}

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The value of a field of zap, the logging library of machines, as JSON; `Some(None)` for one
/// that is to be left out. The types are the numbers of zap's `FieldType`.
fn value_of(field: &Struct) -> Option<Option<String>> {
    let Shape::NumberValue(kind) = shape(field, "Type")? else { return None };
    let text = text_of(field, "String").unwrap_or_default();
    // What a double cannot hold exactly is sent as text.
    let integer = match shape(field, "Integer") {
        Some(Shape::NumberValue(number)) => *number as i64,
        Some(Shape::StringValue(number)) => number.parse().unwrap_or_default(),
        _ => 0,
    };
    let number = || if text.is_empty() { integer.to_string() } else { text.to_owned() };
    let value = match *kind as i64 {
        4 => (integer == 1).to_string(),
        8 => json_string(&when::go_duration(integer)),
        9 if text.is_empty() => float(f64::from_bits(integer.cast_unsigned())),
        10 if text.is_empty() => float(f64::from(f32::from_bits(integer.cast_unsigned() as u32))),
        9..=14 | 18..=22 => number(),
        15 => json_string(text),
        16 => {
            let time = prost_types::Timestamp {
                seconds: integer.div_euclid(1_000_000_000),
                nanos: integer.rem_euclid(1_000_000_000) as i32,
            };
            json_string(&rfc3339(Some(&time)).unwrap_or_default())
        }
        27 => return Some(None),
        _ => match shape(field, "Interface") {
            Some(shape) if !matches!(shape, Shape::NullValue(_)) => json(shape).to_string(),
            _ => json_string(text),
        },
    };
    Some(Some(value))
}

fn float(number: f64) -> String {
    serde_json::Value::from(number).to_string()
}

fn json(shape: &Shape) -> serde_json::Value {
    let inner = |value: &Value| value.kind.as_ref().map_or(serde_json::Value::Null, json);
    match shape {
        Shape::NullValue(_) => serde_json::Value::Null,
        Shape::BoolValue(value) => (*value).into(),
        Shape::NumberValue(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
            (*number as i64).into()
        }
        Shape::NumberValue(number) => (*number).into(),
        Shape::StringValue(text) => text.as_str().into(),
        Shape::ListValue(list) => list.values.iter().map(inner).collect(),
        Shape::StructValue(fields) => {
            fields.fields.iter().map(|(key, value)| (key.clone(), inner(value))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(key: &str, kind: i32, integer: i64, text: &str) -> Struct {
        let value = |kind| Value { kind: Some(kind) };
        Struct {
            fields: [
                ("Key", value(Shape::StringValue(key.to_owned()))),
                ("Type", value(Shape::NumberValue(kind.into()))),
                ("Integer", value(Shape::NumberValue(integer as f64))),
                ("String", value(Shape::StringValue(text.to_owned()))),
                ("Interface", value(Shape::NullValue(0))),
            ]
            .map(|(key, value)| (key.to_owned(), value))
            .into(),
        }
    }

    #[test]
    fn fields_stand_in_their_order() {
        let all = [
            field("k", 15, 0, "v\"\n"),
            field("k2", 11, 3, ""),
            field("on", 4, 1, ""),
            field("took", 8, 1_500_000, ""),
            field("big", 18, 0, "18446744073709551615"),
            field("skip", 27, 0, ""),
            field("half", 9, 0, "0.5"),
            field("err", 26, 0, "no arm"),
        ];
        assert_eq!(
            fields(&all).as_deref(),
            Some(
                r#"{"k": "v\"\n", "k2": 3, "on": true, "took": "1.5ms", "big": 18446744073709551615, "half": 0.5, "err": "no arm"}"#
            )
        );
        assert_eq!(fields(&[]).as_deref(), Some(""));
        assert_eq!(fields(&[Struct::default()]), None);
    }

    #[test]
    fn a_line_of_text_and_a_line_of_json() {
        let entry = LogEntry {
            time: Some(prost_types::Timestamp { seconds: 1_701_424_800, nanos: 5_000_000 }),
            level: "info".to_owned(),
            logger_name: "rdk".to_owned(),
            message: "up\n\u{1b}[2J".to_owned(),
            fields: vec![field("k", 15, 0, "v")],
            ..LogEntry::default()
        };
        let mut lines = String::new();
        let mut writer = Writer::new(Form::Text, "p");
        writer.write(&entry, &mut lines);
        assert_eq!(lines, "2023-12-01T10:00:00.005Z\tinfo\trdk\tup\\n\\u{1b}[2J\t{\"k\": \"v\"}\n");
        lines.clear();
        Writer::new(Form::Json, "p").write(&entry, &mut lines);
        assert_eq!(
            lines,
            r#"{"fields":"{\"k\": \"v\"}","level":"info","logger":"rdk","message":"up\n\u001b[2J","part":"p","time":"2023-12-01T10:00:00.005Z","ts":1701424800}"#
                .to_owned()
                + "\n"
        );
        let entry = LogEntry { fields: vec![Struct::default()], ..entry };
        writer.write(&entry, &mut lines);
        assert!(writer.bad_field);
    }
}
