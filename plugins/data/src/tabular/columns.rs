//! Columns, and cells that are put into them.

use prost_types::{Struct, Timestamp};

use super::json::{self, Style};

/// What is in a column. A cell of any may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// Text that is JSON.
    Json,
    Number,
    Bool,
    Time,
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// A row that is being written. Its columns come in their order; those left out are empty.
pub(super) trait Cells {
    fn text(&mut self, column: usize, text: &[u8]);
    fn number(&mut self, column: usize, value: f64);
    fn bool(&mut self, column: usize, value: bool);
    fn time(&mut self, column: usize, time: &Timestamp);
}

/// The cells of fixed columns, one after the other. What is not set is left empty.
pub(super) struct Fixed<'a, C> {
    cells: &'a mut C,
    scratch: &'a mut Vec<u8>,
    next: usize,
}

impl<'a, C: Cells> Fixed<'a, C> {
    pub(super) fn new(cells: &'a mut C, scratch: &'a mut Vec<u8>) -> Self {
        Self { cells, scratch, next: 0 }
    }

    fn next(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    pub(super) fn texts<const N: usize>(&mut self, texts: [&String; N]) {
        for text in texts {
            let column = self.next();
            if !text.is_empty() {
                self.cells.text(column, text.as_bytes());
            }
        }
    }

    pub(super) fn number(&mut self, value: f64) {
        let column = self.next();
        self.cells.number(column, value);
    }

    pub(super) fn time(&mut self, time: Option<&Timestamp>) {
        let column = self.next();
        if let Some(time) = time {
            self.cells.time(column, time);
        }
    }

    pub(super) fn object(&mut self, object: Option<&Struct>) {
        let object = object.filter(|object| !object.fields.is_empty());
        self.json(object, |to, object| json::object(to, object, Style::Proto));
    }

    pub(super) fn list(&mut self, texts: &[String]) {
        let texts = (!texts.is_empty()).then_some(texts);
        self.json(texts, |to, texts| {
            json::list(to, texts, |to, text| json::text(to, text, Style::Proto));
        });
    }

    pub(super) fn json<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Vec<u8>, T)) {
        let column = self.next();
        if let Some(value) = value {
            self.scratch.clear();
            write(self.scratch, value);
            self.cells.text(column, self.scratch);
        }
    }
}
