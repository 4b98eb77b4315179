//! The files of this computer that are sent, directories after what is in them, as machines send
//! them too (transport.md §6.3).

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::vec::IntoIter;

use viam_contract::{Error, Kind, Result, text};

/// A file or directory that is to be sent.
pub(super) struct Entry {
    /// Where it is.
    pub(super) path: PathBuf,
    /// What it is called on the way: parts with `/` between them.
    pub(super) name: String,
    /// What it is, links followed.
    pub(super) meta: Metadata,
}

/// What comes next.
pub(super) enum Step {
    Send(Entry),
    /// Something is left out, and why.
    Skip(String),
}

/// A directory whose entries are being gone through.
struct Open {
    entry: Entry,
    inside: IntoIter<PathBuf>,
}

/// Goes through one source. Links are followed.
pub(super) struct Walk {
    start: Option<Entry>,
    open: Vec<Open>,
}

impl Walk {
    /// Looks at a source.
    pub(super) fn new(cwd: &Path, given: &str, recursive: bool) -> Result<Self> {
        let path = cwd.join(given);
        let meta = fs::metadata(&path).map_err(|error| unreadable(&path, error))?;
        if meta.is_dir() && !recursive {
            let words =
                "file is a directory but copy recursion not used (you can use -r to enable this)";
            return Err(Error::new(Kind::User, format!("cannot copy {}", text::quoted(given)))
                .because(words));
        }
        if !meta.is_dir() && !meta.is_file() {
            let words = format!("{} is neither a file nor a directory", text::quoted(given));
            return Err(Error::new(Kind::User, words));
        }
        // `.` and `..` have names too.
        let named = match path.file_name() {
            Some(_) if !given.ends_with("/.") && given != "." => path.clone(),
            _ => fs::canonicalize(&path).map_err(|error| unreadable(&path, error))?,
        };
        let name = name_of(&named)?;
        Ok(Self { start: Some(Entry { path, name, meta }), open: Vec::new() })
    }

    /// Whether the source is a directory.
    pub(super) fn is_dir(&self) -> bool {
        self.start.as_ref().is_some_and(|entry| entry.meta.is_dir())
    }

    /// What comes next.
    pub(super) fn next(&mut self) -> Result<Option<Step>> {
        if let Some(start) = self.start.take() {
            if !start.meta.is_dir() {
                return Ok(Some(Step::Send(start)));
            }
            self.enter(start)?;
        }
        loop {
            let Some(top) = self.open.last_mut() else { return Ok(None) };
            let Some(path) = top.inside.next() else {
                let done = self.open.pop().map(|open| Step::Send(open.entry));
                return Ok(done);
            };
            let name = format!("{}/{}", top.entry.name, name_of(&path)?);
            let meta = fs::metadata(&path).map_err(|error| unreadable(&path, error))?;
            if meta.is_dir() {
                let same = |open: &Open| {
                    let outer = &open.entry.meta;
                    (outer.dev(), outer.ino()) == (meta.dev(), meta.ino())
                };
                if self.open.iter().any(same) {
                    let words = "leads back to a directory that it is in and is left out";
                    return Ok(Some(Step::Skip(format!("{} {words}", path.display()))));
                }
                self.enter(Entry { path, name, meta })?;
            } else if meta.is_file() {
                return Ok(Some(Step::Send(Entry { path, name, meta })));
            } else {
                let words = "is neither a file nor a directory and is left out";
                return Ok(Some(Step::Skip(format!("{} {words}", path.display()))));
            }
        }
    }

    fn enter(&mut self, entry: Entry) -> Result<()> {
        let fail = |error| unreadable(&entry.path, error);
        let mut inside = Vec::new();
        for found in fs::read_dir(&entry.path).map_err(fail)? {
            inside.push(found.map_err(fail)?.path());
        }
        // The same order each time, so that another attempt sends the same.
        inside.sort();
        self.open.push(Open { entry, inside: inside.into_iter() });
        Ok(())
    }
}

/// The last part of a path. Names are text on the way.
fn name_of(path: &Path) -> Result<String> {
    let cannot =
        |why: &str| Err(Error::new(Kind::User, format!("cannot copy {}: {why}", path.display())));
    match path.file_name().map(|name| name.to_str()) {
        Some(Some(name)) => Ok(name.to_owned()),
        Some(None) => cannot("its name is not UTF-8"),
        None => cannot("it has no name"),
    }
}

pub(super) fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::new(Kind::User, format!("cannot read {}", path.display())).because(error)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn all(root: &Path, given: &str) -> Result<(Vec<String>, usize)> {
        let mut walk = Walk::new(root, given, true)?;
        let (mut names, mut skipped) = (Vec::new(), 0);
        while let Some(step) = walk.next()? {
            match step {
                Step::Send(entry) => names.push(entry.name),
                Step::Skip(_) => skipped += 1,
            }
        }
        Ok((names, skipped))
    }

    #[test]
    fn directories_come_after_what_is_in_them_and_cycles_end() {
        let root = tempfile::tempdir().expect("directory");
        let d = root.path().join("d");
        fs::create_dir_all(d.join("sub")).expect("made");
        fs::write(d.join("a é"), "a").expect("written");
        fs::write(d.join("sub/b"), "b").expect("written");
        symlink("../a é", d.join("sub/link")).expect("linked");
        symlink("..", d.join("sub/up")).expect("linked");
        let _socket = std::os::unix::net::UnixListener::bind(d.join("socket")).expect("bound");
        let (names, skipped) = all(root.path(), "d").expect("walked");
        assert_eq!(names, ["d/a é", "d/sub/b", "d/sub/link", "d/sub", "d"]);
        assert_eq!(skipped, 2);
        assert_eq!(all(&d, ".").expect("walked").0, names);
        symlink("nowhere", d.join("dangling")).expect("linked");
        assert!(all(root.path(), "d").expect_err("dangling").message().contains("d/dangling"));
    }

    #[test]
    fn a_directory_wants_recursion() {
        let root = tempfile::tempdir().expect("directory");
        let error = Walk::new(root.path(), ".", false).err().expect("refused");
        assert!(error.one_line().contains("you can use -r"), "{}", error.one_line());
    }
}
