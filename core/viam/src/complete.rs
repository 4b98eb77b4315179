//! `viam __complete -- WORD…`: what can stand in the place of the last word. Nothing is executed,
//! but for a plugin whose manifest asks for it, within half a second.

use std::ffi::OsString;
use std::time::Duration;

use clap::Command;
use viam_contract::cli::GlobalFlag;
use viam_contract::{Job, Manifest, Output, Result, Spawner as _, text};
use viam_host::doors::Processes;
use viam_host::login::Profiles;
use viam_host::world::Ambient;
use viam_host::{paths, route};

use crate::built_in::TABLE;
use crate::commands::{self, COMMANDS};

/// How long a plugin may think.
const LIMIT: Duration = Duration::from_millis(500);

/// Prints the candidates, one a line: value, tab, description.
pub(crate) fn run(ambient: &Ambient, output: &Output, words: &[OsString]) -> Result<()> {
    let words: Vec<String> = words
        .iter()
        .skip_while(|word| *word == "--")
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let (current, before) = words.split_last().map_or(("", &[][..]), |(last, all)| (last, all));
    let mut found = candidates(ambient, before, current);
    found.retain(|(value, _)| value.starts_with(current));
    found.sort();
    found.dedup_by(|a, b| a.0 == b.0);
    for (value, help) in found {
        let value = text::one_line(&value).into_owned();
        if help.is_empty() {
            output.line(value)?;
        } else {
            output.line(format!("{value}\t{}", text::one_line(&help)))?;
        }
    }
    output.flush()
}

type Candidates = Vec<(String, String)>;

fn candidates(ambient: &Ambient, before: &[String], current: &str) -> Candidates {
    let mut rest = before.iter();
    let word = loop {
        let Some(word) = rest.next() else { return at_the_start(ambient, before, current) };
        if !word.starts_with('-') {
            break word;
        }
        let takes = GlobalFlag::by_name(word.trim_start_matches('-'))
            .is_some_and(|flag| flag.value.is_some() && !word.contains('='));
        if takes && rest.next().is_none() {
            return at_the_start(ambient, before, current);
        }
    };
    let rest: Vec<String> = rest.cloned().collect();
    if let Some(command) = commands::find(word) {
        return in_tree(ambient, (command.tree)(), &rest, current);
    }
    if word == "help" {
        return words(ambient);
    }
    if let Some(plugin) = TABLE.built_in.iter().find(|plugin| plugin.about().answers_to(word)) {
        return in_tree(ambient, plugin.command(), &rest, current);
    }
    let Some(external) = route::external(word, TABLE, &ambient.env, &ambient.core_exe).next()
    else {
        return Vec::new();
    };
    match route::manifest_of(&external) {
        Ok(Some(manifest)) => in_manifest(&external, &manifest, &rest, current),
        _ => Vec::new(),
    }
}

/// Command words, or global flags.
fn at_the_start(ambient: &Ambient, before: &[String], current: &str) -> Candidates {
    if before.last().is_some_and(|last| last == "--profile") {
        return profiles(ambient);
    }
    if let Some(flag) =
        before.last().and_then(|last| GlobalFlag::by_name(last.trim_start_matches('-')))
        && let Some(value) = flag.value.filter(|value| value.contains('|'))
    {
        return value.split('|').map(|word| (word.to_owned(), String::new())).collect();
    }
    if current.starts_with('-') {
        return global_flags();
    }
    words(ambient)
}

fn words(ambient: &Ambient) -> Candidates {
    let mut all: Candidates = TABLE
        .built_in
        .iter()
        .map(|plugin| (plugin.about().name.to_owned(), plugin.about().summary.to_owned()))
        .chain(COMMANDS.iter().map(|c| (c.name.to_owned(), c.summary.to_owned())))
        .collect();
    all.push(("help".to_owned(), "print the help of a command".to_owned()));
    for other in route::scan(&ambient.env, &ambient.core_exe) {
        let summary = crate::help::summary_of(&other);
        if !all.iter().any(|(name, _)| *name == other.name) {
            all.push((other.name, summary));
        }
    }
    all
}

fn global_flags() -> Candidates {
    viam_contract::cli::GLOBAL_FLAGS
        .iter()
        .map(|flag| (format!("--{}", flag.long), flag.help.to_owned()))
        .collect()
}

fn profiles(ambient: &Ambient) -> Candidates {
    let dirs = paths::dirs(&ambient.env, None);
    Profiles::load(&dirs).map_or_else(
        |_| Vec::new(),
        |profiles| profiles.names().map(|name| (name.to_owned(), String::new())).collect(),
    )
}

/// Subcommands, flags and fixed values of a clap tree.
fn in_tree(ambient: &Ambient, mut tree: Command, words: &[String], current: &str) -> Candidates {
    for word in words.iter().filter(|word| !word.starts_with('-')) {
        let next = tree
            .get_subcommands()
            .find(|sub| sub.get_name() == word || sub.get_all_aliases().any(|alias| alias == word))
            .cloned();
        if let Some(next) = next {
            tree = next;
        }
    }
    if let Some(last) = words.last().filter(|last| last.starts_with("--")) {
        let name = last.trim_start_matches('-');
        if name == "profile" || name == "profile-name" {
            return profiles(ambient);
        }
        let taking = tree
            .get_arguments()
            .find(|arg| arg.get_long() == Some(name) && arg.get_action().takes_values());
        if let Some(arg) = taking {
            return values(arg);
        }
    }
    if current.starts_with('-') {
        let mut flags: Candidates = tree
            .get_arguments()
            .filter(|arg| !arg.is_hide_set())
            .filter_map(|arg| {
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                Some((format!("--{}", arg.get_long()?), help))
            })
            .collect();
        flags.extend(global_flags());
        return flags;
    }
    let subcommands = tree.get_subcommands().filter(|sub| !sub.is_hide_set()).map(|sub| {
        (sub.get_name().to_owned(), sub.get_about().map(ToString::to_string).unwrap_or_default())
    });
    subcommands.chain(tree.get_positionals().flat_map(values)).collect()
}

fn values(arg: &clap::Arg) -> Candidates {
    arg.get_possible_values()
        .iter()
        .map(|value| {
            let help = value.get_help().map(ToString::to_string).unwrap_or_default();
            (value.get_name().to_owned(), help)
        })
        .collect()
}

/// What a plugin's manifest says, or the plugin itself if the manifest says that it answers.
fn in_manifest(
    external: &route::Candidate,
    manifest: &Manifest,
    words: &[String],
    current: &str,
) -> Candidates {
    if manifest.complete.dynamic
        && let Some(path) =
            external.path.as_ref().filter(|path| route::unsafe_reason(path).is_none())
    {
        let mut args: Vec<OsString> = vec!["--viam-complete".into(), "--".into()];
        args.extend(words.iter().map(OsString::from));
        args.push(current.into());
        let job = Job { program: path.clone(), args, ..Job::default() };
        return asked(job).unwrap_or_default();
    }
    let last = words.last().filter(|last| last.starts_with("--"));
    let words: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let mut found = Vec::new();
    if let Some(last) = last {
        let takes = manifest
            .commands
            .iter()
            .filter(|command| command.path.iter().eq(words.iter().copied()))
            .flat_map(|command| &command.flags)
            .find(|flag| flag.long == last.trim_start_matches('-'))
            .and_then(|flag| flag.takes.as_deref());
        if let Some(takes) = takes {
            let choices = takes.strip_prefix("enum:").unwrap_or_default().split(',');
            return choices
                .filter(|choice| !choice.is_empty())
                .map(|choice| (choice.to_owned(), String::new()))
                .collect();
        }
    }
    for command in &manifest.commands {
        let begun = command.path.len() >= words.len()
            && command.path.iter().zip(&words).all(|(a, b)| a == *b);
        if begun && command.path.len() > words.len() {
            let summary = command.summary.clone().filter(|_| command.path.len() == words.len() + 1);
            found.push((command.path[words.len()].clone(), summary.unwrap_or_default()));
        }
        if begun && command.path.len() == words.len() {
            let flags = command.flags.iter();
            found.extend(flags.map(|flag| (format!("--{}", flag.long), String::new())));
        }
    }
    found
}

/// Asks the plugin; what hangs or prints rubbish counts for nothing.
fn asked(job: Job) -> Option<Candidates> {
    let runtime = crate::dispatch::runtime().ok()?;
    let captured = runtime
        .block_on(async { tokio::time::timeout(LIMIT, Processes.capture(job)).await.ok()?.ok() })?;
    if captured.exit != viam_contract::Exit::OK {
        return None;
    }
    let text = String::from_utf8(captured.stdout).ok()?;
    Some(
        text.lines()
            .take(1000)
            .map(|line| match line.split_once('\t') {
                Some((value, help)) => (value.to_owned(), help.to_owned()),
                None => (line.to_owned(), String::new()),
            })
            .collect(),
    )
}
