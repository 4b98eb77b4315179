//! The thread that writes rows.

use std::io::{self, Write};

use prost_types::Struct;
use tokio::sync::mpsc::Receiver;

use super::chunks::Chunk;
use super::columns::{Cells, Column, Fixed};
use super::payload::{Payload, Seen};
use super::rows::Row;
use super::{Format, csv, ndjson, parquet};

/// How many rows say what columns there are, and how many bytes they may have.
const ROWS: usize = 4096;
const BYTES: usize = 4 << 20;

/// Writes all rows that come, and returns how many there were. It blocks.
///
/// # Errors
/// Those of the writer.
pub(super) fn write<R: Row>(
    format: Format,
    rows: Receiver<Chunk<R>>,
    to: &mut (impl Write + Send),
) -> io::Result<u64> {
    let count = match format {
        Format::Ndjson => ndjson::write(rows, to),
        Format::Csv => table(rows, |columns| csv::Table::new(columns, &mut *to)),
        Format::Parquet => table(rows, |columns| parquet::Table::new(columns, &mut *to)),
    }?;
    to.flush()?;
    Ok(count)
}

/// A file with columns.
pub(super) trait Table: Cells {
    /// Ends a row.
    fn end_row(&mut self) -> io::Result<()>;

    /// Ends the file.
    fn finish(self) -> io::Result<()>;
}

fn table<R: Row, T: Table>(
    mut rows: Receiver<Chunk<R>>,
    open: impl FnOnce(&[Column]) -> io::Result<T>,
) -> io::Result<u64> {
    let (mut first, mut seen) = (Vec::new(), Seen::default());
    let (mut count, mut bytes) = (0, 0);
    while count < ROWS && bytes < BYTES {
        let Some(chunk) = rows.blocking_recv() else { break };
        chunk.rows.iter().filter_map(Row::payload).for_each(|payload| seen.row(payload));
        count += chunk.rows.len();
        bytes += chunk.bytes;
        first.push(chunk.rows);
    }
    let fixed = R::FIXED.iter();
    let mut columns: Vec<Column> =
        fixed.map(|&(name, kind)| Column { name: name.to_owned(), kind }).collect();
    let mut payload = R::PAYLOAD.then(|| Payload::new(seen, &mut columns));
    let mut table = open(&columns)?;
    let mut scratch = Vec::new();
    let (mut count, empty) = (0, Struct::default());
    let rest = std::iter::from_fn(move || rows.blocking_recv().map(|chunk| chunk.rows));
    for rows in first.into_iter().chain(rest) {
        for row in &rows {
            row.fixed(Fixed::new(&mut table, &mut scratch));
            if let Some(payload) = &mut payload {
                payload.cells(row.payload().unwrap_or(&empty), &mut table);
            }
            table.end_row()?;
        }
        count += rows.len() as u64;
    }
    table.finish()?;
    Ok(count)
}

#[cfg(test)]
pub(super) mod tests;
