//! Downloads all files of a sandbox and throws them away: what `cargo xtask bench --only files`
//! compares exports with. Arguments: the login file of a sandbox, and `calls` for files inside of
//! answers, a megabyte each, or `urls` for HTTP. Ten requests are under way.

use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http_body_util::BodyExt as _;
use tonic::Request;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};
use viam_client::net::Net;
use viam_client::{BaseUrl, web, wire};
use viam_contract::{BoxFuture, Env};
use viam_proto::app::data::v1::data_service_client::DataServiceClient;
use viam_proto::app::data::v1::{
    BinaryDataByFilterRequest, BinaryDataByIDsRequest, BinaryMetadata, DataRequest,
};

type Failure = Box<dyn std::error::Error>;

const PARALLEL: usize = 10;
const BATCH: u64 = 1 << 20;

struct Token(String);

impl wire::TokenSource for Token {
    fn bearer<'a>(
        &'a self,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, viam_contract::Result<Option<String>>> {
        Box::pin(std::future::ready(Ok(Some(self.0.clone()))))
    }
}

fn main() -> Result<(), Failure> {
    let mut arguments =
        viam_plugin::doors::args().into_iter().filter_map(|word| word.into_string().ok());
    let (Some(file), Some(way)) = (arguments.next(), arguments.next()) else {
        return Err("a login file and a way are needed".into());
    };
    let login: serde_json::Value = serde_json::from_slice(&std::fs::read(file)?)?;
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned).unwrap_or_default();
    let (url, token) = (text(&login["base_url"]), text(&login["auth"]["access_token"]));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(fetch(url, token, way == "urls"))
}

async fn fetch(url: String, token: String, by_url: bool) -> Result<(), Failure> {
    let channel = Endpoint::from_shared(url.clone())?.connect().await?;
    let client = DataServiceClient::new(channel).max_decoding_message_size(32 << 20);
    let bearer: MetadataValue<_> = format!("Bearer {token}").parse()?;
    let files = listed(client.clone(), &bearer).await?;
    let expected: u64 = files.iter().map(|file| file.file_size_bytes).sum();
    let received: u64 = if by_url {
        let base_url = BaseUrl::parse(&url)?;
        let net = Net::new(Env::default(), std::sync::Arc::new(|_: &str| {}));
        let tokens = Some(std::sync::Arc::new(Token(token)) as _);
        let wire = web::open(wire::Config { net, base_url, tokens, on_wait: None });
        let get = |file: BinaryMetadata| {
            let wire = wire.clone();
            async move {
                let request = http::Request::get(file.uri).body(tonic::body::Body::empty())?;
                let mut body = web::send(&wire, request).await?.into_body();
                let mut length = 0;
                while let Some(frame) = body.frame().await {
                    length += frame?.data_ref().map_or(0, |bytes| bytes.len() as u64);
                }
                Ok::<u64, Failure>(length)
            }
        };
        stream::iter(files).map(get).buffer_unordered(PARALLEL).try_fold(0, sum).await?
    } else {
        let call = |ids: Vec<String>| {
            let (mut client, bearer) = (client.clone(), bearer.clone());
            async move {
                let mut request = Request::new(BinaryDataByIDsRequest {
                    binary_data_ids: ids,
                    include_binary: true,
                    ..BinaryDataByIDsRequest::default()
                });
                request.metadata_mut().insert("authorization", bearer);
                request.set_timeout(Duration::from_secs(30));
                let answer = client.binary_data_by_i_ds(request).await?.into_inner();
                Ok::<u64, Failure>(answer.data.iter().map(|data| data.binary.len() as u64).sum())
            }
        };
        stream::iter(batches(files)).map(call).buffer_unordered(PARALLEL).try_fold(0, sum).await?
    };
    if received == expected {
        Ok(())
    } else {
        Err(format!("{received} of {expected} bytes").into())
    }
}

async fn sum(all: u64, one: u64) -> Result<u64, Failure> {
    Ok(all + one)
}

/// All files that the login sees.
async fn listed(
    mut client: DataServiceClient<Channel>,
    bearer: &MetadataValue<tonic::metadata::Ascii>,
) -> Result<Vec<BinaryMetadata>, Failure> {
    let (mut files, mut last) = (Vec::new(), String::new());
    loop {
        let data_request = Some(DataRequest { limit: 100, last, ..DataRequest::default() });
        let request = BinaryDataByFilterRequest { data_request, ..Default::default() };
        let mut request = Request::new(request);
        request.metadata_mut().insert("authorization", bearer.clone());
        let page = client.binary_data_by_filter(request).await?.into_inner();
        if page.data.is_empty() {
            return Ok(files);
        }
        files.extend(page.data.into_iter().filter_map(|data| data.metadata));
        last = page.last;
    }
}

/// Ids of files that come in one answer.
fn batches(files: Vec<BinaryMetadata>) -> Vec<Vec<String>> {
    let (mut batches, mut batch, mut bytes) = (Vec::new(), Vec::new(), 0);
    for file in files {
        if !batch.is_empty() && bytes + file.file_size_bytes > BATCH {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
        bytes += file.file_size_bytes;
        batch.push(file.binary_data_id);
    }
    batches.push(batch);
    batches
}
