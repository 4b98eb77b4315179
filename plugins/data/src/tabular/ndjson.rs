//! A JSON object on each line.

use std::io::{self, Write};

use tokio::sync::mpsc::Receiver;

use super::chunks::Chunk;
use super::rows::Row;

/// How much is written at once, in bytes.
const PIECE: usize = 256 << 10;

pub(super) fn write<R: Row>(mut rows: Receiver<Chunk<R>>, to: &mut impl Write) -> io::Result<u64> {
    let mut bytes = Vec::with_capacity(PIECE + (PIECE >> 2));
    let mut count = 0;
    while let Some(chunk) = rows.blocking_recv() {
        for row in &chunk.rows {
            row.json(&mut bytes);
            bytes.push(b'\n');
            if bytes.len() >= PIECE {
                to.write_all(&bytes)?;
                bytes.clear();
            }
        }
        count += chunk.rows.len() as u64;
    }
    to.write_all(&bytes)?;
    Ok(count)
}
