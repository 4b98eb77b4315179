//! Makes the words of a command line what clap expects, along the path of the chosen command.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command};

use super::global;
use crate::text::quoted;

/// The words for clap, and what was dropped on the way.
#[derive(Default)]
pub(super) struct Normalised {
    pub(super) args: Vec<OsString>,
    pub(super) warnings: Vec<String>,
}

/// Walks the words with the tree: adds the global flags at each level that is entered and
/// rewrites the flags of that level.
pub(super) fn walk(command: Command, args: &[OsString], out: &mut Normalised) -> Command {
    let command = global::add_to(command);
    let positionals = command.get_positionals().next().is_some();
    // A command line of another program: from its first word on nothing is ours.
    let foreign = command.get_positionals().any(Arg::is_trailing_var_arg_set);
    let mut words = args.iter();
    while let Some(arg) = words.next() {
        let Some(text) = arg.to_str() else {
            out.args.push(arg.clone());
            continue;
        };
        if text == "--" {
            out.args.push(arg.clone());
            out.args.extend(words.cloned());
            break;
        }
        if text.len() > 1 && text.starts_with('-') {
            flag(&command, text, &mut words, positionals, out);
            continue;
        }
        if let Some(name) = subcommand(&command, text) {
            out.args.push(arg.clone());
            let rest = words.as_slice();
            return command.mut_subcommand(name, |sub| walk(sub, rest, out));
        }
        // The existing program ignores surplus words; so do we, but we say so.
        if !positionals && !command.has_subcommands() {
            out.warnings.push(format!("ignoring the surplus argument {}", quoted(text)));
            continue;
        }
        out.args.push(arg.clone());
        if foreign {
            out.args.push("--".into());
            out.args.extend(words.cloned());
            break;
        }
    }
    command
}

fn subcommand(command: &Command, word: &str) -> Option<String> {
    command
        .get_subcommands()
        .find(|sub| sub.get_name() == word || sub.get_all_aliases().any(|alias| alias == word))
        .map(|sub| sub.get_name().to_owned())
}

/// One word that begins with a dash.
fn flag(
    command: &Command,
    text: &str,
    words: &mut std::slice::Iter<'_, OsString>,
    positionals: bool,
    out: &mut Normalised,
) {
    let double = text.starts_with("--");
    let body = text.trim_start_matches('-');
    let (name, value) = match body.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (body, None),
    };
    let dashed = name.replace('_', "-");
    let found = if double || name.chars().count() > 1 {
        long(command, name)
            .or_else(|| long(command, &dashed))
            .filter(|_| double || !is_cluster(command, name))
    } else {
        name.chars().next().and_then(|short| by_short(command, short))
    };
    let Some(arg) = found else {
        out.args.push(text.into());
        return;
    };
    let Some(long) = arg.get_long() else {
        out.args.push(text.into());
        return;
    };
    if matches!(arg.get_action(), ArgAction::SetTrue) {
        let said = value.or_else(|| {
            let next = words.as_slice().first()?.to_str()?;
            (!positionals && matches!(next, "true" | "false")).then(|| {
                words.next();
                next
            })
        });
        match said {
            None | Some("true" | "1" | "t") => out.args.push(format!("--{long}").into()),
            Some("false" | "0" | "f") => {}
            Some(other) => out.args.push(format!("--{long}={other}").into()),
        }
        return;
    }
    if !arg.get_action().takes_values() {
        out.args.push(text.into());
        return;
    }
    // Joined with `=`, a value may begin with a dash, as it may in the existing program.
    let mut joined = OsString::from(format!("--{long}"));
    match value {
        Some(value) => {
            joined.push("=");
            joined.push(value);
        }
        None => {
            if let Some(value) = words.next() {
                joined.push("=");
                joined.push(value);
            }
        }
    }
    out.args.push(joined);
}

fn long<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|arg| {
        arg.get_long() == Some(name) || arg.get_all_aliases().is_some_and(|all| all.contains(&name))
    })
}

fn by_short(command: &Command, short: char) -> Option<&Arg> {
    command.get_arguments().find(|arg| {
        arg.get_short() == Some(short)
            || arg.get_all_short_aliases().is_some_and(|all| all.contains(&short))
    })
}

/// Whether `-name` could as well be several switches of one letter.
fn is_cluster(command: &Command, name: &str) -> bool {
    name.chars().all(|c| {
        by_short(command, c).is_some_and(|arg| matches!(arg.get_action(), ArgAction::SetTrue))
    })
}
