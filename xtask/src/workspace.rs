//! What cargo and git know of the workspace.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{Failure, shell};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    // Cargo says where the manifest is now; a moved folder keeps the binary that was built before.
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent().map_or_else(|| here.clone(), Path::to_path_buf)
}

/// What `cargo metadata` says.
pub(crate) struct Workspace(Value);

/// A crate of the workspace.
pub(crate) struct Member<'a>(&'a Value);

/// A dependency of a crate.
pub(crate) struct Dependency<'a> {
    /// The package's name, whatever the crate calls it.
    pub(crate) name: &'a str,
    /// Whether only its tests and examples need it.
    pub(crate) dev: bool,
}

impl Workspace {
    /// Reads the manifests of all members, without resolving anything.
    pub(crate) fn load() -> Result<Self, Failure> {
        let text =
            shell::output(&mut shell::cargo(["metadata", "--format-version=1", "--no-deps"]))?;
        Self::parse(&text)
    }

    /// Reads the answer of `cargo metadata`.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Failure> {
        serde_json::from_slice(text)
            .map(Self)
            .map_err(|error| format!("cannot read what `cargo metadata` says: {error}"))
    }

    /// Where cargo builds.
    pub(crate) fn target(&self) -> PathBuf {
        self.0["target_directory"].as_str().map_or_else(|| root().join("target"), PathBuf::from)
    }

    /// Its crates.
    pub(crate) fn members(&self) -> impl Iterator<Item = Member<'_>> {
        self.0["packages"].as_array().into_iter().flatten().map(Member)
    }

    /// What the test targets need beyond the default features, as `package/feature`.
    pub(crate) fn test_features(&self) -> Vec<String> {
        let mut features: Vec<String> = Vec::new();
        for member in self.members() {
            for target in array(&member.0["targets"]) {
                if !array(&target["kind"]).any(|kind| kind == "test") {
                    continue;
                }
                let needed = array(&target["required-features"]).filter_map(Value::as_str);
                features.extend(needed.map(|feature| format!("{}/{feature}", member.name())));
            }
        }
        features.sort();
        features.dedup();
        features
    }
}

impl<'a> Member<'a> {
    /// The package's name.
    pub(crate) fn name(&self) -> &'a str {
        self.0["name"].as_str().unwrap_or_default()
    }

    /// Its manifest, from the root of the repository.
    pub(crate) fn manifest(&self, root: &Path) -> String {
        let path = Path::new(self.0["manifest_path"].as_str().unwrap_or_default());
        path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
    }

    /// What it depends on, for whatever purpose.
    pub(crate) fn dependencies(&self) -> impl Iterator<Item = Dependency<'a>> {
        array(&self.0["dependencies"]).map(|it| Dependency {
            name: it["name"].as_str().unwrap_or_default(),
            dev: it["kind"] == "dev",
        })
    }
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The files that git has or would take, from the root of the repository, sorted.
pub(crate) fn files() -> Result<Vec<String>, Failure> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = shell::output(shell::command("git").args(list))?;
    let root = root();
    let mut paths: Vec<String> = output
        .split(|byte| *byte == 0)
        .filter(|path| !path.is_empty())
        .map(|path| String::from_utf8_lossy(path).into_owned())
        .filter(|path| root.join(path).is_file())
        .collect();
    paths.sort();
    paths.dedup();
    Ok(paths)
}
