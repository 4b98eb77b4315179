//! To the machine: the contents of files in pieces, an answer for each file (transport.md §6.3).

use std::collections::HashSet;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::pin::pin;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Status};
use viam_client::wire::LongLived;
use viam_contract::{Context, Error, Kind, Result, Wire};
use viam_proto::service::shell::v1 as pb;
use viam_proto::service::shell::v1::copy_files_to_machine_request::Request as Part;
use viam_proto::service::shell::v1::shell_service_client::ShellServiceClient;

use super::attempt::{Failure, passing};
use super::progress::Progress;
use super::renamed;
use super::walk::{Entry, Step, Walk, unreadable};
use super::{CHUNK, DIRECTORY, QUEUE};

type Requests = mpsc::Sender<pb::CopyFilesToMachineRequest>;

/// What is sent and how.
pub(super) struct Sending<'a> {
    pub(super) cx: &'a Context,
    pub(super) progress: &'a Progress,
    pub(super) sources: &'a [String],
    pub(super) destination: &'a str,
    pub(super) recursive: bool,
    pub(super) preserve: bool,
}

/// What lasts over all attempts.
#[derive(Default)]
pub(super) struct Sent {
    /// What the machine has confirmed.
    done: HashSet<String>,
    /// Whether the destination of a directory was missing before the first attempt.
    missing: Option<bool>,
}

/// How far the requests got.
enum Fed {
    All,
    /// The call is over, and says why.
    Refused,
}

impl Sending<'_> {
    /// Looks at the sources; this needs no machine.
    pub(super) fn check(&self) -> Result<()> {
        self.walks().map(drop)
    }

    fn walks(&self) -> Result<Vec<Walk>> {
        let walk = |source: &String| Walk::new(&self.cx.cwd, source, self.recursive);
        self.sources.iter().map(walk).collect()
    }

    /// One attempt; what the machine has confirmed is not sent again.
    pub(super) async fn attempt(
        &self,
        wire: Wire,
        service: &str,
        sent: &mut Sent,
    ) -> Result<(), Failure> {
        let walks = self.walks()?;
        let source_type = match &*walks {
            [one] if one.is_dir() => pb::CopyFilesSourceType::SingleDirectory,
            [_] => pb::CopyFilesSourceType::SingleFile,
            _ => pb::CopyFilesSourceType::MultipleFiles,
        };
        let (mut destination, mut name) = (self.destination, None);
        if source_type == pb::CopyFilesSourceType::SingleDirectory && !destination.is_empty() {
            let missing = renamed::missing(wire.clone(), service, destination).await;
            if *sent.missing.get_or_insert(missing)
                && !missing
                && let Some((parent, own)) = renamed::split(destination)
            {
                (destination, name) = (parent, Some(own));
            }
        }
        let metadata = pb::CopyFilesToMachineRequestMetadata {
            name: service.to_owned(),
            source_type: source_type.into(),
            destination: destination.to_owned(),
            preserve: self.preserve,
            extra: Some(prost_types::Struct::default()),
        };
        let (requests, outgoing) = mpsc::channel(QUEUE);
        let (confirmed, confirmations) = mpsc::channel(QUEUE);
        let metadata = Part::Metadata(metadata);
        // There is room: nothing was sent yet.
        let _ = requests.send(pb::CopyFilesToMachineRequest { request: Some(metadata) }).await;
        let mut call = pin!(call(wire, outgoing, confirmed));
        let mut feed = pin!(self.feed(walks, name, requests, confirmations, &mut sent.done));
        let mut fed = None;
        loop {
            tokio::select! {
                // The answer tells more than a request that could not be sent.
                biased;
                ended = &mut call => {
                    ended?;
                    return match fed {
                        Some(Fed::All) => Ok(()),
                        _ => Err(passing("the machine ended the copy before all was sent")),
                    };
                }
                ended = &mut feed, if fed.is_none() => fed = Some(ended?),
            }
        }
    }

    async fn feed(
        &self,
        walks: Vec<Walk>,
        name: Option<&str>,
        requests: Requests,
        mut confirmations: mpsc::Receiver<()>,
        done: &mut HashSet<String>,
    ) -> Result<Fed, Failure> {
        for (number, mut walk) in walks.into_iter().enumerate() {
            while let Some(step) = walk.next()? {
                let mut entry = match step {
                    Step::Send(entry) => entry,
                    Step::Skip(words) => {
                        self.progress.warn(self.cx, &words);
                        continue;
                    }
                };
                // Two sources may have the same name.
                let key = format!("{number}/{}", entry.name);
                if done.contains(&key) {
                    continue;
                }
                if let Some(name) = name {
                    let rest = entry.name.split_once('/').map(|(_, rest)| rest);
                    entry.name = rest.map_or(name.to_owned(), |rest| format!("{name}/{rest}"));
                }
                if !self.send(&entry, &requests).await? || confirmations.recv().await.is_none() {
                    return Ok(Fed::Refused);
                }
                done.insert(key);
            }
        }
        Ok(Fed::All)
    }

    /// Sends one file; `false` when nobody takes it.
    async fn send(&self, entry: &Entry, requests: &Requests) -> Result<bool, Failure> {
        let is_dir = entry.meta.is_dir();
        let directory_bit = if is_dir { DIRECTORY } else { 0 };
        let modified = entry.meta.modified().ok().filter(|_| self.preserve);
        let size = if is_dir { 0 } else { entry.meta.size() };
        let mut next = pb::FileData {
            name: entry.name.clone(),
            size: size.try_into().unwrap_or(i64::MAX),
            is_dir,
            mode: Some(entry.meta.mode() & 0o777 | directory_bit),
            mod_time: modified.map(Into::into),
            ..pb::FileData::default()
        };
        if !is_dir {
            let fail = |error| unreadable(&entry.path, error);
            let mut file = File::open(&entry.path).map_err(fail)?.take(size);
            self.progress.begin(&entry.name, size);
            let mut sent = 0;
            loop {
                let mut data = Vec::with_capacity(CHUNK);
                let limit = CHUNK as u64;
                let length = file.by_ref().take(limit).read_to_end(&mut data).map_err(fail)?;
                if length == 0 {
                    break;
                }
                sent += length as u64;
                next.data = data.into();
                if !pass(requests, std::mem::take(&mut next)).await {
                    return Ok(false);
                }
                self.progress.advance(length as u64);
            }
            if sent < size {
                return Err(changed(&entry.path).into());
            }
        }
        // The last message has no data: machines throw it away.
        next.eof = true;
        Ok(pass(requests, next).await)
    }
}

fn changed(path: &Path) -> Error {
    Error::new(Kind::User, format!("{} became shorter while it was copied", path.display()))
}

async fn pass(requests: &Requests, data: pb::FileData) -> bool {
    let request = pb::CopyFilesToMachineRequest { request: Some(Part::FileData(data)) };
    requests.send(request).await.is_ok()
}

/// Makes the call and passes on what the machine confirms, to the end.
async fn call(
    wire: Wire,
    outgoing: mpsc::Receiver<pb::CopyFilesToMachineRequest>,
    confirmed: mpsc::Sender<()>,
) -> Result<(), Status> {
    let mut request = Request::new(ReceiverStream::new(outgoing));
    request.extensions_mut().insert(LongLived);
    let mut client = ShellServiceClient::new(wire);
    let mut answers = client.copy_files_to_machine(request).await?.into_inner();
    while answers.message().await?.is_some() {
        // Nobody waits for more than was sent.
        let _ = confirmed.try_send(());
    }
    Ok(())
}
