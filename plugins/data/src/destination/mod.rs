//! Where an export goes: a folder, or a bucket of an object store.
//!
//! A file has its metadata, `metadata/NAME.json`, and its bytes, `data/NAME`. Whoever creates the
//! metadata first owns the name (report B49: no list of what is there, no guess by system); the
//! bytes are complete before they get it.

mod claim;
mod connector;
mod dir;
mod place;
mod store;
mod trouble;
mod writing;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use viam_contract::{Context, Error, Kind, Result};

pub(crate) use claim::Saved;
use claim::{Claimed, Kept};
use dir::{Dir, Unnamed};
use place::Place;
use store::Store;
pub(crate) use writing::{Whole, Writing, blocking, own};

use crate::name::Names;

/// Requests to a bucket at a time, for one list of things.
const SIDE_BY_SIDE: usize = 16;

/// Metadata longer than this is not ours, in bytes.
const SMALL: u64 = 16 << 20;

/// What is known of a file that is there.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Stat {
    size: u64,
    changed: Option<SystemTime>,
}

/// The folders of files and of what is known of them.
const DATA: &str = "data";
const METADATA: &str = "metadata";

/// How a file of a name is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Put {
    /// Only where there is none of the name.
    New,
    /// In the place of one that is there.
    Over,
}

/// What both kinds of destinations can do with whole small files. Every method may block.
trait Shelf: Send + Sync {
    /// The bytes of a small file; `None` where there is none.
    fn read(&self, path: &str) -> Result<Option<Bytes>>;
    /// What is known of a file; `None` where there is none.
    fn stat(&self, path: &str) -> Result<Option<Stat>>;
    /// Puts a whole file; `false` when the name is taken, or cannot be had.
    fn put(&self, path: &str, bytes: Bytes, how: Put) -> Result<bool>;
    /// Removes a file, if there is one.
    fn remove(&self, path: &str) -> Result<()>;
}

/// Where an export goes. Cheap to clone.
#[derive(Clone)]
pub(crate) enum Destination {
    /// A folder of this computer; one name is claimed at a time.
    Dir(Arc<Dir>, Arc<Mutex<()>>),
    /// A bucket.
    Store(Arc<Store>),
}

/// A file to put: whose it is, and its metadata under a name.
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) names: Names,
    /// Its size there, where it is known.
    pub(crate) size: Option<u64>,
    /// Whether its bytes are unpacked on the way.
    pub(crate) packed: bool,
    /// Whether it has metadata of its own; else its names have marks.
    pub(crate) metadata: bool,
    pub(crate) json: Box<dyn Fn(&str) -> Bytes + Send + Sync>,
}

impl Item {
    fn kept(&self) -> Kept<'_> {
        Kept { id: &self.id, names: &self.names, size: self.size, metadata: self.metadata }
    }
}

impl Destination {
    /// Opens it; a folder is made.
    ///
    /// # Errors
    /// When it is no destination or cannot be written.
    pub(crate) async fn open(cx: &Context, word: &str) -> Result<Self> {
        match Place::parse(cx, word)? {
            Place::Dir(root) => Ok(Self::Dir(Arc::new(Dir::open(root)?), Arc::default())),
            Place::Bucket { scheme, bucket, prefix } => {
                Ok(Self::Store(Arc::new(Store::open(cx, scheme, &bucket, prefix).await?)))
            }
        }
    }

    fn shelf(&self) -> &dyn Shelf {
        match self {
            Self::Dir(dir, _) => &**dir,
            Self::Store(store) => &**store,
        }
    }

    /// Whether a file is there already, whole. May block.
    pub(crate) fn is_there(&self, item: &Item) -> Result<bool> {
        item.kept().is_there(self.shelf())
    }

    /// The path of a file below `data/`, if it is there. May block.
    pub(crate) fn place(&self, item: &Item) -> Result<Option<String>> {
        item.kept().place(self.shelf())
    }

    /// Does something that may block with each of some things; the results are in their order. In
    /// a folder that is done by one thread, in a bucket side by side: there it is the way to it and
    /// back that takes time.
    pub(crate) async fn each<T: Send + 'static, R: Send + 'static>(
        &self,
        things: Vec<T>,
        work: impl Fn(&Self, T) -> Result<R> + Clone + Send + 'static,
    ) -> Result<Vec<R>> {
        let to = self.clone();
        match self {
            Self::Dir(..) => {
                blocking(move || things.into_iter().map(|thing| work(&to, thing)).collect()).await
            }
            Self::Store(_) => {
                let works = things.into_iter().map(|thing| {
                    let (to, work) = (to.clone(), work.clone());
                    blocking(move || work(&to, thing))
                });
                stream::iter(works).buffered(SIDE_BY_SIDE).try_collect().await
            }
        }
    }

    /// Makes a folder below it, where it has folders. May block.
    pub(crate) fn folder(&self, path: &str) -> Result<()> {
        match self {
            Self::Dir(dir, _) => dir.folder(path),
            Self::Store(_) => Ok(()),
        }
    }

    fn claim(&self, item: &Item) -> Result<Claimed> {
        // Of two files in one process with the same path for their bytes, one must see the other.
        let _one = match self {
            Self::Dir(_, one) => Some(one.lock().unwrap_or_else(PoisonError::into_inner)),
            Self::Store(_) => None,
        };
        item.kept().claim(self.shelf(), &*item.json)
    }

    /// Puts a whole small file. May block.
    pub(crate) fn save(&self, item: &Item, bytes: Bytes) -> Result<Saved> {
        let length = bytes.len() as u64;
        match self {
            Self::Dir(dir, _) => {
                let mut file = dir.begin()?;
                file.write(&bytes)?;
                let claimed = self.claim(item)?;
                self.publish(dir, file, item, claimed, length)
            }
            Self::Store(store) => {
                let claimed = self.claim(item)?;
                store.put(&claim::data_path(&claimed.name), bytes, Put::Over)?;
                Ok(claimed.saved(length))
            }
        }
    }

    /// Gives the bytes the name that was claimed; where a folder is in the way, another one.
    fn publish(
        &self,
        dir: &Dir,
        file: Unnamed,
        item: &Item,
        claimed: Claimed,
        bytes: u64,
    ) -> Result<Saved> {
        let path = claim::data_path(&claimed.name);
        let Some(file) = dir.publish(file, &path, Put::Over)? else {
            return Ok(claimed.saved(bytes));
        };
        if item.metadata {
            dir.remove(&claim::metadata_path(&claimed.name.metadata))?;
        }
        let claimed = Kept { names: &item.names.last(), ..item.kept() }.claim(dir, &*item.json)?;
        let path = claim::data_path(&claimed.name);
        match dir.publish(file, &path, Put::Over)? {
            None => Ok(claimed.saved(bytes)),
            Some(_) => {
                let words = format!("there is no name left for the file {}", item.id);
                Err(Error::new(Kind::User, words))
            }
        }
    }
}
