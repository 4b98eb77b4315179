//! docs/reference.md: every command of every level with its flags.

use clap::{Arg, Command};
use viam_contract::cli::{GLOBAL_FLAGS, GlobalFlag};

/// What stands before the commands.
const HEAD: &str = "\
# Commands

Every command with its flags. This page is written from the program itself by
`cargo xtask reference`; edit the command's file instead.

- [Global flags](#global-flags)
";

/// What stands before the global flags.
const GLOBAL: &str = "
## Global flags

They come before the command, or after it where it is built in.

| argument | meaning |
|---|---|
";

/// The whole page.
pub(crate) fn page(trees: &[Command]) -> String {
    let mut page = String::from(HEAD);
    let mut body = String::from(GLOBAL);
    body.extend(GLOBAL_FLAGS.iter().map(global_row));
    for tree in trees {
        section(tree, "viam", &mut page, &mut body);
    }
    page.push_str(&body);
    page
}

/// A row of the table of global flags.
fn global_row(flag: &GlobalFlag) -> String {
    let short = flag.short.map(|short| format!("-{short}"));
    let long = std::iter::once(&flag.long).chain(flag.aliases).map(|long| format!("--{long}"));
    let mut name = short.into_iter().chain(long).collect::<Vec<_>>().join(", ");
    name.extend(flag.value.map(|value| format!(" {value}")));
    format!("| `{}` | {} |\n", cell(&name), cell(flag.help))
}

/// A line of the list at the top and the command's own section, then those below it.
fn section(command: &Command, above: &str, list: &mut String, body: &mut String) {
    let words = format!("{above} {}", command.get_name());
    let depth = words.split(' ').count() - 2;
    let anchor = words.replace(' ', "-");
    list.push_str(&format!("{}- [`{words}`](#{anchor})\n", "  ".repeat(depth)));

    // Built, so that each argument knows what it takes; those below are built in their turn.
    let mut built = command.clone().bin_name(&words).disable_help_subcommand(true);
    built.build();
    body.push_str(&format!("\n## {words}\n"));
    if let Some(about) = built.get_long_about().or_else(|| built.get_about()) {
        body.push_str(&format!("\n{}\n", about.to_string().trim()));
    }
    body.push_str(&format!("\n```text\n{}\n```\n", usage(&mut built)));
    let aliases: Vec<&str> = built.get_visible_aliases().collect();
    if !aliases.is_empty() {
        body.push_str(&format!("\nAlso: `{}`\n", aliases.join("`, `")));
    }
    let rows: Vec<String> = built
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && !matches!(arg.get_id().as_str(), "help" | "version"))
        .map(row)
        .collect();
    if !rows.is_empty() {
        body.push_str("\n| argument | meaning |\n|---|---|\n");
        body.push_str(&rows.concat());
    }
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        section(below, &words, list, body);
    }
}

/// The usage lines.
fn usage(built: &mut Command) -> String {
    let usage = built.render_usage().to_string();
    let lines = usage.trim_start_matches("Usage:").lines().map(str::trim);
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// A row of the table of arguments.
fn row(arg: &Arg) -> String {
    let mut names: Vec<String> = Vec::new();
    names.extend(arg.get_short().map(|short| format!("-{short}")));
    names.extend(arg.get_long().map(|long| format!("--{long}")));
    let aliases = arg.get_visible_aliases().unwrap_or_default();
    names.extend(aliases.into_iter().map(|long| format!("--{long}")));
    let mut name = names.join(", ");
    if arg.get_num_args().is_some_and(|range| range.takes_values()) {
        let values: Vec<String> = match arg.get_value_names() {
            Some(values) => values.iter().map(ToString::to_string).collect(),
            None => vec![arg.get_id().as_str().to_uppercase()],
        };
        let space = if name.is_empty() { "" } else { " " };
        name = format!("{name}{space}{}", values.join(" "));
    }

    let mut meaning = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string);
    let meaning = meaning.get_or_insert_default();
    let choices: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    let takes = arg.get_action().takes_values();
    if takes && !choices.is_empty() {
        meaning.push_str(&format!("; one of {}", choices.join(", ")));
    }
    let defaults: Vec<String> =
        arg.get_default_values().iter().map(|it| it.to_string_lossy().into_owned()).collect();
    if takes && !defaults.is_empty() {
        meaning.push_str(&format!("; default `{}`", defaults.join(" ")));
    }
    if arg.is_required_set() {
        meaning.push_str("; required");
    }
    format!("| `{}` | {} |\n", cell(&name), cell(meaning))
}

/// Text that stays within a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_aliases_and_levels_are_there() {
        let create = Command::new("create")
            .about("Create a key")
            .arg(
                Arg::new("org")
                    .long("org-id")
                    .visible_alias("org")
                    .value_name("ORG")
                    .help("whose | key"),
            )
            .arg(
                Arg::new("kind")
                    .long("kind")
                    .value_parser(["a", "b"])
                    .default_value("a")
                    .help("which"),
            )
            .arg(Arg::new("secret").long("secret").hide(true));
        let tree = Command::new("robots")
            .visible_aliases(["machines"])
            .about("Work with machines")
            .subcommand(create);
        let page = page(&[tree]);
        for line in [
            "- [`viam robots`](#viam-robots)",
            "  - [`viam robots create`](#viam-robots-create)",
            "| `--debug, --vvv` | trace each request to stderr (also -vvv) |",
            "Also: `machines`",
            "## viam robots create",
            "viam robots create [OPTIONS]",
            "| `--org-id, --org ORG` | whose \\| key |",
            "| `--kind KIND` | which; one of `a`, `b`; default `a` |",
        ] {
            assert!(page.lines().any(|it| it == line), "{line} is not in\n{page}");
        }
        assert!(!page.contains("secret") && !page.contains("viam robots help"), "{page}");
    }
}
