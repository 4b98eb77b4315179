//! The global flags: one table, read by hand before the command word (no clap tree is built
//! for a dispatch) and added to the chosen command's tree for those after it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::parse_duration;
use crate::text::nearest;
use crate::{ColorChoice, Error, Format, Kind, Result};

/// One global flag.
#[derive(Debug)]
pub struct GlobalFlag {
    /// The name without dashes.
    pub long: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// The one-letter form.
    pub short: Option<char>,
    /// What its value is called; `None` for a switch.
    pub value: Option<&'static str>,
    /// What help says.
    pub help: &'static str,
}

/// Every global flag, in the order of help.
pub const GLOBAL_FLAGS: &[GlobalFlag] = &[
    GlobalFlag {
        long: "debug",
        aliases: &["vvv"],
        short: None,
        value: None,
        help: "trace each request to stderr (also -vvv)",
    },
    GlobalFlag {
        long: "quiet",
        aliases: &[],
        short: Some('q'),
        value: None,
        help: "print no notices",
    },
    GlobalFlag {
        long: "format",
        aliases: &[],
        short: None,
        value: Some("text|json"),
        help: "how results are printed",
    },
    GlobalFlag {
        long: "color",
        aliases: &[],
        short: None,
        value: Some("auto|always|never"),
        help: "when to colour",
    },
    GlobalFlag {
        long: "profile",
        aliases: &[],
        short: None,
        value: Some("NAME"),
        help: "use a stored profile instead of the login",
    },
    GlobalFlag {
        long: "disable-profiles",
        aliases: &["disable-profile"],
        short: None,
        value: None,
        help: "ignore VIAM_CLI_PROFILE_NAME",
    },
    GlobalFlag {
        long: "base-url",
        aliases: &[],
        short: None,
        value: Some("URL"),
        help: "the cloud app to talk to",
    },
    GlobalFlag {
        long: "config",
        aliases: &[],
        short: Some('c'),
        value: Some("FILE"),
        help: "the settings file",
    },
    GlobalFlag {
        long: "check-connection-interval",
        aliases: &[],
        short: None,
        value: Some("DURATION"),
        help: "how often to check a machine connection; 0 = never",
    },
    GlobalFlag {
        long: "allow-plaintext",
        aliases: &[],
        short: None,
        value: None,
        help: "allow http:// to hosts other than this machine",
    },
    GlobalFlag {
        long: "no-input",
        aliases: &[],
        short: None,
        value: None,
        help: "never ask a question",
    },
];

impl GlobalFlag {
    /// The flag of a name without dashes, `_` counted as `-`.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        let name = name.replace('_', "-");
        GLOBAL_FLAGS.iter().find(|flag| flag.long == name || flag.aliases.contains(&&*name))
    }

    /// The flag of a one-letter form.
    #[must_use]
    pub fn by_short(short: char) -> Option<&'static Self> {
        GLOBAL_FLAGS.iter().find(|flag| flag.short == Some(short))
    }

    fn id(&self) -> String {
        format!("global:{}", self.long)
    }
}

/// The global flags that were given; what was not stays `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// `--debug`.
    pub debug: bool,
    /// `--quiet`.
    pub quiet: bool,
    /// `--format`.
    pub format: Option<Format>,
    /// `--color`.
    pub color: Option<ColorChoice>,
    /// `--profile`.
    pub profile: Option<String>,
    /// `--disable-profiles`.
    pub disable_profiles: bool,
    /// `--base-url`.
    pub base_url: Option<String>,
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--check-connection-interval`.
    pub check_connection_interval: Option<Duration>,
    /// `--allow-plaintext`.
    pub allow_plaintext: bool,
    /// `--no-input`.
    pub no_input: bool,
}

impl Given {
    /// Joins flags that stood before and after the command word; the later ones win.
    #[must_use]
    pub fn and_then(self, later: Self) -> Self {
        Self {
            debug: self.debug || later.debug,
            quiet: self.quiet || later.quiet,
            format: later.format.or(self.format),
            color: later.color.or(self.color),
            profile: later.profile.or(self.profile),
            disable_profiles: self.disable_profiles || later.disable_profiles,
            base_url: later.base_url.or(self.base_url),
            config: later.config.or(self.config),
            check_connection_interval: later
                .check_connection_interval
                .or(self.check_connection_interval),
            allow_plaintext: self.allow_plaintext || later.allow_plaintext,
            no_input: self.no_input || later.no_input,
        }
    }

    fn set(&mut self, flag: &GlobalFlag, value: OsString) -> Result<()> {
        let text = || {
            value.to_str().map(str::to_owned).ok_or_else(|| {
                Error::new(Kind::Usage, format!("the value of --{} is not UTF-8", flag.long))
            })
        };
        let invalid = |reason: String| {
            Error::new(Kind::Usage, format!("invalid value for --{}: {reason}", flag.long))
                .hint_run("viam help")
        };
        let words = flag.value.unwrap_or_default();
        match flag.long {
            "format" => {
                let word = text()?;
                self.format = Some(
                    Format::parse(&word)
                        .ok_or_else(|| invalid(format!("{word:?} is not one of {words}")))?,
                );
            }
            "color" => {
                let word = text()?;
                self.color = Some(
                    ColorChoice::parse(&word)
                        .ok_or_else(|| invalid(format!("{word:?} is not one of {words}")))?,
                );
            }
            "profile" => self.profile = Some(text()?),
            "base-url" => self.base_url = Some(text()?),
            "config" => self.config = Some(value.into()),
            "check-connection-interval" => {
                self.check_connection_interval = Some(parse_duration(&text()?).map_err(invalid)?);
            }
            other => unreachable!("--{other} is a switch"),
        }
        Ok(())
    }

    fn switch(&mut self, flag: &GlobalFlag, on: bool) {
        match flag.long {
            "debug" => self.debug = on,
            "quiet" => self.quiet = on,
            "disable-profiles" => self.disable_profiles = on,
            "allow-plaintext" => self.allow_plaintext = on,
            "no-input" => self.no_input = on,
            other => unreachable!("--{other} takes a value"),
        }
    }
}

/// The command line, cut at its first word.
#[derive(Debug, Default)]
pub struct Leading {
    /// The global flags before the word.
    pub given: Given,
    /// `-h` or `--help` stood before the word.
    pub help: bool,
    /// `--version` stood before the word.
    pub version: bool,
    /// The command word.
    pub word: Option<OsString>,
    /// What follows it, byte for byte.
    pub rest: Vec<OsString>,
}

/// Reads the global flags before the command word, by hand: this runs on every start.
///
/// # Errors
/// `Usage` for an unknown flag, a missing or a wrong value.
pub fn split_leading(args: impl IntoIterator<Item = OsString>) -> Result<Leading> {
    let mut leading = Leading::default();
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        let Some(text) = arg.to_str() else {
            leading.word = Some(arg);
            break;
        };
        if text == "--" {
            leading.word = args.next();
            break;
        }
        if !text.starts_with('-') || text == "-" {
            leading.word = Some(arg);
            break;
        }
        let body = text.trim_start_matches('-');
        let (name, value) = match body.split_once('=') {
            Some((name, value)) => (name, Some(OsString::from(value))),
            None => (body, None),
        };
        match name {
            "h" | "help" => {
                leading.help = true;
                continue;
            }
            "version" | "V" => {
                leading.version = true;
                continue;
            }
            _ => {}
        }
        let mut letters = name.chars();
        let flag = match (letters.next(), letters.next()) {
            (Some(short), None) => GlobalFlag::by_short(short),
            _ => GlobalFlag::by_name(name),
        };
        let Some(flag) = flag else {
            return Err(unknown(text, name));
        };
        match (flag.value, value) {
            (Some(_), Some(value)) => leading.given.set(flag, value)?,
            (Some(_), None) => {
                let value = args.next().ok_or_else(|| {
                    Error::new(Kind::Usage, format!("flag needs an argument: --{}", flag.long))
                        .hint_run("viam help")
                })?;
                leading.given.set(flag, value)?;
            }
            (None, None) => leading.given.switch(flag, true),
            (None, Some(value)) => match value.to_str() {
                Some("true" | "1") => leading.given.switch(flag, true),
                Some("false" | "0") => leading.given.switch(flag, false),
                _ => {
                    return Err(Error::new(
                        Kind::Usage,
                        format!("invalid value for --{}: it is true or false", flag.long),
                    )
                    .hint_run("viam help"));
                }
            },
        }
    }
    leading.rest = args.collect();
    Ok(leading)
}

fn unknown(given: &str, name: &str) -> Error {
    let error = Error::new(Kind::Usage, format!("unknown flag {given} before the command"));
    let names = GLOBAL_FLAGS.iter().flat_map(|f| [f.long].into_iter().chain(f.aliases.to_vec()));
    match nearest(&name.replace('_', "-"), names).first() {
        Some(near) => error.hint_text(format!("did you mean --{near}?")),
        None => error.hint_run("viam help"),
    }
}

/// Adds the global flags to a command, hidden; what the command has itself stays its own.
pub(super) fn add_to(mut command: Command) -> Command {
    for flag in GLOBAL_FLAGS {
        let taken = |name: &str| {
            command.get_arguments().any(|arg| {
                arg.get_long() == Some(name)
                    || arg.get_all_aliases().is_some_and(|all| all.contains(&name))
            })
        };
        if taken(flag.long) {
            continue;
        }
        let short_taken = flag.short.is_some_and(|short| {
            command.get_arguments().any(|arg| {
                arg.get_short() == Some(short)
                    || arg.get_all_short_aliases().is_some_and(|all| all.contains(&short))
            })
        });
        let aliases: Vec<&'static str> =
            flag.aliases.iter().copied().filter(|alias| !taken(alias)).collect();
        let mut arg = Arg::new(flag.id()).long(flag.long).aliases(aliases).hide(true);
        if let Some(short) = flag.short.filter(|_| !short_taken) {
            arg = arg.short(short);
        }
        arg = match flag.value {
            Some(_) => arg
                .action(ArgAction::Set)
                .value_parser(clap::builder::OsStringValueParser::new())
                .allow_hyphen_values(true),
            None => arg.action(ArgAction::SetTrue),
        };
        command = command.arg(arg);
    }
    command
}

/// Collects the global flags at every level of what clap found.
pub(super) fn from_matches(matches: &ArgMatches) -> Result<Given> {
    let mut given = Given::default();
    let mut level = Some(matches);
    while let Some(matches) = level {
        for flag in GLOBAL_FLAGS {
            let id = flag.id();
            if flag.value.is_some() {
                if let Ok(Some(value)) = matches.try_get_one::<OsString>(&id) {
                    given.set(flag, value.clone())?;
                }
            } else if let Ok(Some(true)) = matches.try_get_one::<bool>(&id) {
                given.switch(flag, true);
            }
        }
        level = matches.subcommand().map(|(_, matches)| matches);
    }
    Ok(given)
}
