//! From words to a parsed command, the same way for a built-in group and for its executable.
//!
//! clap does the parsing; this module makes the habits of the existing program work with it:
//! global flags after the command word, `_` for `-` in a long flag, `-name` for `--name`,
//! `--switch true`, a value that begins with a dash, surplus words.

mod duration;
mod global;
mod normalise;
mod usage;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{ArgMatches, FromArgMatches};

pub use duration::parse_duration;
pub use global::{GLOBAL_FLAGS, Given, GlobalFlag, Leading, split_leading};
pub use usage::usage_error;

use crate::{Error, Kind, Plugin, Result};

/// What the words of a group came to.
pub enum Parsed {
    /// A command to run.
    Run {
        /// What clap found.
        matches: ArgMatches,
        /// Global flags that stood after the command word.
        given: Given,
        /// What was accepted but deserves a word, for stderr.
        warnings: Vec<String>,
    },
    /// A help text, for stdout; exit code 0.
    Help(String),
}

/// Parses the words after the group's name.
///
/// # Errors
/// `Usage`, with the nearest flag or command named.
pub fn parse(plugin: &dyn Plugin, args: &[OsString]) -> Result<Parsed> {
    let about = plugin.about();
    let command = plugin
        .command()
        .name(about.name)
        .bin_name(format!("viam {}", about.name))
        .after_help("Global flags work here too: run `viam help` to see them.");
    parse_command(command, args)
}

/// Parses words with a command of the core itself.
///
/// # Errors
/// `Usage`, with the nearest flag or command named.
pub fn parse_command(command: clap::Command, args: &[OsString]) -> Result<Parsed> {
    let mut plain = normalise::Normalised::default();
    plain.args.push(OsString::from(command.get_bin_name().unwrap_or("viam")));
    let mut command = normalise::walk(command, args, &mut plain);
    // Names of subcommands in usage lines are built from the bin name of the root.
    command.build();
    match command.try_get_matches_from_mut(&plain.args) {
        Ok(matches) => {
            let given = global::from_matches(&matches)?;
            Ok(Parsed::Run { matches, given, warnings: plain.warnings })
        }
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                Ok(Parsed::Help(error.render().to_string()))
            }
            ErrorKind::MissingSubcommand => Ok(Parsed::Help(usage::help_of(&command, &plain.args))),
            _ => Err(usage_error(&error, &command, &plain.args)),
        },
    }
}

/// Plain data from what clap found.
///
/// # Errors
/// `Usage` in clap's words; a tree that `T` itself made has no such case.
pub fn args<T: FromArgMatches>(matches: &ArgMatches) -> Result<T> {
    T::from_arg_matches(matches)
        .map_err(|error| Error::new(Kind::Usage, error.to_string().trim().to_owned()))
}

#[cfg(test)]
mod tests;
