//! Files that a client sends.

use std::fs::{self, File, FileTimes, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::BoxStream;
use tonic::{Response, Status, Streaming};
use viam_proto::service::shell::v1::copy_files_to_machine_request::Request as Part;
use viam_proto::service::shell::v1::{
    CopyFilesSourceType, CopyFilesToMachineRequest, CopyFilesToMachineRequestMetadata,
    CopyFilesToMachineResponse, FileData,
};

use super::{QUEUE, failed, resolve};

/// Takes the files; the metadata has been read.
pub(in crate::machine) fn copy(
    home: &Path,
    metadata: &CopyFilesToMachineRequestMetadata,
    requests: Streaming<CopyFilesToMachineRequest>,
) -> Result<Response<BoxStream<CopyFilesToMachineResponse>>, Status> {
    let receiver = Receiver {
        home: home.to_owned(),
        place: Place::find(home, metadata)?,
        preserve: metadata.preserve,
    };
    let (sender, answers) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        if let Err(status) = receiver.take(requests, &sender).await {
            // Nobody may be there any more.
            let _ = sender.send(Err(status)).await;
        }
    });
    Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
}

/// Where files go.
enum Place {
    Into(PathBuf),
    /// In place of the first name.
    As(PathBuf),
}

impl Place {
    fn find(home: &Path, metadata: &CopyFilesToMachineRequestMetadata) -> Result<Self, Status> {
        let given = &metadata.destination;
        let path = resolve(home, given)?;
        let source = metadata.source_type();
        if path.is_dir() {
            return Ok(Self::Into(path));
        }
        if source == CopyFilesSourceType::MultipleFiles {
            return Err(Status::not_found(format!(
                "{given:?} does not exist or is not a directory"
            )));
        }
        if path.exists() && source == CopyFilesSourceType::SingleDirectory {
            return Err(Status::invalid_argument(format!("{given:?} is not a directory")));
        }
        if path.parent().is_some_and(Path::is_dir) {
            return Ok(Self::As(path));
        }
        Err(Status::not_found(format!("destination {given:?}: no such directory")))
    }
}

struct Receiver {
    home: PathBuf,
    place: Place,
    preserve: bool,
}

/// The file that is under way.
struct Current {
    file: File,
    unfinished: PathBuf,
    path: PathBuf,
    size: i64,
    written: i64,
    modified: Option<SystemTime>,
    mode: Option<u32>,
}

impl Receiver {
    async fn take(
        &self,
        mut requests: Streaming<CopyFilesToMachineRequest>,
        sender: &mpsc::Sender<Result<CopyFilesToMachineResponse, Status>>,
    ) -> Result<(), Status> {
        let mut current = None;
        let ended = loop {
            let data = match requests.message().await {
                Ok(Some(CopyFilesToMachineRequest { request: Some(Part::FileData(data)) })) => data,
                Ok(Some(_)) => break Err(Status::invalid_argument("file data was expected")),
                Ok(None) if current.is_some() => break Err(Status::aborted("a file is not whole")),
                Ok(None) => break Ok(()),
                Err(status) => break Err(status),
            };
            let eof = data.eof;
            if let Err(status) = self.step(data, &mut current) {
                break Err(status);
            }
            let answer = CopyFilesToMachineResponse { ack_last_file: true };
            if eof && sender.send(Ok(answer)).await.is_err() {
                break Ok(());
            }
        };
        if let Some(Current { unfinished, .. }) = current {
            // It may be gone.
            let _ = fs::remove_file(unfinished);
        }
        ended
    }

    fn step(&self, data: FileData, current: &mut Option<Current>) -> Result<(), Status> {
        if current.is_none() {
            let path = self.path(&data.name)?;
            if data.is_dir {
                return self.directory(&path, &data);
            }
            *current = Some(self.begin(path, &data)?);
        } else if !data.name.is_empty() {
            return Err(Status::invalid_argument(format!("unexpected file name {:?}", data.name)));
        }
        let Some(file) = current else { return Ok(()) };
        // As on machines, what is in the last message is lost.
        if !data.eof {
            file.file.write_all(&data.data).map_err(|error| failed(&file.path, &error))?;
            file.written += i64::try_from(data.data.len()).unwrap_or(i64::MAX);
            return Ok(());
        }
        if file.written != file.size {
            let words = format!("{}: {} bytes of {}", file.path.display(), file.written, file.size);
            return Err(Status::data_loss(words));
        }
        let fail = |error: std::io::Error| failed(&file.path, &error);
        if let (Some(mode), true) = (file.mode, self.preserve) {
            file.file.set_permissions(Permissions::from_mode(mode)).map_err(fail)?;
        }
        if let Some(modified) = file.modified {
            file.file.set_times(FileTimes::new().set_modified(modified)).map_err(fail)?;
        }
        fs::rename(&file.unfinished, &file.path).map_err(fail)?;
        *current = None;
        Ok(())
    }

    fn path(&self, name: &str) -> Result<PathBuf, Status> {
        let bad = || Status::invalid_argument(format!("bad file name {name:?}"));
        if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(bad());
        }
        let path = match (&self.place, name.split_once('/')) {
            (Place::Into(directory), _) => directory.join(name),
            (Place::As(path), None) => path.clone(),
            (Place::As(path), Some((_, rest))) => path.join(rest),
        };
        // A link on the way may lead elsewhere.
        resolve(&self.home, path.to_str().ok_or_else(bad)?)
    }

    fn directory(&self, path: &Path, data: &FileData) -> Result<(), Status> {
        let fail = |error: std::io::Error| failed(path, &error);
        fs::create_dir_all(path).map_err(fail)?;
        if let Some(mode) = data.mode {
            fs::set_permissions(path, Permissions::from_mode(mode & 0o777)).map_err(fail)?;
        }
        if let Some(modified) = self.modified(data) {
            let times = FileTimes::new().set_modified(modified);
            File::open(path).and_then(|file| file.set_times(times)).map_err(fail)?;
        }
        Ok(())
    }

    fn begin(&self, path: PathBuf, first: &FileData) -> Result<Current, Status> {
        let fail = |error: std::io::Error| failed(&path, &error);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(fail)?;
        }
        let mut unfinished = path.clone().into_os_string();
        unfinished.push(".download");
        let unfinished = PathBuf::from(unfinished);
        let mode = first.mode.map(|mode| mode & 0o777);
        // One of a copy that broke off may be there, with another mode.
        let _ = fs::remove_file(&unfinished);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode.unwrap_or(0o640))
            .open(&unfinished)
            .map_err(fail)?;
        let modified = self.modified(first);
        Ok(Current { file, unfinished, path, size: first.size, written: 0, modified, mode })
    }

    fn modified(&self, data: &FileData) -> Option<SystemTime> {
        data.mod_time.filter(|_| self.preserve)?.try_into().ok()
    }
}
