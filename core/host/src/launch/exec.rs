//! Replacing the core by the plugin.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use viam_contract::{AuthNeed, Error, Kind, Result};

use super::{DEPTH, MAX_DEPTH, document, environment, handover, manifest, precheck};
use crate::login::HostSessions;
use crate::route::{self, Candidate};
use crate::world::World;

/// Starts an external in place of this process; returns only when that fails.
///
/// # Errors
/// `NotStarted`, `CannotRun` or `Auth`, each with its reason.
pub fn launch(world: &World, candidate: &Candidate, args: &[OsString]) -> Result<()> {
    let Some(path) = &candidate.path else {
        return Err(Error::new(Kind::Internal, format!("{} has no file", candidate.name)));
    };
    let depth = 1 + world.env.text(DEPTH).and_then(|depth| depth.parse::<u32>().ok()).unwrap_or(0);
    if depth > MAX_DEPTH {
        return Err(Error::new(
            Kind::NotStarted,
            format!("plugins are nested {MAX_DEPTH} deep, {} is not started", candidate.name),
        )
        .because("a plugin seems to call itself")
        .hint_text(format!("the plugin is {}", path.display())));
    }
    route::check(candidate, world.settings.plugins.allow)?;
    precheck::runnable(path)?;
    let found = manifest::beside(path)?;
    if let Some(found) = &found {
        manifest::check_requires(&candidate.name, found)?;
    }
    let run = found.map(|found| found.run).unwrap_or_default();
    if run.auth == AuthNeed::Downloads && candidate.origin != route::Origin::System {
        return Err(Error::new(
            Kind::NotStarted,
            format!("the plugin {} asks for auth = \"downloads\"", candidate.name),
        )
        .because("only a packaged command group of this release may have that"));
    }
    if world.globals.check_connection_interval != std::time::Duration::ZERO {
        return Err(Error::new(
            Kind::Usage,
            format!(
                "--check-connection-interval cannot be passed on to the plugin {}",
                candidate.name
            ),
        )
        .hint_text("give it after the command, if the plugin has such a flag"));
    }
    super::ask::confirm(world, candidate)?;
    let sessions = HostSessions::open(world)?;
    let auth = document::auth(world, &sessions, run.auth, &candidate.name)?;
    let plan = handover::plan(run.session)?;
    let stdin = plan.stdin();
    let bytes = document::render(world, &sessions, candidate, auth, depth, &stdin)?;
    let places = plan.deliver(&bytes)?;
    let changes = environment::changes(
        world,
        sessions.login(),
        &candidate.name,
        depth,
        &places.session,
        &places.stdin,
    );
    #[expect(clippy::disallowed_methods, reason = "this process becomes the plugin")]
    let mut command = Command::new(path);
    let name = path.file_name().unwrap_or(path.as_os_str());
    command.arg0(name).args(args).envs(changes.set);
    for name in changes.remove {
        command.env_remove(name);
    }
    world.output.flush()?;
    // `exec` resets SIGPIPE and the signal mask, which the standard library had changed; a
    // signal that the user had ignored (nohup) stays ignored.
    let error = command.exec();
    Err(Error::new(Kind::CannotRun, format!("cannot run {}", path.display())).because(error))
}
