//! JSON that users give, as messages.

use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use serde_json::Value as Json;

/// Reads an object.
pub(crate) fn read(text: &str) -> serde_json::Result<Struct> {
    let object: serde_json::Map<String, Json> = serde_json::from_str(text)?;
    Ok(object_of(object))
}

fn object_of(object: serde_json::Map<String, Json>) -> Struct {
    Struct { fields: object.into_iter().map(|(key, value)| (key, value_of(value))).collect() }
}

fn value_of(value: Json) -> Value {
    let kind = match value {
        Json::Null => Kind::NullValue(0),
        Json::Bool(value) => Kind::BoolValue(value),
        Json::Number(value) => Kind::NumberValue(value.as_f64().unwrap_or_default()),
        Json::String(value) => Kind::StringValue(value),
        Json::Array(values) => {
            Kind::ListValue(ListValue { values: values.into_iter().map(value_of).collect() })
        }
        Json::Object(object) => Kind::StructValue(object_of(object)),
    };
    Value { kind: Some(kind) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tabular::json::{self, Style};

    #[test]
    fn what_is_read_is_written_again() {
        let text = r#"{"a":{"b":[1,-2.5,"x",null]},"c":true}"#;
        let mut bytes = Vec::new();
        json::object(&mut bytes, &read(text).expect("JSON"), Style::Proto);
        assert_eq!(bytes, text.as_bytes());
        assert!(read("[]").is_err() && read("").is_err() && read("{} x").is_err());
    }
}
