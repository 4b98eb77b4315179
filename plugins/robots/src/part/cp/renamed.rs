//! A directory that is sent under another name: the destination is missing for the first attempt
//! and there for the next, which must not put the rest into it (transport.md §6.3).

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request};
use viam_client::wire::{LongLived, RECEIVE_LIMIT};
use viam_contract::Wire;
use viam_proto::service::shell::v1 as pb;
use viam_proto::service::shell::v1::copy_files_from_machine_request::Request as Part;
use viam_proto::service::shell::v1::shell_service_client::ShellServiceClient;

/// Whether a destination is missing. There is no call that asks this, so it is asked for as a
/// source; what the machine begins to send is dropped. `false` when the machine does not say.
pub(super) async fn missing(wire: Wire, service: &str, destination: &str) -> bool {
    // A relative source may mean another folder than a relative destination.
    let path = if destination.starts_with(['/', '~', '$']) || is_windows(destination) {
        destination.to_owned()
    } else {
        format!("~/{destination}")
    };
    let metadata = pb::CopyFilesFromMachineRequestMetadata {
        name: service.to_owned(),
        paths: vec![path],
        extra: Some(prost_types::Struct::default()),
        ..pb::CopyFilesFromMachineRequestMetadata::default()
    };
    let (requests, outgoing) = mpsc::channel(1);
    let metadata = Some(Part::Metadata(metadata));
    // There is room: nothing was sent yet.
    let _ = requests.send(pb::CopyFilesFromMachineRequest { request: metadata }).await;
    let mut request = Request::new(ReceiverStream::new(outgoing));
    request.extensions_mut().insert(LongLived);
    let mut client = ShellServiceClient::new(wire).max_decoding_message_size(RECEIVE_LIMIT);
    let first = match client.copy_files_from_machine(request).await {
        Ok(answers) => answers.into_inner().message().await.map(drop),
        Err(status) => Err(status),
    };
    first.is_err_and(|status| status.code() == Code::NotFound)
}

/// Whether it is an absolute path of Windows: `C:\x`, `C:/x` or `\x`.
fn is_windows(path: &str) -> bool {
    let drive = |rest: &str| rest.starts_with(['/', '\\']);
    path.starts_with('\\')
        || path.split_once(':').is_some_and(|(letter, rest)| {
            letter.len() == 1
                && letter.starts_with(|c: char| c.is_ascii_alphabetic())
                && drive(rest)
        })
}

/// The directory that a destination is in, and its name there.
pub(super) fn split(destination: &str) -> Option<(&str, &str)> {
    // The separators are the machine's, not those of this computer.
    let separators = if is_windows(destination) { &['/', '\\'][..] } else { &['/'] };
    let path = destination.trim_end_matches(separators);
    let (parent, name) = match path.rsplit_once(separators) {
        Some(("", name)) => ("/", name),
        // As for a destination that the user gives.
        Some(("~", name)) => ("", name),
        Some(split) => split,
        None => ("", path),
    };
    // A drive without a separator is the folder that is current there.
    let parent = if parent.ends_with(':') && is_windows(path) {
        destination.get(..=parent.len()).unwrap_or(parent)
    } else {
        parent
    };
    (!matches!(name, "" | "." | ".." | "~")).then_some((parent, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_a_name_in_a_directory() {
        for (destination, expected) in [
            ("new", Some(("", "new"))),
            ("a/b/new/", Some(("a/b", "new"))),
            ("/new", Some(("/", "new"))),
            ("~/new", Some(("", "new"))),
            (r"C:\opt\new", Some((r"C:\opt", "new"))),
            ("C:/opt/new/", Some(("C:/opt", "new"))),
            (r"\opt\viam\new\", Some((r"\opt\viam", "new"))),
            (r"C:\new", Some((r"C:\", "new"))),
            (r"a\new", Some(("", r"a\new"))),
            ("", None),
            ("/", None),
            ("a/..", None),
        ] {
            assert_eq!(split(destination), expected, "{destination}");
        }
    }
}
