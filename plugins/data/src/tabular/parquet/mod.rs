//! A table for programs: Apache Parquet, written without Arrow, whose code would be larger than all
//! the rest of this program (every column is a plain one that may be empty).

mod buffer;

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, Type};
use prost_types::Timestamp;

use super::columns::{Cells, Column, Kind};
use buffer::Buffer;

/// Rows of a group, and about how many bytes of them are kept until it is written.
const ROWS: usize = 65_536;
const BYTES: usize = 16 << 20;

pub(super) struct Table<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Vec<Buffer>,
    /// Rows that are not written yet.
    rows: usize,
    /// What they take, about.
    bytes: usize,
}

impl<W: Write + Send> Table<W> {
    pub(super) fn new(columns: &[Column], to: W) -> io::Result<Self> {
        let fields = columns.iter().map(|column| field(column).map(Arc::new));
        let fields = fields.collect::<Result<Vec<_>, _>>().map_err(plain)?;
        let schema = Type::group_type_builder("readings").with_fields(fields);
        let schema = Arc::new(schema.build().map_err(plain)?);
        let mut properties = WriterProperties::builder()
            .set_created_by(concat!("viam ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::SNAPPY)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_dictionary_enabled(false);
        for Column { name, kind } in columns {
            // Texts repeat, numbers do not.
            let path = ColumnPath::new(vec![name.clone()]);
            let repeats = matches!(kind, Kind::Text | Kind::Json);
            properties = properties.set_column_dictionary_enabled(path, repeats);
        }
        let properties = Arc::new(properties.build());
        let writer = SerializedFileWriter::new(to, schema, properties).map_err(plain)?;
        let columns = columns.iter().map(|column| Buffer::new(column.kind)).collect();
        Ok(Self { writer, columns, rows: 0, bytes: 0 })
    }

    fn end_group(&mut self) -> Result<(), ParquetError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            if let Some(mut writer) = group.next_column()? {
                column.write(self.rows, &mut writer)?;
                writer.close()?;
            }
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

fn field(column: &Column) -> Result<Type, ParquetError> {
    let (physical, logical) = match column.kind {
        Kind::Text | Kind::Json => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Number => (Physical::DOUBLE, None),
        Kind::Bool => (Physical::BOOLEAN, None),
        Kind::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::NANOS))),
    };
    Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()
}

impl<W: Write + Send> Cells for Table<W> {
    fn text(&mut self, column: usize, text: &[u8]) {
        self.bytes += self.columns[column].text(self.rows, text);
    }

    fn number(&mut self, column: usize, value: f64) {
        self.columns[column].number(self.rows, value);
    }

    fn bool(&mut self, column: usize, value: bool) {
        self.columns[column].bool(self.rows, value);
    }

    /// A time that a count of nanoseconds in 64 bits cannot say, before 1678 or after 2262, is left
    /// out.
    fn time(&mut self, column: usize, time: &Timestamp) {
        let nanos = time.seconds.checked_mul(1_000_000_000);
        if let Some(nanos) = nanos.and_then(|nanos| nanos.checked_add(time.nanos.into())) {
            self.columns[column].time(self.rows, nanos);
        }
    }
}

impl<W: Write + Send> super::write::Table for Table<W> {
    fn end_row(&mut self) -> io::Result<()> {
        self.rows += 1;
        let cells = self.rows * self.columns.len() * buffer::CELL;
        if self.rows >= ROWS || self.bytes + cells >= BYTES {
            self.end_group().map_err(plain)?;
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        self.end_group().map_err(plain)?;
        self.writer.close().map_err(plain)?;
        Ok(())
    }
}

/// The error of the writer below.
fn plain(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests;
