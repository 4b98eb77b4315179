//! From the machine: the contents of files in pieces, each file confirmed (transport.md §6.3).

use std::collections::HashSet;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Request;
use viam_client::wire::{LongLived, RECEIVE_LIMIT};
use viam_contract::{Context, Error, Kind, Result, Wire, text};
use viam_proto::service::shell::v1 as pb;
use viam_proto::service::shell::v1::copy_files_from_machine_request::Request as Part;
use viam_proto::service::shell::v1::copy_files_from_machine_response::Response as Answer;
use viam_proto::service::shell::v1::shell_service_client::ShellServiceClient;

use super::QUEUE;
use super::attempt::{Failure, passing};
use super::place::{self, Place};
use super::progress::Progress;
use super::store::{Store, Unfinished};

/// What is received and how.
pub(super) struct Receiving<'a> {
    pub(super) cx: &'a Context,
    pub(super) progress: &'a Progress,
    pub(super) sources: &'a [String],
    pub(super) destination: &'a str,
    pub(super) recursive: bool,
    pub(super) preserve: bool,
}

/// The file that is under way; nothing is written of one that is there since an earlier attempt.
struct Current {
    name: String,
    file: Option<Unfinished>,
}

/// What lasts over all attempts.
pub(super) struct Kept {
    /// Found once: what an attempt makes must not change it for the next.
    place: Option<Place>,
    store: Store,
    done: HashSet<String>,
}

impl Receiving<'_> {
    pub(super) fn keep(&self) -> Kept {
        Kept { place: None, store: Store::new(self.preserve), done: HashSet::new() }
    }

    /// One attempt.
    pub(super) async fn attempt(
        &self,
        wire: Wire,
        service: &str,
        kept: &mut Kept,
    ) -> Result<(), Failure> {
        let (requests, outgoing) = mpsc::channel(QUEUE);
        let metadata = pb::CopyFilesFromMachineRequestMetadata {
            name: service.to_owned(),
            paths: self.sources.to_vec(),
            allow_recursion: self.recursive,
            preserve: self.preserve,
            extra: Some(prost_types::Struct::default()),
        };
        let request = |part| pb::CopyFilesFromMachineRequest { request: Some(part) };
        // There is room: nothing was sent yet.
        let _ = requests.send(request(Part::Metadata(metadata))).await;
        let mut call = Request::new(ReceiverStream::new(outgoing));
        call.extensions_mut().insert(LongLived);
        let mut client = ShellServiceClient::new(wire).max_decoding_message_size(RECEIVE_LIMIT);
        let mut answers = client.copy_files_from_machine(call).await?.into_inner();
        let asked = place::asked(self.sources);
        let mut current = None;
        while let Some(answer) = answers.message().await? {
            match answer.response {
                Some(Answer::Metadata(metadata)) if kept.place.is_none() => {
                    let path = self.cx.cwd.join(self.destination);
                    let place = Place::find(self.destination, path, metadata.source_type())?;
                    kept.place = Some(place);
                }
                Some(Answer::FileData(data)) => {
                    let eof = data.eof;
                    self.take(data, asked.as_deref(), &mut current, kept)?;
                    if eof {
                        // A call that is over says why.
                        let _ = requests.send(request(Part::AckLastFile(true))).await;
                    }
                }
                Some(Answer::Metadata(_)) | None => {}
            }
        }
        match current {
            None => Ok(()),
            Some(Current { name, .. }) => Err(passing(format!(
                "the machine ended the copy in the middle of {}",
                text::quoted(&name)
            ))),
        }
    }

    fn take(
        &self,
        data: pb::FileData,
        asked: Option<&[String]>,
        current: &mut Option<Current>,
        kept: &mut Kept,
    ) -> Result<(), Failure> {
        let Some(place) = &kept.place else {
            return Err(passing("the machine does not say what it sends"));
        };
        match current {
            Some(_) if !data.name.is_empty() => {
                let words = format!("unexpected file name {}", text::quoted(&data.name));
                return Err(Error::new(Kind::Remote, words).into());
            }
            Some(_) => {}
            None => {
                let path = place.path(&place::parts(&data.name, asked)?)?;
                if data.is_dir {
                    kept.store.finish_directory(&path, &data)?;
                    if data.eof {
                        return Ok(());
                    }
                    let words =
                        format!("{} is a directory with contents", text::quoted(&data.name));
                    return Err(Error::new(Kind::Remote, words).into());
                }
                self.progress.begin(&data.name, data.size.try_into().unwrap_or_default());
                let there = kept.done.contains(&data.name);
                let file = if there { None } else { Some(kept.store.begin(path, &data)?) };
                *current = Some(Current { name: data.name.clone(), file });
            }
        }
        let Some(Current { file, .. }) = current else { return Ok(()) };
        if let Some(file) = file {
            file.write(&data.data)?;
        }
        self.progress.advance(data.data.len() as u64);
        if data.eof
            && let Some(Current { name, file }) = current.take()
        {
            if let Some(file) = file {
                file.finish()?;
            }
            kept.done.insert(name);
        }
        Ok(())
    }
}
