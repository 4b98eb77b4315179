//! One invocation: what was given, what the environment and the settings add, and what comes
//! out as effective.

use std::path::PathBuf;
use std::sync::Arc;

use viam_client::net::Net;
use viam_contract::cli::Given;
use viam_contract::{Clock, ColorChoice, Dirs, Env, Error, Globals, Kind, Output, Result};

use crate::settings::{self, Settings};
use crate::{connect, doors, paths, streams};

/// The world of one invocation.
#[derive(Clone)]
pub struct World {
    /// Environment variables.
    pub env: Env,
    /// Working directory.
    pub cwd: PathBuf,
    /// The running core.
    pub core_exe: PathBuf,
    /// Where files lie.
    pub dirs: Dirs,
    /// The settings file.
    pub settings: Settings,
    /// Effective global settings. `base_url` and `profile` are what flags and environment say.
    pub globals: Globals,
    /// Whether `--format` was given: the settings do not count for what only programs read.
    pub format_given: bool,
    /// Whether `globals.profile` came from `VIAM_CLI_PROFILE_NAME`: then an unknown one falls
    /// back to the login.
    pub soft_profile: bool,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The output; notices about the world go there.
    pub output: Arc<Output>,
    /// The network.
    pub net: Net,
}

/// What is known before the settings are read; also what help needs.
pub struct Ambient {
    /// Environment variables.
    pub env: Env,
    /// Working directory.
    pub cwd: PathBuf,
    /// The running core.
    pub core_exe: PathBuf,
}

impl Ambient {
    /// Takes the snapshot.
    #[must_use]
    pub fn now() -> Self {
        Self { env: doors::env(), cwd: doors::cwd(), core_exe: doors::current_exe() }
    }
}

impl World {
    /// Works out the effective settings.
    ///
    /// # Errors
    /// `Usage` for flags that contradict each other, `Config` for a broken settings file.
    pub fn new(ambient: Ambient, given: &Given) -> Result<Self> {
        let Ambient { env, cwd, core_exe } = ambient;
        let (globals, soft_profile, asked_for) = first_globals(&env, given)?;
        let dirs = paths::dirs(&env, globals.config.as_deref());
        let settings = settings::load(&dirs.config_file, asked_for)?;
        let globals = Globals {
            format: given.format.or(settings.format).unwrap_or_default(),
            color: match (given.color, env.text("VIAM_COLOR").and_then(ColorChoice::parse)) {
                (Some(color), _) | (None, Some(color)) => color,
                (None, None) => settings.color.unwrap_or_default(),
            },
            quiet: given.quiet || settings.quiet,
            allow_plaintext: globals.allow_plaintext || settings.allow_plaintext,
            ..globals
        };
        let output = Arc::new(streams::output(&env, globals.color, globals.format, globals.quiet));
        let net = connect::net(&env, &output);
        Ok(Self {
            env,
            cwd,
            core_exe,
            dirs,
            settings,
            globals,
            soft_profile,
            format_given: given.format.is_some(),
            clock: Arc::new(doors::SystemClock),
            output,
            net,
        })
    }
}

/// Flags and environment, without the settings file.
fn first_globals(env: &Env, given: &Given) -> Result<(Globals, bool, bool)> {
    if given.profile.is_some() && given.disable_profiles {
        return Err(Error::new(Kind::Usage, "profile specified with disable-profiles flag set")
            .hint_text("leave one of --profile and --disable-profiles out"));
    }
    let switch = |name: &str| env.text(name).is_some_and(|value| !matches!(value, "0" | "false"));
    let env_profile = env
        .text("VIAM_CLI_PROFILE_NAME")
        .filter(|_| given.profile.is_none() && !given.disable_profiles);
    let globals = Globals {
        debug: given.debug || switch("VIAM_DEBUG"),
        quiet: given.quiet,
        format: given.format.unwrap_or_default(),
        color: given.color.unwrap_or_default(),
        base_url: given.base_url.clone().or_else(|| env.text("VIAM_BASE_URL").map(str::to_owned)),
        profile: given.profile.clone().or_else(|| env_profile.map(str::to_owned)),
        disable_profiles: given.disable_profiles,
        config: given.config.clone().or_else(|| env.get("VIAM_CONFIG").map(PathBuf::from)),
        check_connection_interval: given.check_connection_interval.unwrap_or_default(),
        allow_plaintext: given.allow_plaintext || switch("VIAM_ALLOW_PLAINTEXT"),
        no_input: given.no_input || switch("VIAM_NO_INPUT"),
    };
    let asked_for = globals.config.is_some();
    Ok((globals, env_profile.is_some(), asked_for))
}
