//! Rows of both eras, and how they look.

use std::sync::Arc;

use prost::Message as _;
use prost_types::{Struct, Timestamp};
use viam_proto::app::data::v1::{CaptureMetadata, ExportTabularDataResponse};

use super::columns::{Cells, Fixed, Kind};
use super::json::{self, Object, Style};

/// A row.
pub(super) trait Row: Send + 'static {
    /// Names of the columns that every row has, and what is in them.
    const FIXED: &'static [(&'static str, Kind)];

    /// Whether it has a payload, whose columns its first rows say.
    const PAYLOAD: bool = true;

    /// Writes it as JSON, without a newline.
    fn json(&self, to: &mut Vec<u8>);

    /// Puts the cells of the fixed columns.
    fn fixed<C: Cells>(&self, cells: Fixed<'_, C>);

    /// What was read.
    fn payload(&self) -> Option<&Struct>;

    /// When.
    fn time(&self) -> Option<&Timestamp>;

    /// How many bytes it had when it came.
    fn size(&self) -> usize;
}

/// A row of today's export is the message itself.
impl Row for ExportTabularDataResponse {
    const FIXED: &'static [(&'static str, Kind)] = &[
        ("part_id", Kind::Text),
        ("resource_name", Kind::Text),
        ("resource_subtype", Kind::Text),
        ("method_name", Kind::Text),
        ("time_captured", Kind::Time),
        ("organization_id", Kind::Text),
        ("location_id", Kind::Text),
        ("robot_id", Kind::Text),
        ("robot_name", Kind::Text),
        ("part_name", Kind::Text),
        ("method_parameters", Kind::Json),
        ("tags", Kind::Json),
    ];

    fn json(&self, to: &mut Vec<u8>) {
        let mut object = Object::begin(to);
        object.text("partId", &self.part_id);
        object.text("resourceName", &self.resource_name);
        object.text("resourceSubtype", &self.resource_subtype);
        object.text("methodName", &self.method_name);
        if let Some(time) = &self.time_captured {
            let to = object.plain("timeCaptured");
            to.push(b'"');
            json::time(to, time);
            to.push(b'"');
        }
        object.text("organizationId", &self.organization_id);
        object.text("locationId", &self.location_id);
        object.text("robotName", &self.robot_name);
        object.text("robotId", &self.robot_id);
        object.text("partName", &self.part_name);
        if let Some(parameters) = &self.method_parameters {
            json::object(object.plain("methodParameters"), parameters, Style::Proto);
        }
        object.texts("tags", &self.tags);
        if let Some(payload) = &self.payload {
            json::object(object.plain("payload"), payload, Style::Proto);
        }
        object.end();
    }

    fn fixed<C: Cells>(&self, mut cells: Fixed<'_, C>) {
        cells.texts([
            &self.part_id,
            &self.resource_name,
            &self.resource_subtype,
            &self.method_name,
        ]);
        cells.time(self.time_captured.as_ref());
        let ids = [&self.organization_id, &self.location_id, &self.robot_id];
        cells.texts(ids);
        cells.texts([&self.robot_name, &self.part_name]);
        cells.object(self.method_parameters.as_ref());
        cells.list(&self.tags);
    }

    fn payload(&self) -> Option<&Struct> {
        self.payload.as_ref()
    }

    fn time(&self) -> Option<&Timestamp> {
        self.time_captured.as_ref()
    }

    fn size(&self) -> usize {
        self.encoded_len()
    }
}

/// A row that a filter has found, as in 2023.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Found {
    pub(super) data: Struct,
    pub(super) requested: Option<Timestamp>,
    pub(super) received: Option<Timestamp>,
    pub(super) source: Arc<Source>,
}

/// Where rows come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Source {
    pub(super) metadata: CaptureMetadata,
    /// The number of the file of the metadata.
    pub(super) number: u32,
    /// The parameters of the method as JSON; nothing where there are none.
    pub(super) parameters: String,
}

/// The keys that are put among those of the reading, in the order of their bytes.
const OURS: [&str; 3] = ["MetadataIndex", "TimeReceived", "TimeRequested"];

impl Found {
    fn own(&self, object: &mut Object<'_>, key: &str) {
        let to = object.plain(key);
        match key {
            "MetadataIndex" => json::integer(to, self.source.number.into()),
            "TimeReceived" => time_object(to, self.received.as_ref()),
            _ => time_object(to, self.requested.as_ref()),
        }
    }
}

/// Seconds and nanoseconds, without the one that is 0.
fn time_object(to: &mut Vec<u8>, time: Option<&Timestamp>) {
    let Some(time) = time else { return to.extend_from_slice(b"null") };
    let mut object = Object::begin(to);
    for (key, value) in [("seconds", time.seconds), ("nanos", time.nanos.into())] {
        if value != 0 {
            json::integer(object.plain(key), value);
        }
    }
    object.end();
}

impl Row for Found {
    const FIXED: &'static [(&'static str, Kind)] = &[
        ("part_id", Kind::Text),
        ("component_name", Kind::Text),
        ("component_type", Kind::Text),
        ("method_name", Kind::Text),
        ("time_requested", Kind::Time),
        ("time_received", Kind::Time),
        ("organization_id", Kind::Text),
        ("location_id", Kind::Text),
        ("robot_id", Kind::Text),
        ("robot_name", Kind::Text),
        ("part_name", Kind::Text),
        ("method_parameters", Kind::Json),
        ("tags", Kind::Json),
        ("mime_type", Kind::Text),
        ("metadata_index", Kind::Number),
    ];

    fn json(&self, to: &mut Vec<u8>) {
        let mut object = Object::begin(to);
        let mut ours = OURS.into_iter().peekable();
        for (key, value) in &self.data.fields {
            while let Some(own) = ours.next_if(|own| *own <= key.as_str()) {
                self.own(&mut object, own);
            }
            if !OURS.contains(&key.as_str()) {
                json::value(object.field(key, Style::Html), value, Style::Html);
            }
        }
        ours.for_each(|own| self.own(&mut object, own));
        object.end();
    }

    fn fixed<C: Cells>(&self, mut cells: Fixed<'_, C>) {
        let source = &self.source.metadata;
        let component = [&source.component_name, &source.component_type, &source.method_name];
        cells.texts([&source.part_id]);
        cells.texts(component);
        cells.time(self.requested.as_ref());
        cells.time(self.received.as_ref());
        cells.texts([&source.organization_id, &source.location_id, &source.robot_id]);
        cells.texts([&source.robot_name, &source.part_name]);
        cells.texts([&self.source.parameters]);
        cells.list(&source.tags);
        cells.texts([&source.mime_type]);
        cells.number(self.source.number.into());
    }

    fn payload(&self) -> Option<&Struct> {
        Some(&self.data)
    }

    fn time(&self) -> Option<&Timestamp> {
        self.requested.as_ref()
    }

    fn size(&self) -> usize {
        self.data.encoded_len()
    }
}

#[cfg(test)]
mod tests;
