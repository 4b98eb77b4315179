//! A bucket of an object store. An object is there whole or not at all; its name is claimed before
//! its bytes are sent.

use std::sync::Arc;

use bytes::Bytes;
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode, WriteMultipart};
use tokio::runtime::Handle;
use viam_contract::{Context, Error, Kind, Result, Target, text};

use super::connector::Connector;
use super::place::Scheme;
use super::trouble::{ACCOUNT, trouble};
use super::{Put, SMALL, Shelf, Stat};

/// The parts of a large object, in bytes: every store takes this size.
const PART: usize = 8 << 20;

/// Parts of one object that are under way.
const PARTS: usize = 2;

/// An open bucket.
pub(crate) struct Store {
    store: Box<dyn ObjectStore>,
    prefix: String,
    /// As it is shown.
    name: String,
    runtime: Handle,
}

/// An object that is being sent.
pub(super) struct Upload {
    parts: Option<WriteMultipart>,
    path: Path,
    empty: bool,
}

impl Store {
    pub(super) async fn open(
        cx: &Context,
        scheme: Scheme,
        bucket: &str,
        prefix: String,
    ) -> Result<Self> {
        if Path::parse(&prefix).is_err() {
            let words = format!("{} is no path in a bucket", text::quoted(&prefix));
            return Err(Error::new(Kind::Usage, words)
                .hint_text("a bucket is named as in s3://BUCKET/PREFIX"));
        }
        let connector = Connector::new(cx.sessions.wire(&Target::Web).await?);
        let variables = |start: &'static str| {
            cx.env.iter().filter_map(move |(name, value)| {
                let name = name.to_str().filter(|name| name.starts_with(start))?;
                Some((name.to_ascii_lowercase(), value.to_str()?))
            })
        };
        let (word, built): (_, object_store::Result<Box<dyn ObjectStore>>) = match scheme {
            Scheme::S3 => {
                let mut builder = AmazonS3Builder::new();
                for (name, value) in variables("AWS_") {
                    if let Ok(key) = name.parse() {
                        builder = builder.with_config(key, value);
                    }
                }
                let builder = builder.with_bucket_name(bucket).with_http_connector(connector);
                ("s3", builder.build().map(|store| Box::new(store) as _))
            }
            Scheme::Google => {
                let mut builder = GoogleCloudStorageBuilder::new();
                for (name, value) in variables("GOOGLE_") {
                    if let Ok(key) = name.parse() {
                        builder = builder.with_config(key, value);
                    }
                }
                let builder = builder.with_bucket_name(bucket).with_http_connector(connector);
                ("gs", builder.build().map(|store| Box::new(store) as _))
            }
            Scheme::Azure => {
                let mut builder = MicrosoftAzureBuilder::new();
                for (name, value) in variables("AZURE_") {
                    if let Ok(key) = name.parse() {
                        builder = builder.with_config(key, value);
                    }
                }
                let builder = builder.with_container_name(bucket).with_http_connector(connector);
                ("az", builder.build().map(|store| Box::new(store) as _))
            }
        };
        let name = format!("{word}://{bucket}");
        let store = built.map_err(|error| {
            Error::new(Kind::Config, format!("cannot use {name}")).because(error).hint_text(ACCOUNT)
        })?;
        Ok(Self { store, prefix, name, runtime: Handle::current() })
    }

    fn path(&self, path: &str) -> Path {
        let whole = if self.prefix.is_empty() {
            path.to_owned()
        } else {
            format!("{}/{path}", self.prefix)
        };
        // As it is: the names are safe, and a list of them is to name the objects. Encoding would
        // make another name of one with a `~`.
        Path::parse(&whole).unwrap_or_else(|_| Path::from_iter(whole.split('/')))
    }

    fn failure(&self, path: &Path, error: object_store::Error) -> Error {
        trouble(&format!("{}/{path}", self.name), error)
    }

    /// Begins an object.
    pub(super) async fn begin(&self, path: &str) -> Result<Upload> {
        let path = self.path(path);
        let upload = self.store.put_multipart(&path).await;
        let upload = upload.map_err(|error| self.failure(&path, error))?;
        let parts = Some(WriteMultipart::new_with_chunk_size(upload, PART));
        Ok(Upload { parts, path, empty: true })
    }

    /// Sends more of it.
    pub(super) async fn write(&self, upload: &mut Upload, bytes: Bytes) -> Result<()> {
        let Some(parts) = &mut upload.parts else { return Ok(()) };
        upload.empty &= bytes.is_empty();
        let room = parts.wait_for_capacity(PARTS).await;
        parts.put(bytes);
        room.map_err(|error| self.failure(&upload.path, error))
    }

    /// Makes it an object.
    pub(super) async fn finish(&self, mut upload: Upload) -> Result<()> {
        let path = upload.path.clone();
        let Some(parts) = upload.parts.take() else { return Ok(()) };
        let done = if upload.empty {
            // No store takes an object of no parts.
            drop(parts.abort().await);
            self.store.put(&path, Bytes::new().into()).await
        } else {
            parts.finish().await
        };
        done.map(drop).map_err(|error| self.failure(&path, error))
    }

    /// Throws it away.
    pub(super) async fn abort(&self, mut upload: Upload) {
        if let Some(parts) = upload.parts.take() {
            // What cannot be thrown away is the store's to forget.
            drop(parts.abort().await);
        }
    }

    /// Waits in a thread that may block.
    pub(super) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}

impl Shelf for Store {
    fn read(&self, path: &str) -> Result<Option<Bytes>> {
        let path = self.path(path);
        let read = async {
            let found = self.store.get(&path).await?;
            // Longer than ours are: another's, and not to be held in memory.
            if found.meta.size > SMALL { Ok(Bytes::new()) } else { found.bytes().await }
        };
        match self.wait(read) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failure(&path, error)),
        }
    }

    fn stat(&self, path: &str) -> Result<Option<Stat>> {
        let path = self.path(path);
        match self.wait(self.store.head(&path)) {
            Ok(meta) => Ok(Some(Stat { size: meta.size, changed: None })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failure(&path, error)),
        }
    }

    fn put(&self, path: &str, bytes: Bytes, how: Put) -> Result<bool> {
        let path = self.path(path);
        let mode = if how == Put::New { PutMode::Create } else { PutMode::Overwrite };
        match self.wait(self.store.put_opts(&path, bytes.into(), mode.into())) {
            Ok(_) => Ok(true),
            Err(
                object_store::Error::AlreadyExists { .. }
                | object_store::Error::Precondition { .. },
            ) => Ok(false),
            Err(error) => Err(self.failure(&path, error)),
        }
    }

    fn remove(&self, path: &str) -> Result<()> {
        let path = self.path(path);
        match self.wait(self.store.delete(&path)) {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failure(&path, error)),
        }
    }
}

/// An object in the hands of a writer that blocks.
pub(super) struct Blocking {
    pub(super) store: Arc<Store>,
    pub(super) upload: Option<Upload>,
}

impl Blocking {
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.upload {
            Some(upload) => {
                self.store.wait(self.store.write(upload, Bytes::copy_from_slice(bytes)))
            }
            None => Ok(()),
        }
    }

    pub(super) fn finish(mut self) -> Result<()> {
        match self.upload.take() {
            Some(upload) => self.store.wait(self.store.finish(upload)),
            None => Ok(()),
        }
    }
}

impl Drop for Blocking {
    fn drop(&mut self) {
        if let Some(upload) = self.upload.take() {
            let store = Arc::clone(&self.store);
            self.store.runtime.spawn(async move { store.abort(upload).await });
        }
    }
}
