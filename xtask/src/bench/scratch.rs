//! The folder of a bench: a home that is logged in, programs to compare with, nothing of the user's.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Failure, shell};

/// A login that holds for years, at a server that nobody asks.
const LOGIN: &str = r#"{
  "base_url": "https://app.viam.com:443",
  "auth": {
    "access_token": "bench-access-token",
    "refresh_token": "bench-refresh-token",
    "id_token": "",
    "expires_at": "2099-01-01T00:00:00Z",
    "token_type": "user-oauth-token",
    "token_url": "",
    "client_id": "",
    "user_data": { "Claims": null, "email": "bench@example.com", "sub": "bench" }
  },
  "last_update_check": "2099-01-01T00:00:00Z",
  "latest_version": "",
  "default_org": "",
  "default_location": ""
}"#;

/// `target/bench`.
pub(crate) struct Scratch {
    folder: PathBuf,
    /// The build that is measured.
    pub(crate) viam: PathBuf,
}

impl Scratch {
    /// An empty one with the login.
    pub(crate) fn new(target: &Path, profile: &str) -> Result<Self, Failure> {
        let folder = target.join("bench");
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .map_err(|error| format!("cannot remove {}: {error}", folder.display()))?;
        }
        let scratch = Self { viam: target.join(profile).join("viam"), folder };
        let login = scratch.path("home/cached_cli_config.json");
        shell::write(&login, LOGIN)?;
        set_mode(&login, 0o600)?;
        Ok(scratch)
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A command that sees this folder and the system's programs only.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut path = self.path("bin").into_os_string();
        path.push(":/usr/local/bin:/usr/bin:/bin");
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.path("home"))
            .env("VIAM_HOME", self.path("home"))
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// An executable script on the PATH of the commands.
    pub(crate) fn script(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let path = self.path("bin").join(name);
        shell::write(&path, text)?;
        set_mode(&path, 0o755)?;
        Ok(path)
    }

    /// What a compiler makes of a source text.
    pub(crate) fn compiled(
        &self,
        name: &str,
        source: (&str, &str),
        compiler: &[&str],
    ) -> Result<PathBuf, Failure> {
        let (file, text) = source;
        let file = self.path(file);
        shell::write(&file, text)?;
        let path = self.path("bin").join(name);
        fs::create_dir_all(self.path("bin")).map_err(|error| error.to_string())?;
        let (program, flags) = compiler.split_first().ok_or("no compiler")?;
        shell::output(shell::command(program).args(flags).arg("-o").arg(&path).arg(&file))?;
        Ok(path)
    }
}

fn set_mode(path: &Path, mode: u32) -> Result<(), Failure> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(|error| format!("cannot set the mode of {}: {error}", path.display()))
}
