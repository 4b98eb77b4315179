//! The database of an organization's readings: where it would be, its user, and indexes. Nothing
//! listens there; queries come by calls (`query`).

use bson::{Bson, Document, RawBsonRef, RawDocument};
use bytes::Bytes;
use tonic::Status;
use viam_proto::app::data::v1 as pb;

use super::super::access::Level;
use super::super::{Answer, Call, Refusal};
use crate::store::data::databases::{self, Collection, Index};

pub(super) fn connection(
    call: &Call<'_>,
    request: pb::GetDatabaseConnectionRequest,
) -> Answer<pb::GetDatabaseConnectionResponse> {
    let organization = call.organization(&request.organization_id, Level::Read)?;
    if !databases::has_user(call.db, &organization.id)? {
        let words = format!("NotFound: organization {} has no database user", organization.id);
        return Err(Refusal(Status::not_found(words)));
    }
    let hostname = format!("data-federation-{}.sandbox.invalid", organization.id);
    Ok(pb::GetDatabaseConnectionResponse {
        mongodb_uri: format!("mongodb://{hostname}/?ssl=true&authSource=admin"),
        hostname,
        has_database_user: true,
    })
}

pub(super) fn configure(
    call: &Call<'_>,
    request: pb::ConfigureDatabaseUserRequest,
) -> Answer<pb::ConfigureDatabaseUserResponse> {
    let organization = call.organization(&request.organization_id, Level::Write)?;
    if request.password.is_empty() {
        return Err(Refusal(Status::invalid_argument("the password is empty")));
    }
    databases::set_user(call.db, &organization.id, call.now)?;
    Ok(pb::ConfigureDatabaseUserResponse {})
}

/// The collection that a request is about, if the caller's rights reach that far.
fn collection(
    call: &Call<'_>,
    organization: String,
    kind: pb::IndexableCollection,
    pipeline: Option<String>,
    wanted: Level,
) -> Answer<Collection> {
    let wrong = |words| Err(Refusal(Status::invalid_argument(words)));
    call.organization(&organization, wanted)?;
    let pipeline = pipeline.unwrap_or_default();
    match (kind, pipeline.is_empty()) {
        (pb::IndexableCollection::Unspecified, _) => wrong("the type of the collection is missing"),
        (pb::IndexableCollection::PipelineSink, true) => {
            wrong("the name of the pipeline is missing")
        }
        _ => Ok(Collection { organization, kind: kind.into(), pipeline }),
    }
}

pub(super) fn create_index(
    call: &Call<'_>,
    request: pb::CreateIndexRequest,
) -> Answer<pb::CreateIndexResponse> {
    let kind = request.collection_type();
    let of = collection(call, request.organization_id, kind, request.pipeline_name, Level::Write)?;
    let mut documents = Vec::new();
    for bytes in &request.index_spec {
        documents.push(document(bytes)?);
    }
    let new = Index { name: name(&documents)?, spec: request.index_spec.concat() };
    match databases::index(call.db, &of, &new.name)? {
        Some(there) if there == new => {}
        Some(there) => {
            let words = format!("an index {} is there already, with another spec", there.name);
            return Err(Refusal(Status::already_exists(words)));
        }
        None => databases::insert_index(call.db, &of, &new)?,
    }
    Ok(pb::CreateIndexResponse {})
}

pub(super) fn list_indexes(
    call: &Call<'_>,
    request: pb::ListIndexesRequest,
) -> Answer<pb::ListIndexesResponse> {
    let (kind, pipeline_name) = (request.collection_type(), request.pipeline_name);
    let of = collection(call, request.organization_id, kind, pipeline_name.clone(), Level::Read)?;
    let message = |index: Index| pb::Index {
        collection_type: kind.into(),
        pipeline_name: pipeline_name.clone(),
        index_name: index.name,
        index_spec: split(&index.spec),
        created_by: pb::IndexCreator::Customer.into(),
    };
    let indexes = databases::indexes(call.db, &of)?.into_iter().map(message).collect();
    Ok(pb::ListIndexesResponse { indexes })
}

pub(super) fn delete_index(
    call: &Call<'_>,
    request: pb::DeleteIndexRequest,
) -> Answer<pb::DeleteIndexResponse> {
    let kind = request.collection_type();
    let of = collection(call, request.organization_id, kind, request.pipeline_name, Level::Write)?;
    if databases::delete_index(call.db, &of, &request.index_name)? {
        return Ok(pb::DeleteIndexResponse {});
    }
    Err(super::super::access::missing("index", &request.index_name))
}

/// How deeply a document may be nested: MongoDB's limit. The parser knows none, and would run out of
/// stack.
const DEPTH: usize = 100;

/// A document of a request.
pub(super) fn document(bytes: &[u8]) -> Answer<Document> {
    if !is_within(bytes, DEPTH) {
        return Err(Refusal(Status::invalid_argument("a document is nested too deeply")));
    }
    Document::from_reader(bytes).map_err(|error| {
        Refusal(Status::invalid_argument(format!("a document is no BSON: {error}")))
    })
}

/// Whether a document has no more levels than that. What is no document is for the parser to refuse.
fn is_within(bytes: &[u8], levels: usize) -> bool {
    let Ok(document) = RawDocument::from_bytes(bytes) else { return true };
    levels > 0
        && document.into_iter().flatten().all(|(_, value)| match value {
            RawBsonRef::Document(inner) => is_within(inner.as_bytes(), levels - 1),
            RawBsonRef::Array(inner) => is_within(inner.as_bytes(), levels - 1),
            RawBsonRef::JavaScriptCodeWithScope(code) => {
                is_within(code.scope.as_bytes(), levels - 1)
            }
            _ => true,
        })
}

/// The documents that lie one after the other: each begins with its length.
fn split(mut bytes: &[u8]) -> Vec<Bytes> {
    let mut documents = Vec::new();
    while let Some((length, _)) = bytes.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let Some((document, rest)) = bytes.split_at_checked(length.max(5)) else { break };
        documents.push(Bytes::copy_from_slice(document));
        bytes = rest;
    }
    documents
}

/// The name that a spec gives, or the one that MongoDB makes of the keys: `a_1_b_-1`. Keys stand
/// in `keys` (or `key`) of a document, with `options` beside them; or they are the first document
/// and the options the second.
fn name(documents: &[Document]) -> Answer<String> {
    let wrong = |words: &str| Refusal(Status::invalid_argument(words));
    let first = documents.first().ok_or_else(|| wrong("the spec of the index is missing"))?;
    let part = |document: &Document, key| document.get_document(key).ok().cloned();
    let keys = part(first, "keys").or_else(|| part(first, "key"));
    let options = part(first, "options").or_else(|| documents.get(1).cloned()).unwrap_or_default();
    let options = part(&options, "options").unwrap_or(options);
    let given = options.get_str("name").ok().or_else(|| match keys {
        Some(_) => first.get_str("name").ok(),
        None => None,
    });
    if let Some(name) = given.filter(|name| !name.is_empty()) {
        return Ok(name.to_owned());
    }
    let keys = keys.as_ref().unwrap_or(first);
    if keys.is_empty() {
        return Err(wrong("the index has no keys"));
    }
    let mut words = Vec::new();
    for (key, order) in keys {
        let order = match order {
            Bson::Int32(order) => order.to_string(),
            Bson::Int64(order) => order.to_string(),
            Bson::Double(order) => order.to_string(),
            Bson::String(kind) => kind.clone(),
            _ => return Err(wrong("a key of an index has the order 1 or -1, or a kind")),
        };
        words.push(format!("{key}_{order}"));
    }
    Ok(words.join("_"))
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    #[test]
    fn names_are_made_as_mongodb_makes_them() {
        let two = doc! { "a.b": 1, "c": -1 };
        for (documents, expected) in [
            (vec![two.clone()], "a.b_1_c_-1"),
            (vec![doc! { "keys": two.clone() }], "a.b_1_c_-1"),
            (vec![doc! { "key": two.clone(), "name": "n" }], "n"),
            (vec![doc! { "keys": two.clone(), "options": { "name": "o" } }], "o"),
            (vec![two.clone(), doc! { "name": "second" }], "second"),
            (vec![doc! { "text": "hashed" }], "text_hashed"),
        ] {
            assert_eq!(name(&documents).expect("a name"), expected);
        }
        for wrong in [vec![], vec![doc! {}], vec![doc! { "a": { "b": 1 } }]] {
            assert!(name(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_document_of_too_many_levels_is_refused() {
        let nested = |levels: usize| {
            let mut bytes = doc! {}.to_vec().expect("bytes");
            for _ in 1..levels {
                let length = i32::try_from(bytes.len() + 7).expect("short").to_le_bytes();
                bytes = [&length[..], &[3, 0], &bytes, &[0]].concat();
            }
            bytes
        };
        assert!(document(&nested(DEPTH)).is_ok());
        for levels in [DEPTH + 1, 10_000] {
            assert!(document(&nested(levels)).is_err());
        }
    }

    #[test]
    fn documents_are_told_apart() {
        let all = [doc! { "a": 1 }.to_vec().expect("bytes"), doc! {}.to_vec().expect("bytes")];
        assert_eq!(split(&all.concat()), all);
    }
}
