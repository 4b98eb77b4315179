//! `viam profiles add|update|list|remove`: named API keys, without the network.

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use serde::Serialize;
use viam_client::BaseUrl;
use viam_contract::{DEFAULT_BASE_URL, Error, Format, Kind, Result, text};
use viam_host::login::{ApiKey, Profile, Profiles};
use viam_host::world::World;

use super::{CoreCommand, secret};

pub(crate) const COMMAND: CoreCommand = CoreCommand {
    name: "profiles",
    aliases: &[],
    summary: "keep named API keys",
    tree: || ProfilesArgs::command(),
    words: super::unchanged,
    run: |world, matches| run(world, super::args(&matches)?),
};

/// Keep named API keys; `viam --profile NAME …` uses one
#[derive(Parser, Debug)]
#[command(name = "profiles")]
struct ProfilesArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Add a profile
    Add(KeyArgs),
    /// Change the key of a profile, or add it
    Update(KeyArgs),
    /// List the profiles
    List,
    /// Remove a profile and its session
    Remove(NameArgs),
}

#[derive(Args, Debug)]
struct KeyArgs {
    /// name of the profile
    #[arg(long)]
    profile_name: String,
    /// id of the key
    #[arg(long)]
    key_id: String,
    /// secret of the key; `-` reads it from stdin
    #[arg(long)]
    key: String,
}

#[derive(Args, Debug)]
struct NameArgs {
    /// name of the profile
    #[arg(long)]
    profile_name: String,
}

/// JSON result of `profiles list`: one of these each.
#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    key_id: Option<&'a str>,
}

fn run(world: &World, args: ProfilesArgs) -> Result<()> {
    match args.verb {
        Verb::Add(args) => put(world, args, false),
        Verb::Update(args) => put(world, args, true),
        Verb::List => list(world),
        Verb::Remove(NameArgs { profile_name }) => {
            Profiles::remove(&world.dirs, &profile_name)?;
            world.output.line(format!("Successfully deleted profile {profile_name}"))
        }
    }
}

fn put(world: &World, args: KeyArgs, update: bool) -> Result<()> {
    let key =
        ApiKey { id: args.key_id.trim().to_owned(), key: secret(&args.key, "Secret of the key")? };
    if key.id.is_empty() || key.key.is_empty() {
        return Err(Error::new(Kind::Usage, "the key's id or secret is empty")
            .hint_run("viam profiles --help"));
    }
    let url = world
        .globals
        .base_url
        .as_deref()
        .or(world.settings.base_url.as_deref())
        .unwrap_or(DEFAULT_BASE_URL);
    let base_url = BaseUrl::parse(url)?.to_string();
    let done = if update { "updated" } else { "added" };
    let name = args.profile_name;
    Profiles::put(&world.dirs, Profile { name: name.clone(), key }, update, &base_url)?;
    world.output.line(format!("Successfully {done} profile {name}"))
}

fn list(world: &World) -> Result<()> {
    let profiles = Profiles::load(&world.dirs)?;
    if world.output.format == Format::Json {
        let all: Vec<Listed<'_>> = profiles
            .names()
            .map(|name| Listed { name, key_id: profiles.get(name).map(|key| key.id.as_str()) })
            .collect();
        return world.output.json(&all);
    }
    for name in profiles.names() {
        world.output.line(text::one_line(name))?;
    }
    Ok(())
}
