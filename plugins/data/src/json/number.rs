//! Numbers that JSON has no word for.

use serde_json::Value;

/// A double; what is no number is a word.
pub(super) fn double(value: f64) -> Value {
    match serde_json::Number::from_f64(value) {
        Some(number) => number.into(),
        None if value.is_nan() => "NaN".into(),
        None if value > 0.0 => "Infinity".into(),
        None => "-Infinity".into(),
    }
}

/// A float, in as few digits as tell it from its neighbours.
pub(super) fn float(value: f32) -> Value {
    match value.to_string().parse() {
        Ok(shown) if value.is_finite() => double(shown),
        _ => double(value.into()),
    }
}
