//! The session document that a plugin reads (plugin-protocol §5).

use serde::{Deserialize, Serialize};

/// The `schema` of the document.
pub const SESSION_SCHEMA: &str = "viam.session/1";

/// The document is at most this many bytes, so that it fits into a pipe.
pub const SESSION_LIMIT: usize = 60 * 1024;

/// What a plugin is told. Readers ignore unknown fields; a field's meaning never changes within
/// schema 1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionDocument {
    /// [`SESSION_SCHEMA`].
    pub schema: String,
    /// The core that started the plugin.
    pub core: CoreInfo,
    /// The plugin itself.
    pub plugin: PluginInfo,
    /// How it was started.
    pub invocation: Invocation,
    /// Where calls go.
    pub endpoint: Endpoint,
    /// The credential of this session.
    pub auth: Auth,
    /// Default organization and location.
    pub defaults: DocumentDefaults,
    /// What the three streams are.
    pub io: Io,
    /// How much to say.
    pub log: Log,
    /// The plugin's own section of the settings file.
    #[serde(default)]
    pub config: serde_json::Value,
    /// What the core can do beyond schema 1.
    #[serde(default)]
    pub features: Vec<String>,
}

/// The core that started the plugin.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CoreInfo {
    /// Its version.
    pub version: String,
    /// Its absolute path.
    pub path: String,
}

/// The plugin itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PluginInfo {
    /// The word it was called by.
    pub name: String,
    /// `system`, `managed`, `linked`, `path` or `library`.
    pub kind: String,
    /// Its file.
    pub path: String,
}

/// How the plugin was started.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Invocation {
    /// The working directory.
    pub cwd: String,
    /// How deep plugins are nested; 1 = started by a user.
    pub depth: u32,
    /// The profile in use.
    pub profile: Option<String>,
}

/// Where calls go.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Endpoint {
    /// `scheme://host:port`.
    pub base_url: String,
    /// Whether it is cleartext HTTP/2.
    pub plaintext: bool,
}

/// The credential of the session. Never a refresh token, an id token or a key's secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Auth {
    /// `bearer`, `none`, `withheld` or `expired`.
    pub kind: String,
    /// The token of `bearer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// When the token ends (RFC 3339), where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The e-mail, or `key-<key id>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Why it is `withheld` or `expired`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Default organization and location.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DocumentDefaults {
    /// Organization id.
    pub org_id: Option<String>,
    /// Location id.
    pub location_id: Option<String>,
}

/// What the three streams are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Io {
    /// Where the user's stdin is: `inherit`, `fd:N` or `none`.
    pub stdin: String,
    /// Whether that is a terminal.
    pub stdin_tty: bool,
    /// Whether stdout is a terminal.
    pub stdout_tty: bool,
    /// Whether stderr is a terminal.
    pub stderr_tty: bool,
    /// `auto`, `always` or `never`.
    pub color: String,
    /// `text` or `json`.
    pub format: String,
    /// Whether the user may be asked.
    pub interactive: bool,
}

/// How much to say.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Log {
    /// `--debug`.
    pub debug: bool,
    /// `--quiet`.
    pub quiet: bool,
}
