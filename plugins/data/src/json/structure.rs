//! Values that are JSON by themselves.

use prost_types::{Struct, Value as Given, value::Kind};
use serde_json::Value;

use super::number;

/// An object.
pub(crate) fn object(fields: &Struct) -> Value {
    fields.fields.iter().map(|(name, given)| (name.clone(), value(given))).collect()
}

/// Any value; one that is not set is null.
pub(super) fn value(given: &Given) -> Value {
    match &given.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::NumberValue(double)) => number::double(*double),
        Some(Kind::StringValue(text)) => text.as_str().into(),
        Some(Kind::BoolValue(truth)) => (*truth).into(),
        Some(Kind::StructValue(fields)) => object(fields),
        Some(Kind::ListValue(list)) => list.values.iter().map(value).collect(),
    }
}
