//! Cells of a column until its group of rows is written.

use std::mem;
use std::ops::Range;

use bytes::Bytes;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::Result;
use parquet::file::writer::SerializedColumnWriter;

use super::Kind;

/// What a cell takes beside the bytes of a text, about.
pub(super) const CELL: usize = 10;

/// A column.
pub(super) struct Buffer {
    values: Values,
    /// For each row whether it has a value: what Parquet calls definition levels.
    levels: Vec<i16>,
}

enum Values {
    Texts(Texts),
    Numbers(Vec<f64>),
    Bools(Vec<bool>),
    Times(Vec<i64>),
}

/// Texts, end to end. One that is the same as the one before it takes no bytes.
#[derive(Default)]
struct Texts {
    bytes: Vec<u8>,
    places: Vec<Range<u32>>,
}

impl Buffer {
    pub(super) fn new(kind: Kind) -> Self {
        let values = match kind {
            Kind::Text | Kind::Json => Values::Texts(Texts::default()),
            Kind::Number => Values::Numbers(Vec::new()),
            Kind::Bool => Values::Bools(Vec::new()),
            Kind::Time => Values::Times(Vec::new()),
        };
        Self { values, levels: Vec::new() }
    }

    /// A value for this row; those before it that got none are empty.
    fn set(&mut self, row: usize) -> &mut Values {
        self.levels.resize(row, 0);
        self.levels.push(1);
        &mut self.values
    }

    /// Returns how many bytes more it takes.
    pub(super) fn text(&mut self, row: usize, text: &[u8]) -> usize {
        match self.set(row) {
            Values::Texts(texts) => texts.push(text),
            _ => 0,
        }
    }

    pub(super) fn number(&mut self, row: usize, value: f64) {
        if let Values::Numbers(values) = self.set(row) {
            values.push(value);
        }
    }

    pub(super) fn bool(&mut self, row: usize, value: bool) {
        if let Values::Bools(values) = self.set(row) {
            values.push(value);
        }
    }

    pub(super) fn time(&mut self, row: usize, nanos: i64) {
        if let Values::Times(values) = self.set(row) {
            values.push(nanos);
        }
    }

    /// Writes so many rows and begins anew.
    pub(super) fn write(&mut self, rows: usize, to: &mut SerializedColumnWriter<'_>) -> Result<()> {
        self.levels.resize(rows, 0);
        let levels = &self.levels[..];
        match &mut self.values {
            Values::Texts(texts) => write::<ByteArrayType>(&mut texts.take(), levels, to)?,
            Values::Numbers(values) => write::<DoubleType>(values, levels, to)?,
            Values::Bools(values) => write::<BoolType>(values, levels, to)?,
            Values::Times(values) => write::<Int64Type>(values, levels, to)?,
        }
        self.levels.clear();
        Ok(())
    }
}

fn write<T: DataType>(
    values: &mut Vec<T::T>,
    levels: &[i16],
    to: &mut SerializedColumnWriter<'_>,
) -> Result<()> {
    to.typed::<T>().write_batch(values, Some(levels), None)?;
    values.clear();
    Ok(())
}

impl Texts {
    fn push(&mut self, text: &[u8]) -> usize {
        if let Some(last) = self.places.last()
            && self.bytes.get(last.start as usize..last.end as usize) == Some(text)
        {
            self.places.push(last.clone());
            return 0;
        }
        // A group ends long before this does.
        let end = |bytes: &Vec<u8>| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let start = end(&self.bytes);
        self.bytes.extend_from_slice(text);
        self.places.push(start..end(&self.bytes));
        text.len()
    }

    fn take(&mut self) -> Vec<ByteArray> {
        let all = Bytes::from(mem::take(&mut self.bytes));
        let text = |place: Range<u32>| {
            ByteArray::from(all.slice(place.start as usize..place.end as usize))
        };
        self.places.drain(..).map(text).collect()
    }
}
