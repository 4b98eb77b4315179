//! The side file `viam-NAME.plugin.toml` (plugin-protocol §6).

use std::path::{Path, PathBuf};

use viam_contract::{Error, Kind, MANIFEST_SCHEMA, Manifest, PLUGIN_PROTOCOL, Result, VERSION};

use crate::files;

/// Where the side file of an executable lies.
#[must_use]
pub fn path_beside(executable: &Path) -> PathBuf {
    let mut name = executable.file_name().unwrap_or_default().to_owned();
    name.push(".plugin.toml");
    executable.with_file_name(name)
}

/// Reads the side file of an executable.
///
/// # Errors
/// `NotStarted` when it is there and cannot be used: it may say that the plugin gets no token.
pub fn beside(executable: &Path) -> Result<Option<Manifest>> {
    let path = path_beside(executable);
    let Some(bytes) = files::read(&path)? else { return Ok(None) };
    let fault =
        || Error::new(Kind::NotStarted, format!("cannot use the manifest {}", path.display()));
    let text = String::from_utf8(bytes).map_err(|_| fault().because("it is not UTF-8"))?;
    let manifest: Manifest = toml::from_str(&text)
        .map_err(|error| fault().because(error.to_string().trim().to_owned()))?;
    if manifest.schema != MANIFEST_SCHEMA {
        return Err(fault()
            .because(format!("its schema is {:?}, not {MANIFEST_SCHEMA:?}", manifest.schema)));
    }
    Ok(Some(manifest))
}

/// Whether this core is what the plugin needs.
///
/// # Errors
/// `NotStarted` with what it needs and what to do.
pub fn check_requires(name: &str, manifest: &Manifest) -> Result<()> {
    let refuse = |why: String| {
        Err(Error::new(Kind::NotStarted, format!("the plugin {name} does not fit this viam"))
            .because(why)
            .hint_text("install a version of the plugin or of viam that fits"))
    };
    if let Some(protocol) = manifest.requires.protocol
        && protocol != PLUGIN_PROTOCOL
    {
        return refuse(format!(
            "it speaks plugin protocol {protocol}, this viam speaks {PLUGIN_PROTOCOL}"
        ));
    }
    let Some(range) = &manifest.requires.core else { return Ok(()) };
    let Ok(wanted) = semver::VersionReq::parse(range) else {
        return refuse(format!("its manifest wants the core {range:?}, which is no version range"));
    };
    match semver::Version::parse(VERSION) {
        Ok(version) if wanted.matches(&version) => Ok(()),
        _ => refuse(format!("it needs viam {range}, this is {VERSION}")),
    }
}
