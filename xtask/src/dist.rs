//! `cargo xtask dist`: what packagers ship, the whole program and the core alone.

use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace::Workspace;
use crate::{Failure, Outcome, no_arguments, shell};

/// A binary and its size.
pub(crate) struct Built {
    /// What it is.
    pub(crate) name: &'static str,
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Bytes.
    pub(crate) size: u64,
}

/// Builds both and says how large they are.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    no_arguments(arguments)?;
    for built in build(&Workspace::load()?.target())? {
        println!("{:<5} {:>6.2} MB  {}", built.name, megabytes(built.size), built.path.display());
    }
    Ok(true)
}

/// Builds both into `target/dist-out`.
pub(crate) fn build(target: &Path) -> Result<Vec<Built>, Failure> {
    let out = target.join("dist-out");
    let mut all = Vec::new();
    for (name, extra) in [("core", &["--no-default-features"][..]), ("full", &[])] {
        let build = ["build", "--profile", "dist", "--package", "viam"];
        shell::must(shell::cargo(build).args(extra))?;
        let path = out.join(name).join("viam");
        shell::copy(&target.join("dist/viam"), &path)?;
        all.push(Built { name, size: size(&path)?, path });
    }
    Ok(all)
}

/// The size of a file.
pub(crate) fn size(path: &Path) -> Result<u64, Failure> {
    fs::metadata(path)
        .map(|it| it.len())
        .map_err(|error| format!("cannot look at {}: {error}", path.display()))
}

/// Bytes as millions of them.
#[expect(clippy::cast_precision_loss, reason = "for people to read")]
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
