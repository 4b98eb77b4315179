//! The session of one process: tokens when they are needed, renewed when they must be.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::Mutex;
use viam_client::wire::{self, API_KEY, TokenSource};
use viam_contract::{BoxFuture, Error, Kind, Result, Sessions, Target, Wire, text};

use super::file::{Auth, Loaded, UserToken, load};
use super::refresh;
use super::source::{Credential, Login, Source};
use super::tokens::TokenCache;
use crate::connect;
use crate::world::World;

const ENVIRONMENT_HINT: &str =
    "unset the variables to use the stored login, or set them to a key that works";

fn update_profile(name: &str) -> String {
    format!("viam profiles update --profile-name {name} --key-id ID --key -")
}

/// Login and connections of one process.
#[derive(Clone)]
pub struct HostSessions {
    inner: Arc<Inner>,
}

struct Inner {
    world: World,
    login: Login,
    /// The token in use, renewed by one task at a time.
    current: Mutex<Option<Token>>,
}

#[derive(Clone)]
struct Token {
    bearer: String,
    expires_at: Option<DateTime<Utc>>,
}

impl HostSessions {
    /// Finds the login; see [`Login::find`].
    ///
    /// # Errors
    /// As [`Login::find`].
    pub fn open(world: &World) -> Result<Self> {
        let login = Login::find(world)?;
        if let Some(complaint) = &login.complaint {
            world.output.warn(complaint);
        }
        Ok(Self::with(world.clone(), login))
    }

    /// The session of a login.
    #[must_use]
    pub fn with(world: World, login: Login) -> Self {
        Self { inner: Arc::new(Inner { world, login, current: Mutex::new(None) }) }
    }

    /// The login.
    #[must_use]
    pub fn login(&self) -> &Login {
        &self.inner.login
    }

    /// The token that is good now and its end, without the network; `None` when it takes the
    /// network to get one, or when nobody is logged in.
    #[must_use]
    pub fn token_at_hand(&self) -> Option<(String, Option<DateTime<Utc>>)> {
        let Inner { world, login, .. } = &*self.inner;
        let now: DateTime<Utc> = world.clock.now().into();
        match &login.credential {
            Credential::None(_) => None,
            Credential::User(token) => refresh::is_good(token, now)
                .then(|| (token.access_token.clone(), token.expires_at.map(|end| end.to_utc()))),
            Credential::Key(key) => TokenCache::new(&world.dirs, &login.base_url, key)
                .get(now)
                .map(|(token, end)| (token, Some(end))),
        }
    }

    /// A token that is good now, got from the network if it must be.
    ///
    /// # Errors
    /// `Auth` when nobody is logged in or the login has ended, `Remote` when the network fails.
    pub async fn token(&self) -> Result<(String, Option<DateTime<Utc>>)> {
        let token = self.inner.token(None).await?;
        Ok((token.bearer, token.expires_at))
    }
}

impl Inner {
    async fn token(&self, rejected: Option<&str>) -> Result<Token> {
        let mut current = self.current.lock().await;
        let now: DateTime<Utc> = self.world.clock.now().into();
        if let Some(token) = &*current {
            let good = token.expires_at.is_none_or(|end| now + super::tokens::MARGIN < end);
            if good && rejected != Some(token.bearer.as_str()) {
                return Ok(token.clone());
            }
        }
        let token = match &self.login.credential {
            Credential::None(why) => return Err(not_logged_in(&self.login, why.as_deref())),
            Credential::User(token) => self.user(token, rejected, now).await?,
            Credential::Key(key) => {
                let cache = TokenCache::new(&self.world.dirs, &self.login.base_url, key);
                match cache.get(now).filter(|(token, _)| rejected != Some(token.as_str())) {
                    Some((bearer, end)) => Token { bearer, expires_at: Some(end) },
                    None => {
                        let bearer = wire::authenticate(
                            connect::config(
                                &self.world.output,
                                &self.world.net,
                                &self.login.base_url,
                            ),
                            &key.id,
                            API_KEY,
                            &key.key,
                        )
                        .await
                        .map_err(|error| self.name_source(error))?;
                        // A folder that cannot be written costs an exchange in each process.
                        let end = cache
                            .put(&bearer, now)
                            .unwrap_or_else(|_| super::tokens::end_of(&bearer, now));
                        Token { bearer, expires_at: Some(end) }
                    }
                }
            }
        };
        *current = Some(token.clone());
        Ok(token)
    }

    async fn user(
        &self,
        token: &UserToken,
        rejected: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Token> {
        let plain = |token: &UserToken| Token {
            bearer: token.access_token.clone(),
            expires_at: token.expires_at.map(|end| end.to_utc()),
        };
        if rejected.is_none() && refresh::is_good(token, now) {
            return Ok(plain(token));
        }
        // What was refused may be newer than what this process started with.
        let mut old = token.clone();
        if let Some(rejected) = rejected
            && rejected != old.access_token
            && let Loaded::File(session) = load(&self.login.path)?
            && let Some(Auth::User(stored)) = session.auth
        {
            old = stored;
        }
        let fresh =
            refresh::renew(&self.world.net, &self.login, &old, now, &self.world.output).await?;
        Ok(plain(&fresh))
    }

    /// Says where a refused credential came from.
    fn name_source(&self, error: Error) -> Error {
        if error.kind() != Kind::Auth {
            return error;
        }
        let error = error.hint_text(format!("the key came from {}", self.login.source.describe()));
        match &self.login.source {
            Source::Environment => error.hint_text(ENVIRONMENT_HINT),
            Source::Profile(name) => error.hint_run(update_profile(name)),
            Source::Stored => error.hint_run("viam login api-key --key-id ID --key -"),
        }
    }
}

/// The error of a command that needs a login.
#[must_use]
pub fn not_logged_in(login: &Login, why: Option<&str>) -> Error {
    connect::not_logged_in(&login.base_url.to_string(), why)
}

impl TokenSource for Inner {
    fn bearer<'a>(&'a self, rejected: Option<&'a str>) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(async move {
            let token = self.token(rejected).await?;
            Ok((rejected != Some(token.bearer.as_str())).then_some(token.bearer))
        })
    }

    fn key(&self) -> Option<(&str, &str)> {
        match &self.login.credential {
            Credential::Key(key) => Some((&key.id, &key.key)),
            _ => None,
        }
    }

    fn refused(&self, said: &str) -> Option<Error> {
        let source = self.login.source.describe();
        let who = self.login.subject().unwrap_or_default();
        let mut words = format!("the server does not accept the login of {who} from {source}");
        if !said.is_empty() {
            words = format!("{words}: {}", text::one_line(said));
        }
        let error = Error::new(Kind::Auth, words);
        Some(match (&self.login.credential, &self.login.source) {
            (Credential::User(_), _) => error.hint_run("viam login"),
            (_, Source::Environment) => error.hint_text(ENVIRONMENT_HINT),
            (_, Source::Profile(name)) => error.hint_run(update_profile(name)),
            (_, Source::Stored) => error.hint_run("viam login api-key --key-id ID --key -"),
        })
    }
}

impl Sessions for HostSessions {
    fn subject(&self) -> Result<String> {
        let login = &self.inner.login;
        match &login.credential {
            Credential::None(why) => Err(not_logged_in(login, why.as_deref())),
            _ => Ok(login.subject().unwrap_or_default()),
        }
    }

    fn base_url(&self) -> Result<String> {
        Ok(self.inner.login.base_url.to_string())
    }

    fn wire<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<Wire>> {
        Box::pin(async move {
            let Inner { world, login, .. } = &*self.inner;
            if let Target::Address { address, key } = target {
                return connect::address(&world.output, &world.net, address, key.clone());
            }
            self.subject()?;
            if let Target::Lan { fqdn, at } = target {
                let key = match &login.credential {
                    Credential::Key(key) => Some((key.id.clone(), key.key.clone())),
                    _ => None,
                };
                return connect::lan(&world.output, &world.net, fqdn, at, key);
            }
            let tokens = Arc::clone(&self.inner) as Arc<dyn TokenSource>;
            if let Target::Part { fqdn } = target {
                return connect::part(&world.output, &world.net, &login.base_url, fqdn, tokens);
            }
            if matches!(target, Target::Web) {
                return Ok(connect::web(&world.output, &world.net, &login.base_url, tokens));
            }
            if login.overrides_stored && world.output.stderr_tty() {
                world.output.status(
                    "VIAM_API_KEY_ID and VIAM_API_KEY are used instead of the stored login",
                );
            }
            connect::open(&world.output, &world.net, &login.base_url, tokens)
        })
    }
}
