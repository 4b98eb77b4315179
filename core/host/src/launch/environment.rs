//! What a plugin finds in its environment (plugin-protocol §4): all of it public.

use std::ffi::OsString;

use viam_contract::{PLUGIN_PROTOCOL, VERSION};

use super::DEPTH;
use crate::login::Login;
use crate::world::World;

/// Names to set, and names to remove, on top of the user's own environment.
pub(super) struct Changes {
    pub(super) set: Vec<(&'static str, OsString)>,
    pub(super) remove: Vec<&'static str>,
}

/// Works out the changes. `session` and `stdin` say where the two are.
pub(super) fn changes(
    world: &World,
    login: &Login,
    name: &str,
    depth: u32,
    session: &str,
    stdin: &str,
) -> Changes {
    let globals = &world.globals;
    let flag = |on: bool| OsString::from(if on { "1" } else { "0" });
    let data = world.dirs.data.join("plugin-data").join(name);
    let mut set: Vec<(&'static str, OsString)> = vec![
        ("VIAM_PLUGIN_PROTOCOL", PLUGIN_PROTOCOL.to_string().into()),
        ("VIAM_PLUGIN_NAME", name.into()),
        ("VIAM_PLUGIN_DATA_DIR", data.into()),
        ("VIAM_CLI_VERSION", VERSION.into()),
        (DEPTH, depth.to_string().into()),
        ("VIAM_CLI", world.core_exe.clone().into()),
        ("VIAM_SESSION", session.into()),
        ("VIAM_STDIN", stdin.into()),
        ("VIAM_BASE_URL", login.base_url.to_string().into()),
        ("VIAM_DEBUG", flag(globals.debug)),
        ("VIAM_COLOR", globals.color.as_str().into()),
        ("VIAM_FORMAT", globals.format.as_str().into()),
        ("VIAM_QUIET", flag(globals.quiet)),
    ];
    let mut remove = Vec::new();
    let mut optional = |name: &'static str, value: Option<OsString>| match value {
        Some(value) => set.push((name, value)),
        None => remove.push(name),
    };
    optional("VIAM_CLI_PROFILE_NAME", globals.profile.clone().map(Into::into));
    optional("VIAM_CONFIG", globals.config.as_ref().map(|path| world.cwd.join(path).into()));
    optional("VIAM_NO_INPUT", globals.no_input.then(|| "1".into()));
    optional("VIAM_ALLOW_PLAINTEXT", globals.allow_plaintext.then(|| "1".into()));
    optional("VIAM_ORG_ID", login.defaults.org_id.clone().map(Into::into));
    optional("VIAM_LOCATION_ID", login.defaults.location_id.clone().map(Into::into));
    Changes { set, remove }
}
