//! `viam whoami`: answered from the files, without the network.

use clap::Command;
use serde::Serialize;
use viam_contract::{Format, Result, Sessions as _};
use viam_host::login::{Credential, HostSessions, not_logged_in};
use viam_host::world::World;

use super::CoreCommand;

pub(crate) const COMMAND: CoreCommand = CoreCommand {
    name: "whoami",
    aliases: &[],
    summary: "print who is logged in",
    tree: || Command::new("whoami").about("Print who is logged in, and by which login"),
    words: super::unchanged,
    run: |world, _| run(world),
};

/// JSON result of `viam whoami`.
#[derive(Serialize)]
struct WhoAmI {
    logged_in: bool,
    subject: Option<String>,
    kind: &'static str,
    source: String,
    base_url: String,
}

fn run(world: &World) -> Result<()> {
    let sessions = HostSessions::open(world)?;
    let login = sessions.login();
    let (kind, why) = match &login.credential {
        Credential::None(why) => ("none", Some(why.as_deref())),
        Credential::User(_) => ("user", None),
        Credential::Key(_) => ("api-key", None),
    };
    let base_url = sessions.base_url()?;
    if world.output.format == Format::Json {
        world.output.json(&WhoAmI {
            logged_in: why.is_none(),
            subject: login.subject(),
            kind,
            source: login.source.describe(),
            base_url,
        })?;
    } else if let Some(subject) = login.subject() {
        world.output.line(&subject)?;
        if world.output.stderr_tty() {
            world.output.status(&format!("by {}, at {base_url}", login.source.describe()));
        }
    } else {
        world.output.line("Not logged in")?;
    }
    match why {
        Some(why) => Err(not_logged_in(login, why)),
        None => Ok(()),
    }
}
