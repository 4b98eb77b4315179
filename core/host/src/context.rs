//! The context of a built-in command, from the real world.

use std::sync::Arc;

use viam_contract::{Context, Result, Sessions};

use crate::doors::{Processes, Terminal};
use crate::login::HostSessions;
use crate::world::World;

/// Builds the context.
///
/// # Errors
/// When the files of the login cannot be read or used.
pub fn build(world: &World) -> Result<Context> {
    let sessions = HostSessions::open(world)?;
    let defaults = sessions.login().defaults.clone();
    let globals = world.globals.clone();
    Ok(Context {
        env: world.env.clone(),
        cwd: world.cwd.clone(),
        core_exe: world.core_exe.clone(),
        dirs: world.dirs.clone(),
        output: Arc::clone(&world.output),
        defaults,
        clock: Arc::clone(&world.clock),
        prompter: Arc::new(Terminal { no_input: globals.no_input }),
        spawner: Arc::new(Processes),
        sessions: Arc::new(sessions) as Arc<dyn Sessions>,
        globals,
    })
}
