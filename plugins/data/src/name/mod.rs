//! Names of exported files: what the existing program calls them (behaviour.md §2.3), made safe
//! for any file system, and distinct.

mod safe;
mod tag;

use chrono::{DateTime, Utc};
use viam_proto::app::data::v1::BinaryMetadata;

pub(crate) use tag::{digest, tag};

/// What stands before the folders that a machine captures into.
const CAPTURE: &str = "/.viam/capture/";

/// The extension of what is unpacked while it is exported.
pub(crate) const PACKED: &str = ".gz";

/// The names that one file may get, the best one first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Names {
    candidates: [Name; 3],
    /// Whether not even the first one is what the file would be called by itself.
    pub(crate) changed: bool,
}

/// One name: a path below `metadata/` without `.json`, and the path below `data/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) metadata: String,
    pub(crate) data: String,
}

impl Names {
    /// The names of a file.
    pub(crate) fn of(metadata: &BinaryMetadata) -> Self {
        let wanted = wanted(metadata);
        let ext = safe::extension(&metadata.file_ext);
        let clean = safe::path(&wanted, ext.len());
        let changed = clean != plain(&wanted);
        let id = identity(metadata);
        let tagged = safe::tagged(&clean, &tag(id));
        let flat = safe::tagged(&safe::flat(&clean), &digest(id));
        let candidates = [clean, tagged, flat]
            .map(|name| Name { data: with_extension(&name, &ext), metadata: name });
        Self { candidates, changed }
    }

    /// In the order in which they are to be tried.
    pub(crate) fn candidates(&self) -> &[Name; 3] {
        &self.candidates
    }

    /// Names with the mark only: nobody else wants one of these.
    pub(crate) fn marked(self) -> Self {
        let [_, marked, last] = self.candidates;
        Self { candidates: [marked, last.clone(), last], changed: self.changed }
    }

    /// The last one alone: it has no folders.
    pub(crate) fn last(&self) -> Self {
        let last = &self.candidates[2];
        Self { candidates: [last.clone(), last.clone(), last.clone()], changed: true }
    }
}

impl Name {
    /// Other paths of metadata whose data would have the same path.
    pub(crate) fn rivals(&self) -> impl Iterator<Item = &str> {
        let without = split_extension(&self.data).0;
        [self.data.as_str(), without].into_iter().filter(|rival| *rival != self.metadata)
    }
}

/// The path of the bytes of metadata of a name, by the extension that they state.
pub(crate) fn data_path(metadata: &str, ext: &str) -> String {
    with_extension(metadata, &safe::extension(ext))
}

/// By what a file is known: today's id, or that of 2023.
pub(crate) fn identity(metadata: &BinaryMetadata) -> &str {
    if metadata.binary_data_id.is_empty() { &metadata.id } else { &metadata.binary_data_id }
}

/// The name by the rules of the existing program.
fn wanted(metadata: &BinaryMetadata) -> String {
    let requested = metadata.time_requested.unwrap_or_default();
    let nanos = u32::try_from(requested.nanos).unwrap_or_default();
    let time = DateTime::from_timestamp(requested.seconds, nanos).unwrap_or_default();
    let time = go_rfc3339(time);
    let given = &metadata.file_name;
    let mut name = if given.is_empty() {
        format!("{time}_{}{}", metadata.id, metadata.file_ext)
    } else if !given.contains('/') {
        // One that has its prefix already keeps one.
        let prefix = format!("{time}_");
        match given.strip_prefix(&prefix).or(given.strip_prefix(&prefix.replace(':', "_"))) {
            Some(rest) => format!("{prefix}{rest}"),
            None => format!("{prefix}{given}"),
        }
    } else {
        given.clone()
    };
    if let Some(at) = name.rfind(CAPTURE) {
        name.drain(..at + CAPTURE.len());
    }
    if let Some(stem) = name.strip_suffix(PACKED) {
        name.truncate(stem.len());
    }
    name.replace(':', "_")
}

/// The path below a folder, as joining cleans it up where nothing is unusual.
fn plain(wanted: &str) -> String {
    wanted.strip_prefix('/').unwrap_or(wanted).to_owned()
}

/// `2023-10-05T01:02:03.4Z`: Go's RFC3339Nano, without zeros at the end.
fn go_rfc3339(time: DateTime<Utc>) -> String {
    let whole = time.format("%Y-%m-%dT%H:%M:%S");
    match time.timestamp_subsec_nanos() {
        0 => format!("{whole}Z"),
        nanos => format!("{whole}.{}Z", format!("{nanos:09}").trim_end_matches('0')),
    }
}

/// Adds the extension, unless the name has it or the bytes are unpacked.
fn with_extension(name: &str, ext: &str) -> String {
    if ext.is_empty() || ext == PACKED || split_extension(name).1 == ext {
        name.to_owned()
    } else {
        format!("{name}{ext}")
    }
}

/// Stem and extension, with its dot, of the last part of a path. A name that begins with its only
/// dot has none.
fn split_extension(path: &str) -> (&str, &str) {
    let start = path.rfind('/').map_or(0, |slash| slash + 1);
    match path[start..].rfind('.') {
        Some(dot) if dot > 0 => path.split_at(start + dot),
        _ => (path, ""),
    }
}

#[cfg(test)]
mod tests;
