//! `viam logout`: forgets the login; the network is not touched.

use clap::Command;
use viam_client::BaseUrl;
use viam_contract::{Result, text};
use viam_host::login::{Auth, Loaded, TokenCache, forget, load};
use viam_host::paths;
use viam_host::world::World;

use super::CoreCommand;

pub(crate) const COMMAND: CoreCommand = CoreCommand {
    name: "logout",
    aliases: &[],
    summary: "forget the login",
    tree: || {
        Command::new("logout").about("Forget the login; with --profile, that profile's session")
    },
    words: super::unchanged,
    run: |world, _| run(world),
};

fn run(world: &World) -> Result<()> {
    let profile = world.globals.profile.as_deref().filter(|_| !world.soft_profile);
    let path = paths::session_file(&world.dirs, profile);
    let loaded = load(&path)?;
    if let Loaded::File(session) = &loaded
        && let (Some(Auth::Key(key)), Ok(base_url)) =
            (&session.auth, BaseUrl::parse(&session.base_url))
    {
        TokenCache::new(&world.dirs, &base_url, key).forget();
    }
    if !matches!(loaded, Loaded::Missing) {
        forget(&path)?;
    }
    match loaded {
        Loaded::File(session) if session.auth.is_some() => {
            let who = session.auth.map(|auth| auth.subject()).unwrap_or_default();
            world.output.line(format!("Logged out from {}", text::quoted(&who)))?;
        }
        _ => world.output.line("Already logged out")?,
    }
    if world.env.get("VIAM_API_KEY").is_some() && world.env.get("VIAM_API_KEY_ID").is_some() {
        world.output.warn("VIAM_API_KEY_ID and VIAM_API_KEY are still set, and commands use them");
    }
    Ok(())
}
