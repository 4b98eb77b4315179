//! Files that only their owner reads, written whole or not at all.

use std::io::Write as _;
use std::path::Path;

use viam_contract::{Kind, Result, ResultExt as _};

/// Writes a file with mode 0600 by way of a temporary one.
///
/// # Errors
/// `Config` with the path.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let doing = || format!("cannot write {}", path.display());
    let dir = path.parent().unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(dir).or_kind(Kind::Config, doing)?;
    file.write_all(bytes).or_kind(Kind::Config, doing)?;
    file.as_file().sync_all().or_kind(Kind::Config, doing)?;
    file.persist(path).or_kind(Kind::Config, doing)?;
    Ok(())
}

/// Makes an empty file with mode 0600, unless there is one.
///
/// # Errors
/// `Config` with the path.
pub(crate) fn touch_private(path: &Path) -> Result<()> {
    let mut options = std::fs::File::options();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path);
    file.map(drop).or_kind(Kind::Config, || format!("cannot open {}", path.display()))
}

/// Makes a directory that only its owner enters, and those above it.
///
/// # Errors
/// `Config` with the path.
pub(crate) fn make_private_dir(path: &Path) -> Result<()> {
    let doing = || format!("cannot make the directory {}", path.display());
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).or_kind(Kind::Config, doing)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn nobody_else_reads_them() {
        let dir = tempfile::tempdir().expect("dir");
        let inner = dir.path().join("a/b");
        make_private_dir(&inner).expect("directory");
        let file = inner.join("x");
        write_private(&file, b"one").expect("first");
        write_private(&file, b"two").expect("second");
        let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&inner), mode(&file)), (0o700, 0o600));
        assert_eq!(std::fs::read(&file).expect("read"), b"two");
    }
}
