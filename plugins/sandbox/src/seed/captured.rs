//! What the machines of a world have captured: series that are made by rule, so that a large one
//! takes a line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::json;
use viam_contract::{Error, Kind};

use crate::machine::picture;
use crate::server::secrets;
use crate::store::Failure;
use crate::store::data::{Capture, Content, File, Reading, capture, files, readings};

/// A series of one component of a part.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesSpec {
    /// The name of the component.
    pub component: String,
    /// Its API, `rdk:component:camera`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What was captured.
    pub what: What,
    /// How many.
    pub count: u32,
    /// How many seconds lie between two of them.
    #[serde(default = "minute")]
    pub every_secs: u32,
    /// How many seconds ago the newest one was captured.
    #[serde(default)]
    pub ago_secs: u32,
    /// Tags of every third one, the first among them.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The name or id of a dataset of the organization that files with tags are in; all of them
    /// where there are no tags.
    #[serde(default)]
    pub dataset: Option<String>,
}

/// What a series is made of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum What {
    /// Small pictures.
    #[default]
    Pictures,
    /// Files of so many bytes, which look like noise.
    Files(u64),
    /// Temperatures and how often the sensor was read.
    Readings,
}

fn minute() -> u32 {
    60
}

/// A single file of a part, with its bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSpec {
    /// Its name, as the machine gave it.
    pub name: String,
    /// Its extension, with the dot.
    #[serde(default)]
    pub ext: String,
    /// What it holds.
    #[serde(default)]
    pub text: String,
    /// What it holds, where that is no text.
    #[serde(default)]
    pub base64: Option<String>,
    /// How many seconds ago it was captured.
    #[serde(default)]
    pub ago_secs: u32,
}

impl FileSpec {
    /// Writes the file, which has a number within its part; says what is wrong with it.
    pub(super) fn load(
        &self,
        db: &Connection,
        part: &Capture,
        number: usize,
        now: i64,
    ) -> Result<(), Failure> {
        let bytes = match &self.base64 {
            Some(text) => STANDARD.decode(text).map_err(|error| {
                let words = format!("the file {:?} is no base64", self.name);
                Failure(Error::new(Kind::Usage, words).because(error))
            })?,
            None => self.text.clone().into_bytes(),
        };
        let source = Capture { params: "{}".to_owned(), ..part.clone() };
        let requested = now - i64::from(self.ago_secs) * 1_000_000;
        let file = File {
            id: secrets::id_of(&format!("given/{}/{number}", part.part)),
            requested,
            received: requested,
            name: self.name.clone(),
            ext: self.ext.clone(),
            size: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
            content: Content::Given(bytes),
            boxes: "[]".to_owned(),
            ..File::default()
        };
        Ok(files::insert(db, capture(db, &source)?, &file)?)
    }
}

impl SeriesSpec {
    /// Writes the series of a part. The dataset is given by its id.
    pub(super) fn load(
        &self,
        db: &Connection,
        part: &Capture,
        dataset: Option<&str>,
        now: i64,
    ) -> rusqlite::Result<()> {
        let (method, mime, ext) = match self.what {
            What::Pictures => ("GetImages", "image/png", ".png"),
            What::Files(_) => ("ReadImage", "application/octet-stream", ".bin"),
            What::Readings => ("Readings", "", ""),
        };
        let source = Capture {
            component_type: self.kind.clone(),
            component_name: self.component.clone(),
            method: method.to_owned(),
            params: "{}".to_owned(),
            mime: mime.to_owned(),
            ..part.clone()
        };
        let row = capture(db, &source)?;
        let size = match self.what {
            What::Pictures => i64::try_from(picture(0).len()).unwrap_or_default(),
            What::Files(bytes) => i64::try_from(bytes).unwrap_or(i64::MAX),
            What::Readings => 0,
        };
        for number in 0..self.count {
            let before = i64::from(self.count - 1 - number) * i64::from(self.every_secs);
            let requested = now - (before + i64::from(self.ago_secs)) * 1_000_000;
            let tags = if number % 3 == 0 { self.tags.clone() } else { Vec::new() };
            let member = self.tags.is_empty() || !tags.is_empty();
            if self.what == What::Readings {
                let reading = Reading {
                    requested,
                    received: requested + 20_000,
                    tags,
                    payload: reading(number),
                    ..Reading::default()
                };
                readings::insert(db, row, &reading)?;
                continue;
            }
            let id = secrets::id_of(&format!("file/{}/{}/{number}", part.part, self.component));
            let content = match self.what {
                What::Pictures => Content::Picture(number),
                _ => Content::Noise(u64::from(number)),
            };
            let file = File {
                id,
                requested,
                received: requested + 50_000,
                ext: ext.to_owned(),
                size,
                content,
                boxes: "[]".to_owned(),
                tags,
                datasets: dataset.filter(|_| member).map(str::to_owned).into_iter().collect(),
                ..File::default()
            };
            files::insert(db, row, &file)?;
        }
        Ok(())
    }
}

/// A day of a thermometer in an hour's steps, again and again.
fn reading(number: u32) -> String {
    let hour = f64::from(number % 24);
    let celsius = 14.0 - 6.0 * (hour * std::f64::consts::PI / 12.0).cos();
    let rounded = (celsius * 100.0).round() / 100.0;
    json!({ "readings": { "temperature": rounded, "count": number, "ok": true } }).to_string()
}
