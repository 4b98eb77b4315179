//! `--output`: bytes of an answer as a file that is there whole or not at all.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use prost_reflect::DynamicMessage;
use viam_contract::{Error, Kind, Result, ResultExt as _};

use super::json;

/// Writes the largest bytes field of the answer.
pub(super) fn save(message: &DynamicMessage, path: &Path) -> Result<()> {
    let bytes = json::largest_bytes(message).ok_or_else(|| {
        Error::new(Kind::User, "the answer has no bytes that a file could be written of")
            .hint_text("leave out --output to see the answer")
    })?;
    let doing = || format!("could not write the answer to {}", path.display());
    // A link stays a link, and a device is written to, not replaced.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
        return fs::write(path, &bytes).or_kind(Kind::User, doing);
    }
    let directory = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::Builder::new()
        .prefix(".viam-run-")
        .suffix(".tmp")
        .tempfile_in(directory)
        .or_kind(Kind::User, doing)?;
    file.write_all(&bytes).or_kind(Kind::User, doing)?;
    file.as_file().sync_all().or_kind(Kind::User, doing)?;
    file.persist(path).or_kind(Kind::User, doing)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use prost_reflect::{DescriptorPool, Value};

    use super::*;

    #[test]
    fn the_file_is_there_whole_or_not_at_all() {
        let pool = DescriptorPool::decode(viam_proto::DESCRIPTORS).expect("built in");
        let name = "viam.component.camera.v1.GetPointCloudResponse";
        let mut message = DynamicMessage::new(pool.get_message_by_name(name).expect("message"));
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("cloud.pcd");
        assert_eq!(save(&message, &path).expect_err("no bytes").kind(), Kind::User);
        assert!(!path.exists());
        message.set_field_by_name("point_cloud", Value::Bytes(vec![1, 2].into()));
        save(&message, &path).expect("saved");
        assert_eq!(fs::read(&path).expect("file"), [1, 2]);
    }
}
