//! JSON of rows, written straight into bytes: exports write millions of them, and a tree of values
//! for each would take more time than all the rest.

mod read;
mod time;

use prost_types::value::Kind;
use prost_types::{Struct, Value};
use viam_contract::json;

pub(crate) use read::read;
pub(crate) use time::time;

/// Whose form it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// protojson.
    Proto,
    /// Go's `encoding/json`, made to be put into HTML: `<` is `\u003c`.
    Html,
}

/// What is done with a byte of text: nothing, an escape, one in [`Style::Html`] only, and the first
/// byte of what may be a separator of lines, which is escaped there too.
const PLAIN: u8 = 0;
const ESCAPE: u8 = 1;
const HTML: u8 = 2;
const SEPARATOR: u8 = 3;

const BYTES: [u8; 256] = {
    let mut table = [PLAIN; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = ESCAPE;
        byte += 1;
    }
    table[b'"' as usize] = ESCAPE;
    table[b'\\' as usize] = ESCAPE;
    table[b'<' as usize] = HTML;
    table[b'>' as usize] = HTML;
    table[b'&' as usize] = HTML;
    table[0xe2] = SEPARATOR;
    table
};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Writes a string with its quotes.
pub(crate) fn text(to: &mut Vec<u8>, text: &str, style: Style) {
    let bytes = text.as_bytes();
    to.push(b'"');
    let mut done = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        match (BYTES[usize::from(byte)], style) {
            (PLAIN, _) | (HTML | SEPARATOR, Style::Proto) => {}
            (SEPARATOR, _) => {
                let (line, paragraph) = ([0xe2, 0x80, 0xa8], [0xe2, 0x80, 0xa9]);
                let rest = &bytes[at..];
                if rest.starts_with(&line) || rest.starts_with(&paragraph) {
                    to.extend_from_slice(&bytes[done..at]);
                    to.extend_from_slice(if rest[2] == 0xa8 { b"\\u2028" } else { b"\\u2029" });
                    done = at + 3;
                }
            }
            _ => {
                to.extend_from_slice(&bytes[done..at]);
                escape(to, byte, style);
                done = at + 1;
            }
        }
    }
    to.extend_from_slice(&bytes[done..]);
    to.push(b'"');
}

fn escape(to: &mut Vec<u8>, byte: u8, style: Style) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        // The Go of 2023 had no short form of these two.
        0x08 if style == Style::Proto => b'b',
        0x0c if style == Style::Proto => b'f',
        _ => {
            let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 0xf)]];
            to.extend_from_slice(b"\\u00");
            to.extend_from_slice(&digits);
            return;
        }
    };
    to.extend_from_slice(&[b'\\', short]);
}

/// Writes a number. JSON has none that is not finite; these are words, as in messages.
pub(crate) fn number(to: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        // Bytes in memory take everything.
        let _ = json::number(to, value);
    } else if value.is_nan() {
        to.extend_from_slice(b"\"NaN\"");
    } else {
        to.extend_from_slice(if value > 0.0 { b"\"Infinity\"" } else { b"\"-Infinity\"" });
    }
}

/// Writes a whole number.
pub(crate) fn integer(to: &mut Vec<u8>, value: i64) {
    use serde_json::ser::{CompactFormatter, Formatter as _};
    let _ = CompactFormatter.write_i64(to, value);
}

/// Writes any value.
pub(crate) fn value(to: &mut Vec<u8>, value: &Value, style: Style) {
    kind(to, value.kind.as_ref(), style);
}

/// Writes what is in a value.
pub(crate) fn kind(to: &mut Vec<u8>, kind: Option<&Kind>, style: Style) {
    match kind {
        None | Some(Kind::NullValue(_)) => to.extend_from_slice(b"null"),
        Some(Kind::NumberValue(value)) => number(to, *value),
        Some(Kind::StringValue(value)) => text(to, value, style),
        Some(Kind::BoolValue(value)) => bool(to, *value),
        Some(Kind::StructValue(value)) => object(to, value, style),
        Some(Kind::ListValue(list)) => array(to, &list.values, style),
    }
}

/// Writes true or false.
pub(crate) fn bool(to: &mut Vec<u8>, value: bool) {
    to.extend_from_slice(if value { b"true" } else { b"false" });
}

/// Writes a list.
pub(crate) fn array(to: &mut Vec<u8>, values: &[Value], style: Style) {
    list(to, values, |to, one| value(to, one, style));
}

/// Writes a list of anything.
pub(crate) fn list<T>(to: &mut Vec<u8>, items: &[T], mut one: impl FnMut(&mut Vec<u8>, &T)) {
    to.push(b'[');
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            to.push(b',');
        }
        one(to, item);
    }
    to.push(b']');
}

/// Writes an object; its keys are in the order of their bytes.
pub(crate) fn object(to: &mut Vec<u8>, fields: &Struct, style: Style) {
    let mut object = Object::begin(to);
    for (key, one) in &fields.fields {
        value(object.field(key, style), one, style);
    }
    object.end();
}

/// An object that is being written, field by field.
pub(crate) struct Object<'a> {
    to: &'a mut Vec<u8>,
    is_empty: bool,
}

impl<'a> Object<'a> {
    /// Begins it.
    pub(crate) fn begin(to: &'a mut Vec<u8>) -> Self {
        to.push(b'{');
        Self { to, is_empty: true }
    }

    /// Writes a key; its value is written next.
    pub(crate) fn field(&mut self, key: &str, style: Style) -> &mut Vec<u8> {
        if !self.is_empty {
            self.to.push(b',');
        }
        self.is_empty = false;
        text(self.to, key, style);
        self.to.push(b':');
        self.to
    }

    /// Writes a key that needs no escapes.
    pub(crate) fn plain(&mut self, key: &str) -> &mut Vec<u8> {
        self.to.extend_from_slice(if self.is_empty { b"\"" } else { b",\"" });
        self.is_empty = false;
        self.to.extend_from_slice(key.as_bytes());
        self.to.extend_from_slice(b"\":");
        self.to
    }

    /// Writes a text of a message, unless it is not set.
    pub(crate) fn text(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            text(self.plain(key), value, Style::Proto);
        }
    }

    /// Writes texts of a message, unless there are none.
    pub(crate) fn texts(&mut self, key: &str, values: &[String]) {
        if !values.is_empty() {
            list(self.plain(key), values, |to, one| text(to, one, Style::Proto));
        }
    }

    /// Ends it.
    pub(crate) fn end(self) {
        self.to.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(words: &str, style: Style) -> String {
        let mut bytes = Vec::new();
        text(&mut bytes, words, style);
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn texts_are_escaped_as_in_go() {
        let words = "a\"\\\n\r\t\u{1}\u{1f}\u{7f}é\u{2026}";
        let escaped = "\"a\\\"\\\\\\n\\r\\t\\u0001\\u001f\u{7f}é\u{2026}\"";
        assert_eq!(shown(words, Style::Proto), escaped);
        assert_eq!(shown(words, Style::Html), escaped);
        let words = "<b>&\u{2028}\u{2029}\u{8}\u{c}";
        assert_eq!(shown(words, Style::Proto), "\"<b>&\u{2028}\u{2029}\\b\\f\"");
        let escaped = r#""\u003cb\u003e\u0026\u2028\u2029\u0008\u000c""#;
        assert_eq!(shown(words, Style::Html), escaped);
        assert_eq!(serde_json::from_str::<String>(escaped).expect("JSON"), words);
    }

    #[test]
    fn numbers_that_json_does_not_have_are_words() {
        let mut bytes = Vec::new();
        list(&mut bytes, &[f64::NAN, f64::INFINITY, -f64::INFINITY, 2.0], |to, one| {
            number(to, *one);
        });
        assert_eq!(bytes, br#"["NaN","Infinity","-Infinity",2]"#);
    }
}
