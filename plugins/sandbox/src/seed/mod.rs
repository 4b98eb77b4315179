//! Worlds: what a sandbox is filled with.
//!
//! `--seed` takes a name (`fleet`, `docs`, `empty`, `scale:N`, `data:FILES,BYTES,ROWS`, `hostile`)
//! or a file with a world of one's own, in JSON:
//!
//! ```json
//! {
//!   "users": ["demo@example.com", "ann@example.com"],
//!   "organizations": [
//!     {
//!       "name": "Acme",
//!       "namespace": "acme",
//!       "members": ["demo@example.com"],
//!       "keys": [{ "name": "ci", "id": "…", "secret": "…", "role": "owner" }],
//!       "datasets": [{ "name": "views" }],
//!       "locations": [
//!         {
//!           "name": "Hall",
//!           "parent": "Site",
//!           "shared_with": ["Partner"],
//!           "keys": [],
//!           "machines": [
//!             {
//!               "name": "rover",
//!               "keys": [],
//!               "parts": [
//!                 {
//!                   "name": "rover-main",
//!                   "config": { "components": [] },
//!                   "last_access_ago_secs": 5,
//!                   "logs": [
//!                     { "level": "info", "logger": "rdk", "message": "up", "ago_secs": 60 }
//!                   ],
//!                   "captured": [
//!                     {
//!                       "component": "camera1",
//!                       "type": "rdk:component:camera",
//!                       "what": "pictures",
//!                       "count": 12
//!                     }
//!                   ]
//!                 }
//!               ]
//!             }
//!           ]
//!         }
//!       ]
//!     }
//!   ]
//! }
//! ```
//!
//! Only `organizations` and the names are needed. `id` may stand in each object and is any text;
//! without it the id is made from the names that lead to the thing, so that the same file gives
//! the same ids. `parent` and `shared_with` take names or ids. A machine without `parts` has one,
//! `NAME-main`; the first part is the main one unless another says `"main": true`. Users are
//! members of every organization that names no `members`; without `users` there is
//! `demo@example.com`. A part without `last_access_ago_secs` was never there; one with
//! `"live": true` answers calls with fakes of what its configuration names. Entries of `logs` may
//! have `fields`, a list of objects as machines send them ([`LogSpec`]). A series of `captured` is
//! made of `"pictures"`, of `"readings"` or of `{"files": BYTES}` ([`SeriesSpec`]); its `dataset` is
//! the name or the id of one of the organization's `datasets` ([`DatasetSpec`]). `files` of a part are
//! single files with a `name` and a `text` ([`FileSpec`]). A key without `secret`
//! gets a random one. An unknown key of the file is an error that names it.

mod builtin;
mod captured;
mod hostile;
mod load;
mod logs;

use std::path::Path;

use serde::{Deserialize, Serialize};
use viam_contract::{Error, Kind, Result, ResultExt as _};

pub use captured::{FileSpec, SeriesSpec, What};

use crate::store::Log;

/// The person that every world has.
pub const DEMO_USER: &str = "demo@example.com";

/// The largest N of `scale:N`.
const LARGEST_SCALE: u32 = 100_000;

/// The most files and the most readings of `data:FILES,BYTES,ROWS`.
const MOST: u32 = 10_000_000;

/// What a sandbox is filled with when it is made or reset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Seed {
    /// Three organizations with eleven machines.
    #[default]
    Fleet,
    /// The names and ids of the documented examples.
    Docs,
    /// The user and one organization with nothing in it.
    Empty,
    /// So many machines in a tenth as many locations.
    Scale(u32),
    /// Much that was captured by one machine.
    Data(Amount),
    /// A machine whose files have the names that exports trip over.
    Hostile,
    /// A world of one's own.
    World(Box<World>),
}

impl Seed {
    /// Reads the value of `--seed`; a file's path is taken from `cwd` on.
    ///
    /// # Errors
    /// `Usage` when it is neither a name nor a file, or when the file holds no world.
    pub fn parse(word: &str, cwd: &Path) -> Result<Self> {
        if let Some(seed) = Self::named(word)? {
            return Ok(seed);
        }
        let file = cwd.join(word);
        let text = std::fs::read_to_string(&file)
            .or_kind(Kind::Usage, || format!("cannot read the world {word:?}"))
            .map_err(|error| {
                error.hint_text(
                    "a world is fleet, docs, empty, scale:N, data:FILES,BYTES,ROWS, hostile or a \
                     JSON file",
                )
            })?;
        World::parse(&text)
            .or_kind(Kind::Usage, || format!("the file {word:?} holds no world"))
            .map(|world| Self::World(Box::new(world)))
    }

    /// The world of a name; `None` for what must be a file.
    pub(crate) fn named(word: &str) -> Result<Option<Self>> {
        match word {
            "fleet" => return Ok(Some(Self::Fleet)),
            "docs" => return Ok(Some(Self::Docs)),
            "empty" => return Ok(Some(Self::Empty)),
            "hostile" => return Ok(Some(Self::Hostile)),
            _ => {}
        }
        if let Some(amount) = word.strip_prefix("data:") {
            let data = Amount::parse(amount).map(|amount| Some(Self::Data(amount)));
            return data.ok_or_else(|| {
                let words = format!(
                    "data:FILES,BYTES,ROWS takes three numbers, the first and the last up to \
                     {MOST}, not {amount:?}"
                );
                Error::new(Kind::Usage, words)
            });
        }
        let Some(count) = word.strip_prefix("scale:") else { return Ok(None) };
        let number = count.parse().ok().filter(|count| (1..=LARGEST_SCALE).contains(count));
        number.map(|count| Some(Self::Scale(count))).ok_or_else(|| {
            Error::new(
                Kind::Usage,
                format!("scale:N takes a number from 1 to {LARGEST_SCALE}, not {count:?}"),
            )
        })
    }

    /// What `viam sandbox status` says of it.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Fleet => "fleet".to_owned(),
            Self::Docs => "docs".to_owned(),
            Self::Empty => "empty".to_owned(),
            Self::Hostile => "hostile".to_owned(),
            Self::Scale(count) => format!("scale:{count}"),
            Self::Data(Amount { files, bytes, rows }) => format!("data:{files},{bytes},{rows}"),
            Self::World(_) => "file".to_owned(),
        }
    }

    /// The world itself.
    pub(crate) fn world(&self) -> World {
        match self {
            Self::Fleet => builtin::fleet(),
            Self::Docs => builtin::docs(),
            Self::Empty => builtin::empty(),
            Self::Hostile => hostile::world(),
            Self::Scale(count) => builtin::scale(*count),
            Self::Data(amount) => builtin::data(*amount),
            Self::World(world) => World::clone(world),
        }
    }
}

/// How much a machine has captured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// How many files.
    pub files: u32,
    /// How many bytes each of them has.
    pub bytes: u64,
    /// How many readings.
    pub rows: u32,
}

impl Amount {
    /// Reads `FILES,BYTES,ROWS`.
    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(',');
        let mut next = || numbers.next();
        let amount = Self {
            files: next()?.parse().ok()?,
            bytes: next()?.parse().ok()?,
            rows: next()?.parse().ok()?,
        };
        (numbers.next().is_none() && amount.files <= MOST && amount.rows <= MOST).then_some(amount)
    }
}

/// A world; see the module for the form of its file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    /// E-mail addresses.
    #[serde(default)]
    pub users: Vec<String>,
    /// Organizations, in the order in which they are listed.
    pub organizations: Vec<OrganizationSpec>,
}

impl World {
    /// Reads a world.
    ///
    /// # Errors
    /// With line, column and the key that is wrong.
    pub fn parse(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }
}

/// An organization of a world.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganizationSpec {
    /// Its id; made from the name when it is missing.
    #[serde(default)]
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Its public namespace.
    #[serde(default)]
    pub namespace: String,
    /// The users that own it; all of them when it is missing.
    #[serde(default)]
    pub members: Option<Vec<String>>,
    /// Keys for all of it.
    #[serde(default)]
    pub keys: Vec<KeySpec>,
    /// Its datasets, which series of what its machines have captured name.
    #[serde(default)]
    pub datasets: Vec<DatasetSpec>,
    /// The locations that it is the primary owner of.
    #[serde(default)]
    pub locations: Vec<LocationSpec>,
}

/// A dataset of a world.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetSpec {
    /// Its id; made from the names when it is missing.
    #[serde(default)]
    pub id: Option<String>,
    /// Its name.
    pub name: String,
}

/// A location of a world.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocationSpec {
    /// Its id; made from the names when it is missing.
    #[serde(default)]
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// The location it lies in, which stands before it in the same organization.
    #[serde(default)]
    pub parent: Option<String>,
    /// Organizations that own it too.
    #[serde(default)]
    pub shared_with: Vec<String>,
    /// Keys for it.
    #[serde(default)]
    pub keys: Vec<KeySpec>,
    /// Its machines.
    #[serde(default)]
    pub machines: Vec<MachineSpec>,
}

/// A machine of a world.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineSpec {
    /// Its id; made from the names when it is missing.
    #[serde(default)]
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Keys for it.
    #[serde(default)]
    pub keys: Vec<KeySpec>,
    /// Its parts; `NAME-main` when there are none.
    #[serde(default)]
    pub parts: Vec<PartSpec>,
}

/// A part of a world.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartSpec {
    /// Its id; made from the names when it is missing.
    #[serde(default)]
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Whether it is the main part.
    #[serde(default)]
    pub main: bool,
    /// Its configuration.
    #[serde(default)]
    pub config: serde_json::Map<String, serde_json::Value>,
    /// How many seconds before the world was made it was last heard of; missing when it never
    /// was.
    #[serde(default)]
    pub last_access_ago_secs: Option<u32>,
    /// Whether the sandbox answers calls to it, as its configuration says.
    #[serde(default)]
    pub live: bool,
    /// What it has said.
    #[serde(default)]
    pub logs: Vec<LogSpec>,
    /// What it has captured.
    #[serde(default)]
    pub captured: Vec<SeriesSpec>,
    /// Single files that it has sent.
    #[serde(default)]
    pub files: Vec<FileSpec>,
}

/// An entry of the logs of a part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSpec {
    /// `debug`, `info`, `warn`, `error`.
    pub level: String,
    /// Who says it, `rdk.resource_manager`.
    pub logger: String,
    /// What it says.
    pub message: String,
    /// How many seconds ago.
    #[serde(default)]
    pub ago_secs: u32,
    /// More of it, as machines send it: `{"Key": "speed", "Type": 11, "Integer": 3}`,
    /// `{"Key": "name", "Type": 15, "String": "arm"}`.
    #[serde(default)]
    pub fields: Vec<serde_json::Map<String, serde_json::Value>>,
}

impl LogSpec {
    /// An entry of this moment without fields.
    #[must_use]
    pub fn new(
        level: impl Into<String>,
        logger: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            level: level.into(),
            logger: logger.into(),
            message: message.into(),
            ..Self::default()
        }
    }

    /// The row of it.
    pub(crate) fn log(&self, now: i64) -> Log {
        Log {
            seq: 0,
            time: now - i64::from(self.ago_secs) * 1_000_000,
            level: self.level.clone(),
            logger: self.logger.clone(),
            message: self.message.clone(),
            fields: serde_json::to_string(&self.fields).unwrap_or_default(),
        }
    }
}

/// A key of a world.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySpec {
    /// Its id, a UUID; made from the names when it is missing.
    #[serde(default)]
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Its secret; random when it is missing.
    #[serde(default)]
    pub secret: Option<String>,
    /// `owner` (which it is when nothing is said) or `operator`.
    #[serde(default)]
    pub role: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_worlds() {
        let cwd = Path::new("/");
        assert_eq!(Seed::parse("fleet", cwd).expect("fleet"), Seed::Fleet);
        assert_eq!(Seed::parse("scale:2000", cwd).expect("scale"), Seed::Scale(2000));
        let amount = Amount { files: 5, bytes: 1000, rows: 0 };
        let seed = Seed::parse("data:5,1000,0", cwd).expect("data");
        assert_eq!((seed.label(), seed), ("data:5,1000,0".to_owned(), Seed::Data(amount)));
        for bad in [
            "data:",
            "data:1,2",
            "data:1,2,3,4",
            "data:x,1,1",
            "scale:0",
            "scale:",
            "scale:x",
            "scale:100001",
            "no/such/file",
        ] {
            assert_eq!(Seed::parse(bad, cwd).expect_err(bad).kind(), Kind::Usage);
        }
    }

    #[test]
    fn an_unknown_key_of_a_file_is_named() {
        let error = World::parse(r#"{"organizations": [{"name": "A", "machins": []}]}"#);
        let error = error.expect_err("unknown key").to_string();
        assert!(error.contains("machins") && error.contains("line 1"), "{error}");
    }

    #[test]
    fn a_file_is_found_from_the_working_directory() {
        let dir = tempfile::tempdir().expect("dir");
        std::fs::write(dir.path().join("w.json"), r#"{"organizations": [{"name": "A"}]}"#)
            .expect("write");
        let seed = Seed::parse("w.json", dir.path()).expect("world");
        assert_eq!((seed.label(), seed.world().organizations.len()), ("file".to_owned(), 1));
    }
}
