//! BSON as JSON and back, in MongoDB's extended form, with the fields in their own order: the order
//! of a sort or of the fields of an index has a meaning.

use bson::{Bson, Document, RawBsonRef, RawDocument};
use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};
use viam_contract::{Error, Kind, Result, ResultExt as _};

/// A document that is shown in relaxed extended JSON.
pub(crate) struct Relaxed<'a>(pub(crate) &'a Document);

/// A value within one.
struct Inner<'a>(&'a Bson);

impl Serialize for Relaxed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            map.serialize_entry(name, &Inner(value))?;
        }
        map.end()
    }
}

impl Serialize for Inner<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Bson::Document(document) => Relaxed(document).serialize(serializer),
            Bson::Array(values) => {
                let mut list = serializer.serialize_seq(Some(values.len()))?;
                values.iter().try_for_each(|value| list.serialize_element(&Self(value)))?;
                list.end()
            }
            other => other.clone().into_relaxed_extjson().serialize(serializer),
        }
    }
}

/// How deeply a document may be nested: MongoDB's own limit is 100. The parser knows none, and
/// would run out of stack.
const DEPTH: usize = 200;

/// The row that a server has sent.
pub(crate) fn row(bytes: &[u8]) -> Result<Document> {
    let doing = || "a row of the answer is no BSON document".to_owned();
    let raw = RawDocument::from_bytes(bytes).or_kind(Kind::Remote, doing)?;
    if !is_shallow(RawBsonRef::Document(raw), DEPTH) {
        return Err(Error::new(Kind::Remote, doing()).because("it is nested too deeply"));
    }
    Document::try_from(raw).or_kind(Kind::Remote, doing)
}

fn is_shallow(value: RawBsonRef<'_>, left: usize) -> bool {
    // What cannot be read ends the walk here, and the parser says why.
    let read = |inner: bson::error::Result<RawBsonRef<'_>>| match inner {
        Ok(inner) => is_shallow(inner, left - 1),
        Err(_) => true,
    };
    match value {
        _ if left == 0 => false,
        RawBsonRef::Document(document) => {
            document.into_iter().all(|field| read(field.map(|(_, inner)| inner)))
        }
        RawBsonRef::Array(array) => array.into_iter().all(read),
        RawBsonRef::JavaScriptCodeWithScope(code) => {
            is_shallow(RawBsonRef::Document(code.scope), left - 1)
        }
        _ => true,
    }
}

/// A document that is shown, or the text of what is none.
pub(crate) enum Shown {
    Document(Document),
    Text(String),
}

impl Shown {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        match row(bytes) {
            Ok(document) => Self::Document(document),
            Err(_) => Self::Text(String::from_utf8_lossy(bytes).into_owned()),
        }
    }

    /// One line of it.
    pub(crate) fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Document(document) => Relaxed(document).serialize(serializer),
            Self::Text(text) => text.serialize(serializer),
        }
    }
}

/// Documents of a JSON text, as BSON: an array of them or, where `one` will do, one alone. `what`
/// says what they are.
pub(crate) fn documents(text: &str, one: bool, what: &str) -> Result<Vec<bytes::Bytes>> {
    let wrong = || format!("{what} is not a JSON array of objects");
    let documents = if one && text.trim_start().starts_with('{') {
        vec![serde_json::from_str::<Document>(text).or_kind(Kind::Usage, wrong)?]
    } else {
        serde_json::from_str::<Vec<Document>>(text).or_kind(Kind::Usage, wrong)?
    };
    if documents.is_empty() {
        return Err(Error::new(Kind::Usage, format!("{what} is empty")));
    }
    let encode = |document: Document| Ok(document.to_vec().or_kind(Kind::Usage, wrong)?.into());
    documents.into_iter().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use bson::oid::ObjectId;
    use bson::{DateTime, doc};

    use super::*;

    fn shown(document: &Document) -> String {
        serde_json::to_string(&Relaxed(document)).expect("serializes")
    }

    #[test]
    fn rows_keep_their_order_and_have_the_relaxed_form() {
        let id = ObjectId::from_bytes([7; 12]);
        let row = doc! {
            "z": 1, "a": 9_007_199_254_740_993_i64, "m": [1.5, { "y": true, "b": Bson::Null }],
            "nan": f64::NAN, "id": id, "at": DateTime::from_millis(1_700_000_000_123),
        };
        assert_eq!(
            shown(&row),
            "{\"z\":1,\"a\":9007199254740993,\"m\":[1.5,{\"y\":true,\"b\":null}],\
             \"nan\":{\"$numberDouble\":\"NaN\"},\"id\":{\"$oid\":\"070707070707070707070707\"},\
             \"at\":{\"$date\":\"2023-11-14T22:13:20.123Z\"}}"
        );
        assert!(super::row(b"nonsense").is_err());
    }

    #[test]
    fn a_row_that_is_nested_too_deeply_is_no_row() {
        let mut bytes = vec![5, 0, 0, 0, 0];
        for _ in 0..10_000 {
            let length = u32::try_from(bytes.len() + 8).expect("fits").to_le_bytes();
            bytes = [&length[..], b"\x03a\0", &bytes, b"\0"].concat();
        }
        assert_eq!(row(&bytes).expect_err("deep").causes(), ["it is nested too deeply"]);
        let mut nested = Bson::Int32(1);
        for depth in 0..100 {
            nested = if depth % 2 == 0 { vec![nested].into() } else { doc! { "a": nested }.into() };
        }
        assert!(row(&doc! { "a": nested }.to_vec().expect("bytes")).is_ok());
    }

    #[test]
    fn stages_keep_their_order_and_may_have_the_extended_form() {
        let text = r#"[{"$match": {"at": {"$gte": {"$date": "2023-11-14T22:13:20.123Z"}}}},
            {"$sort": {"z": -1, "a": 1}}]"#;
        let stages = documents(text, false, "it").expect("stages");
        let stages: Vec<Document> =
            stages.iter().map(|stage| row(stage).expect("a document")).collect();
        let at = stages[0].get_document("$match").and_then(|inner| inner.get_document("at"));
        let at = at.and_then(|at| at.get_datetime("$gte")).expect("a time");
        assert_eq!(at.timestamp_millis(), 1_700_000_000_123);
        assert_eq!(shown(&stages[1]), r#"{"$sort":{"z":-1,"a":1}}"#);
    }

    #[test]
    fn what_is_no_list_of_objects_is_refused() {
        let read = |text: &str, one| documents(text, one, "it").map(|all| all.len());
        assert_eq!(read(r#" {"key": {"a": 1}}"#, true).ok(), Some(1));
        assert_eq!(read(r#"[{"a": 1}, {}]"#, true).ok(), Some(2));
        for text in ["", "[]", "[1]", "nonsense", "{", r#"[{"$date": "2023-11-14T22:13:20Z"}]"#] {
            for one in [true, false] {
                assert_eq!(read(text, one).expect_err(text).kind(), Kind::Usage, "{text}");
            }
        }
        assert!(read("{}", false).is_err());
    }
}
