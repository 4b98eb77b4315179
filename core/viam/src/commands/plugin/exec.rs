//! `viam plugin exec NAME|PATH [ARGUMENTS]`: past shadowing.

use std::ffi::OsString;
use std::path::PathBuf;

use viam_contract::{Error, Kind, Result, text};
use viam_host::route::{Candidate, Origin};
use viam_host::world::World;
use viam_host::{launch, route};

use crate::built_in::TABLE;

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// name of a plugin, or path of its executable (with a slash)
    plugin: OsString,
    /// its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

pub(super) fn run(world: &World, args: &Args) -> Result<()> {
    let candidate = if args.plugin.as_encoded_bytes().contains(&b'/') {
        by_path(world, args)?
    } else {
        let name = args.plugin.to_str().unwrap_or_default();
        route::external(name, TABLE, &world.env, &world.core_exe)
            .next()
            .ok_or_else(|| route::not_found(&args.plugin, TABLE, &world.env, &world.core_exe))?
    };
    launch::launch(world, &candidate, &args.args)
}

fn by_path(world: &World, args: &Args) -> Result<Candidate> {
    let path: PathBuf = world.cwd.join(&args.plugin);
    let shown = text::quoted(&path.display().to_string());
    let name = path
        .file_name()
        .and_then(|name| name.to_str()?.strip_prefix("viam-"))
        .filter(|name| route::is_command_name(name))
        .ok_or_else(|| {
            Error::new(Kind::Usage, format!("{shown} is not named viam-NAME"))
                .hint_run("viam plugin exec --help")
        })?
        .to_owned();
    if !path.is_file() {
        return Err(Error::new(Kind::NotFound, format!("there is no file {shown}"))
            .hint_run("viam plugin list"));
    }
    Ok(Candidate { name, origin: Origin::Path, path: Some(path), plugin: None })
}
