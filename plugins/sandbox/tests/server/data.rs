//! What machines capture: sent by a machine, found by filters, read in both ways, removed.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Request;
use prost::Message as _;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_stream::iter;
use tonic::Code;
use viam_client::http_client::Answer;
use viam_contract::Wire;
use viam_proto::app::data::v1 as pb;
use viam_proto::app::data::v1::data_service_client::DataServiceClient;
use viam_proto::app::datasync::v1 as sync;
use viam_proto::app::datasync::v1::data_sync_service_client::DataSyncServiceClient;
use viam_sandbox::seed::{Amount, Seed};
use viam_sandbox::server::{FaultRule, FaultStatus, Running};

use crate::common::{
    SMALL, admin, authenticate, create_key, demo, send, start, start_with, start_world, user, wire,
};

type Data = DataServiceClient<Wire>;

fn data(running: &Running, email: &str) -> Data {
    let login = running.login(email).expect("logged in");
    DataServiceClient::new(wire(running, Some(&login.access_token)))
        .max_decoding_message_size(32 << 20)
}

fn asked(filter: pb::Filter, limit: u64, last: &str) -> Option<pb::DataRequest> {
    let last = last.to_owned();
    Some(pb::DataRequest { filter: Some(filter), limit, last, ..pb::DataRequest::default() })
}

/// All that a filter finds, page by page.
async fn all(data: &mut Data, filter: pb::Filter, limit: u64) -> Vec<pb::BinaryMetadata> {
    let (mut found, mut last) = (Vec::new(), String::new());
    loop {
        let data_request = asked(filter.clone(), limit, &last);
        let request = pb::BinaryDataByFilterRequest { data_request, ..Default::default() };
        let page = data.binary_data_by_filter(request).await.expect("a page").into_inner();
        if page.data.is_empty() {
            return found;
        }
        assert!(page.data.len() <= 100 && page.data.iter().all(|file| file.binary.is_empty()));
        last = page.last;
        found.extend(page.data.into_iter().map(|file| file.metadata.expect("metadata")));
    }
}

async fn download(running: &Running, uri: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(running, request, "").await
}

#[tokio::test]
async fn pages_hold_each_file_once_and_the_bytes_come_in_both_ways() {
    let amount = Amount { files: 250, bytes: 1000, rows: 0 };
    let running = start(Seed::Data(amount));
    let mut data = data(&running, "demo@example.com");
    for limit in [0, 1000, 33] {
        let found = all(&mut data, pb::Filter::default(), limit).await;
        let ids: BTreeSet<&str> = found.iter().map(|file| file.id.as_str()).collect();
        assert_eq!((found.len(), ids.len()), (250, 250), "{limit}");
    }
    let count = pb::BinaryDataByFilterRequest { count_only: true, ..Default::default() };
    let count = data.binary_data_by_filter(count).await.expect("counted").into_inner();
    assert_eq!((count.count, count.total_size_bytes, count.data.len()), (250, 250_000, 0));

    let found = all(&mut data, pb::Filter::default(), 100).await;
    let ids: Vec<String> = found[..3].iter().map(|file| file.binary_data_id.clone()).collect();
    let request = pb::BinaryDataByIDsRequest {
        binary_data_ids: ids,
        include_binary: true,
        ..Default::default()
    };
    let inline = data.binary_data_by_i_ds(request).await.expect("bytes").into_inner();
    assert_eq!(inline.count, 3);
    let login = running.login("demo@example.com").expect("logged in");
    let bearer = format!("Bearer {}", login.access_token);
    let organization = &found[0].capture_metadata.as_ref().expect("capture").organization_id;
    let mut app = demo(&running);
    let key = create_key(&mut app, "organization_owner", organization, organization).await;
    let key = key.expect("a key");
    for (file, expected) in inline.data.iter().zip(&found) {
        let metadata = file.metadata.as_ref().expect("metadata");
        assert_eq!((&metadata.id, metadata.file_size_bytes), (&expected.id, 1000));
        let uri = &metadata.uri;
        let whole = download(&running, uri, &[("authorization", &bearer)]).await;
        assert_eq!((whole.status.as_u16(), &whole.body[..]), (200, &file.binary[..]));
        let keyed = download(&running, uri, &[("key_id", &key.id), ("key", &key.key)]).await;
        assert_eq!(keyed.body, whole.body);
        let rest = [("authorization", &*bearer), ("range", "bytes=400-")];
        let rest = download(&running, uri, &rest).await;
        assert_eq!((rest.status.as_u16(), &rest.body[..]), (206, &file.binary[400..]));
        assert_eq!(rest.headers["content-range"], "bytes 400-999/1000");
        let other = [
            ("authorization", &*bearer),
            ("range", "bytes=400-"),
            ("if-range", "\"another version\""),
        ];
        assert_eq!(download(&running, uri, &other).await.status.as_u16(), 200);
        let behind = [("authorization", &*bearer), ("range", "bytes=1000-")];
        assert_eq!(download(&running, uri, &behind).await.status.as_u16(), 416);
        assert_eq!(download(&running, uri, &[]).await.status.as_u16(), 401);
        let wrong = [("key_id", &*key.id), ("key", "no")];
        assert_eq!(download(&running, uri, &wrong).await.status.as_u16(), 401);
    }
}

#[tokio::test]
async fn what_is_too_large_for_a_message_comes_by_its_address_only() {
    let running = start(Seed::Data(Amount { files: 1, bytes: 20 << 20, rows: 0 }));
    let mut data = data(&running, "demo@example.com");
    let found = all(&mut data, pb::Filter::default(), 1).await;
    let request = pb::BinaryDataByIDsRequest {
        binary_data_ids: vec![found[0].binary_data_id.clone()],
        include_binary: true,
        ..Default::default()
    };
    let status = data.binary_data_by_i_ds(request).await.expect_err("too large");
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.message().contains("INCLUDE_BINARY_TOO_LARGE"));
    let login = running.login("demo@example.com").expect("logged in");
    let bearer = format!("Bearer {}", login.access_token);
    let end = [("authorization", &*bearer), ("range", "bytes=-8")];
    assert_eq!(download(&running, &found[0].uri, &end).await.body.len(), 8);
}

#[tokio::test]
async fn what_a_machine_sends_is_found_by_those_who_may_see_it() {
    let running = start_world(SMALL);
    let (_, answer) = admin(&running, "machine-config", Some(r#"{"robot":"m1"}"#)).await;
    let text = |key: &str| answer["cloud"][key].as_str().expect(key).to_owned();
    let (part, secret) = (text("id"), text("secret"));
    let token = authenticate(&running, &part, "robot-secret", &secret).await.expect("logged in");
    let mut machine = DataSyncServiceClient::new(wire(&running, Some(&token)));
    let about = |name: &str| sync::UploadMetadata {
        part_id: part.clone(),
        component_type: "rdk:component:camera".to_owned(),
        component_name: "cam".to_owned(),
        method_name: "ReadImage".to_owned(),
        file_name: name.to_owned(),
        file_extension: "jpg".to_owned(),
        mime_type: "image/jpeg".to_owned(),
        tags: vec!["t".to_owned()],
        ..Default::default()
    };
    let packet = |packet| sync::FileUploadRequest { upload_packet: Some(packet) };
    use sync::file_upload_request::UploadPacket;
    let piece = |data: &[u8]| {
        let data = data.to_vec().into();
        packet(UploadPacket::FileContents(sync::FileData { data }))
    };
    let packets = vec![packet(UploadPacket::Metadata(about("a/b.jpg"))), piece(b"ab"), piece(b"c")];
    let sent = machine.file_upload(iter(packets)).await.expect("sent").into_inner();
    assert_eq!(sent.binary_data_id, format!("one/hall/{}", sent.file_id));
    let reading = prost_types::Struct::default();
    let contents =
        sync::SensorData { metadata: None, data: Some(sync::sensor_data::Data::Struct(reading)) };
    let request = sync::DataCaptureUploadRequest {
        metadata: Some(sync::UploadMetadata { component_name: "s".to_owned(), ..about("") }),
        sensor_contents: vec![contents],
    };
    machine.data_capture_upload(request).await.expect("sent");
    let mut other = about("x");
    other.part_id = "m2".to_owned();
    let packets = vec![packet(UploadPacket::Metadata(other)), piece(b"x")];
    assert!(machine.file_upload(iter(packets)).await.is_err(), "another's part");

    let mut owner = data(&running, "demo@example.com");
    let found = all(&mut owner, pb::Filter::default(), 10).await;
    assert_eq!(found.len(), 1);
    let file = &found[0];
    let capture = file.capture_metadata.as_ref().expect("capture");
    assert_eq!((&*file.file_name, &*file.file_ext, file.file_size_bytes), ("a/b.jpg", ".jpg", 3));
    assert_eq!((&*capture.robot_name, &*capture.part_name), ("m1", "m1-main"));
    let filters = [
        (pb::Filter { component_name: "cam".to_owned(), ..Default::default() }, 1),
        (pb::Filter { robot_id: "m1".to_owned(), ..Default::default() }, 1),
        (pb::Filter { robot_id: "m2".to_owned(), ..Default::default() }, 0),
        (pb::Filter { location_ids: vec!["hall".to_owned()], ..Default::default() }, 1),
        (pb::Filter { organization_ids: vec!["two".to_owned()], ..Default::default() }, 0),
        (pb::Filter { mime_type: vec!["image/jpeg".to_owned()], ..Default::default() }, 1),
    ];
    for (filter, expected) in filters {
        assert_eq!(all(&mut owner, filter.clone(), 10).await.len(), expected, "{filter:?}");
    }
    let rows = pb::TabularDataByFilterRequest::default();
    let rows = owner.tabular_data_by_filter(rows).await.expect("rows").into_inner();
    assert_eq!((rows.data.len(), &*rows.metadata[0].component_name), (1, "s"));
    let ids = vec![file.binary_data_id.clone()];
    let tags = pb::AddTagsToBinaryDataByIDsRequest {
        binary_data_ids: ids.clone(),
        tags: vec!["u".to_owned()],
        ..Default::default()
    };
    owner.add_tags_to_binary_data_by_i_ds(tags).await.expect("tagged");
    let tags = owner.tags_by_filter(pb::TagsByFilterRequest::default()).await.expect("tags");
    assert_eq!(tags.into_inner().tags, ["t", "u"]);

    // A key of another machine sees nothing of it, and cannot remove it.
    let key = create_key(&mut user(&running, "demo@example.com"), "robot_owner", "m2", "one").await;
    let key = key.expect("a key");
    let token = authenticate(&running, &key.id, "api-key", &key.key).await.expect("a token");
    let mut stranger = DataServiceClient::new(wire(&running, Some(&token)));
    assert!(all(&mut stranger, pb::Filter::default(), 10).await.is_empty());
    let request = pb::DeleteBinaryDataByIDsRequest { binary_data_ids: ids, ..Default::default() };
    let refused = stranger.delete_binary_data_by_i_ds(request.clone()).await;
    assert_eq!(refused.expect_err("refused").code(), Code::NotFound);
    let gone = owner.delete_binary_data_by_i_ds(request).await.expect("gone").into_inner();
    assert_eq!(gone.deleted_count, 1);
    assert!(all(&mut owner, pb::Filter::default(), 10).await.is_empty());
}

#[tokio::test]
async fn readings_come_as_a_stream_and_are_removed_by_age() {
    let running = start(Seed::Data(Amount { files: 0, bytes: 0, rows: 2500 }));
    let mut data = data(&running, "demo@example.com");
    let first = pb::TabularDataByFilterRequest::default();
    let first = data.tabular_data_by_filter(first).await.expect("rows").into_inner();
    assert_eq!((first.data.len(), first.metadata.len()), (100, 1));
    let source = &first.metadata[0];
    let request = pb::ExportTabularDataRequest {
        part_id: source.part_id.clone(),
        resource_name: source.component_name.clone(),
        resource_subtype: source.component_type.clone(),
        method_name: source.method_name.clone(),
        ..Default::default()
    };
    let mut rows = data.export_tabular_data(request).await.expect("a stream").into_inner();
    let (mut count, mut before) = (0, 0);
    while let Some(row) = rows.message().await.expect("a row") {
        let time = row.time_captured.expect("a time").seconds;
        assert!(time > before && row.payload.is_some());
        (count, before) = (count + 1, time);
    }
    assert_eq!(count, 2500);
    let delete = |days| pb::DeleteTabularDataRequest {
        organization_id: source.organization_id.clone(),
        delete_older_than_days: days,
        filter: None,
    };
    for (days, expected) in [(1, 0), (0, 2500)] {
        let deleted = data.delete_tabular_data(delete(days)).await.expect("deleted").into_inner();
        assert_eq!(deleted.deleted_count, expected, "{days}");
    }
}

#[tokio::test]
async fn what_was_captured_goes_with_the_world() {
    let running = start(Seed::Fleet);
    let mut fleet = data(&running, "demo@example.com");
    let tagged = pb::TagsFilter { r#type: pb::TagsFilterType::Tagged.into(), tags: Vec::new() };
    let filter = pb::Filter { tags_filter: Some(tagged), ..Default::default() };
    assert_eq!(all(&mut fleet, filter, 100).await.len(), 12);
    let (status, _) = admin(&running, "reset", Some(&json!({ "seed": "empty" }).to_string())).await;
    assert_eq!(status, 200);
    let mut empty = data(&running, "demo@example.com");
    assert!(all(&mut empty, pb::Filter::default(), 100).await.is_empty());
}

/// What comes of a download until the connection ends, or until nothing more comes for a while:
/// the head, the body and whether it ended.
async fn raw(running: &Running, uri: &str, headers: &str) -> (String, Vec<u8>, bool) {
    let mut stream = TcpStream::connect(("127.0.0.1", running.port())).await.expect("connected");
    let login = running.login("demo@example.com").expect("logged in");
    let path = uri.strip_prefix(running.base_url()).expect("an address of the sandbox");
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {}\r\nconnection: close\r\n{headers}\r\n",
        login.access_token
    );
    stream.write_all(request.as_bytes()).await.expect("asked");
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    let ended = loop {
        match tokio::time::timeout(Duration::from_millis(500), stream.read(&mut piece)).await {
            Ok(Ok(0) | Err(_)) => break true,
            Ok(Ok(length)) => bytes.extend_from_slice(&piece[..length]),
            Err(_) => break false,
        }
    };
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let body = bytes.split_off(end);
    (String::from_utf8(bytes).expect("text").to_lowercase(), body, ended)
}

#[tokio::test]
async fn a_download_goes_wrong_in_every_way_that_is_asked_for() {
    let running = start(Seed::Data(Amount { files: 1, bytes: 10_000, rows: 0 }));
    let mut data = data(&running, "demo@example.com");
    let uri = all(&mut data, pb::Filter::default(), 1).await.remove(0).uri;
    let whole = raw(&running, &uri, "").await.1;
    assert_eq!(whole.len(), 10_000);
    let fault = |rule: FaultRule| running.set_faults(vec![rule]);
    let on = || FaultRule::on("/files/*");

    fault(FaultRule { cut_at: Some(4321), ..on() });
    let (head, body, ended) = raw(&running, &uri, "").await;
    assert!(head.contains("content-length: 10000\r\n") && ended, "{head}");
    assert_eq!(body, whole[..4321]);

    fault(FaultRule { stall: true, ..on() });
    let (_, body, ended) = raw(&running, &uri, "").await;
    assert!(!ended && !body.is_empty() && body.len() < 10_000 && whole.starts_with(&body));

    fault(FaultRule { wrong_length: true, ..on() });
    let (head, body, ended) = raw(&running, &uri, "").await;
    assert!(head.contains("content-length: 11000\r\n") && ended, "{head}");
    assert_eq!(body, whole);

    fault(FaultRule { bytes_per_second: Some(20_000), ..on() });
    let begun = Instant::now();
    assert_eq!(raw(&running, &uri, "").await.1, whole);
    assert!(begun.elapsed() > Duration::from_millis(400), "{:?}", begun.elapsed());

    fault(FaultRule { no_ranges: true, ..on() });
    let (head, body, _) = raw(&running, &uri, "range: bytes=100-\r\n").await;
    assert!(head.starts_with("http/1.1 200") && body == whole, "{head}");

    let tag =
        |head: &str| head.lines().find_map(|line| line.strip_prefix("etag: ")).map(str::to_owned);
    let (head, ..) = raw(&running, &uri, "range: bytes=100-\r\n").await;
    let before = tag(&head).expect("a tag");
    let resume = format!("range: bytes=100-\r\nif-range: {before}\r\n");
    assert_eq!(raw(&running, &uri, &resume).await.1, whole[100..]);
    fault(FaultRule { other_etag: true, ..on() });
    let (head, body, _) = raw(&running, &uri, &resume).await;
    assert!(head.starts_with("http/1.1 200") && tag(&head) != Some(before), "{head}");
    assert_eq!(body, whole);

    let when = Some("7".to_owned());
    fault(FaultRule { http_status: Some(503), retry_after: when, ..on() });
    let (head, ..) = raw(&running, &uri, "").await;
    assert!(head.starts_with("http/1.1 503") && head.contains("retry-after: 7\r\n"), "{head}");
}

#[tokio::test]
async fn each_second_call_may_be_refused_and_say_when_to_come_back() {
    let running = start(Seed::Data(Amount { files: 1, bytes: 10, rows: 0 }));
    let mut data = data(&running, "demo@example.com");
    running.set_faults(vec![FaultRule {
        times: 2,
        every: Some(2),
        status: Some(FaultStatus { code: 16, message: "token expired".to_owned() }),
        retry_after: Some("3".to_owned()),
        ..FaultRule::on("/viam.app.data.v1.DataService/*")
    }]);
    for expected in [true, false, true, false, true, true] {
        let request = pb::BinaryDataByFilterRequest::default();
        match data.binary_data_by_filter(request).await {
            Ok(_) => assert!(expected),
            Err(status) => {
                assert!(!expected && status.code() == Code::Unauthenticated, "{status}");
                assert_eq!(status.metadata().get("retry-after").expect("a time"), "3");
            }
        }
    }
}

#[tokio::test]
async fn an_answer_of_a_call_is_cut_and_stalls_too() {
    let running = start(Seed::Data(Amount { files: 1, bytes: 100_000, rows: 0 }));
    let mut data = data(&running, "demo@example.com");
    let path = "/viam.app.data.v1.DataService/BinaryDataByFilter";
    let request = pb::BinaryDataByFilterRequest { include_binary: true, ..Default::default() };
    running.set_faults(vec![
        FaultRule { cut_at: Some(50_000), ..FaultRule::on(path) },
        FaultRule { stall: true, ..FaultRule::on(path) },
    ]);
    data.binary_data_by_filter(request.clone()).await.expect_err("cut");
    let stalled = data.binary_data_by_filter(request.clone());
    let stalled = tokio::time::timeout(Duration::from_millis(300), stalled).await;
    assert!(stalled.is_err(), "{stalled:?}");
    let page = data.binary_data_by_filter(request).await.expect("used up").into_inner();
    assert_eq!(page.data[0].binary.len(), 100_000);
}

#[tokio::test]
async fn what_was_asked_for_is_kept_on_request() {
    let path = "/viam.app.data.v1.DataService/BinaryDataByFilter";
    for record in [true, false] {
        let running = start_with(Seed::Fleet, |options| options.record = record);
        let mut data = data(&running, "demo@example.com");
        let filter = pb::Filter { robot_name: "rover-1".to_owned(), ..Default::default() };
        let data_request = asked(filter, 7, "");
        let request = pb::BinaryDataByFilterRequest { data_request, ..Default::default() };
        data.binary_data_by_filter(request.clone()).await.expect("a page");
        let seen: Vec<_> = running
            .recorded(path)
            .into_iter()
            .map(|bytes| pb::BinaryDataByFilterRequest::decode(bytes).expect("a message"))
            .collect();
        assert_eq!(seen, if record { vec![request] } else { Vec::new() });
    }
}

#[tokio::test]
async fn live_machines_capture_pictures_and_readings() {
    let interval = Duration::from_millis(20);
    let running = start_with(Seed::Fleet, |options| options.capture = interval);
    let mut data = data(&running, "demo@example.com");
    let tabular = pb::TabularDataByFilterRequest { count_only: true, ..Default::default() };
    let both = async {
        loop {
            let found = all(&mut data, pb::Filter::default(), 100).await;
            let rows = data.tabular_data_by_filter(tabular.clone()).await.expect("counted");
            if found.len() >= 36 + 4 && rows.into_inner().count >= 144 + 4 {
                return found.into_iter().next().expect("a file");
            }
            tokio::time::sleep(interval).await;
        }
    };
    let newest = tokio::time::timeout(Duration::from_secs(20), both).await.expect("captured");
    let capture = newest.capture_metadata.expect("capture");
    assert_eq!((&*capture.component_name, &*capture.method_name), ("camera1", "GetImages"));
    assert_eq!((&*newest.file_ext, &*capture.mime_type), (".png", "image/png"));
    assert!(!capture.robot_name.is_empty() && !capture.organization_id.is_empty());
    let login = running.login("demo@example.com").expect("logged in");
    let bearer = format!("Bearer {}", login.access_token);
    let picture = download(&running, &newest.uri, &[("authorization", &bearer)]).await;
    assert!(picture.body.starts_with(b"\x89PNG"), "{picture:?}");
}

#[tokio::test]
async fn files_keep_the_worst_names_and_their_bytes() {
    let running = start(Seed::Hostile);
    let mut data = data(&running, "demo@example.com");
    let found = all(&mut data, pb::Filter::default(), 100).await;
    let times: BTreeSet<_> =
        found.iter().map(|file| file.time_requested.map(|at| at.seconds)).collect();
    assert!(found.len() > 40 && times.len() == 1, "{}", found.len());
    let names: Vec<&str> = found.iter().map(|file| file.file_name.as_str()).collect();
    for name in ["", "..", "/etc/passwd", "a:b.jpg", "a_b.jpg", "zero\0byte.jpg", "e\u{301}.jpg"] {
        assert!(names.contains(&name), "{name:?}");
    }
    assert_eq!(names.iter().filter(|name| **name == "twice.jpg").count(), 2);
    assert!(
        names.iter().any(|name| name.len() == 604) && names.iter().any(|name| name.len() == 255)
    );
    let ids = found.iter().map(|file| file.binary_data_id.clone()).collect();
    let request = pb::BinaryDataByIDsRequest {
        binary_data_ids: ids,
        include_binary: true,
        ..Default::default()
    };
    let files = data.binary_data_by_i_ds(request).await.expect("bytes").into_inner().data;
    let contents: BTreeSet<&[u8]> = files.iter().map(|file| &file.binary[..]).collect();
    assert_eq!(contents.len(), found.len(), "all differ");
    assert_eq!(contents.iter().filter(|bytes| bytes.starts_with(&[0x1f, 0x8b])).count(), 2);
}

#[tokio::test]
async fn downloads_that_nobody_reads_hold_up_nobody() {
    let running = start(Seed::Data(Amount { files: 1, bytes: 8 << 20, rows: 0 }));
    let mut data = data(&running, "demo@example.com");
    let uri = all(&mut data, pb::Filter::default(), 1).await.remove(0).uri;
    let path = uri.strip_prefix(running.base_url()).expect("an address of the sandbox");
    running.set_faults(vec![FaultRule { times: 9, stall: true, ..FaultRule::on("/files/*") }]);
    let login = running.login("demo@example.com").expect("logged in");
    let mut open = Vec::new();
    for _ in 0..8 {
        let mut stream =
            TcpStream::connect(("127.0.0.1", running.port())).await.expect("connected");
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
            login.access_token
        );
        stream.write_all(request.as_bytes()).await.expect("asked");
        let mut first = [0; 1000];
        let begun = tokio::time::timeout(Duration::from_secs(5), stream.read_exact(&mut first));
        begun.await.expect("in time").expect("begun");
        open.push(stream);
    }
    let listed = all(&mut data, pb::Filter::default(), 1);
    tokio::time::timeout(Duration::from_secs(5), listed).await.expect("answered all the same");
}
