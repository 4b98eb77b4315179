//! One file about all files of an export, in the order of the pages: it is written when they are
//! there, from what is there, so that it needs no memory of them.

use std::io::Write as _;

use bytes::Bytes;
use viam_contract::Result;
use viam_proto::app::data::v1::BinaryMetadata;

use crate::destination::{Destination, Whole, blocking, own};
use crate::engine::File;
use crate::pages::Pages;
use crate::shard::Shard;

/// Which files are meant and what they are called.
#[derive(Clone, Copy)]
pub(crate) struct Listed {
    pub(crate) shard: Option<Shard>,
    /// Whether their names have marks.
    pub(crate) marked: bool,
    /// Also those that are not there, under the names that they would get.
    pub(crate) absent: bool,
}

impl Listed {
    /// The files of a page, with their paths below `data/`.
    pub(crate) async fn places(
        self,
        to: &Destination,
        page: Vec<BinaryMetadata>,
    ) -> Result<Vec<(File, String)>> {
        let ours = |found: &BinaryMetadata| self.shard.is_none_or(|shard| shard.has(found));
        let ours = page.into_iter().filter(ours);
        let files: Vec<File> = ours.map(|found| File::new(found, self.marked)).collect();
        let look = |to: &Destination, file: File| Ok((to.place(&file.item)?, file));
        let places = to.each(files, look).await?.into_iter();
        Ok(places
            .filter_map(|(place, file)| {
                let first = || file.item.names.candidates()[0].data.clone();
                let place = place.or_else(|| self.absent.then(first))?;
                Some((file, place))
            })
            .collect())
    }
}

/// Writes a line for each file of the pages. `line` gets its metadata, its path below `data/` and
/// the argument.
pub(crate) async fn write(
    to: &Destination,
    path: &str,
    mut pages: Pages,
    listed: Listed,
    line: fn(&BinaryMetadata, &str, &str) -> Bytes,
    argument: &str,
) -> Result<()> {
    let mut out = to.whole(path).await?;
    while let Some(page) = pages.next().await {
        let places = listed.places(to, page?).await?;
        let argument = argument.to_owned();
        out = blocking(move || {
            for (file, place) in places {
                out.write_all(&line(&file.metadata, &place, &argument)).map_err(own)?;
            }
            Ok(out)
        })
        .await?;
    }
    blocking(move || Whole::finish(out)).await
}
