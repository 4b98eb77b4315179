//! From argv to an exit status.

use std::ffi::{OsStr, OsString};

use clap::ArgMatches;
use viam_contract::cli::{self, Given, Leading, Parsed};
use viam_contract::{Error, Exit, Globals, Kind, Output, Plugin, Result, ResultExt as _};
use viam_host::route::{self, Origin};
use viam_host::world::{Ambient, World};
use viam_host::{doors, launch, report, streams, trace};

use crate::built_in::TABLE;
use crate::{commands, complete, help};

/// Runs the program.
pub(crate) fn main() -> Exit {
    let args = doors::args();
    let ambient = Ambient::now();
    let env = ambient.env.clone();
    match run(args, ambient) {
        Ok(()) => Exit::OK,
        Err(error) => {
            // What went wrong before the settings were known is shown without them.
            let globals = Globals::default();
            report::show(&streams::output(&env, globals.color, globals.format, false), &error);
            error.kind().exit()
        }
    }
}

fn run(args: Vec<OsString>, ambient: Ambient) -> Result<()> {
    let Leading { given, help, version, word, rest } = cli::split_leading(args)?;
    let Some(word) = word else {
        let output = plain(&ambient, &given);
        return if version {
            commands::version::print(&output)
        } else {
            help::root(&ambient, &output)
        };
    };
    let name = word.to_str().unwrap_or_default();
    if help && !name.is_empty() {
        // `viam --help W` is `viam help W`.
        return help_word(ambient, given, &[word]);
    }
    match name {
        "help" => return help_word(ambient, given, &rest),
        "__complete" => return complete::run(&ambient, &plain(&ambient, &given), &rest),
        _ => {}
    }
    if let Some(command) = commands::find(name) {
        let Some((given, matches, warnings)) = parse(
            &ambient,
            given,
            |args| {
                cli::parse_command(
                    (command.tree)().bin_name(format!("viam {}", command.name)),
                    args,
                )
            },
            &(command.words)(rest),
        )?
        else {
            return Ok(());
        };
        if command.name == "version" {
            let output = plain(&ambient, &given);
            for warning in &warnings {
                output.warn(warning);
            }
            return commands::version::print(&output);
        }
        let world = open(ambient, &given, &warnings)?;
        let result = (command.run)(&world, matches);
        return finish(&world, result);
    }
    if let Some(plugin) = TABLE.built_in.iter().find(|plugin| plugin.about().answers_to(name)) {
        return built_in(ambient, given, *plugin, &rest);
    }
    external(ambient, &given, &word, &rest)
}

/// Output for what needs no settings file: a broken one must not stop it.
fn plain(ambient: &Ambient, given: &Given) -> Output {
    let format = given.format.unwrap_or_default();
    streams::output(&ambient.env, given.color.unwrap_or_default(), format, given.quiet)
}

/// Parses; help is printed here. The flags given after the word are joined in.
fn parse(
    ambient: &Ambient,
    before: Given,
    parse: impl FnOnce(&[OsString]) -> Result<Parsed>,
    args: &[OsString],
) -> Result<Option<(Given, ArgMatches, Vec<String>)>> {
    match parse(args)? {
        Parsed::Help(text) => {
            let output = plain(ambient, &before);
            output.bytes(text.as_bytes())?;
            output.flush()?;
            Ok(None)
        }
        Parsed::Run { matches, given, warnings } => {
            Ok(Some((before.and_then(given), matches, warnings)))
        }
    }
}

fn open(ambient: Ambient, given: &Given, warnings: &[String]) -> Result<World> {
    let world = World::new(ambient, given)?;
    if world.globals.debug {
        trace::start(world.output.stderr_tty());
        tracing::debug!(target: "viam", "viam {} as {}", viam_contract::VERSION, world.core_exe.display());
    }
    for warning in warnings {
        world.output.warn(warning);
    }
    Ok(world)
}

/// Errors of a command are shown by the output of its world.
fn finish(world: &World, result: Result<()>) -> Result<()> {
    let result = result.and_then(|()| world.output.flush());
    match result {
        Ok(()) => Ok(()),
        Err(error) => {
            // What was printed before the failure is shown before it.
            let flushed = world.output.flush();
            if let (Err(late), Kind::BrokenPipe) = (flushed, error.kind()) {
                return Err(late);
            }
            report::show(&world.output, &error);
            Err(Error::new(Kind::Child(error.kind().exit()), String::new()))
        }
    }
}

fn built_in(
    ambient: Ambient,
    given: Given,
    plugin: &'static dyn Plugin,
    args: &[OsString],
) -> Result<()> {
    let Some((given, matches, warnings)) =
        parse(&ambient, given, |args| cli::parse(plugin, args), args)?
    else {
        return Ok(());
    };
    let world = open(ambient, &given, &warnings)?;
    if world.globals.debug {
        let shadowed = route::resolve(plugin.about().name, TABLE, &world.env, &world.core_exe);
        for other in shadowed.iter().filter(|other| other.origin == Origin::Path) {
            tracing::debug!(target: "viam", "built in, so {:?} is not run", other.path);
        }
    }
    let result = viam_host::context::build(&world)
        .and_then(|cx| commands::block_on(async { plugin.run(&cx, matches).await }));
    finish(&world, result)
}

fn external(ambient: Ambient, given: &Given, word: &OsStr, args: &[OsString]) -> Result<()> {
    let name = word.to_str().unwrap_or_default();
    let first = route::external(name, TABLE, &ambient.env, &ambient.core_exe).next();
    let Some(candidate) = first else {
        if let Some(path) = route::without_execute_bit(name, &ambient.env)
            .filter(|_| route::is_command_name(name) && !route::is_own_program(name))
        {
            launch::runnable(&path)?;
        }
        return Err(route::not_found(word, TABLE, &ambient.env, &ambient.core_exe));
    };
    let world = open(ambient, given, &[])?;
    tracing::debug!(target: "viam", "{name} is {:?}", candidate.path);
    let result = launch::launch(&world, &candidate, args);
    finish(&world, result)
}

/// `viam help [WORD…]`: the plugin's own help for an external, ours for the rest.
fn help_word(ambient: Ambient, given: Given, words: &[OsString]) -> Result<()> {
    let Some((word, more)) = words.split_first() else {
        let output = plain(&ambient, &given);
        return help::root(&ambient, &output);
    };
    let name = word.to_str().unwrap_or_default();
    let mut args = more.to_vec();
    args.push("--help".into());
    if name == "help" || name.starts_with('-') {
        let output = plain(&ambient, &given);
        return help::root(&ambient, &output);
    }
    if let Some(command) = commands::find(name) {
        let tree = (command.tree)().bin_name(format!("viam {}", command.name));
        parse(&ambient, given, |args| cli::parse_command(tree, args), &args)?;
        return Ok(());
    }
    if let Some(plugin) = TABLE.built_in.iter().find(|plugin| plugin.about().answers_to(name)) {
        parse(&ambient, given, |args| cli::parse(*plugin, args), &args)?;
        return Ok(());
    }
    external(ambient, &given, word, &args)
}

/// Builds the runtime: only where a command needs one.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .or_kind(Kind::Internal, || "cannot start the runtime".to_owned())
}
