//! Logging in with an API key: checked with the server before it is stored.

use viam_client::wire::{self, API_KEY};
use viam_client::{BaseUrl, lookup};
use viam_contract::{BoxFuture, Result};

use super::file::{ApiKey, Auth, Loaded, SessionFile, change};
use super::tokens::TokenCache;
use crate::connect;
use crate::world::World;
use crate::{files, paths};
use std::sync::Arc;

struct Fixed(String);

impl wire::TokenSource for Fixed {
    fn bearer<'a>(&'a self, rejected: Option<&'a str>) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(async move { Ok(rejected.is_none().then(|| self.0.clone())) })
    }
}

/// Checks a key: exchanges it and makes one call.
///
/// # Errors
/// `Auth` when the server refuses it, `Remote` when it cannot be reached.
pub async fn check_key(world: &World, base_url: &BaseUrl, key: &ApiKey) -> Result<String> {
    let config = connect::config(&world.output, &world.net, base_url);
    let token = wire::authenticate(config.clone(), &key.id, API_KEY, &key.key).await?;
    let wire = wire::open(wire::Config { tokens: Some(Arc::new(Fixed(token.clone()))), ..config })?;
    lookup::organizations(&wire).await?;
    Ok(token)
}

/// Checks a key and stores it as the login.
///
/// # Errors
/// As [`check_key`]; then nothing is stored. `Config` when the file cannot be written.
pub async fn login_with_key(world: &World, base_url: &BaseUrl, key: &ApiKey) -> Result<()> {
    files::check_writable(&world.dirs.login)?;
    let token = check_key(world, base_url, key).await?;
    store_login(world, base_url, Auth::Key(key.clone()))?;
    // Not having the token cached costs one more exchange, nothing else.
    drop(TokenCache::new(&world.dirs, base_url, key).put(&token, world.clock.now().into()));
    Ok(())
}

/// Replaces the stored login; what else the file holds stays, unless it belonged to another
/// base URL. A file that could not be read is kept aside.
///
/// # Errors
/// `Config` with the path.
pub fn store_login(world: &World, base_url: &BaseUrl, auth: Auth) -> Result<()> {
    let path = paths::session_file(&world.dirs, None);
    change(&path, |loaded| {
        let mut session = match loaded {
            Loaded::File(session) => session,
            Loaded::Missing => SessionFile::default(),
            Loaded::Broken(_) => {
                let aside = path.with_extension("json.broken");
                if std::fs::rename(&path, &aside).is_ok() {
                    let words = format!("kept the broken login file as {}", aside.display());
                    world.output.warn(&words);
                }
                SessionFile::default()
            }
        };
        if BaseUrl::parse(&session.base_url).ok().as_ref() != Some(base_url) {
            session.default_org.clear();
            session.default_location.clear();
        }
        session.base_url = base_url.to_string();
        session.auth = Some(auth);
        Ok(Some(session))
    })
}
