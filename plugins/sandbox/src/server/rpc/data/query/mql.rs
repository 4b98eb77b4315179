//! A part of MongoDB's pipelines: `$match`, `$sort`, `$skip`, `$limit`, `$project`, `$count` and
//! `$group`. What is not known is refused by its name, for a wrong answer would be worse.

use std::cmp::Ordering;

use bson::{Bson, Document};
use bytes::Bytes;
use tonic::Status;

use super::group::Group;
use super::value::{at, compare, order, same};
use super::{whole, wrong};
use crate::server::rpc::Refusal;
use crate::server::rpc::data::database::document;

/// The stages of a query.
#[derive(Debug)]
pub(super) struct Pipeline(Vec<Stage>);

#[derive(Debug)]
enum Stage {
    Match(Vec<Condition>),
    /// Paths, and whether the greatest comes first.
    Sort(Vec<(String, bool)>),
    Skip(usize),
    Limit(usize),
    Project(Projection),
    Count(String),
    Group(Group),
}

#[derive(Debug)]
enum Condition {
    /// What is at a path is so.
    At(String, Test),
    All(Vec<Vec<Self>>),
    Any(Vec<Vec<Self>>),
}

#[derive(Debug)]
enum Test {
    Is(Bson),
    Not(Bson),
    /// It compares so with the value.
    Compares(&'static [Ordering], Bson),
    In(Vec<Bson>, bool),
    Exists(bool),
}

/// Which fields go on.
#[derive(Debug)]
struct Projection {
    /// Only these, or all but these.
    only: bool,
    /// Paths, each with the path that it is taken from.
    fields: Vec<(String, String)>,
    id: bool,
}

pub(super) fn unknown(what: &str) -> Status {
    Status::unimplemented(format!("the sandbox does not do {what} in a pipeline"))
}

impl Pipeline {
    /// Reads the stages, a BSON document each.
    pub(super) fn parse(stages: &[Bytes]) -> Result<Self, Status> {
        if stages.is_empty() {
            return Err(wrong("the pipeline has no stages"));
        }
        let mut read = Vec::new();
        for stage in stages {
            let stage = document(stage).map_err(|Refusal(status)| status)?;
            let mut parts = stage.iter();
            let (Some((name, value)), None) = (parts.next(), parts.next()) else {
                return Err(wrong("a stage is a document with one field"));
            };
            read.push(Stage::parse(name, value)?);
        }
        Ok(Self(read))
    }

    /// Whether a document gets through the stages that the pipeline begins with and that look at
    /// one document only.
    pub(super) fn begins_with(&self, document: &Document) -> bool {
        let first = self.0.iter().map_while(|stage| match stage {
            Stage::Match(conditions) => Some(conditions),
            _ => None,
        });
        first.into_iter().all(|conditions| holds(conditions, document))
    }

    /// What comes out of the last stage.
    pub(super) fn run(&self, documents: Vec<Document>) -> Vec<Document> {
        self.0.iter().fold(documents, |documents, stage| stage.run(documents))
    }
}

impl Stage {
    fn parse(name: &str, value: &Bson) -> Result<Self, Status> {
        let count = |least: i64| {
            let number = whole(value).filter(|number| *number >= least);
            let number = number.and_then(|number| usize::try_from(number).ok());
            number.ok_or_else(|| wrong(format!("{name} takes a whole number from {least} on")))
        };
        let fields = || match value {
            Bson::Document(fields) => Ok(fields),
            _ => Err(wrong(format!("{name} takes a document"))),
        };
        match name {
            "$match" => conditions(fields()?).map(Self::Match),
            "$sort" => fields()?
                .iter()
                .map(|(path, order)| match whole(order) {
                    Some(1) => Ok((path.clone(), false)),
                    Some(-1) => Ok((path.clone(), true)),
                    _ => Err(wrong("$sort takes 1 or -1 for each field")),
                })
                .collect::<Result<_, _>>()
                .map(Self::Sort),
            "$skip" => count(0).map(Self::Skip),
            "$limit" => count(1).map(Self::Limit),
            "$project" => Projection::parse(fields()?).map(Self::Project),
            "$count" => match value {
                Bson::String(field) if !field.is_empty() && !field.starts_with('$') => {
                    Ok(Self::Count(field.clone()))
                }
                _ => Err(wrong("$count takes the name of a field")),
            },
            "$group" => Group::parse(fields()?).map(Self::Group),
            other => Err(unknown(&format!("the stage {other}"))),
        }
    }

    fn run(&self, mut documents: Vec<Document>) -> Vec<Document> {
        match self {
            Self::Match(conditions) => documents.retain(|document| holds(conditions, document)),
            Self::Sort(keys) => documents.sort_by(|one, other| {
                keys.iter().fold(Ordering::Equal, |so_far, (path, falling)| {
                    so_far.then_with(|| {
                        let order = order(at(one, path), at(other, path));
                        if *falling { order.reverse() } else { order }
                    })
                })
            }),
            Self::Skip(count) => drop(documents.drain(..(*count).min(documents.len()))),
            Self::Limit(count) => documents.truncate(*count),
            Self::Project(projection) => {
                documents = documents.into_iter().map(|one| projection.run(one)).collect();
            }
            Self::Count(field) => {
                let count = i64::try_from(documents.len()).unwrap_or(i64::MAX);
                documents.clear();
                if count > 0 {
                    documents.push(Document::from_iter([(field.clone(), Bson::Int64(count))]));
                }
            }
            Self::Group(group) => documents = group.run(&documents),
        }
        documents
    }
}

fn conditions(fields: &Document) -> Result<Vec<Condition>, Status> {
    let mut read = Vec::new();
    for (key, value) in fields {
        match (key.as_str(), value) {
            ("$and" | "$or", Bson::Array(parts)) => {
                let parts = parts.iter().map(|part| match part {
                    Bson::Document(part) => conditions(part),
                    _ => Err(wrong(format!("{key} takes documents"))),
                });
                let parts = parts.collect::<Result<_, _>>()?;
                let all = key == "$and";
                read.push(if all { Condition::All(parts) } else { Condition::Any(parts) });
            }
            (key, _) if key.starts_with('$') => return Err(unknown(key)),
            (path, Bson::Document(tests)) if tests.keys().any(|key| key.starts_with('$')) => {
                for (operator, value) in tests {
                    read.push(Condition::At(path.to_owned(), Test::parse(operator, value)?));
                }
            }
            (_, Bson::RegularExpression(_)) => return Err(unknown("a regular expression")),
            (path, value) => {
                read.push(Condition::At(path.to_owned(), Test::Is(value.clone())));
            }
        }
    }
    Ok(read)
}

impl Test {
    fn parse(operator: &str, value: &Bson) -> Result<Self, Status> {
        use Ordering::{Equal, Greater, Less};
        let list = || match value {
            Bson::Array(values) => Ok(values.clone()),
            _ => Err(wrong(format!("{operator} takes an array"))),
        };
        Ok(match operator {
            "$eq" => Self::Is(value.clone()),
            "$ne" => Self::Not(value.clone()),
            "$gt" => Self::Compares(&[Greater], value.clone()),
            "$gte" => Self::Compares(&[Greater, Equal], value.clone()),
            "$lt" => Self::Compares(&[Less], value.clone()),
            "$lte" => Self::Compares(&[Less, Equal], value.clone()),
            "$in" => Self::In(list()?, true),
            "$nin" => Self::In(list()?, false),
            "$exists" => Self::Exists(value.as_bool().unwrap_or(whole(value) != Some(0))),
            other => return Err(unknown(other)),
        })
    }

    fn holds(&self, value: Option<&Bson>) -> bool {
        // What is missing is null, and of an array each value counts as well.
        let found = value.unwrap_or(&Bson::Null);
        let any = |test: &dyn Fn(&Bson) -> bool| match found {
            Bson::Array(values) => test(found) || values.iter().any(test),
            found => test(found),
        };
        match self {
            Self::Is(wanted) => any(&|found| same(found, wanted)),
            Self::Not(other) => !any(&|found| same(found, other)),
            Self::Compares(orders, with) => {
                any(&|found| compare(found, with).is_some_and(|order| orders.contains(&order)))
            }
            Self::In(values, inside) => {
                any(&|found| values.iter().any(|value| same(found, value))) == *inside
            }
            Self::Exists(there) => value.is_some() == *there,
        }
    }
}

fn holds(conditions: &[Condition], document: &Document) -> bool {
    conditions.iter().all(|condition| match condition {
        Condition::At(path, test) => test.holds(at(document, path)),
        Condition::All(parts) => parts.iter().all(|part| holds(part, document)),
        Condition::Any(parts) => parts.iter().any(|part| holds(part, document)),
    })
}

impl Projection {
    fn parse(fields: &Document) -> Result<Self, Status> {
        let (mut taken, mut left_out, mut id) = (Vec::new(), Vec::new(), true);
        for (path, value) in fields {
            let wanted = match value {
                Bson::Boolean(wanted) => *wanted,
                Bson::String(from) if from.starts_with('$') && !from.starts_with("$$") => {
                    taken.push((path.clone(), from[1..].to_owned()));
                    continue;
                }
                value => match whole(value) {
                    Some(number) => number != 0,
                    None => return Err(unknown("an expression of $project")),
                },
            };
            match (path.as_str(), wanted) {
                ("_id", false) => id = false,
                (_, true) => taken.push((path.clone(), path.clone())),
                (_, false) => left_out.push((path.clone(), path.clone())),
            }
        }
        match (taken.is_empty(), left_out.is_empty()) {
            (false, false) => Err(wrong("$project takes fields or leaves fields out, not both")),
            (false, true) => Ok(Self { only: true, fields: taken, id }),
            (true, _) => Ok(Self { only: false, fields: left_out, id }),
        }
    }

    fn run(&self, mut document: Document) -> Document {
        if !self.id {
            document.remove("_id");
        }
        if !self.only {
            self.fields.iter().for_each(|(path, _)| remove(&mut document, path));
            return document;
        }
        let mut kept = Document::new();
        if let Some(id) = document.get("_id") {
            kept.insert("_id", id.clone());
        }
        for (path, from) in &self.fields {
            if let Some(value) = at(&document, from) {
                put(&mut kept, path, value.clone());
            }
        }
        kept
    }
}

fn remove(document: &mut Document, path: &str) {
    match path.split_once('.') {
        None => drop(document.remove(path)),
        Some((first, rest)) => {
            if let Some(Bson::Document(inner)) = document.get_mut(first) {
                remove(inner, rest);
            }
        }
    }
}

fn put(document: &mut Document, path: &str, value: Bson) {
    let Some((first, rest)) = path.split_once('.') else {
        document.insert(path, value);
        return;
    };
    if !matches!(document.get(first), Some(Bson::Document(_))) {
        document.insert(first, Document::new());
    }
    if let Some(Bson::Document(inner)) = document.get_mut(first) {
        put(inner, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;
    use tonic::Code;

    use super::*;

    fn parsed(stages: &[Document]) -> Result<Pipeline, Status> {
        let bytes = stages.iter().map(|stage| Bytes::from(stage.to_vec().expect("bytes")));
        Pipeline::parse(&bytes.collect::<Vec<_>>())
    }

    fn run(stages: &[Document]) -> Vec<Document> {
        let documents: Vec<Document> = (0..4_i64)
            .map(|n| {
                let name = if n % 2 == 0 { "even" } else { "odd" };
                let mut one = doc! { "data": { "n": n, "half": n as f64 / 2.0 }, "name": name };
                if n == 3 {
                    one.insert("tags", vec!["a", "b"]);
                }
                one
            })
            .collect();
        let pipeline = parsed(stages).expect("a pipeline");
        let begun = documents.into_iter().filter(|one| pipeline.begins_with(one)).collect();
        pipeline.run(begun)
    }

    fn numbers(found: &[Document]) -> Vec<i64> {
        let number = |one: &Document| at(one, "data.n").and_then(Bson::as_i64).expect("a number");
        found.iter().map(number).collect()
    }

    #[test]
    fn matches_are_what_mongodb_finds() {
        for (filter, expected) in [
            (doc! {}, &[0, 1, 2, 3][..]),
            (doc! { "name": "odd" }, &[1, 3]),
            (doc! { "data.n": { "$gt": 0, "$lte": 2.0 } }, &[1, 2]),
            (doc! { "data.half": { "$gte": 1_i32 } }, &[2, 3]),
            (doc! { "data.n": { "$in": [0, 3] } }, &[0, 3]),
            (doc! { "data.n": { "$nin": [0, 3] } }, &[1, 2]),
            (doc! { "tags": { "$exists": true } }, &[3]),
            (doc! { "tags": { "$exists": false } }, &[0, 1, 2]),
            (doc! { "tags": "b" }, &[3]),
            (doc! { "tags": { "$ne": "b" } }, &[0, 1, 2]),
            (doc! { "tags": Bson::Null }, &[0, 1, 2]),
            (doc! { "name": { "$gt": 5 } }, &[]),
            (doc! { "$or": [{ "data.n": 0 }, { "name": "odd", "data.n": 1 }] }, &[0, 1]),
        ] {
            let found = run(&[doc! { "$match": filter.clone() }]);
            assert_eq!(numbers(&found), expected, "{filter}");
        }
    }

    #[test]
    fn stages_follow_one_another() {
        let sorted = run(&[
            doc! { "$sort": { "name": 1, "data.n": -1 } },
            doc! { "$skip": 1 },
            doc! { "$limit": 2 },
        ]);
        assert_eq!(numbers(&sorted), [0, 3]);
        assert_eq!(run(&[doc! { "$count": "all" }]), [doc! { "all": 4_i64 }]);
        let none = [doc! { "$match": { "name": "x" } }, doc! { "$count": "all" }];
        assert!(run(&none).is_empty());
        let first = doc! { "$limit": 1 };
        let project = |fields: Document| run(&[first.clone(), doc! { "$project": fields }]);
        assert_eq!(project(doc! { "data.n": 1, "_id": 0 }), [doc! { "data": { "n": 0_i64 } }]);
        assert_eq!(project(doc! { "value": "$data.half" }), [doc! { "value": 0.0 }]);
        assert_eq!(project(doc! { "data": 0 }), [doc! { "name": "even" }]);
    }

    #[test]
    fn groups_are_added_up() {
        let group = doc! { "$group": {
            "_id": "$name", "n": { "$sum": 1 }, "sum": { "$sum": "$data.n" },
            "mean": { "$avg": "$data.half" }, "least": { "$min": "$data.n" },
            "most": { "$max": "$data.n" }, "count": { "$count": {} },
        } };
        let found = run(&[group, doc! { "$sort": { "_id": 1 } }]);
        let expected = doc! {
            "_id": "even", "n": 2_i64, "sum": 2_i64, "mean": 0.5, "least": 0_i64, "most": 2_i64,
            "count": 2_i64,
        };
        assert_eq!((found.len(), &found[0]), (2, &expected));
        let all = run(&[doc! { "$group": { "_id": Bson::Null, "n": { "$sum": "$data.half" } } }]);
        assert_eq!(all, [doc! { "_id": Bson::Null, "n": 3.0 }]);
        let pairs = run(&[doc! { "$group": { "_id": { "name": "$name" } } }]);
        assert_eq!(pairs[0], doc! { "_id": { "name": "even" } });
    }

    #[test]
    fn what_is_not_known_is_named() {
        for (stage, words) in [
            (doc! { "$lookup": {} }, "$lookup"),
            (doc! { "$match": { "a": { "$regex": "x" } } }, "$regex"),
            (doc! { "$match": { "$expr": {} } }, "$expr"),
            (doc! { "$group": { "_id": 1, "x": { "$push": "$a" } } }, "$push"),
            (doc! { "$project": { "a": { "$add": [1, 2] } } }, "$project"),
        ] {
            let refused = parsed(std::slice::from_ref(&stage)).expect_err("refused");
            assert_eq!(refused.code(), Code::Unimplemented, "{stage}");
            assert!(refused.message().contains(words), "{refused}");
        }
        for stage in [
            doc! { "$limit": 0 },
            doc! { "$sort": { "a": 2 } },
            doc! { "$match": 1 },
            doc! {},
            doc! { "$skip": 1, "$limit": 1 },
        ] {
            let refused = parsed(std::slice::from_ref(&stage)).expect_err("refused");
            assert_eq!(refused.code(), Code::InvalidArgument, "{stage}");
        }
        assert_eq!(parsed(&[]).expect_err("empty").code(), Code::InvalidArgument);
    }
}
