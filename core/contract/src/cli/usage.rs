//! Errors of the command line in this program's own words.

use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::text::{nearest, quoted};
use crate::{Error, Kind};

/// Turns clap's error into ours: what is wrong, what is near, which help says more.
#[must_use]
pub fn usage_error(error: &clap::Error, root: &Command, args: &[OsString]) -> Error {
    let (path, command) = entered(root, args);
    let help = format!("{path} --help");
    let arg = context(error, ContextKind::InvalidArg);
    let value = context(error, ContextKind::InvalidValue);
    let fault = match error.kind() {
        ErrorKind::MissingRequiredArgument => {
            let names: Vec<String> = strings(error, ContextKind::InvalidArg)
                .iter()
                .map(|name| name.trim_start_matches('-').split([' ', '=']).next().unwrap_or(name))
                .map(|name| name.trim_matches(['<', '>']).to_owned())
                .collect();
            let plural = if names.len() == 1 { "flag" } else { "flags" };
            let what = if strings(error, ContextKind::InvalidArg).iter().all(|n| n.starts_with('<'))
            {
                "argument"
            } else {
                plural
            };
            Error::new(
                Kind::Usage,
                format!("required {what} {} not set", quoted(&names.join(", "))),
            )
        }
        ErrorKind::UnknownArgument => {
            let arg = arg.unwrap_or_default();
            if !arg.starts_with('-') {
                let words = format!("unexpected argument {} for `{path}`", quoted(&arg));
                let fault = Error::new(Kind::Usage, words);
                let last = command.get_positionals().any(clap::Arg::is_last_set);
                return if last {
                    fault.hint_text("put `--` before the command to run").hint_run(help)
                } else {
                    fault.hint_run(help)
                };
            }
            let name = arg.trim_start_matches('-').replace('_', "-");
            let spelled = |arg: &clap::Arg| {
                let aliases = arg.get_all_aliases().unwrap_or_default();
                arg.get_long().into_iter().chain(aliases).map(str::to_owned).collect::<Vec<_>>()
            };
            let names: Vec<String> = command.get_arguments().flat_map(spelled).collect();
            let names = names.iter().map(String::as_str);
            let near = nearest(&name, names).first().map(|near| (*near).to_owned());
            let error = Error::new(Kind::Usage, format!("unknown flag {arg} for `{path}`"));
            match near {
                Some(near) => error.hint_text(format!("did you mean --{near}?")),
                None => error,
            }
        }
        ErrorKind::InvalidSubcommand => {
            let word = context(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            let names: Vec<&str> = command
                .get_subcommands()
                .filter(|sub| !sub.is_hide_set())
                .map(Command::get_name)
                .collect();
            let near = nearest(&word, names.iter().copied());
            let error =
                Error::new(Kind::Usage, format!("unknown command {} for `{path}`", quoted(&word)));
            match near.first() {
                Some(near) => error.hint_text(format!("did you mean `{path} {near}`?")),
                None => error,
            }
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let arg = arg.unwrap_or_default();
            let flag = arg.split([' ', '=']).next().unwrap_or_default();
            let value = value.unwrap_or_default();
            if value.is_empty() {
                return Error::new(Kind::Usage, format!("flag needs an argument: {flag}"))
                    .hint_run(help);
            }
            let text = error.render().to_string();
            let reason = std::error::Error::source(error).map_or_else(
                || {
                    text.lines()
                        .find_map(|line| line.trim().strip_prefix("[possible values: "))
                        .map(|values| format!("it is one of {}", values.trim_end_matches(']')))
                        .unwrap_or_else(|| "it is not accepted".to_owned())
                },
                ToString::to_string,
            );
            Error::new(
                Kind::Usage,
                format!("invalid value {} for {flag}: {reason}", quoted(&value)),
            )
        }
        ErrorKind::ArgumentConflict => {
            let others = strings(error, ContextKind::PriorArg).join(", ");
            let arg = arg.unwrap_or_default();
            if others.is_empty() || others == arg {
                Error::new(Kind::Usage, format!("{arg} is given more than once"))
            } else {
                Error::new(Kind::Usage, format!("{arg} cannot be used together with {others}"))
            }
        }
        _ => {
            let text = error.render().to_string();
            let first = text.lines().next().unwrap_or_default();
            Error::new(Kind::Usage, first.trim_start_matches("error: ").to_owned())
        }
    };
    fault.hint_run(help)
}

/// The help of the group that the words entered.
pub(super) fn help_of(root: &Command, args: &[OsString]) -> String {
    entered(root, args).1.clone().render_help().to_string()
}

/// The command that the words lead to, with the words that name it.
fn entered<'a>(root: &'a Command, args: &[OsString]) -> (String, &'a Command) {
    let mut path = root.get_bin_name().unwrap_or("viam").to_owned();
    let mut command = root;
    for word in args.iter().skip(1).filter_map(|arg| arg.to_str()) {
        let Some(sub) = command
            .get_subcommands()
            .find(|sub| sub.get_name() == word || sub.get_all_aliases().any(|alias| alias == word))
        else {
            continue;
        };
        path.push(' ');
        path.push_str(sub.get_name());
        command = sub;
    }
    (path, command)
}

fn context(error: &clap::Error, kind: ContextKind) -> Option<String> {
    strings(error, kind).into_iter().next()
}

fn strings(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(one)) => vec![one.clone()],
        Some(ContextValue::Strings(many)) => many.clone(),
        _ => Vec::new(),
    }
}
