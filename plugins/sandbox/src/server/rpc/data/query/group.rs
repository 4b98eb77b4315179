//! `$group`: documents of one key become one.

use std::cmp::Ordering;
use std::collections::HashMap;

use bson::{Bson, Document};
use tonic::Status;

use super::mql::unknown;
use super::value::{at, number, order};
use super::wrong;

#[derive(Debug)]
pub(super) struct Group {
    key: Value,
    fields: Vec<(String, How, Value)>,
}

/// What is computed of a document.
#[derive(Debug)]
enum Value {
    /// What is at a path.
    At(String),
    Constant(Bson),
    /// A document of such.
    Of(Vec<(String, Self)>),
}

/// How the values of a group become one.
#[derive(Clone, Copy, Debug)]
enum How {
    Sum,
    Average,
    Least,
    Most,
    First,
    Last,
}

impl Value {
    fn parse(value: &Bson) -> Result<Self, Status> {
        match value {
            Bson::String(path) if path.starts_with("$$") => Err(unknown(path)),
            Bson::String(text) => match text.strip_prefix('$') {
                Some(path) => Ok(Self::At(path.to_owned())),
                None => Ok(Self::Constant(value.clone())),
            },
            Bson::Document(fields) => {
                if let Some(operator) = fields.keys().find(|key| key.starts_with('$')) {
                    return Err(unknown(operator));
                }
                let read = |(key, value): (&String, &Bson)| Ok((key.clone(), Self::parse(value)?));
                fields.iter().map(read).collect::<Result<_, _>>().map(Self::Of)
            }
            Bson::Array(_) => Err(unknown("an array of $group")),
            constant => Ok(Self::Constant(constant.clone())),
        }
    }

    fn of(&self, document: &Document) -> Option<Bson> {
        match self {
            Self::At(path) => at(document, path).cloned(),
            Self::Constant(value) => Some(value.clone()),
            Self::Of(fields) => {
                let value =
                    |(key, value): &(String, Self)| Some((key.clone(), value.of(document)?));
                Some(Bson::Document(fields.iter().filter_map(value).collect()))
            }
        }
    }
}

impl Group {
    pub(super) fn parse(fields: &Document) -> Result<Self, Status> {
        let key = fields.get("_id").ok_or_else(|| wrong("$group takes an _id"))?;
        let mut read = Vec::new();
        for (name, value) in fields.iter().filter(|(name, _)| *name != "_id") {
            let Bson::Document(value) = value else {
                return Err(wrong(format!("the field {name:?} of $group takes a document")));
            };
            let mut parts = value.iter();
            let (Some((operator, value)), None) = (parts.next(), parts.next()) else {
                return Err(wrong(format!("the field {name:?} of $group takes one operator")));
            };
            let how = match operator.as_str() {
                "$sum" | "$count" => How::Sum,
                "$avg" => How::Average,
                "$min" => How::Least,
                "$max" => How::Most,
                "$first" => How::First,
                "$last" => How::Last,
                other => return Err(unknown(other)),
            };
            let value = match operator.as_str() {
                "$count" => Value::Constant(Bson::Int64(1)),
                _ => Value::parse(value)?,
            };
            read.push((name.clone(), how, value));
        }
        Ok(Self { key: Value::parse(key)?, fields: read })
    }

    /// A document each group, in the order in which their first ones came.
    pub(super) fn run(&self, documents: &[Document]) -> Vec<Document> {
        let mut groups: Vec<(Bson, Vec<&Document>)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for document in documents {
            let key = self.key.of(document).unwrap_or(Bson::Null);
            let place = *places.entry(key.to_string()).or_insert_with(|| {
                groups.push((key, Vec::new()));
                groups.len() - 1
            });
            groups[place].1.push(document);
        }
        groups.into_iter().map(|(key, members)| self.one(key, &members)).collect()
    }

    fn one(&self, key: Bson, members: &[&Document]) -> Document {
        let mut made = Document::from_iter([("_id".to_owned(), key)]);
        for (name, how, value) in &self.fields {
            let values = members.iter().map(|member| value.of(member));
            made.insert(name, how.of(values));
        }
        made
    }
}

impl How {
    /// What is missing counts for the first and the last value only.
    fn of(self, mut values: impl DoubleEndedIterator<Item = Option<Bson>>) -> Bson {
        let found = match self {
            Self::First => values.next().flatten(),
            Self::Last => values.next_back().flatten(),
            Self::Least => extreme(values, Ordering::Less),
            Self::Most => extreme(values, Ordering::Greater),
            Self::Sum => Some(sum(values)),
            Self::Average => {
                let numbers: Vec<f64> =
                    values.flatten().filter_map(|value| number(&value)).collect();
                let sum: f64 = numbers.iter().sum();
                (!numbers.is_empty()).then(|| Bson::Double(sum / numbers.len() as f64))
            }
        };
        found.unwrap_or(Bson::Null)
    }
}

fn extreme(values: impl Iterator<Item = Option<Bson>>, wanted: Ordering) -> Option<Bson> {
    let values = values.flatten().filter(|value| *value != Bson::Null);
    values.reduce(
        |best, value| {
            if order(Some(&value), Some(&best)) == wanted { value } else { best }
        },
    )
}

/// Whole as long as all numbers are.
fn sum(values: impl Iterator<Item = Option<Bson>>) -> Bson {
    values.flatten().fold(Bson::Int64(0), |sum, value| match (&sum, super::whole(&value)) {
        (Bson::Int64(sum), Some(whole)) if !matches!(value, Bson::Double(_)) => {
            Bson::Int64(sum.saturating_add(whole))
        }
        _ => match number(&sum).zip(number(&value)) {
            Some((one, other)) => Bson::Double(one + other),
            None => sum,
        },
    })
}
