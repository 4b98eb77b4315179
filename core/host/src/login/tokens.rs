//! Access tokens that API keys were exchanged for, kept until they end, so that not every
//! process pays that round trip. One file a key in `<login folder>/tokens`, 0600.

use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use ring::digest;
use serde::{Deserialize, Serialize};
use viam_client::BaseUrl;
use viam_contract::{Dirs, Result};

use super::claims;
use super::file::ApiKey;
use crate::files;

/// How long a token counts that does not say when it ends.
const UNSTATED_LIFE: TimeDelta = TimeDelta::hours(1);

/// The margin before a token's end.
pub(super) const MARGIN: TimeDelta = TimeDelta::seconds(10);

/// The cached token of one key at one base URL.
#[derive(Clone, Debug)]
pub struct TokenCache {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    access_token: String,
    expires_at: DateTime<Utc>,
}

impl TokenCache {
    /// The cache of this key. The file's name is a digest of address, id and secret: another
    /// secret never finds this token.
    #[must_use]
    pub fn new(dirs: &Dirs, base_url: &BaseUrl, key: &ApiKey) -> Self {
        let text = format!("{base_url}\0{}\0{}", key.id, key.key);
        let digest = digest::digest(&digest::SHA256, text.as_bytes());
        let name: String =
            digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self { path: dirs.login.join("tokens").join(format!("{name}.json")) }
    }

    /// The token, while it is good, and its end.
    #[must_use]
    pub fn get(&self, now: DateTime<Utc>) -> Option<(String, DateTime<Utc>)> {
        let bytes = files::read(&self.path).ok()??;
        let entry: Entry = serde_json::from_slice(&bytes).ok()?;
        // An end far in the future was written by a clock that went wrong.
        let sane = entry.expires_at - now <= TimeDelta::hours(25);
        (sane && now + MARGIN < entry.expires_at).then_some((entry.access_token, entry.expires_at))
    }

    /// Keeps a token and says when it ends.
    ///
    /// # Errors
    /// `Config` when it cannot be written; the token can be used all the same.
    pub fn put(&self, token: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>> {
        let expires_at = end_of(token, now);
        let entry = Entry { access_token: token.to_owned(), expires_at };
        files::replace_json(&self.path, &entry)?;
        Ok(expires_at)
    }

    /// Forgets the token.
    pub fn forget(&self) {
        // What cannot be removed ends by itself.
        drop(files::remove(&self.path));
    }
}

/// When a token ends: what it says itself, at most a day ahead; else an hour from now.
pub(super) fn end_of(token: &str, now: DateTime<Utc>) -> DateTime<Utc> {
    claims::expiry(token)
        .filter(|end| *end > now && *end - now <= TimeDelta::hours(24))
        .unwrap_or(now + UNSTATED_LIFE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_by_its_own_key_until_it_ends() {
        let dir = tempfile::tempdir().expect("dir");
        let dirs = Dirs { login: dir.path().into(), ..Dirs::default() };
        let base = BaseUrl::parse("h").expect("url");
        let key = ApiKey { id: "k".into(), key: "s".into() };
        let cache = TokenCache::new(&dirs, &base, &key);
        let now = Utc::now();
        assert!(cache.get(now).is_none());
        let end = cache.put("opaque", now).expect("puts");
        assert_eq!(end - now, UNSTATED_LIFE);
        assert_eq!(cache.get(now).expect("cached").0, "opaque");
        assert!(cache.get(now + TimeDelta::minutes(60)).is_none());
        let other = ApiKey { key: "wrong".into(), ..key.clone() };
        assert!(TokenCache::new(&dirs, &base, &other).get(now).is_none());
        let elsewhere = BaseUrl::parse("other").expect("url");
        assert!(TokenCache::new(&dirs, &elsewhere, &key).get(now).is_none());
        cache.forget();
        assert!(cache.get(now).is_none());
    }
}
