//! Messages in and out: the JSON of `--data` and of the answers.

use std::io;

use bytes::Bytes;
use prost::Message as _;
use prost_reflect::{
    DeserializeOptions, DynamicMessage, MessageDescriptor, MethodDescriptor, SerializeOptions,
    Value,
};
use serde_json::Value as Json;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};
use viam_contract::{Error, Kind, Result, ResultExt as _, text};

use super::number::Plain;

/// One value of the data, and where it stands.
#[derive(Debug, PartialEq)]
pub(super) struct Piece {
    text: String,
    value: Json,
    /// Lines above it.
    line: usize,
    /// Characters before it on its first line.
    column: usize,
}

/// Takes values that follow each other apart. Nothing at all is one empty message.
pub(super) fn split(data: &str) -> Result<Vec<Piece>> {
    let data = if data.trim().is_empty() { "{}" } else { data };
    let mut values = serde_json::Deserializer::from_str(data).into_iter::<Json>();
    let mut pieces = Vec::new();
    loop {
        let rest = &data[values.byte_offset()..];
        let start = data.len() - rest.trim_start().len();
        let Some(value) = values.next() else { return Ok(pieces) };
        let value = value.map_err(|error| bad_data(&error.to_string()))?;
        let before = &data[..start];
        pieces.push(Piece {
            text: data[start..values.byte_offset()].to_owned(),
            value,
            line: before.matches('\n').count(),
            column: before.rsplit('\n').next().unwrap_or_default().chars().count(),
        });
    }
}

fn bad_data(why: &str) -> Error {
    Error::new(Kind::Usage, format!("Error getting request data: {}", text::one_line(why)))
        .hint_text("--data takes JSON, @FILE or - for stdin")
}

impl Piece {
    /// An error in this piece, placed in the whole of the data.
    fn failure(&self, error: &serde_json::Error) -> Error {
        let said = error.to_string();
        let (line, column) = (error.line(), error.column());
        let place = format!(" at line {line} column {column}");
        let Some(why) = said.strip_suffix(&place) else { return bad_data(&said) };
        let column = if line == 1 { column + self.column } else { column };
        bad_data(&format!("{why} at line {} column {column}", line + self.line))
    }
}

/// Makes requests of the pieces. `component` is the name that each of them gets unless it has
/// one; `warn` is told of what is not understood.
pub(super) fn requests(
    pieces: &[Piece],
    method: &MethodDescriptor,
    component: Option<&str>,
    mut warn: impl FnMut(&str),
) -> Result<Vec<Bytes>> {
    if pieces.len() > 1 && !method.is_client_streaming() {
        return Err(Error::new(
            Kind::Usage,
            format!(
                "Method {} is a unary RPC, but request data contained more than 1 message",
                text::quoted(method.name())
            ),
        ));
    }
    let input = method.input();
    let mut requests = Vec::with_capacity(pieces.len());
    for piece in pieces {
        command_is_there(&piece.value, method, component)?;
        let mut unknown = Vec::new();
        find_unknown(&piece.value, &input, "", &mut unknown);
        for field in &unknown {
            warn(&format!("{} has no field {}: it is ignored", input.name(), text::quoted(field)));
        }
        // Where every field is known, so must be every name of an enum.
        let options = DeserializeOptions::new().deny_unknown_fields(unknown.is_empty());
        let mut json = serde_json::Deserializer::from_str(&piece.text);
        let message = DynamicMessage::deserialize_with_options(input.clone(), &mut json, &options);
        let mut message = message.map_err(|error| piece.failure(&error))?;
        if let Some(component) = component
            && piece.value.get("name").is_none()
            && input.get_field_by_name("name").is_some()
        {
            let name = Value::String(component.to_owned());
            message
                .try_set_field_by_name("name", name)
                .or_kind(Kind::User, || format!("{} takes no name of a component", input.name()))?;
        }
        requests.push(message.encode_to_vec().into());
    }
    Ok(requests)
}

/// A `DoCommand` without its command reaches a machine as an empty map, which is never meant.
fn command_is_there(
    value: &Json,
    method: &MethodDescriptor,
    component: Option<&str>,
) -> Result<()> {
    let input = method.input();
    let Json::Object(given) = value else { return Ok(()) };
    if method.name() != "DoCommand"
        || input.get_field_by_name("command").is_none()
        || given.contains_key("command")
    {
        return Ok(());
    }
    let (outside, command): (serde_json::Map<_, _>, serde_json::Map<_, _>) =
        given.clone().into_iter().partition(|(key, _)| field(&input, key).is_some());
    let mut right = serde_json::Map::new();
    if !outside.contains_key("name") && component.is_none() {
        right.insert("name".to_owned(), "…".into());
    }
    right.extend(outside);
    right.insert("command".to_owned(), Json::Object(command));
    Err(Error::new(Kind::Usage, "the map of DoCommand goes under the field `command`")
        .hint_text(format!("--data '{}'", Json::Object(right))))
}

fn field(message: &MessageDescriptor, name: &str) -> Option<prost_reflect::FieldDescriptor> {
    message.get_field_by_json_name(name).or_else(|| message.get_field_by_name(name))
}

/// Collects the paths of fields that the message does not have.
fn find_unknown(value: &Json, message: &MessageDescriptor, at: &str, unknown: &mut Vec<String>) {
    // Their JSON is no list of their fields.
    if message.full_name().starts_with("google.protobuf.") {
        return;
    }
    let Json::Object(given) = value else { return };
    for (key, value) in given {
        let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
        let Some(field) = field(message, key) else {
            if !key.starts_with('[') {
                unknown.push(path);
            }
            continue;
        };
        let kind = field.kind();
        let Some(inner) = kind.as_message() else { continue };
        match value {
            Json::Array(items) => {
                items.iter().for_each(|item| find_unknown(item, inner, &path, unknown));
            }
            Json::Object(entries) if field.is_map() => {
                let kind = inner.map_entry_value_field().kind();
                let Some(inner) = kind.as_message() else { continue };
                for (key, value) in entries {
                    find_unknown(value, inner, &format!("{path}.{key}"), unknown);
                }
            }
            value => find_unknown(value, inner, &path, unknown),
        }
    }
}

/// An answer as it is printed, with its newline: indented, or on one line.
pub(super) fn answer(message: &DynamicMessage, one_line: bool) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if one_line {
        write(message, &mut bytes, CompactFormatter)?;
    } else {
        write(message, &mut bytes, PrettyFormatter::new())?;
    }
    bytes.push(b'\n');
    Ok(bytes)
}

fn write<F: Formatter>(message: &DynamicMessage, to: impl io::Write, formatter: F) -> Result<()> {
    let options = SerializeOptions::new().skip_default_fields(false);
    let mut serializer = Serializer::with_formatter(to, Plain(formatter));
    message
        .serialize_with_options(&mut serializer, &options)
        .or_kind(Kind::Remote, || "cannot write the answer as JSON".to_owned())
}

/// Reads an answer.
pub(super) fn decode(method: &MethodDescriptor, bytes: Bytes) -> Result<DynamicMessage> {
    DynamicMessage::decode(method.output(), bytes)
        .or_kind(Kind::Remote, || "cannot read the answer".to_owned())
}

/// The largest field of bytes anywhere in the message.
pub(super) fn largest_bytes(message: &DynamicMessage) -> Option<Bytes> {
    message.fields().filter_map(|(_, value)| largest(value)).max_by_key(Bytes::len)
}

fn largest(value: &Value) -> Option<Bytes> {
    match value {
        Value::Bytes(bytes) => Some(bytes.clone()),
        Value::Message(message) => largest_bytes(message),
        Value::List(items) => items.iter().filter_map(largest).max_by_key(Bytes::len),
        Value::Map(entries) => entries.values().filter_map(largest).max_by_key(Bytes::len),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
