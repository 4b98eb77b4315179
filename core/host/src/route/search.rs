//! Looking for `viam-NAME`: one `access` per folder on a dispatch, a scan of names only for
//! help, lists and completion.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use viam_contract::Env;

use super::{Candidate, Origin, is_command_name, is_own_program};

/// The absolute folders of PATH, each once. Empty and relative entries do not count: the
/// working folder is never searched.
#[must_use]
pub fn cleaned_path(env: &Env) -> Vec<PathBuf> {
    let Some(path) = env.get("PATH") else { return Vec::new() };
    let mut seen = HashSet::new();
    std::env::split_paths(path)
        .filter(|dir| dir.is_absolute() && seen.insert(dir.clone()))
        .collect()
}

/// Where packages put command groups: `<prefix>/libexec/viam` beside `<prefix>/bin/viam`.
#[must_use]
pub fn system_dir(core_exe: &Path) -> Option<PathBuf> {
    Some(core_exe.parent()?.parent()?.join("libexec").join("viam"))
}

/// The executable of a name in the system folder.
pub(super) fn in_system_dir(name: &str, core_exe: &Path) -> Option<PathBuf> {
    let path = system_dir(core_exe)?.join(format!("viam-{name}"));
    path.is_file().then_some(path)
}

/// The executables of a name on PATH, in its order, without the running core itself and
/// without the same file twice.
pub fn on_path<'a>(
    name: &str,
    env: &Env,
    core_exe: &'a Path,
) -> impl Iterator<Item = PathBuf> + 'a {
    let file = format!("viam-{name}");
    let folders = std::env::join_paths(cleaned_path(env)).unwrap_or_else(|_| OsString::new());
    let mut seen = HashSet::new();
    let mut core = None;
    which::which_in_all(file, Some(folders), "/").into_iter().flatten().filter(move |path| {
        let Ok(meta) = fs::metadata(path) else { return false };
        let identity = (meta.dev(), meta.ino());
        let core = core.get_or_insert_with(|| {
            fs::metadata(core_exe).map(|meta| (meta.dev(), meta.ino())).ok()
        });
        *core != Some(identity) && seen.insert(identity)
    })
}

/// A file of the name that exists on PATH but has no execute bit, for the message.
#[must_use]
pub fn without_execute_bit(name: &str, env: &Env) -> Option<PathBuf> {
    cleaned_path(env).into_iter().map(|dir| dir.join(format!("viam-{name}"))).find(|p| p.is_file())
}

/// Every plugin executable of the system folder and of PATH, first hit of each name first, then
/// those that it shadows. Nothing is executed.
#[must_use]
pub fn scan(env: &Env, core_exe: &Path) -> Vec<Candidate> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let core = fs::metadata(core_exe).map(|meta| (meta.dev(), meta.ino())).ok();
    let folders = system_dir(core_exe)
        .map(|dir| (dir, Origin::System))
        .into_iter()
        .chain(cleaned_path(env).into_iter().map(|dir| (dir, Origin::Path)));
    for (dir, origin) in folders {
        // A folder that cannot be read hides its plugins and nothing else.
        let Ok(entries) = fs::read_dir(&dir) else { continue };
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|entry| {
                entry.file_name().to_str()?.strip_prefix("viam-").map(str::to_owned)
            })
            .filter(|name| is_command_name(name) && !is_own_program(name))
            .collect();
        names.sort_unstable();
        for name in names {
            let path = dir.join(format!("viam-{name}"));
            let Ok(meta) = fs::metadata(&path) else { continue };
            let identity = (meta.dev(), meta.ino());
            if meta.is_file() && core != Some(identity) && seen.insert(identity) {
                found.push(Candidate { name, origin, path: Some(path), plugin: None });
            }
        }
    }
    found
}
