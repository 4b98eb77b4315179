//! Where an export goes: a folder, or a bucket of an object store.
//!
//! A file has its metadata, `metadata/NAME.json`, and its bytes, `data/NAME`. Whoever creates the
//! metadata first owns the name (report B49: no list of what is there, no guess by system); the
//! bytes are complete before they get it.

mod claim;
mod dir;
mod place;
mod store;

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use tokio::task::spawn_blocking;
use viam_contract::{Context, Error, Kind, Result, ResultExt as _};

pub(crate) use claim::{Claimed, Kept, Saved};
pub(crate) use dir::Unnamed;
use dir::Dir;
use place::Place;
use store::Store;

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

/// Where an export goes.
#[derive(Clone)]
pub(crate) struct Destination {
    kind: Kind_,
}

#[derive(Clone)]
enum Kind_ {
    Dir(Arc<Dir>),
    Store(Arc<Store>),
}
