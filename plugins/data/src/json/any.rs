//! Values whose message is named beside them. Parameters of a method are wrapped so: of the types
//! that the protocol itself has, the value is shown; of another one, its bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::{DecodeError, Message};
use prost_types::{Any, Duration, ListValue, Struct, Timestamp, Value as Given};
use serde_json::{Value, json};
use viam_client::time;

use super::{number, structure};

/// `{"@type": …, "value": …}`.
pub(super) fn json(any: &Any) -> Value {
    let name = any.type_url.rsplit('/').next().unwrap_or_default();
    let known = name.strip_prefix("google.protobuf.").map(|name| known(name, &any.value));
    let value = match known {
        Some(Ok(Some(value))) => value,
        // Bytes that cannot be read as what they are called are kept as well.
        _ => STANDARD.encode(&any.value).into(),
    };
    json!({ "@type": any.type_url, "value": value })
}

/// The value of a message that has a form of its own in JSON; `None` of another one.
fn known(name: &str, bytes: &[u8]) -> Result<Option<Value>, DecodeError> {
    // The generated code of wrappers is Rust's own types.
    Ok(Some(match name {
        "StringValue" => String::decode(bytes)?.into(),
        "BoolValue" => bool::decode(bytes)?.into(),
        "Int32Value" => i32::decode(bytes)?.into(),
        "UInt32Value" => u32::decode(bytes)?.into(),
        "Int64Value" => i64::decode(bytes)?.to_string().into(),
        "UInt64Value" => u64::decode(bytes)?.to_string().into(),
        "FloatValue" => number::float(f32::decode(bytes)?),
        "DoubleValue" => number::double(f64::decode(bytes)?),
        "BytesValue" => STANDARD.encode(Vec::<u8>::decode(bytes)?).into(),
        "Struct" => structure::object(&Struct::decode(bytes)?),
        "Value" => structure::value(&Given::decode(bytes)?),
        "ListValue" => ListValue::decode(bytes)?.values.iter().map(structure::value).collect(),
        "Timestamp" => time::rfc3339(Some(&Timestamp::decode(bytes)?)).into(),
        "Duration" => duration(&Duration::decode(bytes)?).into(),
        "Empty" => json!({}),
        _ => return Ok(None),
    }))
}

/// Seconds with 0, 3, 6 or 9 digits behind the point.
fn duration(given: &Duration) -> String {
    let sign = if given.seconds < 0 || given.nanos < 0 { "-" } else { "" };
    let (seconds, nanos) = (given.seconds.unsigned_abs(), given.nanos.unsigned_abs());
    let digits = format!("{nanos:09}");
    let digits = match digits.as_bytes() {
        [.., b'0', b'0', b'0', b'0', b'0', b'0', b'0', b'0', b'0'] => String::new(),
        [.., b'0', b'0', b'0', b'0', b'0', b'0'] => format!(".{}", &digits[..3]),
        [.., b'0', b'0', b'0'] => format!(".{}", &digits[..6]),
        _ => format!(".{digits}"),
    };
    format!("{sign}{seconds}{digits}s")
}
