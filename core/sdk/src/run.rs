//! Running a command group as an executable of its own.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use viam_contract::cli::{self, Given, Parsed};
use viam_contract::{
    ColorChoice, Context, Defaults, Env, Error, Exit, Format, Globals, Kind, Plugin, Result,
    ResultExt as _, SessionDocument,
};

use crate::doors::{self, Processes, SystemClock, Terminal};
use crate::sessions::DocumentSessions;
use crate::{Session, paths, report, streams, trace};

/// Set while a plugin has sent its global flags back to the core, so that it does so once.
const SENT_BACK: &str = "VIAM_PLUGIN_SENT_BACK";

/// Runs the group with the session of the environment and the words of argv.
#[must_use]
pub fn run(plugin: &dyn Plugin) -> ExitCode {
    let env = doors::env();
    let early = streams::output(&env, ColorChoice::Auto, Format::Text, false);
    let result = start(plugin, env).and_then(|()| early.flush());
    let exit = match result {
        Ok(()) => Exit::OK,
        Err(error) => {
            report::show(&early, &error);
            error.kind().exit()
        }
    };
    ExitCode::from(exit.shell_code())
}

fn start(plugin: &dyn Plugin, env: Env) -> Result<()> {
    let name = plugin.about().name;
    let args = doors::args();
    if env.get("VIAM_PLUGIN_PROTOCOL").is_none() {
        return Err(Error::new(
            Kind::Usage,
            format!("viam-{name} is a command group of viam and is started by it"),
        )
        .hint_run(format!("viam {name} --help")));
    }
    let document = Session::take(&env)?.document;
    let (matches, given, warnings) = match cli::parse(plugin, &args)? {
        Parsed::Help(text) => {
            let output = streams::output(&env, ColorChoice::Auto, Format::Text, false);
            output.bytes(text.as_bytes())?;
            return output.flush();
        }
        Parsed::Run { matches, given, warnings } => (matches, given, warnings),
    };
    if env.get(SENT_BACK).is_none() && changes_session(&given) {
        return send_back(&document, &given, name, &args);
    }
    let globals = globals(&document, given);
    let output = Arc::new(streams::output(&env, globals.color, globals.format, globals.quiet));
    if globals.debug {
        trace::start(output.stderr_tty());
    }
    for warning in warnings {
        output.warn(&warning);
    }
    let cx = context(document, env, globals, Arc::clone(&output));
    let result = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .or_kind(Kind::Internal, || "cannot start the runtime".to_owned())?
        .block_on(plugin.run(&cx, matches));
    let flushed = output.flush();
    result.and(flushed)
}

/// Whether flags after the word ask for another session than the one handed over.
fn changes_session(given: &Given) -> bool {
    given.profile.is_some()
        || given.base_url.is_some()
        || given.config.is_some()
        || given.disable_profiles
        || given.allow_plaintext
}

/// Lets the core work out the session anew, with the flags where it reads them.
fn send_back(
    document: &SessionDocument,
    given: &Given,
    name: &str,
    args: &[OsString],
) -> Result<()> {
    let mut words: Vec<OsString> = Vec::new();
    let mut with = |flag: &str, value: OsString| words.extend([flag.into(), value]);
    if let Some(profile) = &given.profile {
        with("--profile", profile.into());
    }
    if let Some(base_url) = &given.base_url {
        with("--base-url", base_url.into());
    }
    if let Some(config) = &given.config {
        with("--config", config.into());
    }
    if given.disable_profiles {
        words.push("--disable-profiles".into());
    }
    if given.allow_plaintext {
        words.push("--allow-plaintext".into());
    }
    words.push(name.into());
    words.extend(args.iter().cloned());
    #[expect(clippy::disallowed_methods, reason = "this process becomes the core again")]
    let error = std::process::Command::new(&document.core.path)
        .args(words)
        .env(SENT_BACK, "1")
        .env_remove("VIAM_SESSION")
        .env_remove("VIAM_STDIN")
        .exec();
    Err(Error::new(Kind::CannotRun, format!("cannot run {}", document.core.path)).because(error))
}

fn globals(document: &SessionDocument, given: Given) -> Globals {
    Globals {
        debug: given.debug || document.log.debug,
        quiet: given.quiet || document.log.quiet,
        format: given.format.or(Format::parse(&document.io.format)).unwrap_or_default(),
        color: given.color.or(ColorChoice::parse(&document.io.color)).unwrap_or_default(),
        base_url: Some(document.endpoint.base_url.clone()),
        profile: document.invocation.profile.clone(),
        disable_profiles: given.disable_profiles,
        config: given.config,
        check_connection_interval: given.check_connection_interval.unwrap_or_default(),
        allow_plaintext: given.allow_plaintext,
        no_input: given.no_input || !document.io.interactive,
    }
}

fn context(
    document: SessionDocument,
    env: Env,
    globals: Globals,
    output: Arc<viam_contract::Output>,
) -> Context {
    // What started us is not for what we start.
    let config = env.get("VIAM_CONFIG").map(PathBuf::from);
    let env = Env::new(
        env.iter()
            .filter(|(name, _)| {
                ![SENT_BACK, "VIAM_SESSION", "VIAM_STDIN"].iter().any(|hidden| name == hidden)
            })
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    Context {
        cwd: doors::cwd(),
        core_exe: document.core.path.clone().into(),
        dirs: paths::dirs(&env, config.as_deref()),
        defaults: Defaults {
            org_id: document.defaults.org_id.clone(),
            location_id: document.defaults.location_id.clone(),
        },
        clock: Arc::new(SystemClock),
        prompter: Arc::new(Terminal { no_input: globals.no_input }),
        spawner: Arc::new(Processes),
        sessions: Arc::new(DocumentSessions::new(document, &env, Arc::clone(&output))),
        output,
        globals,
        env,
    }
}
