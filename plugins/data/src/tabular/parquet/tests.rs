use ::parquet::file::reader::{FileReader as _, SerializedFileReader};
use ::parquet::record::{Field, Row as Record};
use bytes::Bytes;
use viam_proto::app::data::v1::ExportTabularDataResponse;

use super::super::Format;
use super::super::write::tests::{row, written};
use super::*;

fn reader(rows: Vec<ExportTabularDataResponse>) -> SerializedFileReader<Bytes> {
    let bytes = written(Format::Parquet, rows);
    SerializedFileReader::new(Bytes::from(bytes)).expect("Parquet")
}

fn cell(record: &Record, name: &str) -> Field {
    let mut cells = record.get_column_iter();
    cells.find(|(found, _)| *found == name).map(|(_, field)| field.clone()).expect("a column")
}

#[test]
fn rows_are_read_back() {
    let mut rows = Vec::new();
    for number in 0..10_000_i64 {
        let payload = match number % 3 {
            0 => format!(r#"{{"n":{number},"even":{},"s":"<{number}>"}}"#, number % 2 == 0),
            1 => r#"{"n":null}"#.to_owned(),
            _ => r#"{"s":"same","later":[1]}"#.to_owned(),
        };
        let time_captured = Some(Timestamp { seconds: number, nanos: 7 });
        let time_captured = time_captured.filter(|_| number != 5);
        rows.push(ExportTabularDataResponse { time_captured, ..row(&payload) });
    }
    let reader = reader(rows);
    assert_eq!(reader.metadata().file_metadata().num_rows(), 10_000);
    let records = reader.get_row_iter(None).expect("rows");
    for (number, record) in records.enumerate() {
        let record = record.expect("a row");
        assert_eq!(cell(&record, "part_id"), Field::Str("p".into()));
        assert_eq!(cell(&record, "robot_id"), Field::Null);
        let nanos = number as i64 * 1_000_000_000 + 7;
        let time = if number == 5 { Field::Null } else { Field::Long(nanos) };
        assert_eq!(cell(&record, "time_captured"), time);
        let (n, even, s, later) = match number % 3 {
            0 => {
                let s = Field::Str(format!("<{number}>"));
                (Field::Double(number as f64), Field::Bool(number % 2 == 0), s, Field::Null)
            }
            1 => (Field::Null, Field::Null, Field::Null, Field::Null),
            _ => (Field::Null, Field::Null, Field::Str("same".into()), Field::Str("[1]".into())),
        };
        assert_eq!(cell(&record, "payload.n"), n);
        assert_eq!(cell(&record, "payload.even"), even);
        assert_eq!(cell(&record, "payload.s"), s);
        assert_eq!(cell(&record, "payload.later"), later);
        assert_eq!(cell(&record, "payload_rest"), Field::Null);
    }
}

#[test]
fn columns_say_what_is_in_them() {
    let reader = reader(vec![row(r#"{"t":1,"ok":true,"s":"x","l":[]}"#)]);
    let schema = reader.metadata().file_metadata().schema_descr();
    let shown = schema.columns().iter().map(|column| {
        format!("{} {} {:?}", column.name(), column.physical_type(), column.logical_type_ref())
    });
    let shown: Vec<_> = shown.collect();
    assert!(shown.contains(&"payload.t DOUBLE None".to_owned()), "{shown:?}");
    assert!(shown.contains(&"payload.ok BOOLEAN None".to_owned()), "{shown:?}");
    assert!(shown.contains(&"payload.s BYTE_ARRAY Some(String)".to_owned()), "{shown:?}");
    assert!(shown.contains(&"payload.l BYTE_ARRAY Some(String)".to_owned()), "{shown:?}");
    let time = shown.iter().find(|line| line.starts_with("time_captured INT64")).expect("time");
    assert!(time.contains("NANOS"), "{time}");
}

#[test]
fn groups_are_bounded_in_rows_and_in_bytes() {
    let small = (0..ROWS + 10).map(|_| row(r#"{"a":1}"#)).collect();
    let groups = |reader: &SerializedFileReader<Bytes>| -> Vec<i64> {
        reader.metadata().row_groups().iter().map(|group| group.num_rows()).collect()
    };
    assert_eq!(groups(&reader(small)), [ROWS as i64, 10]);
    // Texts that differ take room.
    let large =
        (0..40).map(|number| row(&format!("{{\"a\":\"{}\"}}", number.to_string().repeat(1 << 20))));
    let groups = groups(&reader(large.collect()));
    assert!(groups.len() > 2 && groups.iter().sum::<i64>() == 40, "{groups:?}");
}

#[test]
fn a_table_without_rows_is_a_table() {
    let reader = reader(Vec::new());
    assert_eq!(reader.num_row_groups(), 0);
    assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
}

#[test]
fn times_too_far_away_are_left_out() {
    let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
    let times = [at(-62_135_596_800), at(i64::MAX), at(1)];
    let rows = times.map(|time_captured| ExportTabularDataResponse { time_captured, ..row("{}") });
    let records = reader(rows.to_vec());
    let times: Vec<_> = records
        .get_row_iter(None)
        .expect("rows")
        .map(|record| cell(&record.expect("a row"), "time_captured"))
        .collect();
    assert_eq!(times, [Field::Null, Field::Null, Field::Long(1_000_000_000)]);
}
