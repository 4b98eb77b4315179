use std::thread;

use prost_types::Timestamp;
use tokio::sync::mpsc;
use viam_proto::app::data::v1::ExportTabularDataResponse;

use super::super::json;
use super::*;

/// What is written of rows that come in chunks of a few.
pub(in crate::tabular) fn written<R: Row>(format: Format, rows: Vec<R>) -> Vec<u8> {
    let (sender, receiver) = mpsc::channel(2);
    let count = rows.len() as u64;
    let sent = thread::spawn(move || {
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let rows: Vec<R> = rows.by_ref().take(100).collect();
            let chunk = Chunk { bytes: rows.iter().map(Row::size).sum(), rows };
            assert!(sender.blocking_send(chunk).is_ok(), "sent");
        }
    });
    let mut bytes = Vec::new();
    assert_eq!(write(format, receiver, &mut bytes).expect("written"), count);
    sent.join().expect("sent");
    bytes
}

/// A row with this payload.
pub(in crate::tabular) fn row(payload: &str) -> ExportTabularDataResponse {
    ExportTabularDataResponse {
        part_id: "p".into(),
        payload: Some(json::read(payload).expect("JSON")),
        ..Default::default()
    }
}

/// The columns of the payloads in CSV, without the fixed ones.
fn table(payloads: &[&str]) -> String {
    let bytes = written(Format::Csv, payloads.iter().map(|payload| row(payload)).collect());
    let mut reader = csv_reader(&bytes);
    let fixed = ExportTabularDataResponse::FIXED.len();
    let lines = reader.records().map(|record| {
        let record = record.expect("a record");
        record.iter().skip(fixed).collect::<Vec<_>>().join("|") + "\n"
    });
    lines.collect()
}

fn csv_reader(bytes: &[u8]) -> ::csv::Reader<&[u8]> {
    ::csv::ReaderBuilder::new().has_headers(false).from_reader(bytes)
}

#[test]
fn lines_are_whole() {
    let rows = (0..1000).map(|number| row(&format!(r#"{{"number":{number}}}"#))).collect();
    let text = String::from_utf8(written(Format::Ndjson, rows)).expect("UTF-8");
    assert_eq!(text.lines().count(), 1000);
    assert_eq!(text.lines().last(), Some(r#"{"partId":"p","payload":{"number":999}}"#));
    assert!(text.ends_with('\n'));
    assert!(written::<ExportTabularDataResponse>(Format::Ndjson, Vec::new()).is_empty());
}

#[test]
fn fixed_columns_come_first() {
    let full = ExportTabularDataResponse {
        resource_name: "a, \"b\"".into(),
        time_captured: Some(Timestamp { seconds: 1_700_000_000, nanos: 5_000 }),
        tags: vec!["x".into(), "y".into()],
        method_parameters: json::read(r#"{"pin":"1"}"#).ok(),
        ..row(r#"{"t":1.5}"#)
    };
    let bytes = written(Format::Csv, vec![full, Default::default()]);
    let expected = concat!(
        "part_id,resource_name,resource_subtype,method_name,time_captured,organization_id,",
        "location_id,robot_id,robot_name,part_name,method_parameters,tags,payload.t,payload_rest\n",
        "p,\"a, \"\"b\"\"\",,,2023-11-14T22:13:20.000005Z,,,,,,\"{\"\"pin\"\":\"\"1\"\"}\",",
        "\"[\"\"x\"\",\"\"y\"\"]\",1.5,\n",
        ",,,,,,,,,,,,,\n",
    );
    assert_eq!(String::from_utf8(bytes).expect("UTF-8"), expected);
}

#[test]
fn objects_become_columns_and_lists_become_json() {
    let shown = table(&[
        r#"{"readings":{"t":21.5,"ok":true,"name":"x"},"list":[1,"a"]}"#,
        r#"{"readings":{"t":null,"more":{"deep":1}}}"#,
    ]);
    let expected = concat!(
        "payload.list|payload.readings.more.deep|payload.readings.name|payload.readings.ok|",
        "payload.readings.t|payload_rest\n",
        "[1,\"a\"]||x|true|21.5|\n",
        "|1||||\n"
    );
    assert_eq!(shown, expected);
}

#[test]
fn what_has_several_types_becomes_json() {
    let shown = table(&[
        r#"{"a":1,"b":{"c":1},"n":null}"#,
        r#"{"a":"1","b":2,"n":null}"#,
        r#"{"a":true,"b":{},"n":null}"#,
    ]);
    let expected = "payload.a|payload.b|payload.n|payload_rest\n\
        1|{\"c\":1}||\n\"1\"|2||\ntrue|{}||\n";
    assert_eq!(shown, expected);
}

#[test]
fn names_that_two_places_have_are_given_once() {
    let shown = table(&[r#"{"a.b":1,"a":{"b":2}}"#]);
    assert_eq!(shown, "payload.a.b|payload_rest\n2|{\"a.b\":1}\n");
}

#[test]
fn what_comes_later_and_does_not_fit_is_kept() {
    let first = r#"{"readings":{"a":1,"b":"x"}}"#;
    let mut payloads = vec![first; ROWS + 100];
    let later = [
        r#"{"readings":{"a":"one","b":"y"}}"#,
        r#"{"readings":{"0":0,"a":2,"aa":{"b":[]},"b":false,"c":null},"z":{"":1}}"#,
        r#"{"readings":7}"#,
        r#"{"readings":{}}"#,
        r#"{"readings":null}"#,
        r#"{}"#,
    ];
    payloads.extend(later);
    let shown = table(&payloads);
    let last: Vec<_> = shown.lines().skip(1 + ROWS + 100).collect();
    let expected = [
        r#"|y|{"readings":{"a":"one"}}"#,
        r#"2||{"readings":{"0":0,"aa":{"b":[]},"b":false,"c":null},"z":{"":1}}"#,
        r#"||{"readings":7}"#,
        r#"||{"readings":{}}"#,
        "||",
        "||",
    ];
    assert_eq!(last, expected);
}

#[test]
fn there_are_not_too_many_columns() {
    let keys: Vec<_> = (0..3000).map(|key| format!("\"{key:04}\":{key}")).collect();
    let shown = table(&[&format!("{{{}}}", keys.join(","))]);
    let names = shown.lines().next().expect("names");
    assert_eq!(names.split('|').count(), 1000 - ExportTabularDataResponse::FIXED.len() + 1);
    assert!(shown.contains("\"2999\":2999}"));
}

/// A disk with room for so many bytes.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.0 == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

#[test]
fn b55_a_full_disk_is_an_error_of_its_own_in_every_format() {
    for format in [Format::Ndjson, Format::Csv, Format::Parquet] {
        let rows: Vec<_> = (0..5000).map(|number| row(&format!(r#"{{"x":"{number}"}}"#))).collect();
        let size = written(format, rows.clone()).len();
        // At once, in the middle, with the last bytes, and when it is closed.
        for room in [0, size / 2, size - 1, size] {
            let (sender, receiver) = mpsc::channel(100);
            for rows in rows.chunks(100) {
                let chunk = Chunk { rows: rows.to_vec(), bytes: 0 };
                assert!(sender.try_send(chunk).is_ok());
            }
            drop(sender);
            let error = write(format, receiver, &mut Full(room)).expect_err("full");
            assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{format:?} with {room}");
        }
    }
}
