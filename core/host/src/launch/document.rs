//! Building the session document (plugin-protocol §5).

use std::io::IsTerminal as _;

use chrono::SecondsFormat;
use viam_contract::{
    Auth, AuthNeed, CoreInfo, DocumentDefaults, Endpoint, Error, Invocation, Io, Kind, Log,
    PluginInfo, Result, ResultExt as _, SESSION_LIMIT, SESSION_SCHEMA, SessionDocument, VERSION,
};

use crate::login::{Credential, HostSessions};
use crate::route::Candidate;
use crate::world::World;

/// What the plugin is told of the login. Where a token must come from the network, `runtime`
/// is built for it: the usual dispatch builds none.
///
/// # Errors
/// `Auth` when the plugin needs a login and there is none.
pub(super) fn auth(
    world: &World,
    sessions: &HostSessions,
    need: AuthNeed,
    name: &str,
) -> Result<Auth> {
    let login = sessions.login();
    let subject = login.subject();
    let without = |kind: &str, reason: Option<String>| Auth {
        kind: kind.to_owned(),
        access_token: None,
        expires_at: None,
        subject: subject.clone().filter(|_| kind != "withheld"),
        reason,
    };
    if need == AuthNeed::None {
        return Ok(without("withheld", Some("the manifest says auth = \"none\"".to_owned())));
    }
    if let Credential::None(why) = &login.credential {
        if need == AuthNeed::Optional {
            return Ok(without("none", why.clone()));
        }
        return Err(Error::new(Kind::Auth, format!("the command {name} needs a login"))
            .because(crate::login::not_logged_in(login, why.as_deref()).message().to_owned())
            .hint_run("viam login"));
    }
    let found = match sessions.token_at_hand() {
        Some(found) => Ok(found),
        None => renew(sessions),
    };
    match found {
        Ok((token, expires_at)) => Ok(Auth {
            kind: "bearer".to_owned(),
            access_token: Some(token),
            expires_at: expires_at.map(|end| end.to_rfc3339_opts(SecondsFormat::Secs, true)),
            subject,
            reason: None,
        }),
        Err(error) if need == AuthNeed::Optional => {
            let reason = error.one_line();
            world.output.warn(&format!("the plugin gets no token: {reason}"));
            Ok(without("expired", Some(reason)))
        }
        Err(error) => Err(error),
    }
}

fn renew(sessions: &HostSessions) -> Result<(String, Option<chrono::DateTime<chrono::Utc>>)> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .or_kind(Kind::Internal, || "cannot start the runtime".to_owned())?
        .block_on(sessions.token())
}

/// Joins everything into the document's bytes: one line of JSON.
///
/// # Errors
/// `NotStarted` when it is larger than [`SESSION_LIMIT`] (a huge section of the settings).
pub(super) fn render(
    world: &World,
    sessions: &HostSessions,
    candidate: &Candidate,
    auth: Auth,
    depth: u32,
    stdin: &str,
) -> Result<Vec<u8>> {
    let globals = &world.globals;
    let login = sessions.login();
    let stdin_tty = std::io::stdin().is_terminal();
    let (stdout_tty, stderr_tty) = (world.output.stdout_tty(), world.output.stderr_tty());
    let document = SessionDocument {
        schema: SESSION_SCHEMA.to_owned(),
        core: CoreInfo { version: VERSION.to_owned(), path: world.core_exe.display().to_string() },
        plugin: PluginInfo {
            name: candidate.name.clone(),
            kind: candidate.origin.as_str().to_owned(),
            path: candidate.path.as_ref().map(|p| p.display().to_string()).unwrap_or_default(),
        },
        invocation: Invocation {
            cwd: world.cwd.display().to_string(),
            depth,
            profile: globals.profile.clone(),
        },
        endpoint: Endpoint {
            base_url: login.base_url.to_string(),
            plaintext: login.base_url.plaintext,
        },
        auth,
        defaults: DocumentDefaults {
            org_id: login.defaults.org_id.clone(),
            location_id: login.defaults.location_id.clone(),
        },
        io: Io {
            stdin: stdin.to_owned(),
            stdin_tty,
            stdout_tty,
            stderr_tty,
            color: globals.color.as_str().to_owned(),
            format: globals.format.as_str().to_owned(),
            interactive: !globals.no_input && stdin_tty && stderr_tty,
        },
        log: Log { debug: globals.debug, quiet: globals.quiet },
        config: world
            .settings
            .plugin
            .get(&candidate.name)
            .and_then(|section| serde_json::to_value(section).ok())
            .unwrap_or_else(|| serde_json::json!({})),
        features: vec!["token/1".to_owned()],
    };
    let mut bytes = serde_json::to_vec(&document)
        .or_kind(Kind::Internal, || "cannot write the session document".to_owned())?;
    bytes.push(b'\n');
    if bytes.len() > SESSION_LIMIT {
        return Err(Error::new(
            Kind::NotStarted,
            format!("the session document for {} has {} bytes", candidate.name, bytes.len()),
        )
        .because(format!("it may have {SESSION_LIMIT} at most"))
        .hint_text("make the plugin's section in the settings file smaller"));
    }
    Ok(bytes)
}
