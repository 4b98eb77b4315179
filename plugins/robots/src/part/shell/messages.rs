//! What goes over the stream of a shell.

use bytes::Bytes;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use viam_proto::service::shell::v1::ShellRequest;

/// A `ShellResponse` whose texts are bytes: machines cut them without regard to characters
/// (transport.md §6.2), and a message with half a character would not be read.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ShellOutput {
    /// What the shell prints.
    #[prost(bytes = "bytes", tag = "1")]
    pub(super) data_out: Bytes,
    /// What it prints as errors, where that is told apart.
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) data_err: Bytes,
    /// Whether it has ended.
    #[prost(bool, tag = "3")]
    pub(super) eof: bool,
}

/// The first message: which service, and the size of the terminal where there is one.
pub(super) fn first(name: &str, size: Option<(u16, u16)>) -> ShellRequest {
    let extra = match size {
        Some(size) => {
            let change = Value { kind: Some(Kind::StructValue(window_change(size))) };
            object([("messages", Kind::ListValue(ListValue { values: vec![change] }))])
        }
        None => Struct::default(),
    };
    ShellRequest { name: name.to_owned(), extra: Some(extra), ..ShellRequest::default() }
}

/// The terminal has another size.
pub(super) fn resized(name: &str, size: (u16, u16)) -> ShellRequest {
    let extra = Some(window_change(size));
    ShellRequest { name: name.to_owned(), extra, ..ShellRequest::default() }
}

/// Something was typed.
pub(super) fn typed(name: &str, text: String) -> ShellRequest {
    ShellRequest { name: name.to_owned(), data_in: text, extra: None }
}

fn window_change((columns, rows): (u16, u16)) -> Struct {
    object([
        ("message", Kind::StringValue("window-change".to_owned())),
        ("cols", Kind::NumberValue(columns.into())),
        ("rows", Kind::NumberValue(rows.into())),
    ])
}

fn object<const N: usize>(fields: [(&str, Kind); N]) -> Struct {
    let field = |(name, kind): (&str, Kind)| (name.to_owned(), Value { kind: Some(kind) });
    Struct { fields: fields.into_iter().map(field).collect() }
}

/// Makes texts of bytes that may be cut within a character: the start of one is kept until the
/// rest is there, and what is no UTF-8 becomes U+FFFD.
#[derive(Debug, Default)]
pub(super) struct Texts {
    kept: Vec<u8>,
}

impl Texts {
    pub(super) fn push(&mut self, bytes: &[u8]) -> String {
        self.kept.extend_from_slice(bytes);
        let mut text = String::new();
        let mut from = 0;
        for chunk in self.kept.utf8_chunks() {
            text.push_str(chunk.valid());
            from += chunk.valid().len();
            let invalid = chunk.invalid();
            let unfinished = from + invalid.len() == self.kept.len()
                && std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if !invalid.is_empty() && !unfinished {
                text.push('\u{fffd}');
                from += invalid.len();
            }
        }
        self.kept.drain(..from);
        text
    }

    /// What is left when nothing more comes.
    pub(super) fn end(self) -> String {
        String::from_utf8_lossy(&self.kept).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_may_come_in_pieces() {
        for text in ["é", "x€y", "🦀🦀", "plain"] {
            for cut in 0..=text.len() {
                let mut texts = Texts::default();
                let mut all = texts.push(&text.as_bytes()[..cut]);
                all += &texts.push(&text.as_bytes()[cut..]);
                assert_eq!(all, text, "cut at {cut}");
            }
        }
        let mut texts = Texts::default();
        assert_eq!(texts.push(b"a\xffb\xc3"), "a\u{fffd}b");
        assert_eq!(texts.push(b"\xa9\xe2\x82"), "é");
        assert_eq!(texts.end(), "\u{fffd}");
    }

    #[test]
    fn sizes_are_told_as_machines_read_them() {
        let extra = first("sh", Some((80, 24))).extra.expect("extra");
        let Some(Kind::ListValue(list)) = extra.fields["messages"].kind.clone() else {
            panic!("no list")
        };
        let Some(Kind::StructValue(change)) = list.values[0].kind.clone() else {
            panic!("no message")
        };
        assert_eq!(Some(change), resized("sh", (80, 24)).extra);
        assert_eq!(first("sh", None).extra, Some(Struct::default()));
    }
}
