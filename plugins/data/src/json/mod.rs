//! Messages as JSON, by the rules of protobuf.

use viam_proto::app::data::v1::BinaryMetadata;

/// What is known of a file.
pub(crate) fn metadata_json(metadata: &BinaryMetadata) -> serde_json::Value {
    serde_json::json!({"id": metadata.id, "binaryDataId": metadata.binary_data_id, "fileName": metadata.file_name, "fileExt": metadata.file_ext})
}
