//! Where the credential of an invocation comes from: flag, environment, profile, stored login
//! (design §3), and to which base URL it belongs.

use std::path::PathBuf;

use viam_client::BaseUrl;
use viam_contract::{DEFAULT_BASE_URL, Defaults, Error, Kind, Result, text};

use super::file::{ApiKey, Auth, Loaded, SessionFile, UserToken, load};
use super::profiles::Profiles;
use crate::paths;
use crate::world::World;

/// Where a credential came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `--profile` or `VIAM_CLI_PROFILE_NAME`.
    Profile(String),
    /// `VIAM_API_KEY_ID` and `VIAM_API_KEY`.
    Environment,
    /// The stored login.
    Stored,
}

/// A credential.
#[derive(Clone, Debug, PartialEq)]
pub enum Credential {
    /// Nobody is logged in, and why that is, where there is more to say.
    None(Option<String>),
    /// A user.
    User(UserToken),
    /// An API key.
    Key(ApiKey),
}

/// The login of an invocation.
#[derive(Clone, Debug)]
pub struct Login {
    /// Where it came from.
    pub source: Source,
    /// The credential.
    pub credential: Credential,
    /// Where calls go.
    pub base_url: BaseUrl,
    /// Default organization and location.
    pub defaults: Defaults,
    /// The session file it is stored in.
    pub path: PathBuf,
    /// What could not be used on the way, for a warning.
    pub complaint: Option<String>,
    /// Whether a stored login is overridden by the environment.
    pub overrides_stored: bool,
}

impl Source {
    /// The words for `whoami` and for errors.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Profile(name) => format!("profile {}", text::quoted(name)),
            Self::Environment => "VIAM_API_KEY_ID and VIAM_API_KEY".to_owned(),
            Self::Stored => "the stored login".to_owned(),
        }
    }
}

impl Login {
    /// Finds the login. Reads files only; the network is not touched.
    ///
    /// # Errors
    /// `Config` for files that may not be read, `User` for an unknown `--profile`, `Usage` for a
    /// base URL that is none.
    pub fn find(world: &World) -> Result<Self> {
        let (profile, complaint) = chosen_profile(world)?;
        let path =
            paths::session_file(&world.dirs, profile.as_ref().map(|(name, _)| name.as_str()));
        let (session, broken) = match load(&path)? {
            Loaded::Missing => (SessionFile::default(), None),
            Loaded::File(session) => (session, None),
            Loaded::Broken(why) => (
                SessionFile::default(),
                Some(format!("ignoring the login in {}: {why}", path.display())),
            ),
        };
        let key_of_environment = environment_key(world, profile.is_some())?;
        let bound = match session.base_url.as_str() {
            "" => None,
            url => Some(BaseUrl::parse(url).map_err(|error| {
                Error::new(Kind::Config, format!("cannot use the login in {}", path.display()))
                    .because(error)
            })?),
        };
        let given = world.globals.base_url.as_deref().map(BaseUrl::parse).transpose()?;
        let configured = world.settings.base_url.as_deref().map(BaseUrl::parse).transpose()?;
        // Keys of the environment go to the URL of flag and environment, or to the default.
        let stored = if key_of_environment.is_some() { None } else { bound.clone() };
        let base_url = match given.clone().or(stored).or(configured) {
            Some(url) => url,
            None => BaseUrl::parse(DEFAULT_BASE_URL)?,
        };
        allow(world, &base_url)?;
        let elsewhere = bound.as_ref().filter(|bound| **bound != base_url);
        let overrides_stored = key_of_environment.is_some() && session.auth.is_some();
        let (source, credential) = match (key_of_environment, profile, session.auth) {
            (Some(key), ..) => (Source::Environment, Credential::Key(key)),
            (None, Some((name, key)), _) => {
                let credential = match elsewhere {
                    Some(bound) => Credential::None(Some(format!(
                        "profile {} belongs to {bound}",
                        text::quoted(&name)
                    ))),
                    None => Credential::Key(key),
                };
                (Source::Profile(name), credential)
            }
            (None, None, Some(auth)) => {
                let credential = match (elsewhere, auth) {
                    (Some(bound), _) => {
                        Credential::None(Some(format!("the stored login belongs to {bound}")))
                    }
                    (None, Auth::User(token)) => Credential::User(token),
                    (None, Auth::Key(key)) => Credential::Key(key),
                };
                (Source::Stored, credential)
            }
            (None, None, None) => (Source::Stored, Credential::None(None)),
        };
        let id = |text: &str| (!text.is_empty() && elsewhere.is_none()).then(|| text.to_owned());
        Ok(Self {
            source,
            credential,
            base_url,
            defaults: Defaults {
                org_id: id(&session.default_org),
                location_id: id(&session.default_location),
            },
            path,
            complaint: broken.or(complaint),
            overrides_stored,
        })
    }

    /// How the user is shown, where somebody is logged in.
    #[must_use]
    pub fn subject(&self) -> Option<String> {
        match &self.credential {
            Credential::None(_) => None,
            Credential::User(token) => Some(token.email.clone()),
            Credential::Key(key) => Some(format!("key-{}", key.id)),
        }
    }
}

/// The profile that is meant, with its key; a soft one that does not exist is complained of.
#[expect(clippy::type_complexity, reason = "a pair of optional things, used once")]
fn chosen_profile(world: &World) -> Result<(Option<(String, ApiKey)>, Option<String>)> {
    let Some(name) = &world.globals.profile else { return Ok((None, None)) };
    let profiles = Profiles::load(&world.dirs)?;
    match profiles.get(name) {
        Some(key) => Ok((Some((name.clone(), key.clone())), None)),
        None if world.soft_profile => Ok((
            None,
            Some(format!(
                "there is no profile {} (VIAM_CLI_PROFILE_NAME), using the stored login",
                text::quoted(name)
            )),
        )),
        None => Err(profiles.unknown(name)),
    }
}

/// The API key of the environment; `--profile` beats it, a profile of the environment does not.
fn environment_key(world: &World, has_profile: bool) -> Result<Option<ApiKey>> {
    if has_profile && !world.soft_profile {
        return Ok(None);
    }
    match (world.env.text("VIAM_API_KEY_ID"), world.env.text("VIAM_API_KEY")) {
        (Some(id), Some(key)) => Ok(Some(ApiKey { id: id.to_owned(), key: key.to_owned() })),
        (None, None) => Ok(None),
        (id, _) => {
            let (set, missing) = match id {
                Some(_) => ("VIAM_API_KEY_ID", "VIAM_API_KEY"),
                None => ("VIAM_API_KEY", "VIAM_API_KEY_ID"),
            };
            Err(Error::new(Kind::Config, format!("{set} is set but {missing} is not"))
                .hint_text("set both, or neither to use the stored login"))
        }
    }
}

/// Cleartext only to this machine, unless the user allows it.
fn allow(world: &World, base_url: &BaseUrl) -> Result<()> {
    if base_url.plaintext && !base_url.is_loopback() && !world.globals.allow_plaintext {
        return Err(Error::new(
            Kind::Usage,
            format!("{base_url} would carry the login over the network unencrypted"),
        )
        .hint_text("use https://, or say --allow-plaintext"));
    }
    Ok(())
}
