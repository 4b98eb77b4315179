//! Readings as documents, and what queries do with values.

use std::cmp::Ordering;

use bson::{Bson, DateTime, Document, doc};
use serde_json::Value as Json;

use crate::store::data::Reading;

/// A reading as a document.
pub(super) fn document(reading: Reading) -> Document {
    let capture = reading.capture;
    doc! {
        "organization_id": capture.organization,
        "location_id": capture.location,
        "robot_id": capture.robot,
        "robot_name": capture.robot_name,
        "part_id": capture.part,
        "part_name": capture.part_name,
        "component_type": capture.component_type,
        "component_name": capture.component_name,
        "method_name": capture.method,
        "time_requested": date(reading.requested),
        "time_received": date(reading.received),
        "tags": reading.tags,
        "data": json_text(&reading.payload),
    }
}

/// A time in microseconds; BSON has milliseconds.
pub(super) fn date(micros: i64) -> DateTime {
    DateTime::from_millis(micros.div_euclid(1000))
}

/// The value of the text of a JSON document.
pub(super) fn json_text(text: &str) -> Bson {
    serde_json::from_str(text).map_or_else(|_| Bson::String(text.to_owned()), json)
}

/// Keys with `$` mean nothing here: it is what a sensor said.
fn json(value: Json) -> Bson {
    match value {
        Json::Null => Bson::Null,
        Json::Bool(value) => Bson::Boolean(value),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Bson::Int64(whole),
            None => Bson::Double(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Bson::String(text),
        Json::Array(values) => Bson::Array(values.into_iter().map(json).collect()),
        Json::Object(object) => {
            Bson::Document(object.into_iter().map(|(key, value)| (key, json(value))).collect())
        }
    }
}

/// The value at a dotted path, numbers of arrays included.
pub(super) fn at<'d>(document: &'d Document, path: &str) -> Option<&'d Bson> {
    let mut words = path.split('.');
    let mut value = document.get(words.next()?)?;
    for word in words {
        value = match value {
            Bson::Document(inner) => inner.get(word)?,
            Bson::Array(values) => values.get(word.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value)
}

/// The value as a number, if it is one.
pub(super) fn number(value: &Bson) -> Option<f64> {
    match *value {
        Bson::Int32(number) => Some(number.into()),
        Bson::Int64(number) => Some(number as f64),
        Bson::Double(number) => Some(number),
        _ => None,
    }
}

/// Whether two values are the same; numbers of all kinds compare by what they are worth.
pub(super) fn same(one: &Bson, other: &Bson) -> bool {
    compare(one, other) == Some(Ordering::Equal) || (number(one).is_none() && one == other)
}

/// Which of two values of one kind is the greater.
pub(super) fn compare(one: &Bson, other: &Bson) -> Option<Ordering> {
    match (one, other) {
        (Bson::String(one), Bson::String(other)) => Some(one.cmp(other)),
        (Bson::Boolean(one), Bson::Boolean(other)) => Some(one.cmp(other)),
        (Bson::DateTime(one), Bson::DateTime(other)) => Some(one.cmp(other)),
        (Bson::Null, Bson::Null) => Some(Ordering::Equal),
        _ => number(one)?.partial_cmp(&number(other)?),
    }
}

/// An order of all values: kinds one after the other as MongoDB has them, what is missing first.
pub(super) fn order(one: Option<&Bson>, other: Option<&Bson>) -> Ordering {
    let kind = |value: Option<&Bson>| match value {
        None | Some(Bson::Null) => 0,
        Some(Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_)) => 1,
        Some(Bson::String(_)) => 2,
        Some(Bson::Document(_)) => 3,
        Some(Bson::Array(_)) => 4,
        Some(Bson::Boolean(_)) => 5,
        Some(Bson::DateTime(_)) => 6,
        Some(_) => 7,
    };
    kind(one).cmp(&kind(other)).then_with(|| {
        one.zip(other).and_then(|(one, other)| compare(one, other)).unwrap_or(Ordering::Equal)
    })
}
