//! Rows on their way from the network to the file.

use tokio::sync::mpsc;

use super::dots::Dots;
use super::rows::Row;
use crate::shard::Shard;

/// The most rows of a chunk, and the most bytes as they came: rows may be large.
const ROWS: usize = 256;
const BYTES: usize = 256 << 10;

/// Chunks that wait to be written.
const AHEAD: usize = 3;

/// Rows, and how many bytes they had when they came.
pub(super) struct Chunk<R> {
    pub(super) rows: Vec<R>,
    pub(super) bytes: usize,
}

/// Where they are put in.
pub(super) struct Chunks<R> {
    sender: mpsc::Sender<Chunk<R>>,
    rows: Vec<R>,
    bytes: usize,
    shard: Option<Shard>,
    dots: Dots,
}

/// The file cannot be written; whoever writes it says why.
#[derive(Debug)]
pub(super) struct Stopped;

impl<R: Row> Chunks<R> {
    /// Both ends.
    pub(super) fn new(shard: Option<Shard>, dots: &Dots) -> (Self, mpsc::Receiver<Chunk<R>>) {
        let (sender, receiver) = mpsc::channel(AHEAD);
        (Self { sender, rows: Vec::new(), bytes: 0, shard, dots: dots.clone() }, receiver)
    }

    /// A row, unless it belongs to another shard.
    pub(super) async fn push(&mut self, row: R) -> Result<(), Stopped> {
        if self.shard.is_some_and(|shard| !shard.has_time(row.time())) {
            return Ok(());
        }
        self.bytes += row.size();
        if self.rows.capacity() == 0 {
            self.rows.reserve_exact(ROWS);
        }
        self.rows.push(row);
        if self.rows.len() == ROWS || self.bytes >= BYTES { self.send().await } else { Ok(()) }
    }

    /// There are no more.
    pub(super) async fn end(mut self) -> Result<(), Stopped> {
        self.send().await
    }

    async fn send(&mut self) -> Result<(), Stopped> {
        if self.rows.is_empty() {
            return Ok(());
        }
        self.dots.rows(self.rows.len());
        let rows = std::mem::take(&mut self.rows);
        let bytes = std::mem::take(&mut self.bytes);
        self.sender.send(Chunk { rows, bytes }).await.map_err(|_| Stopped)
    }
}
