//! The bytes of captured files: on the disk, or made whenever somebody asks.

use std::fs::{self, File as Disk};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};
use viam_contract::{Kind, Result, ResultExt as _};

use crate::machine::picture;
use crate::store::data::{Content, File};

/// Where they lie.
pub(crate) enum Contents {
    /// In the directory of the sandbox.
    Kept(PathBuf),
    /// Gone with the sandbox.
    Passing(TempDir),
}

impl Contents {
    /// Below a directory, or in one that ends with the sandbox.
    pub(crate) fn new(dir: Option<&Path>) -> Result<Self> {
        let doing = || "cannot make a folder for the files of machines".to_owned();
        let Some(dir) = dir.map(|dir| dir.join("data")) else {
            let dir = tempfile::Builder::new().prefix("viam-data-").tempdir();
            return dir.or_kind(Kind::Config, doing).map(Self::Passing);
        };
        fs::create_dir_all(&dir).or_kind(Kind::Config, doing)?;
        Ok(Self::Kept(dir))
    }

    fn root(&self) -> &Path {
        match self {
            Self::Kept(dir) => dir,
            Self::Passing(dir) => dir.path(),
        }
    }

    /// Ids of stored files are made here and are UUIDs.
    fn path(&self, id: &str) -> PathBuf {
        self.root().join(id.get(..2).unwrap_or("00")).join(id)
    }

    /// Begins a file that is being sent.
    pub(crate) fn begin(&self) -> io::Result<NamedTempFile> {
        NamedTempFile::new_in(self.root())
    }

    /// Gives it its id.
    pub(crate) fn keep(&self, mut file: NamedTempFile, id: &str) -> io::Result<()> {
        file.flush()?;
        let path = self.path(id);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        file.persist(path).map(drop).map_err(|error| error.error)
    }

    /// Removes the bytes of one that is no longer there.
    pub(crate) fn remove(&self, file: &File) {
        if file.content == Content::Stored {
            // It may be gone.
            let _ = fs::remove_file(self.path(&file.id));
        }
    }

    /// A piece of a file: as many bytes from a place on, fewer at its end.
    pub(crate) fn read(&self, file: &File, from: u64, length: usize) -> io::Result<Vec<u8>> {
        let left = u64::try_from(file.size).unwrap_or_default().saturating_sub(from);
        let length = length.min(usize::try_from(left).unwrap_or(usize::MAX));
        let piece = |bytes: &[u8]| {
            let from = usize::try_from(from).unwrap_or(usize::MAX);
            bytes.iter().skip(from).take(length).copied().collect()
        };
        match &file.content {
            Content::Noise(seed) => Ok(noise(*seed, from, length)),
            Content::Picture(number) => Ok(piece(&picture(*number))),
            Content::Given(bytes) => Ok(piece(bytes)),
            Content::Stored => {
                let mut disk = Disk::open(self.path(&file.id))?;
                disk.seek(SeekFrom::Start(from))?;
                let mut bytes = Vec::with_capacity(length);
                disk.take(length as u64).read_to_end(&mut bytes)?;
                Ok(bytes)
            }
        }
    }
}

/// Bytes that look like noise, the same ones each time: a number of each eight (`SplitMix64`).
pub(crate) fn noise(seed: u64, from: u64, length: usize) -> Vec<u8> {
    let skipped = usize::try_from(from % 8).unwrap_or_default();
    let mut bytes = vec![0; (skipped + length).next_multiple_of(8)];
    for (place, block) in bytes.chunks_exact_mut(8).zip(from / 8..) {
        let mut word = seed.wrapping_add(block.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        place.copy_from_slice(&(word ^ (word >> 31)).to_le_bytes());
    }
    bytes.drain(..skipped);
    bytes.truncate(length);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_the_same_from_wherever_it_is_read() {
        let whole = noise(7, 0, 1000);
        for (from, length) in [(0, 10), (3, 20), (8, 8), (999, 1), (500, 0)] {
            let piece = noise(7, from, length);
            let from = usize::try_from(from).expect("small");
            assert_eq!(piece, whole[from..from + length]);
        }
        assert_ne!(noise(8, 0, 1000), whole);
    }

    #[test]
    fn stored_bytes_are_read_in_pieces_and_removed() {
        let contents = Contents::new(None).expect("a folder");
        let file = File { id: "0123".to_owned(), size: 6, ..File::default() };
        let mut begun = contents.begin().expect("begun");
        begun.write_all(b"abcdef").expect("written");
        contents.keep(begun, &file.id).expect("kept");
        assert_eq!(contents.read(&file, 2, 3).expect("read"), b"cde");
        assert_eq!(contents.read(&file, 4, 100).expect("read"), b"ef");
        contents.remove(&file);
        assert!(contents.read(&file, 0, 1).is_err());
    }
}
