//! One file on its way.

use std::sync::Arc;

use bytes::Bytes;
use viam_contract::{Result, text};
use viam_proto::app::data::v1::BinaryMetadata;

use crate::destination::Item;
use crate::json::metadata_json;
use crate::name::{Names, PACKED, identity};

/// A file that is to be exported.
pub(crate) struct File {
    pub(crate) metadata: Arc<BinaryMetadata>,
    pub(crate) item: Arc<Item>,
}

impl File {
    pub(crate) fn new(metadata: BinaryMetadata, marked: bool) -> Self {
        let names = Names::of(&metadata);
        let names = if marked { names.marked() } else { names };
        let metadata = Arc::new(metadata);
        let packed = metadata.file_ext == PACKED;
        let shown = Arc::clone(&metadata);
        let item = Item {
            id: identity(&metadata).to_owned(),
            names,
            size: Some(metadata.file_size_bytes).filter(|size| *size > 0 && !packed),
            packed,
            metadata: !marked,
            json: Box::new(move |name| bytes_of(&shown, name)),
        };
        Self { metadata, item: Arc::new(item) }
    }

    /// How many bytes come, where the server says it.
    pub(super) fn size(&self) -> Option<u64> {
        Some(self.metadata.file_size_bytes).filter(|size| *size > 0)
    }

    /// How it is called in messages.
    pub(super) fn shown(&self) -> String {
        text::quoted(&self.item.names.candidates()[0].data)
    }

    /// Checks the length of what came.
    pub(super) fn check(&self, length: u64) -> Result<(), String> {
        match self.size() {
            Some(size) if size != length => Err(format!("{length} bytes came instead of {size}")),
            _ => Ok(()),
        }
    }
}

/// The metadata of a file of that name, on one line.
fn bytes_of(metadata: &BinaryMetadata, name: &str) -> Bytes {
    let mut metadata = metadata.clone();
    name.clone_into(&mut metadata.file_name);
    metadata_json(&metadata).to_string().into()
}
