//! Small files: several in one answer (transport.md §4.7).

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use tonic::{Code, Status};
use viam_client::retry::{Failure, Pauses, is_too_large};
use viam_contract::{BoxFuture, Error, Kind, Result};
use viam_proto::app::data::v1::{BinaryData, BinaryDataByIDsRequest, BinaryId};

use super::{Engine, File, Outcome};
use crate::destination::{Destination, Saved};
use crate::name::identity;
use crate::{client, count};

/// The budget of a file whose size is not known, in bytes.
const UNKNOWN: u64 = 1 << 20;

/// How a call for several files failed.
enum Trouble {
    /// Each of them may fare better alone, or by its URL.
    TooLarge(Error),
    /// One of them is at fault, or all are.
    Theirs(Error),
    /// The login or the network: nothing else will fare better.
    Ours(Error),
}

impl Engine<'_> {
    /// Brings files of which several fit into an answer.
    pub(super) fn batch(&self, files: Vec<Arc<File>>) -> BoxFuture<'_, Result<Vec<Outcome>>> {
        Box::pin(async move {
            let sizes = files.iter().map(|file| file.size().unwrap_or(UNKNOWN));
            let leave = self.leave(sizes.sum()).await;
            let trouble = match self.fetch(&files).await {
                Ok(contents) => return self.put(files, contents).await,
                Err(trouble) => trouble,
            };
            drop(leave);
            let error = match trouble {
                Trouble::Ours(error) => return Err(error),
                Trouble::TooLarge(error) | Trouble::Theirs(error) if files.len() > 1 => {
                    tracing::debug!(target: "viam", "{}: one by one", error.one_line());
                    let mut outcomes = Vec::new();
                    let mut files = files;
                    let others = files.split_off(files.len() / 2);
                    for half in [files, others] {
                        outcomes.extend(self.batch(half).await?);
                    }
                    return Ok(outcomes);
                }
                Trouble::TooLarge(error) => match &files[..] {
                    [file] if !file.metadata.uri.is_empty() => {
                        return Ok(vec![self.large(Arc::clone(file)).await?]);
                    }
                    _ => error,
                },
                Trouble::Theirs(error) => error,
            };
            Ok(files.iter().map(|file| Outcome::Failed(failed(file, &error))).collect())
        })
    }

    /// The bytes of some files, in their order.
    async fn fetch(&self, files: &[Arc<File>]) -> Result<Vec<Bytes>, Trouble> {
        let mut request = BinaryDataByIDsRequest { include_binary: true, ..Default::default() };
        for file in files {
            name(&mut request, file);
        }
        let mut pauses = Pauses::default();
        loop {
            let answer = client::data(&self.wire).binary_data_by_i_ds(request.clone()).await;
            let status = match answer {
                Ok(answer) => match sorted(files, answer.into_inner().data) {
                    Ok(contents) => return Ok(contents),
                    Err(why) => Status::data_loss(why),
                },
                Err(status) => status,
            };
            let code = status.code();
            let too_large = is_too_large(&status);
            let failure = Failure::of_call(status, "could not download files");
            // A server that cannot send so much at once may say that it is not there (report A57).
            if too_large || (code == Code::Unavailable && by_url(files)) {
                return Err(Trouble::TooLarge(failure.error));
            }
            match pauses.after(failure, |words| self.notice(words)).await {
                Ok(()) => {}
                Err(error) if error.kind() == Kind::Auth => return Err(Trouble::Ours(error)),
                Err(error) if code == Code::Unavailable => return Err(Trouble::TooLarge(error)),
                Err(error) => return Err(Trouble::Theirs(error)),
            }
        }
    }

    /// Puts files that came.
    async fn put(&self, files: Vec<Arc<File>>, contents: Vec<Bytes>) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::new();
        let mut whole = Vec::new();
        for (file, bytes) in files.into_iter().zip(contents) {
            match file.check(bytes.len() as u64) {
                Err(why) => {
                    outcomes.push(Outcome::Failed(failed(&file, &Error::new(Kind::Remote, why))));
                }
                Ok(()) if file.item.packed => outcomes.push(self.unpack(file, bytes).await?),
                Ok(()) => whole.push((file, bytes)),
            }
        }
        let save = |to: &Destination, (file, bytes): (Arc<File>, Bytes)| {
            to.save(&file.item, bytes).map(|saved| (file, saved))
        };
        let saved: Vec<(Arc<File>, Saved)> = self.options.destination.each(whole, save).await?;
        for (file, saved) in saved {
            self.progress.advance(saved.bytes);
            outcomes.push(Outcome::Saved(file, saved));
        }
        Ok(outcomes)
    }

    async fn unpack(&self, file: Arc<File>, bytes: Bytes) -> Result<Outcome> {
        let to = &self.options.destination;
        let length = bytes.len() as u64;
        let mut writing = to.begin(&file.item).await?;
        if let Err(error) = writing.write(bytes).await {
            writing.abort().await;
            return broken(&file, error);
        }
        match writing.finish(to, &file.item).await {
            Ok(saved) => {
                self.progress.advance(length);
                Ok(Outcome::Saved(file, saved))
            }
            Err(error) => broken(&file, error),
        }
    }
}

/// A file that cannot be unpacked is its own trouble; one that cannot be written is everybody's.
pub(super) fn broken(file: &File, error: Error) -> Result<Outcome> {
    if error.kind() == Kind::Remote {
        return Ok(Outcome::Failed(failed(file, &error)));
    }
    Err(error)
}

pub(super) fn failed(file: &File, error: &Error) -> Error {
    error.within(format!("could not export {}", file.shown()))
}

/// Whether a single file can be had by its URL instead.
fn by_url(files: &[Arc<File>]) -> bool {
    matches!(files, [file] if file.size().is_none() && !file.metadata.uri.is_empty())
}

/// Names a file in a request, in the words of today or of 2023.
fn name(request: &mut BinaryDataByIDsRequest, file: &File) {
    let metadata = &file.metadata;
    if metadata.binary_data_id.is_empty() {
        let capture = metadata.capture_metadata.clone().unwrap_or_default();
        request.binary_ids.push(BinaryId {
            file_id: metadata.id.clone(),
            organization_id: capture.organization_id,
            location_id: capture.location_id,
        });
    } else {
        request.binary_data_ids.push(metadata.binary_data_id.clone());
    }
}

/// The contents in the order of the files.
fn sorted(files: &[Arc<File>], found: Vec<BinaryData>) -> Result<Vec<Bytes>, String> {
    let expected = |received: usize| {
        let of = |number: usize, thing| count::of(number as u64, thing);
        let (wanted, received) = (of(files.len(), "response"), of(received, "response"));
        format!("expected {wanted} for {}, received {received}", of(files.len(), "file"))
    };
    if found.len() != files.len() {
        return Err(expected(found.len()));
    }
    let mut by_id: HashMap<String, Bytes> = HashMap::new();
    for data in found {
        let metadata = data.metadata.unwrap_or_default();
        by_id.insert(identity(&metadata).to_owned(), data.binary);
    }
    let contents = files.iter().map(|file| by_id.remove(&file.item.id));
    contents.collect::<Option<Vec<_>>>().ok_or_else(|| "the server sent other files".to_owned())
}
