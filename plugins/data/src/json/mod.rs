//! Messages as JSON, by protobuf's rules: names in camel case, what is not set left out, 64-bit
//! integers as strings. Written by hand, since there are few of them and a description of every
//! message would take a good part of the program.

mod any;
mod number;
mod structure;

use serde_json::{Map, Value, json};
use viam_client::time;
use viam_proto::app::data::v1::{
    Annotations, BinaryMetadata, BoundingBox, CaptureMetadata, Classification,
};

/// An object that grows by the fields that are set.
#[derive(Default)]
struct Object(Map<String, Value>);

impl Object {
    fn put(mut self, name: &str, value: Option<Value>) -> Self {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value);
        }
        self
    }

    fn text(self, name: &str, value: &str) -> Self {
        self.put(name, (!value.is_empty()).then(|| value.into()))
    }

    fn texts(self, name: &str, values: &[String]) -> Self {
        self.put(name, (!values.is_empty()).then(|| json!(values)))
    }

    fn double(self, name: &str, value: f64) -> Self {
        self.put(name, (value != 0.0).then(|| number::double(value)))
    }

    fn list<T>(self, name: &str, items: &[T], each: impl Fn(&T) -> Value) -> Self {
        self.put(name, (!items.is_empty()).then(|| items.iter().map(each).collect()))
    }

    fn done(self) -> Value {
        Value::Object(self.0)
    }
}

/// What is known of a file.
pub(crate) fn metadata_json(metadata: &BinaryMetadata) -> Value {
    let size = metadata.file_size_bytes;
    Object::default()
        .text("id", &metadata.id)
        .put("captureMetadata", metadata.capture_metadata.as_ref().map(capture))
        .put("timeRequested", time::rfc3339(metadata.time_requested.as_ref()).map(Value::from))
        .put("timeReceived", time::rfc3339(metadata.time_received.as_ref()).map(Value::from))
        .text("fileName", &metadata.file_name)
        .text("fileExt", &metadata.file_ext)
        .text("uri", &metadata.uri)
        .put("annotations", metadata.annotations.as_ref().map(annotations))
        .texts("datasetIds", &metadata.dataset_ids)
        .text("binaryDataId", &metadata.binary_data_id)
        .put("fileSizeBytes", (size != 0).then(|| size.to_string().into()))
        .done()
}

/// What was captured, where and how.
pub(crate) fn capture(capture: &CaptureMetadata) -> Value {
    let parameters = &capture.method_parameters;
    let parameters = parameters.iter().map(|(name, value)| (name.clone(), any::json(value)));
    let parameters: Map<String, Value> = parameters.collect();
    Object::default()
        .text("organizationId", &capture.organization_id)
        .text("locationId", &capture.location_id)
        .text("robotName", &capture.robot_name)
        .text("robotId", &capture.robot_id)
        .text("partName", &capture.part_name)
        .text("partId", &capture.part_id)
        .text("componentType", &capture.component_type)
        .text("componentName", &capture.component_name)
        .text("methodName", &capture.method_name)
        .put("methodParameters", (!parameters.is_empty()).then_some(Value::Object(parameters)))
        .texts("tags", &capture.tags)
        .text("mimeType", &capture.mime_type)
        .done()
}

fn annotations(annotations: &Annotations) -> Value {
    Object::default()
        .list("bboxes", &annotations.bboxes, bounding_box)
        .list("classifications", &annotations.classifications, classification)
        .done()
}

fn bounding_box(found: &BoundingBox) -> Value {
    Object::default()
        .text("id", &found.id)
        .text("label", &found.label)
        .double("xMinNormalized", found.x_min_normalized)
        .double("yMinNormalized", found.y_min_normalized)
        .double("xMaxNormalized", found.x_max_normalized)
        .double("yMaxNormalized", found.y_max_normalized)
        .put("confidence", found.confidence.map(number::double))
        .done()
}

fn classification(found: &Classification) -> Value {
    Object::default()
        .text("id", &found.id)
        .text("label", &found.label)
        .put("confidence", found.confidence.map(number::double))
        .done()
}

#[cfg(test)]
mod tests;
