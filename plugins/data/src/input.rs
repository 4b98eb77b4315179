//! Text that a flag names the file of.

use std::io::Read as _;
use std::path::Path;

use viam_contract::{Context, Kind, Result, ResultExt as _};

/// The text of a file; `-` is stdin.
pub(crate) fn text(cx: &Context, path: &Path) -> Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        let read = std::io::stdin().read_to_string(&mut text);
        return read.map(|_| text).or_kind(Kind::User, || "cannot read stdin".to_owned());
    }
    std::fs::read_to_string(cx.cwd.join(path))
        .or_kind(Kind::User, || format!("cannot read {}", path.display()))
}
