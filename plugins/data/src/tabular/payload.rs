//! Columns of what was read. Nobody says what a sensor sends, so the first rows do: objects within
//! objects become columns with dots in their names, lists and what has several types become JSON.
//! What later rows have beyond that is put into one last column, so that nothing is lost.

use std::collections::{BTreeMap, HashSet};
use std::mem;

use prost_types::value::Kind as Is;
use prost_types::{Struct, Value};

use super::columns::{Cells, Column, Kind};
use super::json::{self, Style};

/// What stands before the name of every such column, so that none has the name of a fixed one.
const PREFIX: &str = "payload";

/// The column of what fits into no other.
const REST: &str = "payload_rest";

/// The most columns. Rows that have more keys than this are no table.
const MOST: usize = 1000;

/// What the first rows have in one place.
#[derive(Debug, Default)]
pub(super) struct Seen {
    number: bool,
    text: bool,
    bool: bool,
    /// A list, or an object without fields.
    other: bool,
    fields: BTreeMap<String, Self>,
}

impl Seen {
    /// Looks at a row.
    pub(super) fn row(&mut self, payload: &Struct) {
        for (key, value) in &payload.fields {
            if !self.fields.contains_key(key) {
                self.fields.insert(key.clone(), Self::default());
            }
            if let Some(field) = self.fields.get_mut(key) {
                field.value(value);
            }
        }
    }

    fn value(&mut self, value: &Value) {
        match &value.kind {
            None | Some(Is::NullValue(_)) => {}
            Some(Is::NumberValue(_)) => self.number = true,
            Some(Is::StringValue(_)) => self.text = true,
            Some(Is::BoolValue(_)) => self.bool = true,
            Some(Is::StructValue(inner)) if !inner.fields.is_empty() => self.row(inner),
            Some(Is::ListValue(_) | Is::StructValue(_)) => self.other = true,
        }
    }

    /// The one type of it; JSON where there are several, or none.
    fn kind(&self) -> Kind {
        match (self.number, self.text, self.bool, self.other) {
            (true, false, false, false) => Kind::Number,
            (false, true, false, false) => Kind::Text,
            (false, false, true, false) => Kind::Bool,
            _ => Kind::Json,
        }
    }
}

/// A place in a row.
#[derive(Debug)]
enum Place {
    Column(usize, Kind),
    /// Fields, in the order of their keys.
    Fields(Vec<(String, Self)>),
    Rest,
}

/// Where each value goes.
#[derive(Debug)]
pub(super) struct Payload {
    fields: Vec<(String, Place)>,
    rest: usize,
    /// What is put into the last column.
    left: Vec<u8>,
    scratch: Vec<u8>,
}

impl Payload {
    /// Adds the columns behind the fixed ones.
    pub(super) fn new(seen: Seen, columns: &mut Vec<Column>) -> Self {
        let mut names = HashSet::new();
        let fields = fields(seen, PREFIX, columns, &mut names);
        columns.push(Column { name: REST.to_owned(), kind: Kind::Json });
        let rest = columns.len() - 1;
        Self { fields, rest, left: Vec::new(), scratch: Vec::new() }
    }

    /// Puts the cells of a row.
    pub(super) fn cells(&mut self, payload: &Struct, cells: &mut impl Cells) {
        self.left.clear();
        let (left, scratch) = (&mut self.left, &mut self.scratch);
        if put(payload, &self.fields, cells, left, scratch) {
            cells.text(self.rest, left);
        }
    }
}

fn fields(
    seen: Seen,
    path: &str,
    columns: &mut Vec<Column>,
    names: &mut HashSet<String>,
) -> Vec<(String, Place)> {
    let mut places = Vec::with_capacity(seen.fields.len());
    for (key, mut seen) in seen.fields {
        let name = format!("{path}.{key}");
        let is_mixed = seen.number || seen.text || seen.bool || seen.other;
        let place = if !seen.fields.is_empty() && !is_mixed {
            Place::Fields(fields(seen, &name, columns, names))
        // Keys may have dots of their own, and then two places have one name.
        } else if columns.len() < MOST && names.insert(name.clone()) {
            seen.other |= !seen.fields.is_empty();
            let kind = seen.kind();
            columns.push(Column { name, kind });
            Place::Column(columns.len() - 1, kind)
        } else {
            Place::Rest
        };
        places.push((key, place));
    }
    places
}

/// Puts what has a column there, and writes the rest as an object; false if there is none.
fn put(
    payload: &Struct,
    places: &[(String, Place)],
    cells: &mut impl Cells,
    left: &mut Vec<u8>,
    scratch: &mut Vec<u8>,
) -> bool {
    let start = left.len();
    left.push(b'{');
    let mut is_left = false;
    // Both are in the order of keys.
    let mut places = places.iter().peekable();
    for (key, value) in &payload.fields {
        while places.next_if(|(place, _)| place < key).is_some() {}
        let place = places.peek().filter(|(place, _)| place == key).map(|(_, place)| place);
        let before = left.len();
        let (is_done, inner) = match (place, &value.kind) {
            (Some(Place::Column(column, kind)), value) => {
                (cell(*column, *kind, value.as_ref(), cells, scratch), None)
            }
            (Some(Place::Fields(_)), None | Some(Is::NullValue(_))) => (true, None),
            (Some(Place::Fields(places)), Some(Is::StructValue(inner)))
                if !inner.fields.is_empty() =>
            {
                (false, Some((inner, places)))
            }
            _ => (false, None),
        };
        if is_done {
            continue;
        }
        if mem::replace(&mut is_left, true) {
            left.push(b',');
        }
        json::text(left, key, Style::Proto);
        left.push(b':');
        match inner {
            None => json::value(left, value, Style::Proto),
            Some((inner, places)) => {
                if !put(inner, places, cells, left, scratch) {
                    left.truncate(before);
                    is_left = before > start + 1;
                }
            }
        }
    }
    if is_left {
        left.push(b'}');
    } else {
        left.truncate(start);
    }
    is_left
}

/// Puts a value into its column if it is of that type.
fn cell(
    column: usize,
    kind: Kind,
    value: Option<&Is>,
    cells: &mut impl Cells,
    scratch: &mut Vec<u8>,
) -> bool {
    match (kind, value) {
        (_, None | Some(Is::NullValue(_))) => {}
        (Kind::Number, Some(Is::NumberValue(value))) => cells.number(column, *value),
        (Kind::Bool, Some(Is::BoolValue(value))) => cells.bool(column, *value),
        (Kind::Text, Some(Is::StringValue(value))) => cells.text(column, value.as_bytes()),
        (Kind::Json, Some(value)) => {
            scratch.clear();
            json::kind(scratch, Some(value), Style::Proto);
            cells.text(column, scratch);
        }
        _ => return false,
    }
    true
}
