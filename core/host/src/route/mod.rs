//! Which program a command word means (plugin-protocol §2). One function serves run, list,
//! which, help and completion, so that they cannot disagree.

mod name;
mod safety;
mod search;

use std::path::PathBuf;

use viam_contract::{Env, Error, Kind, Plugin, Result, text};

pub use name::{is_command_name, is_own_program};
pub use safety::unsafe_reason;
pub use search::{cleaned_path, on_path, scan, system_dir, without_execute_bit};

use crate::launch::manifest;
use crate::settings::Allow;

/// Words that are the core's own and never a plugin's.
pub const RESERVED: &[&str] = &[
    "help",
    "version",
    "plugin",
    "login",
    "auth",
    "logout",
    "whoami",
    "completion",
    "profiles",
    "defaults",
];

/// A command group of this project, which may be built in or shipped apart.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// Its word, also the end of its executable's name.
    pub name: &'static str,
    /// Other words for it.
    pub aliases: &'static [&'static str],
    /// One line for help.
    pub summary: &'static str,
}

/// What the core has compiled in and what it knows of.
#[derive(Clone, Copy)]
pub struct Table {
    /// The groups compiled in, in the order of help.
    pub built_in: &'static [&'static dyn Plugin],
    /// Every group of this release: their aliases work when they are shipped apart.
    pub groups: &'static [Group],
}

/// Where a candidate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A word of the core.
    Core,
    /// Compiled in.
    BuiltIn,
    /// `<prefix>/libexec/viam`.
    System,
    /// A folder of PATH.
    Path,
}

impl Origin {
    /// The word in listings and in the session document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::BuiltIn => "built-in",
            Self::System => "system",
            Self::Path => "path",
        }
    }
}

/// One program that a word could mean.
#[derive(Clone)]
pub struct Candidate {
    /// The canonical word.
    pub name: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Its file; none for what is compiled in.
    pub path: Option<PathBuf>,
    /// The group, where it is compiled in.
    pub plugin: Option<&'static dyn Plugin>,
}

impl std::fmt::Debug for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Candidate")
            .field("name", &self.name)
            .field("origin", &self.origin)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// All that a word could mean, best first: the first one runs, the others are shadowed.
#[must_use]
pub fn resolve(word: &str, table: Table, env: &Env, core_exe: &std::path::Path) -> Vec<Candidate> {
    let mut found = Vec::new();
    if RESERVED.contains(&word) {
        found.push(Candidate {
            name: word.to_owned(),
            origin: Origin::Core,
            path: None,
            plugin: None,
        });
    }
    if !is_command_name(word) {
        return found;
    }
    if let Some(plugin) = table.built_in.iter().find(|plugin| plugin.about().answers_to(word)) {
        found.push(Candidate {
            name: plugin.about().name.to_owned(),
            origin: Origin::BuiltIn,
            path: None,
            plugin: Some(*plugin),
        });
    }
    for external in external(word, table, env, core_exe) {
        if !found
            .iter()
            .any(|known: &Candidate| known.path == external.path && known.path.is_some())
        {
            found.push(external);
        }
    }
    found
}

/// The executables that a word could mean, lazily: a dispatch takes the first.
pub fn external<'a>(
    word: &'a str,
    table: Table,
    env: &'a Env,
    core_exe: &'a std::path::Path,
) -> impl Iterator<Item = Candidate> + 'a {
    let names = [Some(word), group_of(word, table)];
    let usable = is_command_name(word) && !is_own_program(word);
    names.into_iter().flatten().filter(move |_| usable).flat_map(move |name| {
        let candidate = move |origin| {
            move |path: PathBuf| Candidate {
                name: name.to_owned(),
                origin,
                path: Some(path),
                plugin: None,
            }
        };
        search::in_system_dir(name, core_exe)
            .into_iter()
            .map(candidate(Origin::System))
            .chain(on_path(name, env, core_exe).map(candidate(Origin::Path)))
    })
}

/// The group that an alias stands for, where it is another word.
fn group_of(word: &str, table: Table) -> Option<&'static str> {
    table.groups.iter().find(|group| group.aliases.contains(&word)).map(|group| group.name)
}

/// Whether a candidate may be started.
///
/// # Errors
/// `NotStarted` with the reason: unsafe, or refused by `plugins.allow`.
pub fn check(candidate: &Candidate, allow: Allow) -> Result<()> {
    let Some(path) = &candidate.path else { return Ok(()) };
    if allow == Allow::Installed && candidate.origin == Origin::Path {
        return Err(Error::new(
            Kind::NotStarted,
            format!("the plugin {} is not allowed", path.display()),
        )
        .because("plugins.allow in the settings is `installed`, and this one lies on PATH"));
    }
    if let Some(reason) = unsafe_reason(path) {
        return Err(Error::new(
            Kind::NotStarted,
            format!("the plugin {} is not safe to run", path.display()),
        )
        .because(reason));
    }
    Ok(())
}

/// The error for a word that nothing answers to: nearest names and what was searched.
#[must_use]
pub fn not_found(
    word: &std::ffi::OsStr,
    table: Table,
    env: &Env,
    core_exe: &std::path::Path,
) -> Error {
    let Some(name) = word.to_str().filter(|word| is_command_name(word)) else {
        return Error::new(
            Kind::NotFound,
            format!("{} is not a command", text::quoted(&word.to_string_lossy())),
        )
        .hint_run("viam help");
    };
    let mut fault = Error::new(Kind::NotFound, format!("unknown command {}", text::quoted(name)));
    let others = scan(env, core_exe);
    let names = RESERVED
        .iter()
        .copied()
        .chain(table.built_in.iter().flat_map(|plugin| {
            let about = plugin.about();
            [about.name].into_iter().chain(about.aliases.iter().copied())
        }))
        .chain(others.iter().map(|other| other.name.as_str()));
    let near = text::nearest(name, names);
    if !near.is_empty() {
        let near: Vec<String> = near.iter().map(|near| format!("`viam {near}`")).collect();
        fault = fault.hint_text(format!("did you mean {}?", near.join(" or ")));
    }
    if let Some(group) =
        table.groups.iter().find(|group| group.name == name || group.aliases.contains(&name))
    {
        fault = fault.hint_text(format!(
            "this viam was built without `{}`; its package or a viam with all groups has it",
            group.name
        ));
    }
    if is_own_program(name) {
        return fault.hint_text(format!(
            "a program viam-{name} on PATH is one of Viam's own programs, not a plugin"
        ));
    }
    fault
        .hint_text(format!(
            "searched for viam-{name} in {} and on PATH ({} folders)",
            system_dir(core_exe)
                .map_or_else(|| "no system folder".to_owned(), |dir| dir.display().to_string()),
            cleaned_path(env).len()
        ))
        .hint_run("viam plugin list")
}

/// The manifest beside an executable, if it has one that can be read.
///
/// # Errors
/// As [`manifest::beside`].
pub fn manifest_of(candidate: &Candidate) -> Result<Option<viam_contract::Manifest>> {
    match &candidate.path {
        Some(path) => manifest::beside(path),
        None => Ok(None),
    }
}
