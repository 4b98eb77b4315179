//! `viam.app.datasync.v1.DataSyncService`: what machines send (cloud-side.md §4).

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::Arc;

use prost_types::{Any, Timestamp};
use serde_json::{Map, Value};
use tempfile::NamedTempFile;
use tonic::{Request, Response, Status, Streaming};
use viam_client::wire::RECEIVE_LIMIT;
use viam_proto::app::datasync::v1 as pb;
use viam_proto::app::datasync::v1::data_sync_service_server::{
    DataSyncService, DataSyncServiceServer,
};

use super::access::{Level, missing};
use super::convert::{from_struct, micros};
use super::{Answer, Call, access, ask};
use crate::server::jwt::Access;
use crate::server::secrets;
use crate::server::state::Shared;
use crate::store::data::{Capture, Content, File, Reading, capture, files, readings};
use crate::store::{Identity, Part, locations, parts, robots};

struct Sync {
    shared: Arc<Shared>,
}

pub(super) fn service(shared: Arc<Shared>) -> DataSyncServiceServer<impl DataSyncService> {
    DataSyncServiceServer::new(Sync { shared }).max_decoding_message_size(RECEIVE_LIMIT)
}

/// Takes what the machine of a part has captured that the sandbox itself plays.
pub(crate) async fn upload(
    shared: &Arc<Shared>,
    part: &Part,
    request: pb::DataCaptureUploadRequest,
) -> Result<(), Status> {
    let mut request = Request::new(request);
    request.extensions_mut().insert(Arc::new(Access::of_part(&part.id, &part.secret)));
    Sync { shared: shared.clone() }.data_capture_upload(request).await.map(drop)
}

#[tonic::async_trait]
impl DataSyncService for Sync {
    async fn data_capture_upload(
        &self,
        request: Request<pb::DataCaptureUploadRequest>,
    ) -> Result<Response<pb::DataCaptureUploadResponse>, Status> {
        let access = access(&request)?;
        let request = request.into_inner();
        let about = request.metadata.ok_or_else(without_metadata)?;
        let mut answer = pb::DataCaptureUploadResponse::default();
        for contents in request.sensor_contents {
            let times = contents.metadata.clone().unwrap_or_default();
            let times = (times.time_requested, times.time_received);
            match contents.data {
                Some(pb::sensor_data::Data::Struct(reading)) => {
                    let payload = Value::Object(from_struct(reading)).to_string();
                    self.reading(&access, about.clone(), times, payload).await?;
                }
                Some(pb::sensor_data::Data::Binary(bytes)) => {
                    let mut file = self.begin()?;
                    file.write_all(&bytes).map_err(unwritable)?;
                    let size = bytes.len() as u64;
                    let kept = self.keep(&access, about.clone(), times, file, size).await?;
                    (answer.file_id, answer.binary_data_id) = kept;
                }
                None => return Err(Status::invalid_argument("a sensor's data is empty")),
            }
        }
        Ok(Response::new(answer))
    }

    async fn file_upload(
        &self,
        request: Request<Streaming<pb::FileUploadRequest>>,
    ) -> Result<Response<pb::FileUploadResponse>, Status> {
        use pb::file_upload_request::UploadPacket as Packet;
        let access = access(&request)?;
        let mut packets = request.into_inner();
        let first = packets.message().await?.and_then(|packet| packet.upload_packet);
        let Some(Packet::Metadata(about)) = first else { return Err(without_metadata()) };
        let (mut file, mut size) = (self.begin()?, 0);
        while let Some(packet) = packets.message().await? {
            let Some(Packet::FileContents(piece)) = packet.upload_packet else { continue };
            file.write_all(&piece.data).map_err(unwritable)?;
            size += piece.data.len() as u64;
        }
        let times = (about.file_create_time, about.file_modify_time);
        let (file_id, binary_data_id) = self.keep(&access, about, times, file, size).await?;
        Ok(Response::new(pb::FileUploadResponse { file_id, binary_data_id }))
    }

    async fn streaming_data_capture_upload(
        &self,
        request: Request<Streaming<pb::StreamingDataCaptureUploadRequest>>,
    ) -> Result<Response<pb::StreamingDataCaptureUploadResponse>, Status> {
        use pb::streaming_data_capture_upload_request::UploadPacket as Packet;
        let access = access(&request)?;
        let mut packets = request.into_inner();
        let first = packets.message().await?.and_then(|packet| packet.upload_packet);
        let Some(Packet::Metadata(head)) = first else { return Err(without_metadata()) };
        let about = head.upload_metadata.ok_or_else(without_metadata)?;
        let times = head.sensor_metadata.unwrap_or_default();
        let times = (times.time_requested, times.time_received);
        let (mut file, mut size) = (self.begin()?, 0);
        while let Some(packet) = packets.message().await? {
            let Some(Packet::Data(piece)) = packet.upload_packet else { continue };
            file.write_all(&piece).map_err(unwritable)?;
            size += piece.len() as u64;
        }
        let (file_id, binary_data_id) = self.keep(&access, about, times, file, size).await?;
        Ok(Response::new(pb::StreamingDataCaptureUploadResponse { file_id, binary_data_id }))
    }
}

type Times = (Option<Timestamp>, Option<Timestamp>);

fn without_metadata() -> Status {
    Status::invalid_argument("the first message says what is sent")
}

fn unwritable(error: std::io::Error) -> Status {
    Status::resource_exhausted(format!("the file cannot be kept: {error}"))
}

impl Sync {
    fn begin(&self) -> Result<NamedTempFile, Status> {
        self.shared.contents.begin().map_err(unwritable)
    }

    async fn reading(
        &self,
        access: &Arc<Access>,
        about: pb::UploadMetadata,
        times: Times,
        payload: String,
    ) -> Result<(), Status> {
        ask(&self.shared, access, move |call| {
            let (requested, received) = moments(call, times);
            let source = source(call, &about)?;
            let row = capture(call.db, &source)?;
            let tags = about.tags;
            let reading = Reading { requested, received, tags, payload, ..Reading::default() };
            Ok(readings::insert(call.db, row, &reading)?)
        })
        .await
    }

    /// Gives a file that has come whole its place; its ids of both kinds.
    async fn keep(
        &self,
        access: &Arc<Access>,
        about: pb::UploadMetadata,
        times: Times,
        contents: NamedTempFile,
        size: u64,
    ) -> Result<(String, String), Status> {
        let shared = self.shared.clone();
        ask(&self.shared, access, move |call| {
            let (requested, received) = moments(call, times);
            let source = source(call, &about)?;
            let file = File {
                id: secrets::id()?,
                requested,
                received,
                name: about.file_name,
                ext: extension(about.file_extension, &source.mime),
                size: i64::try_from(size).unwrap_or(i64::MAX),
                content: Content::Stored,
                boxes: "[]".to_owned(),
                tags: about.tags,
                datasets: about.dataset_ids,
                ..File::default()
            };
            let row = capture(call.db, &source)?;
            files::insert(call.db, row, &file)?;
            // Only a file that is whole on the disk is one of the store.
            shared.contents.keep(contents, &file.id).map_err(unwritable)?;
            let id = format!("{}/{}/{}", source.organization, source.location, file.id);
            Ok((file.id, id))
        })
        .await
    }
}

fn moments(call: &Call<'_>, (requested, received): Times) -> (i64, i64) {
    let requested = requested.as_ref().map_or(call.now, micros);
    (requested, received.as_ref().map_or(requested, micros))
}

/// With one dot before it; where none is given, that of the kind of picture.
fn extension(given: String, mime: &str) -> String {
    match (given.as_str(), mime) {
        ("", "image/jpeg") => ".jpeg".to_owned(),
        ("", "image/png") => ".png".to_owned(),
        ("", "pointcloud/pcd") => ".pcd".to_owned(),
        ("", _) => given,
        (text, _) if text.starts_with('.') => given,
        (text, _) => format!(".{text}"),
    }
}

/// What captured it: a part speaks for itself, and for others whoever may change them.
fn source(call: &Call<'_>, about: &pb::UploadMetadata) -> Answer<Capture> {
    let part = match &call.caller.who {
        Identity::Part(own) if *own == about.part_id => {
            parts::get(call.db, own)?.ok_or_else(|| missing("part", own))?
        }
        _ => call.part(&about.part_id, Level::Write)?.0,
    };
    let robot = robots::get(call.db, &part.robot)?;
    let owners = locations::owners(call.db, &part.location)?;
    Ok(Capture {
        organization: owners.into_iter().next().map(|owner| owner.organization).unwrap_or_default(),
        location: part.location,
        robot_name: robot.map(|robot| robot.name).unwrap_or_default(),
        robot: part.robot,
        part_name: part.name,
        part: part.id,
        component_type: about.component_type.clone(),
        component_name: about.component_name.clone(),
        method: about.method_name.clone(),
        params: parameters(&about.method_parameters),
        mime: about.mime_type.clone(),
    })
}

/// The types of what is packed, by name: what is in it is not read.
fn parameters(packed: &HashMap<String, Any>) -> String {
    let mut named: Vec<_> = packed.iter().collect();
    named.sort_by_key(|(name, _)| *name);
    let named: Map<String, Value> =
        named.into_iter().map(|(name, any)| (name.clone(), any.type_url.clone().into())).collect();
    Value::Object(named).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_has_one_dot() {
        for (given, mime, expected) in
            [("", "image/png", ".png"), ("jpg", "", ".jpg"), (".gz", "", ".gz"), ("", "", "")]
        {
            assert_eq!(extension(given.to_owned(), mime), expected);
        }
    }
}
