//! Hand-written ends of a link, and the service that the tests call.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use prost::Message as _;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tonic::codegen::BoxStream;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Request, Response, Status, Streaming};
use viam_proto::common::v1::{
    DoCommandRequest, DoCommandResponse, GetStatusRequest, GetStatusResponse,
};
use viam_proto::google::rpc;
use viam_proto::rpc::webrtc::v1::{
    self as rtc, PacketMessage, RequestHeaders, RequestMessage, ResponseHeaders, ResponseMessage,
    ResponseTrailers, Stream, request, response,
};
use viam_proto::service::shell::v1::shell_service_client::ShellServiceClient;
use viam_proto::service::shell::v1::shell_service_server::{ShellService, ShellServiceServer};
use viam_proto::service::shell::v1::{ShellRequest, ShellResponse};

use crate::machine::link::{Client, Link, pair, serve};

pub(super) const SHELL: &str = "/viam.service.shell.v1.ShellService";
pub(super) const LARGE: usize = 64 * 1024 * 1024;

pub(super) fn hex(text: &str) -> Bytes {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

pub(super) async fn soon<T>(work: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), work).await.expect("nothing happened for 20 s")
}

/// A server's end that a test plays.
pub(super) struct RawServer {
    pub(super) link: Link,
    pub(super) client: Client,
    pub(super) queue: Vec<Bytes>,
}

impl RawServer {
    pub(super) fn start() -> (ShellServiceClient<Client>, Self) {
        let (near, link) = pair();
        let client = Client::new(near);
        let calls = ShellServiceClient::new(client.clone()).max_decoding_message_size(LARGE);
        (calls, Self { link, client, queue: Vec::new() })
    }

    pub(super) async fn next(&mut self, id: u64) -> request::Type {
        let bytes = soon(self.link.incoming.recv()).await.unwrap();
        let request = rtc::Request::decode(bytes).unwrap();
        assert_eq!(request.stream.unwrap().id, id);
        request.r#type.unwrap()
    }

    pub(super) async fn send_bytes(&self, bytes: Bytes) {
        self.link.outgoing.send(bytes).await.unwrap();
    }

    pub(super) async fn flush(&mut self) {
        for bytes in std::mem::take(&mut self.queue) {
            self.send_bytes(bytes).await;
        }
    }

    async fn send(&self, id: u64, r#type: response::Type) {
        let response = rtc::Response { stream: Some(Stream { id }), r#type: Some(r#type) };
        self.send_bytes(response.encode_to_vec().into()).await;
    }

    pub(super) async fn packet(&self, id: u64, packet: PacketMessage) {
        let packet_message = Some(packet);
        self.send(id, response::Type::Message(ResponseMessage { packet_message })).await;
    }

    pub(super) async fn trailers(&self, id: u64, code: i32, message: &str) {
        let details = vec![prost_types::Any { type_url: "type/x".to_owned(), value: vec![1, 2] }];
        let status = Some(rpc::Status { code, message: message.to_owned(), details });
        self.send(id, response::Type::Headers(ResponseHeaders::default())).await;
        let trailers = ResponseTrailers { status, metadata: None };
        self.send(id, response::Type::Trailers(trailers)).await;
    }
}

/// A client's end that a test plays, to the service below.
pub(super) struct RawClient {
    pub(super) link: Link,
}

impl RawClient {
    pub(super) fn start() -> Self {
        let (link, far) = pair();
        tokio::spawn(serve(far, Shell::service().0));
        Self { link }
    }

    pub(super) async fn send_bytes(&self, bytes: Bytes) {
        self.link.outgoing.send(bytes).await.unwrap();
    }

    async fn send(&self, id: u64, r#type: request::Type) {
        let request = rtc::Request { stream: Some(Stream { id }), r#type: Some(r#type) };
        self.send_bytes(request.encode_to_vec().into()).await;
    }

    pub(super) async fn headers(
        &self,
        id: u64,
        method: &str,
        timeout: Option<prost_types::Duration>,
    ) {
        let head = RequestHeaders { method: method.to_owned(), metadata: None, timeout };
        self.send(id, request::Type::Headers(head)).await;
    }

    pub(super) async fn message(&self, id: u64, packet: Option<PacketMessage>, eos: bool) {
        let has_message = packet.is_some();
        let message = RequestMessage { has_message, packet_message: packet, eos };
        self.send(id, request::Type::Message(message)).await;
    }

    pub(super) async fn reset(&self, id: u64) {
        self.send(id, request::Type::RstStream(true)).await;
    }

    pub(super) async fn next(&mut self, id: u64) -> response::Type {
        let bytes = soon(self.link.incoming.recv()).await.unwrap();
        let response = rtc::Response::decode(bytes).unwrap();
        assert_eq!(response.stream.unwrap().id, id);
        response.r#type.unwrap()
    }

    /// The code and message of the trailers that come next, after the headers at most.
    pub(super) async fn ended(&mut self, id: u64) -> (i32, String) {
        loop {
            match self.next(id).await {
                response::Type::Headers(_) => {}
                response::Type::Message(_) => panic!("a message"),
                response::Type::Trailers(trailers) => {
                    let status = trailers.status.unwrap_or_default();
                    return (status.code, status.message);
                }
            }
        }
    }
}

/// Tells when it is dropped.
struct Guard(mpsc::UnboundedSender<()>);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// The service: what it does depends on the names in the requests.
pub(super) struct Shell {
    dropped: mpsc::UnboundedSender<()>,
}

impl Shell {
    pub(super) fn service() -> (ShellServiceServer<Self>, mpsc::UnboundedReceiver<()>) {
        let (dropped, seen) = mpsc::unbounded_channel();
        let service = ShellServiceServer::new(Self { dropped }).max_decoding_message_size(LARGE);
        (service, seen)
    }
}

#[tonic::async_trait]
impl ShellService for Shell {
    async fn get_status(
        &self,
        request: Request<GetStatusRequest>,
    ) -> Result<Response<GetStatusResponse>, Status> {
        match request.get_ref().name.as_str() {
            "fail" => {
                let mut metadata = MetadataMap::new();
                metadata.insert("x-why", MetadataValue::from_static("because"));
                let message = "100 % s\u{fb}r\nзря";
                Err(Status::with_metadata(Code::FailedPrecondition, message, metadata))
            }
            "slow" => {
                let _guard = Guard(self.dropped.clone());
                std::future::pending().await
            }
            _ => {
                let mut response = Response::new(GetStatusResponse::default());
                if let Some(value) = request.metadata().get("x-ask") {
                    response.metadata_mut().insert("x-reply", value.clone());
                }
                if let Some(value) = request.metadata().get_bin("raw-bin") {
                    response.metadata_mut().insert_bin("raw-bin", value.clone());
                }
                Ok(response)
            }
        }
    }

    async fn do_command(
        &self,
        request: Request<DoCommandRequest>,
    ) -> Result<Response<DoCommandResponse>, Status> {
        Ok(Response::new(DoCommandResponse { result: request.into_inner().command }))
    }

    async fn shell(
        &self,
        request: Request<Streaming<ShellRequest>>,
    ) -> Result<Response<BoxStream<ShellResponse>>, Status> {
        let guard = Guard(self.dropped.clone());
        let replies = request.into_inner().flat_map(move |request| {
            let _held = &guard;
            let request = match request {
                Ok(request) => request,
                Err(status) => return stream::iter(vec![Err(status)]).boxed(),
            };
            let reply = ShellResponse { data_out: request.name, ..Default::default() };
            let count = request.data_in.parse::<usize>().unwrap_or(1);
            stream::iter((0..count).map(move |_| Ok(reply.clone()))).boxed()
        });
        Ok(Response::new(Box::pin(replies)))
    }
}
