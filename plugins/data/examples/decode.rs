//! Receives a stream of readings, decodes it and throws it away: what `cargo xtask bench --only
//! tabular` compares exports with. Arguments: the login file of a sandbox, and the part.

use prost_types::Timestamp;
use tonic::metadata::MetadataValue;
use tonic::transport::Endpoint;
use viam_proto::app::data::v1::data_service_client::DataServiceClient;
use viam_proto::app::data::v1::{CaptureInterval, ExportTabularDataRequest};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut arguments =
        viam_plugin::doors::args().into_iter().filter_map(|word| word.into_string().ok());
    let (Some(file), Some(part)) = (arguments.next(), arguments.next()) else {
        return Err("a login file and the id of a part are needed".into());
    };
    let login: serde_json::Value = serde_json::from_slice(&std::fs::read(file)?)?;
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned).unwrap_or_default();
    let (url, token) = (text(&login["base_url"]), text(&login["auth"]["access_token"]));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(decode(url, &token, part))
}

async fn decode(url: String, token: &str, part: String) -> Result<(), Failure> {
    let mut client = DataServiceClient::new(Endpoint::from_shared(url)?.connect().await?);
    let mut request = tonic::Request::new(ExportTabularDataRequest {
        part_id: part,
        resource_name: "sensor1".to_owned(),
        resource_subtype: "rdk:component:sensor".to_owned(),
        method_name: "Readings".to_owned(),
        interval: Some(CaptureInterval::default()),
        additional_parameters: None,
    });
    let bearer: MetadataValue<_> = format!("Bearer {token}").parse()?;
    request.metadata_mut().insert("authorization", bearer);
    let mut rows = client.export_tabular_data(request).await?.into_inner();
    let mut latest = Timestamp::default();
    while let Some(row) = rows.message().await? {
        // Something of each row is used, so that none of the work can be left out.
        latest = row.time_captured.unwrap_or(latest);
    }
    if latest == Timestamp::default() { Err("no row came".into()) } else { Ok(()) }
}
