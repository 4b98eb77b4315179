//! `viam defaults`: the organization and location that stand in where a flag is not given.

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use viam_client::{lookup, parallel};
use viam_contract::{Error, Kind, Result, Sessions as _, Target, text};
use viam_host::login::{self, HostSessions, Loaded, SessionFile};
use viam_host::world::World;

use super::{CoreCommand, block_on};

pub(crate) const COMMAND: CoreCommand = CoreCommand {
    name: "defaults",
    aliases: &[],
    summary: "set the default organization and location",
    tree: || DefaultsArgs::command(),
    words: super::unchanged,
    run: |world, matches| run(world, super::args(&matches)?),
};

/// Set the organization and location that stand in where a flag is not given
#[derive(Parser, Debug)]
#[command(name = "defaults")]
struct DefaultsArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Set the default organization
    SetOrg(OrgArgs),
    /// Forget the default organization
    ClearOrg,
    /// Set the default location
    SetLocation(LocationArgs),
    /// Forget the default location
    ClearLocation,
}

#[derive(Args, Debug)]
struct OrgArgs {
    /// id or name of the organization
    #[arg(long, aliases = ["organization", "org", "org-name"])]
    org_id: String,
}

#[derive(Args, Debug)]
struct LocationArgs {
    /// id or name of the location
    #[arg(long, aliases = ["location", "location-name"])]
    location_id: String,
}

fn run(world: &World, args: DefaultsArgs) -> Result<()> {
    let sessions = HostSessions::open(world)?;
    match args.verb {
        Verb::SetOrg(args) => {
            let id = block_on(async {
                let wire = sessions.wire(&Target::App).await?;
                let organizations = lookup::organizations(&wire).await?;
                Ok(lookup::pick("organization", &organizations, &args.org_id)?.id.clone())
            })?;
            change(&sessions, |session| session.default_org = id)
        }
        Verb::SetLocation(args) => {
            let id = block_on(location(&sessions, &args.location_id))?;
            change(&sessions, |session| session.default_location = id)
        }
        Verb::ClearOrg => change(&sessions, |session| session.default_org.clear()),
        Verb::ClearLocation => change(&sessions, |session| session.default_location.clear()),
    }
}

/// The location, in the default organization or in all of them.
async fn location(sessions: &HostSessions, wanted: &str) -> Result<String> {
    let wire = sessions.wire(&Target::App).await?;
    let organizations = match &sessions.login().defaults.org_id {
        Some(id) => vec![id.clone()],
        None => lookup::organizations(&wire).await?.into_iter().map(|org| org.id).collect(),
    };
    let all = parallel::map(organizations, |id| {
        let wire = wire.clone();
        async move { lookup::locations(&wire, &id).await }
    })
    .await?;
    let mut all: Vec<_> = all.into_iter().flatten().collect();
    all.sort_by(|a, b| a.id.cmp(&b.id));
    all.dedup_by(|a, b| a.id == b.id);
    Ok(lookup::pick("location", &all, wanted)?.id.clone())
}

fn change(sessions: &HostSessions, edit: impl FnOnce(&mut SessionFile)) -> Result<()> {
    let path = &sessions.login().path;
    let base_url = sessions.base_url()?;
    login::change(path, |loaded| {
        let before = match loaded {
            Loaded::File(session) => session,
            Loaded::Missing => SessionFile { base_url, ..SessionFile::default() },
            Loaded::Broken(why) => {
                return Err(Error::new(
                    Kind::Config,
                    format!("cannot use {}", text::quoted(&path.display().to_string())),
                )
                .because(why)
                .hint_run("viam login"));
            }
        };
        let mut session = before.clone();
        edit(&mut session);
        // Nothing to forget, so nothing to write.
        Ok((session != before).then_some(session))
    })
}
