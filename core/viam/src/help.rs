//! `viam help`: every command, also those of other executables. Nothing is executed for it.

use viam_contract::cli::GLOBAL_FLAGS;
use viam_contract::{Output, Result, text};
use viam_host::route;
use viam_host::world::Ambient;

use crate::built_in::TABLE;
use crate::commands::COMMANDS;

/// Prints the help of the program.
pub(crate) fn root(ambient: &Ambient, output: &Output) -> Result<()> {
    output.line("Manage organizations, locations, machines and what runs on them")?;
    output.line("")?;
    output.line("Usage: viam [GLOBAL FLAGS] <COMMAND> [ARGUMENTS]")?;
    output.line("")?;
    if !TABLE.built_in.is_empty() {
        output.line("Commands:")?;
        for plugin in TABLE.built_in {
            let about = plugin.about();
            row(output, about.name, about.summary)?;
        }
        output.line("")?;
    }
    output.line("Session and settings:")?;
    for command in COMMANDS {
        row(output, command.name, command.summary)?;
    }
    row(output, "help", "print this, or the help of a command")?;
    let mut others = route::scan(&ambient.env, &ambient.core_exe);
    others.retain(|other| {
        !route::RESERVED.contains(&other.name.as_str())
            && !TABLE.built_in.iter().any(|plugin| plugin.about().answers_to(&other.name))
    });
    others.sort_by(|a, b| a.name.cmp(&b.name));
    others.dedup_by(|a, b| a.name == b.name);
    if !others.is_empty() {
        output.line("")?;
        output.line("Plugins:")?;
        for other in others {
            let summary = summary_of(&other);
            let place = other.path.as_ref().map(|path| path.display().to_string());
            let summary = if summary.is_empty() {
                format!("({})", place.unwrap_or_default())
            } else {
                summary
            };
            row(output, &other.name, &text::one_line(&summary))?;
        }
    }
    output.line("")?;
    output.line("Global flags, before the command or after a built-in one:")?;
    for flag in GLOBAL_FLAGS {
        let short = flag.short.map(|short| format!("-{short}, ")).unwrap_or_default();
        let value = flag.value.map(|value| format!(" {value}")).unwrap_or_default();
        row(output, &format!("{short}--{}{value}", flag.long), flag.help)?;
    }
    output.line("")?;
    output.line("Run `viam help COMMAND` for more, `viam sandbox tour` for a look around.")?;
    output.flush()
}

/// What a plugin's manifest says, or what is known of a group of this release.
pub(crate) fn summary_of(other: &route::Candidate) -> String {
    let said = match route::manifest_of(other) {
        Ok(Some(manifest)) => manifest.summary,
        _ => None,
    };
    let known = || {
        let group = TABLE.groups.iter().find(|group| group.name == other.name)?;
        Some(group.summary.to_owned())
    };
    said.or_else(known).unwrap_or_default()
}

fn row(output: &Output, name: &str, summary: &str) -> Result<()> {
    if name.len() > 25 {
        output.line(format!("  {name}"))?;
        return output.line(format!("  {:<25} {summary}", ""));
    }
    output.line(format!("  {name:<25} {summary}"))
}
