//! Where files of a machine go on this computer, whatever names it sends.

use std::path::{Path, PathBuf};

use viam_contract::{Error, Kind, Result, text};
use viam_proto::service::shell::v1::CopyFilesSourceType;

/// Where what is copied goes.
#[derive(Debug, PartialEq)]
pub(super) enum Place {
    /// Into a directory, under its own name.
    Into(PathBuf),
    /// This takes the place of its first name.
    As { path: PathBuf, directory: bool },
}

impl Place {
    /// Finds it as scp does (behaviour.md §1.10).
    pub(super) fn find(
        given: &str,
        destination: PathBuf,
        source: CopyFilesSourceType,
    ) -> Result<Self> {
        let refuse =
            |why: &str| Err(Error::new(Kind::User, format!("{} {why}", text::quoted(given))));
        let directory = source == CopyFilesSourceType::SingleDirectory;
        if destination.is_dir() {
            return Ok(Self::Into(destination));
        }
        if source == CopyFilesSourceType::MultipleFiles {
            return refuse("does not exist or is not a directory");
        }
        if destination.exists() {
            if directory {
                return refuse("is a file, and a directory cannot take its place");
            }
            if !destination.is_file() {
                return refuse("is neither a file nor a directory");
            }
            // A link stays a link.
            let path = destination.canonicalize().unwrap_or(destination);
            return Ok(Self::As { path, directory });
        }
        if given.ends_with('/') && !directory {
            return refuse("does not exist");
        }
        match destination.parent() {
            Some(parent) if parent.is_dir() => Ok(Self::As { path: destination, directory }),
            _ => refuse("cannot be made: the directory that it would be in does not exist"),
        }
    }

    /// The path for a name that [`parts`] has let through.
    pub(super) fn path(&self, parts: &[&str]) -> Result<PathBuf> {
        match (self, parts) {
            (Self::Into(directory), parts) => Ok(directory.join(parts.join("/"))),
            (Self::As { path, .. }, [_]) => Ok(path.clone()),
            (Self::As { path, directory: true }, [_, rest @ ..]) => Ok(path.join(rest.join("/"))),
            _ => Err(hostile(&parts.join("/"), "it was asked for one file")),
        }
    }
}

/// The parts of a name that the machine sends. It must begin with one of the names that were
/// asked for, where these are known, and lead nowhere else.
pub(super) fn parts<'n>(name: &'n str, asked: Option<&[String]>) -> Result<Vec<&'n str>> {
    let parts: Vec<&str> = name.split('/').collect();
    if name.contains(['\0', '\\'])
        || parts.iter().any(|part| part.is_empty() || matches!(*part, "." | ".."))
    {
        return Err(hostile(name, "it leads elsewhere"));
    }
    if let Some(asked) = asked
        && !parts.first().is_some_and(|first| asked.iter().any(|name| name == first))
    {
        return Err(hostile(name, "nobody asked for it"));
    }
    Ok(parts)
}

fn hostile(name: &str, why: &str) -> Error {
    let name = text::quoted(name);
    Error::new(
        Kind::Remote,
        format!("the machine sent the file name {name}, which is refused: {why}"),
    )
}

/// The names that the machine may send first, `None` when only it can know them.
pub(super) fn asked(sources: &[String]) -> Option<Vec<String>> {
    let name = |source: &String| {
        let name = Path::new(source).file_name()?.to_str()?;
        let known = name != "~" && !name.starts_with('$') && !source.ends_with("/.");
        known.then(|| name.to_owned())
    };
    sources.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let asked = ["x".to_owned()];
        for name in
            ["", "/x", "../x", "x/../y", "x//y", "x/", ".", "x/.", "x\\y", "x\0", "y", "y/x"]
        {
            assert_eq!(parts(name, Some(&asked)).expect_err(name).kind(), Kind::Remote);
        }
        assert_eq!(parts("x/a b/é", Some(&asked)).expect("good"), ["x", "a b", "é"]);
        assert_eq!(parts("y", None).expect("good"), ["y"]);
    }

    #[test]
    fn what_was_asked_for_is_known_by_its_last_name() {
        let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(asked(&list(&["~/a", "/b/", "c/d"])), Some(list(&["a", "b", "d"])));
        for unknown in ["~", "a/..", "$VIAM_HOME", "/", "a/."] {
            assert_eq!(asked(&list(&["a", unknown])), None, "{unknown}");
        }
    }

    #[test]
    fn destinations_are_as_in_scp() {
        use CopyFilesSourceType::{MultipleFiles, SingleDirectory, SingleFile};
        let root = tempfile::tempdir().expect("directory");
        let file = root.path().join("file");
        std::fs::write(&file, "x").expect("written");
        let find = |name: &str, source| Place::find(name, root.path().join(name), source);
        let renamed = |directory| Place::As { path: root.path().join("new"), directory };
        assert_eq!(find("", SingleFile).expect("in it"), Place::Into(root.path().join("")));
        assert!(matches!(find("file", SingleFile), Ok(Place::As { directory: false, .. })));
        assert_eq!(find("new", SingleFile).expect("renamed"), renamed(false));
        assert_eq!(find("new", SingleDirectory).expect("renamed"), renamed(true));
        for (name, source) in [
            ("file", SingleDirectory),
            ("file", MultipleFiles),
            ("new", MultipleFiles),
            ("no/new", SingleFile),
            ("no/new", SingleDirectory),
            ("new/", SingleFile),
        ] {
            assert_eq!(find(name, source).expect_err(name).kind(), Kind::User);
        }
        let path = renamed(true).path(&["d", "a", "b"]).expect("path");
        assert_eq!(path, root.path().join("new/a/b"));
        assert!(renamed(false).path(&["d", "a"]).is_err());
    }
}
