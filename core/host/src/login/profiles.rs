//! `cli_profiles.json` (transport.md §1.3): names and API keys, in the existing program's form.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value, json};
use viam_contract::{Dirs, Error, Kind, Result, text};

use super::file::{ApiKey, Auth, Loaded, SessionFile, load, lock, store};
use crate::{files, paths};

/// The list of profiles.
#[derive(Clone, Debug)]
pub struct Profiles {
    dirs: Dirs,
    list: BTreeMap<String, ApiKey>,
}

/// One profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Its key.
    pub key: ApiKey,
}

impl Profiles {
    fn path(dirs: &Dirs) -> PathBuf {
        dirs.login.join("cli_profiles.json")
    }

    /// Reads the list.
    ///
    /// # Errors
    /// `Config` when the file cannot be read or understood.
    pub fn load(dirs: &Dirs) -> Result<Self> {
        let path = Self::path(dirs);
        let mut list = BTreeMap::new();
        if let Some(bytes) = files::read(&path)? {
            let object: Map<String, Value> = serde_json::from_slice(&bytes).map_err(|error| {
                Error::new(Kind::Config, format!("cannot use the profiles in {}", path.display()))
                    .because(error)
                    .hint_text("correct the file, or move it away and add the profiles again")
            })?;
            for (name, value) in object {
                let key = &value["APIKey"];
                let part = |field: &str| key[field].as_str().unwrap_or_default().to_owned();
                list.insert(name, ApiKey { id: part("key_id"), key: part("key_crypto") });
            }
        }
        Ok(Self { dirs: dirs.clone(), list })
    }

    /// The names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.list.keys().map(String::as_str)
    }

    /// The key of a profile.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&ApiKey> {
        self.list.get(name)
    }

    /// Adds a profile, or with `update` replaces one, and writes its session file, so that the
    /// next call with it uses this key.
    ///
    /// # Errors
    /// `Usage` for a name that cannot be part of a file name, `User` for one that exists.
    pub fn put(dirs: &Dirs, profile: Profile, update: bool, base_url: &str) -> Result<()> {
        check_name(&profile.name)?;
        let _lock = lock(&Self::path(dirs))?;
        let mut profiles = Self::load(dirs)?;
        if !update && profiles.list.contains_key(&profile.name) {
            return Err(Error::new(
                Kind::User,
                format!("profile {} exists already", text::quoted(&profile.name)),
            )
            .hint_run(format!("viam profiles update --profile-name {}", profile.name)));
        }
        let session_path = paths::session_file(dirs, Some(&profile.name));
        let mut session = match load(&session_path)? {
            Loaded::File(session) => session,
            Loaded::Missing | Loaded::Broken(_) => SessionFile::default(),
        };
        if session.base_url.is_empty() {
            base_url.clone_into(&mut session.base_url);
        }
        session.auth = Some(Auth::Key(profile.key.clone()));
        profiles.list.insert(profile.name, profile.key);
        profiles.save()?;
        store(&session_path, &session)
    }

    /// Removes a profile and its session file.
    ///
    /// # Errors
    /// `User` when there is none of that name.
    pub fn remove(dirs: &Dirs, name: &str) -> Result<()> {
        check_name(name)?;
        let _lock = lock(&Self::path(dirs))?;
        let mut profiles = Self::load(dirs)?;
        if profiles.list.remove(name).is_none() {
            return Err(profiles.unknown(name));
        }
        profiles.save()?;
        files::remove(&paths::session_file(dirs, Some(name)))?;
        Ok(())
    }

    /// The error for a profile that does not exist.
    #[must_use]
    pub fn unknown(&self, name: &str) -> Error {
        let error = Error::new(Kind::User, format!("profile {} not found", text::quoted(name)));
        match text::nearest(name, self.names()).first() {
            Some(near) => error.hint_text(format!("did you mean {}?", text::quoted(near))),
            None => error.hint_run("viam profiles list"),
        }
    }

    fn save(&self) -> Result<()> {
        let object: Map<String, Value> = self
            .list
            .iter()
            .map(|(name, key)| {
                let value = json!({
                    "Name": name,
                    "APIKey": { "key_id": key.id, "key_crypto": key.key },
                });
                (name.clone(), value)
            })
            .collect();
        files::replace_json(&Self::path(&self.dirs), &object)
    }
}

/// A profile's name becomes part of a file name, so it must not lead anywhere else.
pub(super) fn check_name(name: &str) -> Result<()> {
    let fine = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | ' ');
    if name.is_empty() || name.len() > 100 || name.starts_with('.') || !name.chars().all(fine) {
        return Err(Error::new(
            Kind::Usage,
            format!("{} cannot be the name of a profile", text::quoted(name)),
        )
        .hint_text("letters, digits, `-`, `_`, `.`, `@` and spaces, 100 bytes at most"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a40_update_reaches_the_session_file_and_names_are_confined() {
        let dir = tempfile::tempdir().expect("dir");
        let dirs = Dirs { login: dir.path().join("new"), ..Dirs::default() };
        let profile = |key: &str| Profile {
            name: "prod".into(),
            key: ApiKey { id: key.into(), key: "s".into() },
        };
        Profiles::put(&dirs, profile("old"), false, "https://h:1").expect("adds");
        assert_eq!(
            Profiles::put(&dirs, profile("x"), false, "https://h:1").expect_err("twice").kind(),
            Kind::User
        );
        Profiles::put(&dirs, profile("new"), true, "https://other:1").expect("updates");
        let path = paths::session_file(&dirs, Some("prod"));
        let Loaded::File(session) = load(&path).expect("loads") else { panic!("no file") };
        assert_eq!(session.auth.expect("auth").subject(), "key-new");
        assert_eq!(session.base_url, "https://h:1");
        Profiles::remove(&dirs, "prod").expect("removes");
        assert!(!path.exists());
        for bad in ["", "../x", "a/b", ".hidden", "a\nb"] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
    }
}
