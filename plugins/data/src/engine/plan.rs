//! From pages to jobs: which files are this shard's, which are there already, which come together.

use std::mem;
use std::sync::Arc;

use tokio::sync::mpsc;
use viam_contract::Result;
use viam_proto::app::data::v1::BinaryMetadata;

use super::File;
use crate::destination::Destination;
use crate::pages::Pages;
use crate::shard::Shard;

/// Files up to this size come inside of answers, several at once (design.md §6).
const SMALL: u64 = 1 << 20;

/// The most files of one call.
const MANY: usize = 64;

/// Pages that are planned and wait.
const AHEAD: usize = 2;

/// What one request brings.
pub(super) enum Job {
    /// Small files, of which several come in one call.
    Batch(Vec<Arc<File>>),
    /// One that comes by URL.
    Large(Arc<File>),
}

/// What a page comes to.
#[derive(Default)]
pub(super) struct Planned {
    pub(super) jobs: Vec<Job>,
    /// Files and bytes that are there already.
    pub(super) there: (u64, u64),
    /// Files and bytes to bring.
    pub(super) wanted: (u64, u64),
}

/// What is needed to plan.
pub(super) struct Rules {
    pub(super) destination: Destination,
    pub(super) shard: Option<Shard>,
    pub(super) marked: bool,
}

/// Plans page after page, a little ahead of what is under way.
pub(super) fn begin(mut pages: Pages, rules: Rules) -> mpsc::Receiver<Result<Planned>> {
    let (sender, planned) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        while let Some(page) = pages.next().await {
            let planned = match page {
                Ok(page) => rules.plan(page).await,
                Err(error) => Err(error),
            };
            let failed = planned.is_err();
            if sender.send(planned).await.is_err() || failed {
                return;
            }
        }
    });
    planned
}

impl Rules {
    async fn plan(&self, page: Vec<BinaryMetadata>) -> Result<Planned> {
        let ours = |found: &BinaryMetadata| self.shard.is_none_or(|shard| shard.has(found));
        let ours = page.into_iter().filter(ours);
        let files: Vec<File> = ours.map(|found| File::new(found, self.marked)).collect();
        let check = |to: &Destination, file: File| Ok((to.is_there(&file.item)?, file));
        let checked = self.destination.each(files, check).await?;
        let mut planned = Planned::default();
        let mut small = Batch::default();
        for (there, file) in checked {
            let bytes = file.metadata.file_size_bytes;
            let (files, sum) = if there { &mut planned.there } else { &mut planned.wanted };
            *files += 1;
            *sum += bytes;
            if there {
                continue;
            }
            let file = Arc::new(file);
            match file.size() {
                Some(size) if size <= SMALL => {
                    if !small.has_room(size) {
                        planned.jobs.push(Job::Batch(small.take()));
                    }
                    small.push(file, size);
                }
                Some(_) if !file.metadata.uri.is_empty() => planned.jobs.push(Job::Large(file)),
                // It may be of any size, so it comes alone.
                _ => planned.jobs.push(Job::Batch(vec![file])),
            }
        }
        if !small.files.is_empty() {
            planned.jobs.push(Job::Batch(small.take()));
        }
        Ok(planned)
    }
}

/// Small files that come together.
#[derive(Default)]
struct Batch {
    files: Vec<Arc<File>>,
    bytes: u64,
}

impl Batch {
    fn has_room(&self, size: u64) -> bool {
        self.files.is_empty() || (self.bytes + size <= SMALL && self.files.len() < MANY)
    }

    fn push(&mut self, file: Arc<File>, size: u64) {
        self.files.push(file);
        self.bytes += size;
    }

    fn take(&mut self) -> Vec<Arc<File>> {
        self.bytes = 0;
        mem::take(&mut self.files)
    }
}
