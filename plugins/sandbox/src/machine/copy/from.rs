//! Files that a client fetches.

use std::fs::{self, File, Metadata};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::BoxStream;
use tonic::{Response, Status, Streaming};
use viam_proto::service::shell::v1::copy_files_from_machine_request::Request as Part;
use viam_proto::service::shell::v1::copy_files_from_machine_response::Response as Answer;
use viam_proto::service::shell::v1::{
    CopyFilesFromMachineRequest, CopyFilesFromMachineRequestMetadata, CopyFilesFromMachineResponse,
    CopyFilesFromMachineResponseMetadata, CopyFilesSourceType, FileData,
};

use super::{CHUNK, DIRECTORY, QUEUE, failed, resolve};

/// Sends the files; the metadata has been read.
pub(in crate::machine) fn copy(
    home: &Path,
    metadata: &CopyFilesFromMachineRequestMetadata,
    requests: Streaming<CopyFilesFromMachineRequest>,
) -> Result<Response<BoxStream<CopyFilesFromMachineResponse>>, Status> {
    let mut sources = Vec::new();
    for given in &metadata.paths {
        let path = resolve(home, given)?;
        let found = fs::metadata(&path).map_err(|error| failed(&path, &error))?;
        if found.is_dir() && !metadata.allow_recursion {
            let words = "file is a directory but copy recursion not used";
            return Err(Status::invalid_argument(words));
        }
        sources.push((path, found.is_dir()));
    }
    let source_type = match &*sources {
        [] => return Err(Status::invalid_argument("no paths are given")),
        [(_, true)] => CopyFilesSourceType::SingleDirectory,
        [_] => CopyFilesSourceType::SingleFile,
        _ => CopyFilesSourceType::MultipleFiles,
    };
    let (answers, receiver) = mpsc::channel(QUEUE);
    let mut sender = Sender {
        home: home.to_owned(),
        preserve: metadata.preserve,
        answers: answers.clone(),
        requests,
    };
    tokio::spawn(async move {
        let source_type = source_type.into();
        let first = Answer::Metadata(CopyFilesFromMachineResponseMetadata { source_type });
        let sent = match sender.pass(first).await {
            Ok(()) => sender.send(sources).await,
            Err(status) => Err(status),
        };
        if let Err(status) = sent {
            // Nobody may be there any more.
            let _ = answers.send(Err(status)).await;
        }
    });
    Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
}

struct Sender {
    home: PathBuf,
    preserve: bool,
    answers: mpsc::Sender<Result<CopyFilesFromMachineResponse, Status>>,
    requests: Streaming<CopyFilesFromMachineRequest>,
}

/// What is still to be sent: the last one next.
enum Task {
    Look(PathBuf, String),
    /// A directory, after what is in it.
    Directory(PathBuf, String),
}

impl Sender {
    async fn send(&mut self, sources: Vec<(PathBuf, bool)>) -> Result<(), Status> {
        for (path, _) in sources {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let mut tasks = vec![Task::Look(path, name)];
            while let Some(task) = tasks.pop() {
                let (path, name) = match task {
                    Task::Look(path, name) => (path, name),
                    Task::Directory(path, name) => {
                        let meta = fs::metadata(&path).map_err(|error| failed(&path, &error))?;
                        self.end(self.first(name, &meta)).await?;
                        continue;
                    }
                };
                // A link on the way may lead elsewhere.
                let inside = resolve(&self.home, &path.to_string_lossy())?;
                let fail = |error: std::io::Error| failed(&inside, &error);
                let meta = fs::metadata(&inside).map_err(fail)?;
                if meta.is_file() {
                    self.file(&inside, self.first(name, &meta)).await?;
                } else if meta.is_dir() {
                    tasks.push(Task::Directory(path, name.clone()));
                    for entry in fs::read_dir(&inside).map_err(fail)? {
                        let entry = entry.map_err(fail)?;
                        let inner = format!("{name}/{}", entry.file_name().to_string_lossy());
                        tasks.push(Task::Look(entry.path(), inner));
                    }
                }
            }
        }
        Ok(())
    }

    fn first(&self, name: String, meta: &Metadata) -> FileData {
        let is_dir = meta.is_dir();
        FileData {
            name,
            size: if is_dir { 0 } else { i64::try_from(meta.len()).unwrap_or(i64::MAX) },
            is_dir,
            mode: Some(meta.mode() & 0o777 | if is_dir { DIRECTORY } else { 0 }),
            mod_time: meta.modified().ok().filter(|_| self.preserve).map(Into::into),
            ..FileData::default()
        }
    }

    async fn file(&mut self, path: &Path, mut next: FileData) -> Result<(), Status> {
        let fail = |error: std::io::Error| failed(path, &error);
        let mut file = File::open(path).map_err(fail)?;
        loop {
            let mut data = Vec::with_capacity(CHUNK);
            file.by_ref().take(CHUNK as u64).read_to_end(&mut data).map_err(fail)?;
            if data.is_empty() {
                return self.end(next).await;
            }
            next.data = data.into();
            self.pass(Answer::FileData(std::mem::take(&mut next))).await?;
        }
    }

    /// The last message of a file, and the client's word that it is there.
    async fn end(&mut self, data: FileData) -> Result<(), Status> {
        self.pass(Answer::FileData(FileData { eof: true, ..data })).await?;
        match self.requests.message().await? {
            Some(CopyFilesFromMachineRequest { request: Some(Part::AckLastFile(_)) }) => Ok(()),
            _ => Err(Status::aborted("the file was not confirmed")),
        }
    }

    async fn pass(&self, answer: Answer) -> Result<(), Status> {
        let answer = CopyFilesFromMachineResponse { response: Some(answer) };
        let gone = |_| Status::cancelled("the client is gone");
        self.answers.send(Ok(answer)).await.map_err(gone)
    }
}
