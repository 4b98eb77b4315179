//! `viam login`, `login api-key`, `login print-access-token`; `auth` is the same command.

use std::ffi::OsString;

use chrono::{DateTime, Utc};
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use serde::Serialize;
use viam_contract::{Error, Format, Kind, Result, text};
use viam_host::files;
use viam_host::login::{
    self, ApiKey, Approval, Auth, Credential, HostSessions, Login, Source, find_provider,
};
use viam_host::world::World;

use super::{CoreCommand, block_on, secret};

pub(crate) const COMMAND: CoreCommand = CoreCommand {
    name: "login",
    aliases: &["auth"],
    summary: "log in, by the browser or with an API key",
    tree: || LoginArgs::command(),
    words,
    run: |world, matches| run(world, super::args(&matches)?),
};

/// Log in by the browser, or with an API key
///
/// Prints an address and a code, opens the address in a browser where there is one, and waits
/// until the login is approved there.
#[derive(Parser, Debug, PartialEq)]
#[command(name = "login", args_conflicts_with_subcommands = true)]
struct LoginArgs {
    /// print the address only, open no browser
    #[arg(long, alias = "no-browser")]
    disable_browser_open: bool,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand, Debug, PartialEq)]
enum Verb {
    /// Log in with an API key; the key is checked before it is stored
    ApiKey(KeyArgs),
    /// Print an access token that is good now, renewed if it must be
    PrintAccessToken,
}

#[derive(Args, Debug, PartialEq)]
struct KeyArgs {
    /// id of the key
    #[arg(long)]
    key_id: String,
    /// secret of the key; `-` reads it from stdin, where no other process can see it
    #[arg(long)]
    key: String,
}

/// JSON result of `login` and `login api-key`.
#[derive(Serialize)]
struct LoggedIn<'a> {
    subject: &'a str,
    base_url: String,
    expires_at: Option<String>,
}

/// `viam auth login` is in old instructions.
fn words(mut words: Vec<OsString>) -> Vec<OsString> {
    if words.first().is_some_and(|first| first == "login") {
        words.remove(0);
    }
    words
}

fn run(world: &World, args: LoginArgs) -> Result<()> {
    match args.verb {
        None => device(world, args.disable_browser_open),
        Some(Verb::ApiKey(args)) => api_key(world, &args),
        Some(Verb::PrintAccessToken) => print_access_token(world),
    }
}

/// The login of this invocation without profile and environment key: what `login` replaces.
fn stored(world: &World) -> Result<Login> {
    let mut plain = world.clone();
    plain.globals.profile = None;
    plain.env = viam_contract::Env::new(
        world
            .env
            .iter()
            .filter(|(name, _)| *name != "VIAM_API_KEY" && *name != "VIAM_API_KEY_ID")
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    Login::find(&plain)
}

fn device(world: &World, no_browser: bool) -> Result<()> {
    // Before anybody opens a browser: will there be a place for the result?
    files::check_writable(&world.dirs.login)?;
    let login = stored(world)?;
    if let Credential::Key(key) = &login.credential {
        world.output.warn(&format!("this replaces the login with API key {}", key.id));
    }
    block_on(async {
        if let Credential::User(token) = &login.credential {
            let sessions = HostSessions::with(world.clone(), login.clone());
            if sessions.token().await.is_ok() {
                return done(world, "Already logged in", &token.email, &login, None);
            }
        }
        let provider = find_provider(&world.net, &login.base_url).await?;
        let clock = std::sync::Arc::clone(&world.clock);
        let now = move || DateTime::<Utc>::from(clock.now());
        let token = login::device_login(&world.net, &provider, now, |approval| {
            ask(world, &approval, no_browser);
        })
        .await?;
        let (email, expires_at) = (token.email.clone(), token.expires_at.map(|end| end.to_utc()));
        login::store_login(world, &login.base_url, Auth::User(token))?;
        done(world, "Logged in", &email, &login, expires_at)
    })
}

/// Tells the user what to do, and opens a browser where there is one.
fn ask(world: &World, approval: &Approval, no_browser: bool) {
    let display = cfg!(any(target_os = "macos", windows))
        || ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"]
            .iter()
            .any(|name| world.env.get(name).is_some());
    let opened = !no_browser && display && {
        let result = open::that_detached(&approval.url);
        if let Err(error) = &result {
            world.output.warn(&format!("no browser could be opened: {error}"));
        }
        result.is_ok()
    };
    let way = if opened { "In the browser that opens, or at" } else { "Open" };
    world.output.note(&format!(
        "{way} this address, and approve the code {}:\n\n  {}\n",
        text::one_line(&approval.code),
        text::one_line(&approval.url)
    ));
}

fn api_key(world: &World, args: &KeyArgs) -> Result<()> {
    let key =
        ApiKey { id: args.key_id.trim().to_owned(), key: secret(&args.key, "Secret of the key")? };
    if key.id.is_empty() || key.key.is_empty() {
        return Err(Error::new(Kind::Usage, "the key's id or secret is empty")
            .hint_run("viam login api-key --key-id ID --key -"));
    }
    let login = stored(world)?;
    block_on(login::login_with_key(world, &login.base_url, &key))?;
    if world.output.format == Format::Json {
        return done(world, "", &format!("key-{}", key.id), &login, None);
    }
    world.output.line(format!("Successfully logged in with api key {}", text::quoted(&key.id)))
}

fn done(
    world: &World,
    words: &str,
    who: &str,
    login: &Login,
    expires_at: Option<DateTime<Utc>>,
) -> Result<()> {
    if world.output.format == Format::Json {
        return world.output.json(&LoggedIn {
            subject: who,
            base_url: login.base_url.to_string(),
            expires_at: expires_at.map(|end| end.to_rfc3339()),
        });
    }
    let until = expires_at
        .map(|end| format!(", expires {}", end.format("%a %b %-d %H:%M:%S UTC %Y")))
        .unwrap_or_default();
    world.output.line(format!("{words} as {}{until}", text::quoted(who)))
}

fn print_access_token(world: &World) -> Result<()> {
    let sessions = HostSessions::open(world)?;
    let (token, expires_at) = match sessions.token_at_hand() {
        Some(found) => found,
        None => block_on(sessions.token())?,
    };
    if sessions.login().source == Source::Environment {
        tracing::debug!(target: "viam", "the token of the key in the environment");
    }
    // Programs read this: a format in the settings must not change it.
    if world.format_given && world.output.format == Format::Json {
        return world.output.json(&serde_json::json!({
            "access_token": token,
            "expires_at": expires_at.map(|end| end.to_rfc3339()),
        }));
    }
    world.output.bytes(format!("{token}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a21_auth_login_is_login() {
        assert_eq!(words(vec!["login".into(), "--no-browser".into()]), ["--no-browser"]);
        let args = LoginArgs::try_parse_from(["login", "--no-browser"]).expect("parses");
        assert!(args.disable_browser_open);
        let args = LoginArgs::try_parse_from(["login", "api-key", "--key-id", "i", "--key", "-"]);
        assert!(matches!(args.expect("parses").verb, Some(Verb::ApiKey(_))));
    }
}
