//! The shell service: a real shell on a real pty, in a folder of the machine's own
//! (transport.md §6.2).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use prost_types::value::Kind;
use prost_types::{Struct, Value};
use pty_process::{OwnedReadPty, OwnedWritePty, Size};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Child;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming};
use viam_proto::common::v1::{DoCommandRequest, DoCommandResponse};
use viam_proto::service::shell::v1 as pb;
use viam_proto::service::shell::v1::shell_service_server::{ShellService, ShellServiceServer};
use viam_proto::service::shell::v1::{ShellRequest, ShellResponse};

use super::copy;
use super::resources::Resources;

/// What the service is.
const API: &str = "rdk:service:shell";

/// The shell that is there on every Unix.
const SHELL: &str = "/bin/sh";

/// Messages of output that wait.
const QUEUE: usize = 16;

/// What ends the input of a terminal.
const END_OF_INPUT: u8 = 0x04;

/// Serves it.
pub(super) struct Shell {
    resources: Arc<Resources>,
    /// Where shells begin.
    home: PathBuf,
}

/// The service of a machine.
pub(super) fn service(resources: Arc<Resources>, home: PathBuf) -> ShellServiceServer<Shell> {
    ShellServiceServer::new(Shell { resources, home })
        .max_decoding_message_size(copy::RECEIVE_LIMIT)
}

#[tonic::async_trait]
impl ShellService for Shell {
    async fn shell(
        &self,
        request: Request<Streaming<ShellRequest>>,
    ) -> Result<Response<BoxStream<ShellResponse>>, Status> {
        let mut requests = request.into_inner();
        let first = requests
            .message()
            .await?
            .ok_or_else(|| Status::invalid_argument("the first message is missing"))?;
        let failed = |error: &dyn std::fmt::Display| {
            Status::internal(format!("cannot start a shell: {error}"))
        };
        let home = self.home(&first.name)?;
        let (pty, pts) = pty_process::open().map_err(|error| failed(&error))?;
        let (columns, rows) = first.extra.as_ref().and_then(size).unwrap_or((80, 24));
        pty.resize(Size::new(rows, columns)).map_err(|error| failed(&error))?;
        let child = command(home).spawn(pts).map_err(|error| failed(&error))?;
        let (output, input) = pty.into_split();
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(feed(requests, first, input));
        tokio::spawn(show(output, child, sender));
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn copy_files_to_machine(
        &self,
        request: Request<Streaming<pb::CopyFilesToMachineRequest>>,
    ) -> Result<Response<BoxStream<pb::CopyFilesToMachineResponse>>, Status> {
        let mut requests = request.into_inner();
        let first = requests.message().await?.and_then(|first| first.request);
        let Some(pb::copy_files_to_machine_request::Request::Metadata(metadata)) = first else {
            return Err(Status::invalid_argument("the first message has no metadata"));
        };
        copy::to_machine(self.home(&metadata.name)?, &metadata, requests)
    }

    async fn copy_files_from_machine(
        &self,
        request: Request<Streaming<pb::CopyFilesFromMachineRequest>>,
    ) -> Result<Response<BoxStream<pb::CopyFilesFromMachineResponse>>, Status> {
        let mut requests = request.into_inner();
        let first = requests.message().await?.and_then(|first| first.request);
        let Some(pb::copy_files_from_machine_request::Request::Metadata(metadata)) = first else {
            return Err(Status::invalid_argument("the first message has no metadata"));
        };
        copy::from_machine(self.home(&metadata.name)?, &metadata, requests)
    }

    async fn do_command(
        &self,
        request: Request<DoCommandRequest>,
    ) -> Result<Response<DoCommandResponse>, Status> {
        let asked = request.get_ref().command.as_ref();
        let asked = asked.and_then(|command| command.fields.get("get_viam_home"));
        if !matches!(asked, Some(Value { kind: Some(Kind::BoolValue(true)) })) {
            return self.resources.echo(API, request);
        }
        let home = self.home(&request.get_ref().name)?.display().to_string();
        let home = Value { kind: Some(Kind::StringValue(home)) };
        let result = Struct { fields: [("viam_home".to_owned(), home)].into() };
        Ok(Response::new(DoCommandResponse { result: Some(result) }))
    }
}

impl Shell {
    /// The folder of the machine, which is there, if the service is.
    fn home(&self, service: &str) -> Result<&Path, Status> {
        self.resources.find(API, service)?;
        std::fs::create_dir_all(&self.home).map_err(|error| {
            Status::internal(format!("cannot make the machine's folder: {error}"))
        })?;
        Ok(&self.home)
    }
}

fn command(home: &Path) -> pty_process::Command {
    pty_process::Command::new(SHELL)
        .arg("-i")
        .env_clear()
        .env("TERM", "xterm-256color")
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", home)
        .env("PS1", "$ ")
        .current_dir(home)
        .kill_on_drop(true)
}

/// Columns and rows that a message tells: flat, or as the first of its list.
fn size(extra: &Struct) -> Option<(u16, u16)> {
    let listed = match extra.fields.get("messages").and_then(|value| value.kind.as_ref()) {
        Some(Kind::ListValue(list)) => match list.values.first().and_then(|v| v.kind.as_ref()) {
            Some(Kind::StructValue(change)) => Some(change),
            _ => None,
        },
        _ => None,
    };
    let change = listed.unwrap_or(extra);
    let number = |name: &str| match change.fields.get(name) {
        Some(Value { kind: Some(Kind::NumberValue(number)) })
            if (1.0..=f64::from(u16::MAX)).contains(number) =>
        {
            format!("{number:.0}").parse::<u16>().ok()
        }
        _ => None,
    };
    Some((number("cols")?, number("rows")?))
}

/// What the client types; the end of its stream is an end of input, and leaves the shell to end.
async fn feed(
    mut requests: Streaming<ShellRequest>,
    first: ShellRequest,
    mut input: OwnedWritePty,
) {
    let mut next = Some(first);
    while let Some(request) = next {
        if let Some((columns, rows)) = request.extra.as_ref().and_then(size) {
            // A pty without a shell has no size to tell.
            let _ = input.resize(Size::new(rows, columns));
        }
        if input.write_all(request.data_in.as_bytes()).await.is_err() {
            return;
        }
        next = requests.next().await.and_then(Result::ok);
    }
    // The shell may have ended.
    let _ = input.write_all(&[END_OF_INPUT]).await;
}

/// What the shell prints. A client that went away takes the shell with it.
async fn show(
    mut output: OwnedReadPty,
    mut child: Child,
    sender: mpsc::Sender<Result<ShellResponse, Status>>,
) {
    let mut buffer = vec![0; 16 * 1024];
    let mut kept = 0;
    loop {
        let length = tokio::select! {
            length = output.read(&mut buffer[kept..]) => length,
            () = sender.closed() => break,
        };
        // A pty whose shell has ended reads as an error.
        let Ok(length @ 1..) = length else { break };
        let all = kept + length;
        let whole = whole_characters(&buffer[..all]);
        let text = String::from_utf8_lossy(&buffer[..whole]).into_owned();
        buffer.copy_within(whole..all, 0);
        kept = all - whole;
        let message = ShellResponse { data_out: text, ..ShellResponse::default() };
        if !message.data_out.is_empty() && sender.send(Ok(message)).await.is_err() {
            break;
        }
    }
    // It may have ended by itself.
    let _ = child.start_kill();
    let _ = child.wait().await;
    let end = ShellResponse { eof: true, ..ShellResponse::default() };
    let _ = sender.send(Ok(end)).await;
}

/// How many of the bytes come before a character that is not all there yet.
fn whole_characters(bytes: &[u8]) -> usize {
    let tail = bytes.len().saturating_sub(3);
    for at in (tail..bytes.len()).rev() {
        let length = match bytes[at] {
            0x00..=0x7f => 1,
            0x80..=0xbf => continue,
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            _ => 4,
        };
        return if at + length > bytes.len() { at } else { bytes.len() };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_stay_whole() {
        for (bytes, whole) in [
            (&b"abc"[..], 3),
            ("aé".as_bytes(), 3),
            (&"aé".as_bytes()[..2], 1),
            (&"🦀".as_bytes()[..3], 0),
            (&"x€".as_bytes()[..3], 1),
            (b"\x80\x80\x80\x80", 4),
            (b"", 0),
        ] {
            assert_eq!(whole_characters(bytes), whole, "{bytes:?}");
        }
    }

    #[test]
    fn sizes_in_both_forms() {
        let number = |n: f64| Value { kind: Some(Kind::NumberValue(n)) };
        let change = Struct {
            fields: [("cols".to_owned(), number(120.0)), ("rows".to_owned(), number(50.0))].into(),
        };
        assert_eq!(size(&change), Some((120, 50)));
        let list = prost_types::ListValue {
            values: vec![Value { kind: Some(Kind::StructValue(change)) }],
        };
        let value = Value { kind: Some(Kind::ListValue(list)) };
        assert_eq!(
            size(&Struct { fields: [("messages".to_owned(), value)].into() }),
            Some((120, 50))
        );
        let zero = Struct {
            fields: [("cols".to_owned(), number(0.0)), ("rows".to_owned(), number(-1.0))].into(),
        };
        assert_eq!(size(&zero), None);
    }
}
