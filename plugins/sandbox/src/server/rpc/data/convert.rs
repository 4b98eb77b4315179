//! Captured things as messages, and filters as the store takes them.

use serde_json::{Map, Value};
use tonic::Status;
use viam_proto::app::data::v1 as pb;

use super::super::Answer;
use super::super::convert::{micros, timestamp, to_struct};
use crate::store::data::{Capture, Cursor, File, Filter, Page, Tags};

/// The most of a page.
const PAGE: usize = 100;

/// A filter of a request.
pub(super) fn filter(asked: Option<pb::Filter>) -> Filter {
    let asked = asked.unwrap_or_default();
    let interval = asked.interval.unwrap_or_default();
    Filter {
        component_name: asked.component_name,
        component_type: asked.component_type,
        method: asked.method,
        robot_name: asked.robot_name,
        robot: asked.robot_id,
        part_name: asked.part_name,
        part: asked.part_id,
        locations: asked.location_ids,
        organizations: asked.organization_ids,
        mime_types: asked.mime_type,
        times: times(&interval),
        tags: tags(asked.tags_filter),
        labels: asked.bbox_labels,
        dataset: asked.dataset_id,
    }
}

/// The first time and the last.
pub(super) fn times(interval: &pb::CaptureInterval) -> (i64, i64) {
    (
        interval.start.as_ref().map_or(i64::MIN, micros),
        interval.end.as_ref().map_or(i64::MAX, micros),
    )
}

/// What is asked of the tags.
pub(super) fn tags(asked: Option<pb::TagsFilter>) -> Tags {
    let Some(asked) = asked else { return Tags::Whatever };
    match asked.r#type() {
        pb::TagsFilterType::Tagged => Tags::Tagged,
        pb::TagsFilterType::Untagged => Tags::Untagged,
        _ if asked.tags.is_empty() => Tags::Whatever,
        _ => Tags::Any(asked.tags),
    }
}

/// The page that is asked for, and the filter.
pub(super) fn page(asked: Option<pb::DataRequest>) -> Answer<(Filter, Page)> {
    let asked = asked.unwrap_or_default();
    let after = match asked.last.as_str() {
        "" => None,
        last => {
            let cursor = Cursor::parse(last);
            Some(cursor.ok_or_else(|| Status::invalid_argument("no page begins there"))?)
        }
    };
    let limit = match usize::try_from(asked.limit) {
        Ok(limit @ 1..=PAGE) => limit,
        _ => PAGE,
    };
    let ascending = asked.sort_order() == pb::Order::Ascending;
    Ok((filter(asked.filter), Page { after, ascending, limit }))
}

/// What captured something.
pub(super) fn capture(capture: Capture, tags: Vec<String>) -> pb::CaptureMetadata {
    pb::CaptureMetadata {
        organization_id: capture.organization,
        location_id: capture.location,
        robot_name: capture.robot_name,
        robot_id: capture.robot,
        part_name: capture.part_name,
        part_id: capture.part,
        component_type: capture.component_type,
        component_name: capture.component_name,
        method_name: capture.method,
        method_parameters: Default::default(),
        tags,
        mime_type: capture.mime,
    }
}

/// The id by which the clients of today name a file.
pub(super) fn binary_data_id(file: &File) -> String {
    format!("{}/{}/{}", file.capture.organization, file.capture.location, file.id)
}

/// The id of a file in an id of that kind.
pub(super) fn file_id(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// What is known of a file. Its bytes are at `base_url` too.
pub(super) fn metadata(file: File, base_url: &str) -> pb::BinaryMetadata {
    let annotations = boxes(&file.boxes);
    pb::BinaryMetadata {
        id: file.id.clone(),
        binary_data_id: binary_data_id(&file),
        time_requested: Some(timestamp(file.requested)),
        time_received: Some(timestamp(file.received)),
        uri: format!("{base_url}{}/{}", crate::server::download::PATH, file.id),
        file_name: file.name,
        file_ext: file.ext,
        annotations,
        dataset_ids: file.datasets,
        file_size_bytes: u64::try_from(file.size).unwrap_or_default(),
        capture_metadata: Some(capture(file.capture, file.tags)),
    }
}

fn boxes(text: &str) -> Option<pb::Annotations> {
    let boxes: Vec<Map<String, Value>> = serde_json::from_str(text).unwrap_or_default();
    if boxes.is_empty() {
        return None;
    }
    let one = |found: &Map<String, Value>| {
        let text = |key: &str| found.get(key).and_then(Value::as_str).unwrap_or_default();
        let number = |key: &str| found.get(key).and_then(Value::as_f64);
        pb::BoundingBox {
            id: text("id").to_owned(),
            label: text("label").to_owned(),
            x_min_normalized: number("x_min").unwrap_or_default(),
            y_min_normalized: number("y_min").unwrap_or_default(),
            x_max_normalized: number("x_max").unwrap_or_default(),
            y_max_normalized: number("y_max").unwrap_or_default(),
            confidence: number("confidence"),
        }
    };
    Some(pb::Annotations { bboxes: boxes.iter().map(one).collect(), classifications: Vec::new() })
}

/// The text of a JSON object as a message.
pub(super) fn object(text: &str) -> prost_types::Struct {
    let object: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
    to_struct(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_never_larger_than_it_may_be() {
        let asked = |limit| pb::DataRequest { limit, ..pb::DataRequest::default() };
        for (limit, expected) in [(0, PAGE), (7, 7), (100, 100), (u64::MAX, PAGE)] {
            assert_eq!(page(Some(asked(limit))).expect("a page").1.limit, expected);
        }
        let wrong = pb::DataRequest { last: "?".to_owned(), ..pb::DataRequest::default() };
        assert!(page(Some(wrong)).is_err());
    }

    #[test]
    fn ids_of_both_kinds_name_the_same_file() {
        assert_eq!((file_id("o/l/f"), file_id("f")), ("f", "f"));
    }
}
