//! `viam robots`, also called `machines`.

mod api_key;
mod args;
mod create;
mod delete;
mod entry;
mod follow;
mod list;
mod logs;
mod machine;
mod part;
mod record;
mod selection;
mod sink;
mod status;
mod update;
mod when;

use clap::{ArgMatches, Command, CommandFactory as _, Parser, Subcommand};
use viam_contract::{About, BoxFuture, Context, Plugin, Result, cli};

/// The group.
#[derive(Clone, Copy, Debug)]
pub struct Robots;

/// List, watch and change machines and their parts
#[derive(Parser, Debug)]
#[command(name = "robots")]
struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// List the machines of a location, or with --all of an organization
    List(list::Args),
    /// Say what a machine is, what parts it has and when they were last heard of
    Status(status::Args),
    /// Print the logs of the parts of a machine, newest first: those of the last day
    #[command(alias = "log")]
    Logs(logs::Args),
    /// Create a machine
    Create(create::Args),
    /// Rename a machine or move it to another location
    Update(update::Args),
    /// Delete a machine, without asking
    Delete(delete::Args),
    /// Work with the parts of a machine
    #[command(subcommand)]
    Part(part::Verb),
    /// Work with a machine's API keys
    #[command(subcommand)]
    ApiKey(ApiKeyVerb),
}

#[derive(Subcommand, Debug)]
enum ApiKeyVerb {
    /// Create an API key that owns a machine
    Create(api_key::create::Args),
}

impl Plugin for Robots {
    fn about(&self) -> About {
        About {
            name: "robots",
            aliases: &["robot", "machines", "machine"],
            summary: "see and manage machines, their parts and logs (also `machines`)",
        }
    }

    fn command(&self) -> Command {
        Args::command()
    }

    fn run<'a>(&'a self, cx: &'a Context, matches: ArgMatches) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            match cli::args::<Args>(&matches)?.verb {
                Verb::List(args) => list::run(cx, args).await,
                Verb::Status(args) => status::run(cx, args).await,
                Verb::Logs(args) => logs::run(cx, args).await,
                Verb::Create(args) => create::run(cx, args).await,
                Verb::Update(args) => update::run(cx, args).await,
                Verb::Delete(args) => delete::run(cx, args).await,
                Verb::Part(verb) => part::run(cx, verb).await,
                Verb::ApiKey(ApiKeyVerb::Create(args)) => api_key::create::run(cx, args).await,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use viam_contract::cli::Parsed;

    use super::*;

    fn parsed(line: &str) -> Result<Verb> {
        let words: Vec<_> = line.split(' ').map(std::ffi::OsString::from).collect();
        match cli::parse(&Robots, &words)? {
            Parsed::Run { matches, .. } => Ok(cli::args::<Args>(&matches)?.verb),
            Parsed::Help(text) => panic!("{text}"),
        }
    }

    #[test]
    fn both_eras_spell_the_same_machine() {
        let one = format!("{:?}", parsed("status --machine m --organization o --location l").ok());
        for line in [
            "status --robot m --org o --location-id l",
            "status --machine-id m --org-id o --location-name l",
            "status -machine_name m --org_name=o --location=l",
            "status --robot-id=m -org o -location_id l",
        ] {
            assert_eq!(format!("{:?}", parsed(line).ok()), one, "{line}");
        }
        assert!(parsed("status").is_err());
        assert!(parsed("status --organization o").is_err());
    }

    #[test]
    fn both_eras_spell_the_same_part() {
        let one = format!("{:?}", parsed("part logs --part p --tail").ok());
        for line in [
            "part log --part-id p -f",
            "part logs --part_name p --tail true",
            "part logs -part=p -tail=true",
        ] {
            assert_eq!(format!("{:?}", parsed(line).ok()), one, "{line}");
        }
        assert!(parsed("part logs").is_err());
        assert!(parsed("part logs --machine m").is_ok());
        assert!(parsed("part logs --part p --tail --output f").is_err());
        assert!(parsed("logs --part p").is_ok() && parsed("logs").is_err());
    }

    #[test]
    fn levels_add_up_and_a_count_may_be_anything_to_be_refused_later() {
        let Ok(Verb::Logs(args)) =
            parsed("log --robot m --levels warn,error --levels=info --count -1 --format json")
        else {
            panic!("no logs");
        };
        let shown = format!("{args:?}");
        assert!(shown.contains(r#"levels: ["warn", "error", "info"]"#), "{shown}");
        assert!(shown.contains("count: Some(-1)"), "{shown}");
        assert!(shown.contains(r#"format: Some("json")"#), "{shown}");
    }

    #[test]
    fn a_call_of_a_machine_is_spelled_as_documented() {
        let shown = |line: &str| parsed(line).map(|verb| format!("{verb:?}"));
        let one = shown("part run --part p --data {} --stream 500ms a.B.C").expect("run");
        assert!(one.contains("stream: Some(500ms)") && one.contains("word: Some(\"a.B.C\")"));
        for line in [
            "part run --part-id p -d {} -s 500ms a.B.C",
            "part run a.B.C -part=p -data {} -stream=500ms",
        ] {
            assert_eq!(shown(line).expect(line), one);
        }
        let short = shown("part run --part p --method M -c s").expect("short");
        assert!(short.contains("component: Some(\"s\")"), "{short}");
        assert_eq!(shown("part run --part p --method M --service s").expect("alias"), short);
        assert!(shown("part run --address localhost:8080 --list").is_ok());
        for line in
            ["part run a.B.C", "part run --part p -s 0 a.B.C", "part run --part p --list a.B.C"]
        {
            assert!(shown(line).is_err(), "{line}");
        }
    }
}
