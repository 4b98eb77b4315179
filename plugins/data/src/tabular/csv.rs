//! A table as text (RFC 4180, with `\n` at the end of lines). An empty text and an empty cell look
//! the same.

use std::io::{self, Write};

use csv::{ByteRecord, ErrorKind, Writer, WriterBuilder};
use prost_types::Timestamp;

use super::columns::{Cells, Column};
use super::json;

/// How much is written at once, in bytes.
const PIECE: usize = 256 << 10;

pub(super) struct Table<W: Write> {
    writer: Writer<W>,
    row: ByteRecord,
    columns: usize,
    scratch: Vec<u8>,
}

impl<W: Write> Table<W> {
    /// Begins with the names.
    pub(super) fn new(columns: &[Column], to: W) -> io::Result<Self> {
        let mut writer = WriterBuilder::new().buffer_capacity(PIECE).from_writer(to);
        writer.write_record(columns.iter().map(|column| &column.name)).map_err(plain)?;
        Ok(Self { writer, row: ByteRecord::new(), columns: columns.len(), scratch: Vec::new() })
    }

    /// Leaves the cells before this column empty.
    fn skip_to(&mut self, column: usize) {
        while self.row.len() < column {
            self.row.push_field(b"");
        }
    }

    fn written(&mut self, column: usize, write: impl FnOnce(&mut Vec<u8>)) {
        self.skip_to(column);
        self.scratch.clear();
        write(&mut self.scratch);
        self.row.push_field(&self.scratch);
    }
}

impl<W: Write> Cells for Table<W> {
    fn text(&mut self, column: usize, text: &[u8]) {
        self.skip_to(column);
        self.row.push_field(text);
    }

    fn number(&mut self, column: usize, value: f64) {
        self.written(column, |to| {
            if value.is_finite() {
                json::number(to, value);
            } else {
                to.extend_from_slice(value.to_string().as_bytes());
            }
        });
    }

    fn bool(&mut self, column: usize, value: bool) {
        self.written(column, |to| json::bool(to, value));
    }

    fn time(&mut self, column: usize, time: &Timestamp) {
        self.written(column, |to| json::time(to, time));
    }
}

impl<W: Write> super::write::Table for Table<W> {
    fn end_row(&mut self) -> io::Result<()> {
        self.skip_to(self.columns);
        self.writer.write_byte_record(&self.row).map_err(plain)?;
        self.row.clear();
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// The error of the writer below.
fn plain(error: csv::Error) -> io::Error {
    match error.into_kind() {
        ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
