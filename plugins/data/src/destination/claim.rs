//! Who owns a name: whoever creates its metadata first. That file says by an id whose it is.

use bytes::Bytes;
use serde::Deserialize;
use viam_contract::{Error, Kind, Result, text};

use super::{DATA, METADATA, Put, Shelf};
use crate::name::{self, Name, Names};

/// What is kept in the metadata of a file, as far as it matters here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    #[serde(default)]
    id: String,
    #[serde(default)]
    binary_data_id: String,
    #[serde(default)]
    file_ext: String,
}

/// A name, or what stands in its way.
enum Owner {
    Nobody,
    /// Metadata that cannot be read: a writer was killed.
    Broken,
    Us,
    Another(Record),
}

/// A name that is ours.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Claimed {
    pub(super) name: Name,
    /// Whether it is another one than the file has by itself.
    pub(super) renamed: bool,
}

/// Whose file it is, and what it has.
pub(super) struct Kept<'a> {
    pub(super) id: &'a str,
    pub(super) names: &'a Names,
    /// Its size in the destination, where that is known.
    pub(super) size: Option<u64>,
    /// Whether it has metadata of its own. Without, its name has a mark, so that nobody else
    /// wants it.
    pub(super) metadata: bool,
}

/// A file that was put.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Saved {
    /// Its path below `data/`.
    pub(crate) data: String,
    /// Whether it is another one than the file has by itself.
    pub(crate) renamed: bool,
    pub(crate) bytes: u64,
}

impl Claimed {
    pub(super) fn saved(self, bytes: u64) -> Saved {
        Saved { data: self.name.data, renamed: self.renamed, bytes }
    }
}

pub(super) fn metadata_path(name: &str) -> String {
    format!("{METADATA}/{name}.json")
}

pub(super) fn data_path(name: &Name) -> String {
    format!("{DATA}/{}", name.data)
}

impl Kept<'_> {
    /// Whether the file is there, whole: by its size, or where that is not known because it was
    /// complete before its metadata were written.
    pub(super) fn is_there(&self, shelf: &dyn Shelf) -> Result<bool> {
        if !self.metadata {
            let path = data_path(&self.names.candidates()[0]);
            return Ok(self.size.is_some() && shelf.stat(&path)?.map(|data| data.size) == self.size);
        }
        for name in self.names.candidates() {
            let metadata = metadata_path(&name.metadata);
            match self.owner(shelf, &name.metadata)? {
                // A name may be free because something else was in its way.
                Owner::Nobody | Owner::Broken | Owner::Another(_) => {}
                Owner::Us => {
                    let Some(data) = shelf.stat(&data_path(name))? else { return Ok(false) };
                    return Ok(match self.size {
                        Some(size) => data.size == size,
                        None => {
                            match (data.changed, shelf.stat(&metadata)?.and_then(|m| m.changed)) {
                                (Some(data), Some(metadata)) => data <= metadata,
                                // Objects are whole.
                                _ => true,
                            }
                        }
                    });
                }
            }
        }
        Ok(false)
    }

    /// The path of its bytes below `data/`, if it is there, whole or not.
    pub(super) fn place(&self, shelf: &dyn Shelf) -> Result<Option<String>> {
        for name in self.names.candidates() {
            if !self.metadata || matches!(self.owner(shelf, &name.metadata)?, Owner::Us) {
                let is_there = shelf.stat(&data_path(name))?.is_some();
                return Ok(is_there.then(|| name.data.clone()));
            }
        }
        Ok(None)
    }

    /// Makes a name ours. `json` gives the metadata for it.
    pub(super) fn claim(&self, shelf: &dyn Shelf, json: &dyn Fn(&str) -> Bytes) -> Result<Claimed> {
        if !self.metadata {
            let name = self.names.candidates()[0].clone();
            return Ok(Claimed { name, renamed: self.names.changed });
        }
        for (place, name) in self.names.candidates().iter().enumerate() {
            let path = metadata_path(&name.metadata);
            let how = match self.owner(shelf, &name.metadata)? {
                Owner::Another(_) => continue,
                // What is there is not whole, or we would not be here: its metadata must not be
                // newer than it.
                Owner::Us => {
                    shelf.remove(&data_path(name))?;
                    Put::Over
                }
                Owner::Broken => Put::Over,
                Owner::Nobody => Put::New,
            };
            if how == Put::New && self.has_rival(shelf, name)? {
                continue;
            }
            let put = shelf.put(&path, json(&name.metadata), how)?;
            if put && how == Put::New && self.has_rival(shelf, name)? {
                // It was claimed in the same moment, maybe by another process. Whoever sees that
                // gives way, and of two at least one does.
                shelf.remove(&path)?;
                continue;
            }
            if put || matches!(self.owner(shelf, &name.metadata)?, Owner::Us) {
                let renamed = place > 0 || self.names.changed;
                return Ok(Claimed { name: name.clone(), renamed });
            }
        }
        let shown = text::quoted(self.id);
        Err(Error::new(Kind::User, format!("there is no name left for the file {shown}")))
    }

    /// Whether the bytes of a file with other metadata are at the same path.
    fn has_rival(&self, shelf: &dyn Shelf, name: &Name) -> Result<bool> {
        for rival in name.rivals() {
            if let Owner::Another(record) = self.owner(shelf, rival)?
                && name::data_path(rival, &record.file_ext) == name.data
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn owner(&self, shelf: &dyn Shelf, metadata: &str) -> Result<Owner> {
        let Some(bytes) = shelf.read(&metadata_path(metadata))? else { return Ok(Owner::Nobody) };
        let Ok(record) = serde_json::from_slice::<Record>(&bytes) else { return Ok(Owner::Broken) };
        let same = if record.binary_data_id.is_empty() {
            // Written by an older program, which knows the last part of the id.
            record.id == self.id || self.id.rsplit('/').next() == Some(&record.id)
        } else {
            record.binary_data_id == self.id || record.id == self.id
        };
        Ok(if same { Owner::Us } else { Owner::Another(record) })
    }
}
