//! Files that come in pieces.

use std::io::{self, Write as _};
use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use tokio::task::{JoinHandle, spawn_blocking};
use viam_contract::{Error, Kind, Result, ResultExt as _};

use super::dir::{Dir, Unnamed};
use super::store::{Blocking, Store, Upload};
use super::{Claimed, Destination, Item, Put, Saved, claim};

/// How much is written at once, in bytes.
const CHUNK: usize = 512 << 10;

/// The first two bytes of gzip (RFC 1952 §2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A file that is being received.
pub(crate) struct Writing {
    sink: Sink,
    unpack: Unpack,
    written: u64,
}

enum Sink {
    File(Pieces),
    Object { store: Arc<Store>, claimed: Claimed, upload: Option<Upload> },
}

/// Pieces of a file. Some are written while others come.
struct Pieces {
    dir: Arc<Dir>,
    file: Option<Unnamed>,
    busy: Option<JoinHandle<(Unnamed, Result<()>)>>,
    queue: Vec<Bytes>,
    queued: usize,
}

enum Unpack {
    Plain,
    /// It may be packed: its first bytes say so.
    Unknown,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
}

impl Destination {
    /// Begins a file that comes in pieces.
    pub(crate) async fn begin(&self, item: &Arc<Item>) -> Result<Writing> {
        let (this, item) = (self.clone(), Arc::clone(item));
        let unpack = if item.packed { Unpack::Unknown } else { Unpack::Plain };
        let sink = match self {
            Self::Dir(dir, _) => Sink::File(Pieces::new(dir)?),
            Self::Store(store) => {
                let claimed = blocking(move || this.claim(&item)).await?;
                let upload = Some(store.begin(&claim::data_path(&claimed.name)).await?);
                Sink::Object { store: Arc::clone(store), claimed, upload }
            }
        };
        Ok(Writing { sink, unpack, written: 0 })
    }

    /// Begins a file of this path below the destination, for a writer that blocks; it is there when
    /// it is finished.
    pub(crate) async fn whole(&self, path: &str) -> Result<Whole> {
        let kind = match self {
            Self::Dir(dir, _) => WholeKind::File(Arc::clone(dir), dir.begin()?),
            Self::Store(store) => {
                let upload = Some(store.begin(path).await?);
                WholeKind::Object(Blocking { store: Arc::clone(store), upload })
            }
        };
        Ok(Whole { kind, path: path.to_owned(), buffer: Vec::with_capacity(CHUNK) })
    }
}

impl Writing {
    /// More of the file, as it came.
    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<()> {
        if matches!(self.unpack, Unpack::Unknown) && !bytes.is_empty() {
            self.unpack = if bytes.starts_with(&GZIP) {
                Unpack::Gzip(Box::new(MultiGzDecoder::new(Vec::new())))
            } else {
                Unpack::Plain
            };
        }
        if matches!(self.unpack, Unpack::Plain) {
            return self.push(bytes).await;
        }
        // A small piece may be a large one unpacked.
        for piece in bytes.chunks(16 << 10) {
            let Unpack::Gzip(decoder) = &mut self.unpack else { break };
            decoder.write_all(piece).map_err(broken)?;
            let unpacked = mem::take(decoder.get_mut());
            if !unpacked.is_empty() {
                self.push(unpacked.into()).await?;
            }
        }
        Ok(())
    }

    async fn push(&mut self, bytes: Bytes) -> Result<()> {
        self.written += bytes.len() as u64;
        match &mut self.sink {
            Sink::File(pieces) => pieces.push(bytes).await,
            Sink::Object { store, upload: Some(upload), .. } => store.write(upload, bytes).await,
            Sink::Object { .. } => Ok(()),
        }
    }

    /// From its first byte again.
    pub(crate) async fn restart(&mut self) -> Result<()> {
        self.written = 0;
        if !matches!(self.unpack, Unpack::Plain) {
            self.unpack = Unpack::Unknown;
        }
        match &mut self.sink {
            Sink::File(pieces) => pieces.restart().await,
            Sink::Object { store, claimed, upload } => {
                if let Some(old) = upload.take() {
                    store.abort(old).await;
                }
                *upload = Some(store.begin(&claim::data_path(&claimed.name)).await?);
                Ok(())
            }
        }
    }

    /// It is complete.
    pub(crate) async fn finish(mut self, to: &Destination, item: &Arc<Item>) -> Result<Saved> {
        if let Unpack::Gzip(mut decoder) = mem::replace(&mut self.unpack, Unpack::Plain) {
            decoder.try_finish().map_err(broken)?;
            let rest = mem::take(decoder.get_mut());
            self.push(rest.into()).await?;
        }
        let bytes = self.written;
        match self.sink {
            Sink::File(pieces) => {
                let (to, item) = (to.clone(), Arc::clone(item));
                let dir = Arc::clone(&pieces.dir);
                let file = pieces.end().await?;
                blocking(move || {
                    let claimed = to.claim(&item)?;
                    to.publish(&dir, file, &item, claimed, bytes)
                })
                .await
            }
            Sink::Object { store, claimed, mut upload } => {
                if let Some(upload) = upload.take() {
                    store.finish(upload).await?;
                }
                Ok(claimed.saved(bytes))
            }
        }
    }

    /// It will not be complete: nothing of it stays.
    pub(crate) async fn abort(self) {
        if let Sink::Object { store, claimed, upload } = self.sink {
            if let Some(upload) = upload {
                store.abort(upload).await;
            }
            let path = claim::metadata_path(&claimed.name.metadata);
            // Metadata without a file are made good by the next run.
            let _ = blocking(move || super::Shelf::remove(&*store, &path)).await;
        }
    }
}

fn broken(error: io::Error) -> Error {
    Error::new(Kind::Remote, "a file that says it is packed by gzip cannot be unpacked")
        .because(error)
}

impl Pieces {
    fn new(dir: &Arc<Dir>) -> Result<Self> {
        let file = Some(dir.begin()?);
        Ok(Self { dir: Arc::clone(dir), file, busy: None, queue: Vec::new(), queued: 0 })
    }

    async fn push(&mut self, bytes: Bytes) -> Result<()> {
        self.queued += bytes.len();
        self.queue.push(bytes);
        if self.queued >= CHUNK { self.flush().await } else { Ok(()) }
    }

    /// Writes what waits, once what was written before is done.
    async fn flush(&mut self) -> Result<()> {
        let mut file = self.idle().await?;
        let queue = mem::take(&mut self.queue);
        self.queued = 0;
        self.busy = Some(spawn_blocking(move || {
            let written = queue.iter().try_for_each(|bytes| file.write(bytes));
            (file, written)
        }));
        Ok(())
    }

    async fn idle(&mut self) -> Result<Unnamed> {
        if let Some(busy) = self.busy.take() {
            let doing = || "cannot wait for a file to be written".to_owned();
            let (file, written) = busy.await.or_kind(Kind::Internal, doing)?;
            written?;
            return Ok(file);
        }
        match self.file.take() {
            Some(file) => Ok(file),
            None => self.dir.begin(),
        }
    }

    async fn restart(&mut self) -> Result<()> {
        self.queue.clear();
        self.queued = 0;
        let mut file = self.idle().await?;
        file.restart()?;
        self.file = Some(file);
        Ok(())
    }

    async fn end(mut self) -> Result<Unnamed> {
        if self.queued > 0 {
            self.flush().await?;
        }
        self.idle().await
    }
}

/// A file for a writer that blocks.
pub(crate) struct Whole {
    kind: WholeKind,
    path: String,
    buffer: Vec<u8>,
}

enum WholeKind {
    File(Arc<Dir>, Unnamed),
    Object(Blocking),
}

impl Whole {
    fn spill(&mut self) -> Result<()> {
        match &mut self.kind {
            WholeKind::File(_, file) => file.write(&self.buffer)?,
            WholeKind::Object(object) => object.write(&self.buffer)?,
        }
        self.buffer.clear();
        Ok(())
    }

    /// Gives it its name. May block.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.spill()?;
        match self.kind {
            WholeKind::Object(object) => object.finish(),
            WholeKind::File(dir, file) => match dir.publish(file, &self.path, Put::Over)? {
                None => Ok(()),
                Some(_) => {
                    let words = format!("cannot write {}: a folder has that name", self.path);
                    Err(Error::new(Kind::User, words))
                }
            },
        }
    }
}

impl io::Write for Whole {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK {
            self.spill().map_err(io::Error::other)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The error of ours that a library has passed on, or its own in our words.
pub(crate) fn own(error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(own) => own,
        Err(other) => Error::new(Kind::User, "cannot write the export").because(other),
    }
}

/// Does something that may block in a thread for it.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    spawn_blocking(work)
        .await
        .or_kind(Kind::Internal, || "cannot wait for a file to be written".to_owned())?
}
