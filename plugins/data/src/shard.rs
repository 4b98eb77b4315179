//! `--shard K/N`: the same part of an export for each of N workers, without a word between them.

use std::fmt;
use std::str::FromStr;

use prost_types::Timestamp;
use viam_proto::app::data::v1::BinaryMetadata;

use crate::name::identity;

/// One of so many parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    /// From 0 on.
    index: u64,
    count: u64,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || "a shard is K/N with 1 ≤ K ≤ N, as in 1/8".to_owned();
        let (index, count) = text.split_once('/').ok_or_else(wanted)?;
        let number = |text: &str| text.parse::<u64>().map_err(|_| wanted());
        let (index, count) = (number(index)?, number(count)?);
        if index == 0 || index > count {
            return Err(wanted());
        }
        Ok(Self { index: index - 1, count })
    }
}

impl Shard {
    /// A name of its own for what each part has one of: `a-2-of-8.jsonl`.
    pub(crate) fn names(self, name: &str) -> String {
        let (stem, ext) = name.rsplit_once('.').unwrap_or((name, ""));
        format!("{stem}-{self}.{ext}")
    }

    /// Whether a file belongs to this part: by its id, so that the order of pages does not matter.
    pub(crate) fn has(self, metadata: &BinaryMetadata) -> bool {
        self.has_hash(fnv(identity(metadata).as_bytes()))
    }

    /// Whether a reading of this time belongs to this part.
    pub(crate) fn has_time(self, time: Option<&Timestamp>) -> bool {
        let time = time.copied().unwrap_or_default();
        let nanos = time.seconds.wrapping_mul(1_000_000_000).wrapping_add(time.nanos.into());
        self.has_hash(nanos.cast_unsigned())
    }

    /// Whether something of this hash belongs to this part.
    pub(crate) fn has_hash(self, hash: u64) -> bool {
        mixed(hash) % self.count == self.index
    }
}

/// As a part of a name: `2-of-8`.
impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-of-{}", self.index + 1, self.count)
    }
}

/// FNV-1a: the same on every computer and in every release.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Spreads what differs in few bits (the end of `SplitMix64`).
fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_disjoint_complete_and_of_like_size() {
        let shards: Vec<Shard> =
            (1..=8).map(|index| format!("{index}/8").parse().expect("shard")).collect();
        let mut sizes = [0; 8];
        for number in 0..8000 {
            let id = format!("org/location/{number}");
            let file = BinaryMetadata { binary_data_id: id, ..BinaryMetadata::default() };
            let having: Vec<usize> = (0..8).filter(|&shard| shards[shard].has(&file)).collect();
            assert_eq!(having.len(), 1);
            sizes[having[0]] += 1;
        }
        assert!(sizes.iter().all(|size| (800..1200).contains(size)), "{sizes:?}");
        // A release that divides otherwise would double files of workers of another one.
        assert_eq!(mixed(fnv(b"org/location/1")) % 1000, 558);
    }

    #[test]
    fn readings_belong_to_one_shard_for_ever() {
        let shards: Vec<Shard> =
            (1..=4).map(|index| format!("{index}/4").parse().expect("shard")).collect();
        let mut sizes = [0; 4];
        for row in 0..10_000 {
            let time = Timestamp { seconds: 1_700_000_000 + row, nanos: 0 };
            let having: Vec<usize> =
                (0..4).filter(|&shard| shards[shard].has_time(Some(&time))).collect();
            assert_eq!(having.len(), 1);
            sizes[having[0]] += 1;
        }
        assert!(sizes.iter().all(|size| (2_300..2_700).contains(size)), "{sizes:?}");
        let time = Timestamp { seconds: 1_700_000_000, nanos: 5 };
        assert!(shards[0].has_time(Some(&time)));
        assert_eq!(shards.iter().filter(|shard| shard.has_time(None)).count(), 1);
    }

    #[test]
    fn words_for_shards() {
        for bad in ["", "1", "0/8", "9/8", "1/0", "-1/8", "a/b", "1/8/2"] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
        assert_eq!("8/8".parse(), Ok(Shard { index: 7, count: 8 }));
        assert_eq!(Shard { index: 7, count: 8 }.to_string(), "8-of-8");
    }
}
