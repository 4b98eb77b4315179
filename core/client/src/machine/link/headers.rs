//! HTTP headers as metadata of the link, statuses and time limits, both ways.

use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use prost::Message as _;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};
use viam_proto::google::rpc;
use viam_proto::rpc::webrtc::v1::{Metadata, ResponseTrailers, Strings};

/// The header with the time that a call may take.
pub(super) const TIMEOUT: &str = "grpc-timeout";

const STATUS: &str = "grpc-status";
const DETAILS: &str = "grpc-status-details-bin";

/// Headers that belong to HTTP/2 or to gRPC over it and are not carried (transport.md §5.6: no
/// `te`, `content-type`, `user-agent`; no compression). Those of a status travel as a message,
/// and one that came as metadata would pass for the real one.
const OWN: [&str; 15] = [
    "te",
    "content-type",
    "content-length",
    "user-agent",
    "host",
    "connection",
    "keep-alive",
    "transfer-encoding",
    TIMEOUT,
    "grpc-encoding",
    "grpc-accept-encoding",
    "grpc-message-type",
    STATUS,
    "grpc-message",
    DETAILS,
];

/// The metadata of headers; `None` when there is none, as other implementations write it.
///
/// Values are protobuf strings, so those that are not UTF-8 are dropped. Values of `-bin` keys
/// are base64 text in the headers already and stay so: the link has no rule for them
/// (transport.md §5.6).
pub(super) fn to_metadata(headers: &HeaderMap) -> Option<Metadata> {
    let mut metadata = Metadata::default();
    for (name, value) in headers {
        if OWN.contains(&name.as_str()) {
            continue;
        }
        let Ok(value) = std::str::from_utf8(value.as_bytes()) else { continue };
        let Strings { values } = metadata.md.entry(name.as_str().to_owned()).or_default();
        values.push(value.to_owned());
    }
    (!metadata.md.is_empty()).then_some(metadata)
}

/// The headers of metadata, in lower case; what cannot be a header is dropped.
pub(super) fn from_metadata(metadata: Option<Metadata>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, Strings { values }) in metadata.unwrap_or_default().md {
        // Pseudo headers begin with a colon, which no header name may have. The conversion
        // makes lower case of the others.
        let Ok(name) = HeaderName::try_from(name) else { continue };
        if OWN.contains(&name.as_str()) {
            continue;
        }
        for value in values {
            if let Ok(value) = HeaderValue::try_from(value) {
                // A map that is full keeps what it has.
                if headers.try_append(&name, value).is_err() {
                    return headers;
                }
            }
        }
    }
    headers
}

/// Reads a `grpc-timeout` value: up to eight digits and a unit (gRPC over HTTP/2).
pub(super) fn parse_timeout(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(count * 3600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

/// Writes a `grpc-timeout` value in the finest unit that eight digits allow.
pub(super) fn write_timeout(timeout: Duration) -> HeaderValue {
    let secs = timeout.as_secs();
    let units = [
        (timeout.as_nanos(), 'n'),
        (timeout.as_micros(), 'u'),
        (timeout.as_millis(), 'm'),
        (secs.into(), 'S'),
        ((secs / 60).into(), 'M'),
    ];
    let fits = units.into_iter().find(|(count, _)| *count < 100_000_000);
    let (count, unit) = fits.unwrap_or((u128::from(secs / 3600).min(99_999_999), 'H'));
    HeaderValue::try_from(format!("{count}{unit}"))
        .unwrap_or_else(|_| HeaderValue::from_static("99999999H"))
}

/// The trailers of an answer: a status that is absent for OK, and metadata (transport.md §5.6).
pub(super) fn to_trailers(status: &Status, metadata: Option<Metadata>) -> ResponseTrailers {
    let status = (status.code() != Code::Ok).then(|| rpc::Status {
        code: status.code().into(),
        message: status.message().to_owned(),
        // Over HTTP/2 the details are a whole status of this type again.
        details: rpc::Status::decode(status.details()).unwrap_or_default().details,
    });
    ResponseTrailers { status, metadata }
}

/// The trailers as HTTP/2 has them: `grpc-status`, `grpc-message`, `grpc-status-details-bin`.
pub(super) fn from_trailers(trailers: ResponseTrailers) -> HeaderMap {
    let mut headers = from_metadata(trailers.metadata);
    // Absent and code 0 both mean OK (transport.md §5.6).
    let said = trailers.status.filter(|status| status.code != 0).unwrap_or_default();
    let code = Code::from_i32(said.code);
    let status = if said.details.is_empty() {
        Status::new(code, said.message)
    } else {
        let details = Bytes::from(said.encode_to_vec());
        Status::with_details(code, said.message, details)
    };
    if status.add_header(&mut headers).is_err() {
        headers.insert(STATUS, HeaderValue::from(said.code));
    }
    headers
}

/// The status in headers or trailers of a service's answer.
pub(super) fn status_of(headers: &HeaderMap) -> Option<Status> {
    headers.get(STATUS)?;
    let mut headers = headers.clone();
    // tonic panics at details that are not base64.
    let metadata = MetadataMap::from_headers(headers.clone());
    if metadata.get_bin(DETAILS).is_some_and(|value| value.to_bytes().is_err()) {
        headers.remove(DETAILS);
    }
    Status::from_header_map(&headers)
}
