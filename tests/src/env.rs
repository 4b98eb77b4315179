//! The world of one test: folders of its own, nothing of the developer's.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::Viam;

/// The folder of the built binaries: what `cargo xtask test` says, or beside the test itself.
#[must_use]
pub fn bin_dir() -> PathBuf {
    match std::env::var_os("VIAM_TEST_BIN_DIR") {
        Some(dir) => dir.into(),
        None => {
            let test = std::env::current_exe().unwrap();
            test.parent().unwrap().parent().unwrap().to_path_buf()
        }
    }
}

/// A core that has no command group compiled in; `cargo xtask test` builds one.
#[must_use]
pub fn core_only() -> Option<PathBuf> {
    std::env::var_os("VIAM_TEST_CORE_ONLY").map(PathBuf::from)
}

/// Whether the large cases run whole (`cargo xtask test --full`).
#[must_use]
pub fn full() -> bool {
    std::env::var_os("VIAM_TEST_FULL").is_some()
}

/// An independent peer that `cargo xtask test` fetched; without it the test is skipped aloud,
/// or fails where peers are required.
#[must_use]
pub fn peer(variable: &str, what: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).map(PathBuf::from);
    if found.is_none() {
        missing(what);
    }
    found
}

/// Skips a test aloud for something that is not there; fails where peers are required.
pub fn missing(what: &str) {
    assert!(std::env::var_os("VIAM_REQUIRE_PEERS").is_none(), "{what} is required and not there");
    skip(&format!("{what} is not there"));
}

/// Says why a test is skipped; it is counted by that.
pub fn skip(why: &str) {
    println!("SKIPPED 1: {why}");
}

/// Says what whoever looks into a failure of this test needs to know.
pub fn tell(words: &str) {
    println!("{words}");
}

/// Folders, variables and the binary under test.
pub struct TestEnv {
    root: tempfile::TempDir,
    /// The program under test.
    pub viam: PathBuf,
    /// Variables on top of the fixed ones; `None` removes one.
    pub vars: Vec<(String, Option<OsString>)>,
}

impl Default for TestEnv {
    fn default() -> Self {
        Self::new()
    }
}

impl TestEnv {
    /// A world with an empty home and an empty folder for plugins, first on PATH.
    #[must_use]
    pub fn new() -> Self {
        let root = tempfile::Builder::new().prefix("viam-test-").tempdir().unwrap();
        for dir in ["home", "bin", "work"] {
            fs::create_dir(root.path().join(dir)).unwrap();
            fs::set_permissions(root.path().join(dir), fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self { root, viam: bin_dir().join("viam"), vars: Vec::new() }
    }

    /// The folder of this test.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// `HOME`.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// The folder of plugins, first on PATH.
    #[must_use]
    pub fn bin(&self) -> PathBuf {
        self.root().join("bin")
    }

    /// The folder of the login files.
    #[must_use]
    pub fn login_dir(&self) -> PathBuf {
        self.home().join(".viam")
    }

    /// The session file.
    #[must_use]
    pub fn session_file(&self) -> PathBuf {
        self.login_dir().join("cached_cli_config.json")
    }

    /// `PATH` of the commands.
    #[must_use]
    pub fn path(&self) -> OsString {
        let mut path = self.bin().into_os_string();
        path.push(":/usr/local/bin:/usr/bin:/bin");
        path
    }

    /// Sets a variable for every command of this test.
    pub fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.vars.push((name.to_owned(), Some(value.into())));
    }

    /// A command of the program under test.
    #[must_use]
    pub fn viam(&self, args: &[&str]) -> Viam<'_> {
        Viam::new(self, &self.viam).args(args)
    }

    /// Another program in the same world.
    #[must_use]
    pub fn program(&self, program: impl AsRef<Path>) -> Viam<'_> {
        Viam::new(self, program.as_ref())
    }

    /// A shell command line in the same world, `viam` on its PATH.
    #[must_use]
    pub fn sh(&self, script: &str) -> Viam<'_> {
        let link = self.bin().join("viam");
        if !link.exists() {
            std::os::unix::fs::symlink(&self.viam, link).unwrap();
        }
        Viam::new(self, Path::new("/bin/bash")).args(&["-c", script])
    }

    /// Puts a script on PATH as the plugin `viam-NAME`, and returns its path.
    pub fn plugin(&self, name: &str, script: &str) -> PathBuf {
        self.file(&self.bin().join(format!("viam-{name}")), script, 0o755)
    }

    /// Writes a file with a mode.
    pub fn file(&self, path: &Path, content: &str, mode: u32) -> PathBuf {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // Another thread of this test binary may be between fork and exec with this very file
        // open for writing, and then the kernel refuses to run it; a rename avoids that.
        let temporary = path.with_extension("being-written");
        fs::write(&temporary, content).unwrap();
        fs::set_permissions(&temporary, fs::Permissions::from_mode(mode)).unwrap();
        fs::rename(&temporary, path).unwrap();
        path.to_path_buf()
    }

    /// Stores a user's login that is good for years, without any server.
    pub fn store_login(&self, base_url: &str, token: &str) {
        self.store_session(&json!({
            "base_url": base_url,
            "auth": {
                "access_token": token,
                "refresh_token": "the-refresh-token",
                "id_token": "the-id-token",
                "expires_at": "2099-01-01T00:00:00Z",
                "token_type": "user-oauth-token",
                "token_url": format!("{base_url}/oauth2/token"),
                "client_id": "viam-cli",
                "user_data": { "Claims": null, "email": "me@example.com", "sub": "s" },
            },
            "last_update_check": "", "latest_version": "", "default_org": "", "default_location": "",
        }));
    }

    /// Stores a session file.
    pub fn store_session(&self, session: &Value) {
        let text = serde_json::to_string_pretty(session).unwrap();
        self.file(&self.session_file(), &text, 0o600);
        fs::set_permissions(self.login_dir(), fs::Permissions::from_mode(0o700)).unwrap();
    }

    /// The session file as JSON.
    #[must_use]
    pub fn session(&self) -> Value {
        serde_json::from_slice(&fs::read(self.session_file()).unwrap()).unwrap()
    }
}
