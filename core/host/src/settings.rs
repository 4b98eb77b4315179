//! The settings file `config.toml` (docs/settings.md). Only the user's own; a project's folder
//! can never set anything.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use viam_contract::{ColorChoice, Error, Format, Kind, Result};

use crate::files;

/// What the file says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The base URL where neither a flag, the environment nor a login names one.
    pub base_url: Option<String>,
    /// `text` or `json`.
    #[serde(default, deserialize_with = "format")]
    pub format: Option<Format>,
    /// `auto`, `always` or `never`.
    #[serde(default, deserialize_with = "color")]
    pub color: Option<ColorChoice>,
    /// No notices.
    #[serde(default)]
    pub quiet: bool,
    /// `http://` to hosts other than this machine.
    #[serde(default)]
    pub allow_plaintext: bool,
    /// Rules for plugins.
    #[serde(default)]
    pub plugins: Plugins,
    /// A section for each plugin: handed to it in the session document, not read here.
    #[serde(default)]
    pub plugin: BTreeMap<String, toml::Value>,
}

/// Rules for plugins.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plugins {
    /// Which kinds may run.
    #[serde(default)]
    pub allow: Allow,
}

/// Which kinds of plugin may run (plugin-protocol §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Allow {
    /// All kinds.
    #[default]
    Path,
    /// None from PATH.
    Installed,
    /// One from PATH after a yes on a terminal, once for each content.
    Ask,
}

fn format<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> std::result::Result<Option<Format>, D::Error> {
    let word = String::deserialize(from)?;
    let fault = || serde::de::Error::custom(format!("format is text or json, not {word:?}"));
    Format::parse(&word).ok_or_else(fault).map(Some)
}

fn color<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> std::result::Result<Option<ColorChoice>, D::Error> {
    let word = String::deserialize(from)?;
    let fault =
        || serde::de::Error::custom(format!("color is auto, always or never, not {word:?}"));
    ColorChoice::parse(&word).ok_or_else(fault).map(Some)
}

/// Reads the file; what does not exist says nothing, unless it was asked for by name.
///
/// # Errors
/// `Config` with the path, the line and the unknown key or wrong value.
pub fn load(path: &Path, asked_for: bool) -> Result<Settings> {
    let Some(bytes) = files::read(path)? else {
        if asked_for {
            return Err(Error::new(
                Kind::Config,
                format!("there is no settings file {}", path.display()),
            ));
        }
        return Ok(Settings::default());
    };
    let fault = |cause: String| {
        Error::new(Kind::Config, format!("cannot use the settings file {}", path.display()))
            .because(cause)
            .hint_text("docs/settings.md lists the keys")
    };
    let text = String::from_utf8(bytes).map_err(|_| fault("it is not UTF-8".to_owned()))?;
    toml::from_str(&text).map_err(|error| fault(error.to_string().trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_what_is_wrong_with_them() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("config.toml");
        let with = |text: &str| {
            std::fs::write(&path, text).expect("writes");
            load(&path, false)
        };
        let settings =
            with("format = 'json'\ncolor='never'\n[plugins]\nallow = 'ask'\n[plugin.hello]\nx = 1")
                .expect("loads");
        assert_eq!(settings.format, Some(Format::Json));
        assert_eq!(settings.plugins.allow, Allow::Ask);
        assert!(settings.plugin.contains_key("hello"));
        for bad in
            ["format = 'xml'", "frmat = 'json'", "[plugins]\nallow = 'all'", "x", "format = 1"]
        {
            let error = with(bad).expect_err(bad);
            assert_eq!(error.kind(), Kind::Config, "{bad}");
            assert!(error.message().contains("config.toml"));
        }
        assert!(load(&dir.path().join("no"), false).is_ok());
        assert!(load(&dir.path().join("no"), true).is_err());
    }
}
