//! Where files lie (design §3; docs/files.md is the table for users).

use std::path::{Path, PathBuf};

use viam_contract::{Dirs, Env};

/// The folders of this user.
#[must_use]
pub fn dirs(env: &Env, config: Option<&Path>) -> Dirs {
    let mut found = match env.get("VIAM_HOME") {
        Some(home) => {
            let home = PathBuf::from(home);
            Dirs {
                config_file: home.join("config.toml"),
                data: home.join("data"),
                cache: home.join("cache"),
                login: home,
            }
        }
        None => {
            let home =
                env.get("HOME").map(PathBuf::from).or_else(dirs::home_dir).unwrap_or_default();
            let below = |variable: &str, fallback: &str| {
                let base = env
                    .get(variable)
                    .map(PathBuf::from)
                    .filter(|path| path.is_absolute())
                    .unwrap_or_else(|| home.join(fallback));
                base.join("viam")
            };
            Dirs {
                config_file: below("XDG_CONFIG_HOME", ".config").join("config.toml"),
                data: below("XDG_DATA_HOME", ".local/share"),
                cache: below("XDG_CACHE_HOME", ".cache"),
                login: home.join(".viam"),
            }
        }
    };
    if let Some(config) = config {
        found.config_file = config.into();
    }
    found
}

/// The session file of a profile, or of the plain login.
#[must_use]
pub fn session_file(dirs: &Dirs, profile: Option<&str>) -> PathBuf {
    match profile {
        Some(profile) => dirs.login.join(format!("{profile}_cached_cli_config.json")),
        None => dirs.login.join("cached_cli_config.json"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Env {
        Env::new(pairs.iter().map(|(k, v)| (k.into(), v.into())))
    }

    #[test]
    fn viam_home_holds_everything() {
        let found = dirs(&env(&[("HOME", "/h"), ("VIAM_HOME", "/v")]), None);
        assert_eq!(session_file(&found, None), Path::new("/v/cached_cli_config.json"));
        assert_eq!(session_file(&found, Some("p")), Path::new("/v/p_cached_cli_config.json"));
        assert_eq!(found.config_file, Path::new("/v/config.toml"));
        assert_eq!(found.data, Path::new("/v/data"));
    }

    #[test]
    fn the_login_is_shared_with_the_existing_program_and_the_rest_is_ours() {
        let found = dirs(&env(&[("HOME", "/h"), ("XDG_DATA_HOME", "relative")]), None);
        assert_eq!(found.login, Path::new("/h/.viam"));
        assert_eq!(found.config_file, Path::new("/h/.config/viam/config.toml"));
        assert_eq!(found.data, Path::new("/h/.local/share/viam"));
        let given = dirs(&env(&[("HOME", "/h")]), Some(Path::new("f.toml")));
        assert_eq!(given.config_file, Path::new("f.toml"));
    }
}
