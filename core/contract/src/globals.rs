//! The global settings of one invocation, as plain data.

use std::time::Duration;

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Lines for people, and for scripts made for the existing program.
    #[default]
    Text,
    /// The documented JSON of the command.
    Json,
}

impl Format {
    /// The word of `--format` and `VIAM_FORMAT`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` or `TERM=dumb` say no.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl ColorChoice {
    /// The word of `--color` and `VIAM_COLOR`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "auto" => Some(Self::Auto),
            "always" => Some(Self::Always),
            "never" => Some(Self::Never),
            _ => None,
        }
    }
}

/// The effective global settings of one invocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Globals {
    /// `--debug`, `--vvv`: trace to stderr.
    pub debug: bool,
    /// `--quiet`, `-q`: no notices.
    pub quiet: bool,
    /// `--format`.
    pub format: Format,
    /// `--color`.
    pub color: ColorChoice,
    /// `--base-url`, as given.
    pub base_url: Option<String>,
    /// `--profile`.
    pub profile: Option<String>,
    /// `--disable-profiles`.
    pub disable_profiles: bool,
    /// `--config FILE`: the settings file.
    pub config: Option<std::path::PathBuf>,
    /// `--check-connection-interval`: how often a machine connection is checked; 0 = never.
    pub check_connection_interval: Duration,
    /// `--allow-plaintext`: `http://` to hosts that are not this machine.
    pub allow_plaintext: bool,
    /// `--no-input`: never ask.
    pub no_input: bool,
}
