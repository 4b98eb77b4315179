//! What a service looks like: asked of the machine by server reflection, else as built in.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bytes::Bytes;
use prost::Message as _;
use prost_reflect::{DescriptorPool, ServiceDescriptor};
use prost_types::FileDescriptorProto;
use tonic::Code;
use viam_contract::{Error, Kind, Result, ResultExt as _, Wire, text};

use super::call::{Failure, exchange};

/// The versions of reflection, which differ in name only.
const VERSIONS: [&str; 2] = ["grpc.reflection.v1", "grpc.reflection.v1alpha"];

/// `ServerReflectionRequest`; its oneof is written as the fields that it consists of.
#[derive(Clone, PartialEq, prost::Message)]
struct Question {
    #[prost(string, optional, tag = "3")]
    file: Option<String>,
    #[prost(string, optional, tag = "4")]
    symbol: Option<String>,
    #[prost(string, optional, tag = "7")]
    list: Option<String>,
}

/// `ServerReflectionResponse`.
#[derive(Clone, PartialEq, prost::Message)]
struct Answer {
    #[prost(message, optional, tag = "4")]
    files: Option<Files>,
    #[prost(message, optional, tag = "6")]
    services: Option<Services>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Files {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    encoded: Vec<Bytes>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Services {
    #[prost(message, repeated, tag = "1")]
    services: Vec<Named>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Named {
    #[prost(string, tag = "1")]
    name: String,
}

/// The definitions of a machine.
pub(super) struct Schema {
    wire: Wire,
    /// The versions of reflection that the machine may have; the first one is tried next.
    versions: &'static [&'static str],
    built_in: Option<DescriptorPool>,
}

impl Schema {
    pub(super) fn new(wire: &Wire) -> Self {
        Self { wire: wire.clone(), versions: &VERSIONS, built_in: None }
    }

    /// The definition of a service, if anybody knows it.
    pub(super) async fn find(&mut self, name: &str) -> Result<Option<ServiceDescriptor>, Failure> {
        if let Some(pool) = self.reflected(name).await?
            && let Some(service) = pool.get_service_by_name(name)
        {
            return Ok(Some(service));
        }
        Ok(self.built_in()?.get_service_by_name(name))
    }

    /// The definition of a service.
    pub(super) async fn service(&mut self, name: &str) -> Result<ServiceDescriptor, Failure> {
        match self.find(name).await? {
            Some(service) => Ok(service),
            None => {
                let known = self.names().await?;
                Err(unknown_service(name, &known).into())
            }
        }
    }

    /// The names of all services that are known.
    async fn names(&mut self) -> Result<Vec<String>, Failure> {
        let list = Question { list: Some(String::new()), ..Question::default() };
        let answers = self.ask(vec![list]).await?.unwrap_or_default();
        let listed = answers.into_iter().filter_map(|answer| answer.services);
        let mut names: Vec<_> =
            listed.flat_map(|list| list.services).map(|service| service.name).collect();
        names.extend(self.built_in()?.services().map(|service| service.full_name().to_owned()));
        Ok(names)
    }

    fn built_in(&mut self) -> Result<DescriptorPool> {
        if let Some(pool) = &self.built_in {
            return Ok(pool.clone());
        }
        let pool = DescriptorPool::decode(viam_proto::DESCRIPTORS)
            .or_kind(Kind::Internal, || "cannot read the built-in definitions".to_owned())?;
        Ok(self.built_in.insert(pool).clone())
    }

    /// The files that define a symbol and all that they import.
    async fn reflected(&mut self, symbol: &str) -> Result<Option<DescriptorPool>, Failure> {
        let mut files: BTreeMap<String, FileDescriptorProto> = BTreeMap::new();
        let mut missing: Vec<String> = Vec::new();
        loop {
            let questions = if files.is_empty() {
                vec![Question { symbol: Some(symbol.to_owned()), ..Question::default() }]
            } else {
                let of =
                    |file: &String| Question { file: Some(file.clone()), ..Default::default() };
                missing.iter().map(of).collect()
            };
            let Some(answers) = self.ask(questions).await? else { return Ok(None) };
            for encoded in answers.into_iter().filter_map(|a| a.files).flat_map(|f| f.encoded) {
                let file = FileDescriptorProto::decode(encoded)
                    .or_kind(Kind::Remote, || format!("cannot read the definition of {symbol}"))?;
                files.insert(file.name().to_owned(), file);
            }
            if files.is_empty() {
                return Ok(None);
            }
            // What the machine does not give although it uses it, such as the well-known types.
            for name in missing.drain(..) {
                if let Entry::Vacant(place) = files.entry(name) {
                    let name = place.key();
                    let file = self.built_in()?.get_file_by_name(name).ok_or_else(|| {
                        Error::new(Kind::Remote, format!("the machine does not define {name}"))
                    })?;
                    place.insert(file.file_descriptor_proto().clone());
                }
            }
            let imports = files.values().flat_map(|file| &file.dependency);
            missing = imports.filter(|name| !files.contains_key(*name)).cloned().collect();
            missing.sort_unstable();
            missing.dedup();
            if missing.is_empty() {
                break;
            }
        }
        // An answer may hold any of the well-known types without an import that says so.
        for file in DescriptorPool::global().file_descriptor_protos() {
            files.entry(file.name().to_owned()).or_insert_with(|| file.clone());
        }
        let mut pool = DescriptorPool::new();
        pool.add_file_descriptor_protos(files.into_values())
            .or_kind(Kind::Remote, || format!("cannot use the machine's definition of {symbol}"))?;
        Ok(Some(pool))
    }

    /// Asks by the newest version of reflection that the machine has; `None` if it has none.
    async fn ask(&mut self, questions: Vec<Question>) -> Result<Option<Vec<Answer>>, Failure> {
        let encoded: Vec<_> =
            questions.iter().map(|question| question.encode_to_vec().into()).collect();
        while let Some(version) = self.versions.first() {
            match ask(&self.wire, version, encoded.clone()).await {
                Err(Failure::Status(status)) if status.code() == Code::Unimplemented => {
                    self.versions = &self.versions[1..];
                }
                other => return other.map(Some),
            }
        }
        Ok(None)
    }
}

/// Gives an answer to each question, an empty one where nothing is known.
async fn ask(wire: &Wire, version: &str, questions: Vec<Bytes>) -> Result<Vec<Answer>, Failure> {
    let mut answers = Vec::new();
    while answers.len() < questions.len() {
        match ask_until(wire, version, &questions, &mut answers).await {
            // Some servers end the stream at what they do not know.
            Err(Failure::Status(status)) if status.code() == Code::NotFound => {
                answers.push(Answer::default());
            }
            Err(failure) => return Err(failure),
            Ok(()) => break,
        }
    }
    Ok(answers)
}

/// Asks what has no answer yet, as long as there are answers.
async fn ask_until(
    wire: &Wire,
    version: &str,
    questions: &[Bytes],
    answers: &mut Vec<Answer>,
) -> Result<(), Failure> {
    let path = format!("/{version}.ServerReflection/ServerReflectionInfo");
    let mut stream = exchange(wire, path, questions[answers.len()..].to_vec()).await?;
    while answers.len() < questions.len()
        && let Some(answer) = stream.message().await?
    {
        answers.push(
            Answer::decode(answer)
                .or_kind(Kind::Remote, || "cannot read the machine's definitions".to_owned())?,
        );
    }
    Ok(())
}

fn unknown_service(name: &str, known: &[String]) -> Error {
    let error = Error::new(
        Kind::User,
        format!("Target server does not expose service {}", text::quoted(name)),
    );
    let near = text::nearest(name, known.iter().map(String::as_str));
    let error =
        near.iter().fold(error, |error, near| error.hint_text(format!("did you mean {near}?")));
    error.hint_text("--list prints what the machine has")
}
