//! The thread that writes the file.

use tokio::sync::mpsc::Receiver;
use tokio::task::{JoinHandle, spawn_blocking};
use viam_contract::{Kind, Result, ResultExt as _};

use super::Format;
use super::chunks::Chunk;
use super::rows::Row;
use super::write::write;
use crate::destination::{Destination, Whole, own};

/// It is at work.
pub(super) struct Writer(JoinHandle<Result<(Whole, u64)>>);

impl Writer {
    /// Begins the file and writes the rows that come.
    pub(super) async fn start<R: Row>(
        to: &Destination,
        path: &str,
        format: Format,
        rows: Receiver<Chunk<R>>,
    ) -> Result<Self> {
        let mut file = to.whole(path).await?;
        Ok(Self(spawn_blocking(move || {
            let rows = write(format, rows, &mut file).map_err(own)?;
            Ok((file, rows))
        })))
    }

    /// Waits until everything is written. The file has no name yet: only who knows that all rows
    /// have come may give it one (report A55).
    pub(super) async fn end(self) -> Result<(Whole, u64)> {
        self.0
            .await
            .or_kind(Kind::Internal, || "cannot wait for a file to be written".to_owned())?
    }
}
