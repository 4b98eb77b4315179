//! The manifest of a plugin (plugin-protocol §6): what help, completion and a dispatch know
//! of it without running it.

use serde::{Deserialize, Serialize};

/// The `schema` of a manifest.
pub const MANIFEST_SCHEMA: &str = "viam.plugin/1";

/// What a plugin says of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// [`MANIFEST_SCHEMA`].
    pub schema: String,
    /// The word it answers to.
    pub name: String,
    /// Its own version.
    #[serde(default)]
    pub version: Option<String>,
    /// One line for help.
    #[serde(default)]
    pub summary: Option<String>,
    /// Where it comes from.
    #[serde(default)]
    pub homepage: Option<String>,
    /// What it needs of the core.
    #[serde(default)]
    pub requires: Requires,
    /// How it is started.
    #[serde(default)]
    pub run: Run,
    /// How its arguments are completed.
    #[serde(default)]
    pub complete: Complete,
    /// Its command tree, for help and completion.
    #[serde(default, rename = "command")]
    pub commands: Vec<ManifestCommand>,
}

/// What a plugin needs of the core.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Requires {
    /// The major of the plugin protocol.
    #[serde(default)]
    pub protocol: Option<u32>,
    /// A semver range of the core.
    #[serde(default)]
    pub core: Option<String>,
}

/// How a plugin is started.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Run {
    /// Where it gets the session document.
    #[serde(default)]
    pub session: SessionMode,
    /// Whether it wants a login.
    #[serde(default)]
    pub auth: AuthNeed,
}

/// Where a plugin gets the session document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionMode {
    /// On its stdin; the user's stdin is moved to another descriptor.
    #[default]
    Stdin,
    /// On another descriptor; stdin stays the user's.
    Fd,
    /// Not at all.
    None,
}

/// Whether a plugin wants a login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthNeed {
    /// Gets the token where there is one.
    #[default]
    Optional,
    /// Is not started without a login.
    Required,
    /// Never gets a token.
    None,
    /// Also gets the headers of bulk downloads; system plugins only.
    Downloads,
}

/// How arguments are completed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Complete {
    /// Answers `viam-NAME --viam-complete -- words…`.
    #[serde(default)]
    pub dynamic: bool,
}

/// One command of the tree.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ManifestCommand {
    /// Its words after the plugin's name.
    pub path: Vec<String>,
    /// One line for help.
    #[serde(default)]
    pub summary: Option<String>,
    /// Its flags.
    #[serde(default, rename = "flag")]
    pub flags: Vec<ManifestFlag>,
}

/// One flag of a command.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ManifestFlag {
    /// The long name without dashes.
    pub long: String,
    /// What its value is: `org-id`, `location-id`, `machine-id`, `part-id`, `profile`, `file`,
    /// `dir`, `enum:a,b`; absent for a switch.
    #[serde(default)]
    pub takes: Option<String>,
}
