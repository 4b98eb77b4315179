//! `viam sandbox env`

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use serde_json::json;
use viam_contract::{Context, Format, Result};

use crate::place::{FOREIGN, Place, path_led_by_core};

/// Print the settings that make this shell use a running sandbox
///
/// Meant for `eval "$(viam sandbox env)"`.
#[derive(Debug, Default, PartialEq, clap::Args)]
pub(crate) struct Args {
    /// directory of the sandbox
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let place = Place::of(cx, args.dir.as_deref());
    let (state, _) = place.required().await?;
    let home = place.home.into_os_string();
    let path = path_led_by_core(cx);
    if cx.output.format == Format::Json {
        return cx.output.json(&json!({
            "VIAM_HOME": home.to_string_lossy(),
            "VIAM_SANDBOX_URL": state.base_url,
            "PATH": path.to_string_lossy(),
        }));
    }
    // The XDG folders are other programs' too, and with VIAM_HOME nothing of ours lies in them.
    let foreign: Vec<&str> = FOREIGN
        .into_iter()
        .filter(|name| name.starts_with("VIAM_") && cx.env.get(name).is_some())
        .collect();
    if !foreign.is_empty() {
        cx.output.line(format!("unset {}", foreign.join(" ")))?;
    }
    let settings =
        [("VIAM_HOME", home), ("VIAM_SANDBOX_URL", OsString::from(state.base_url)), ("PATH", path)];
    for (name, value) in settings {
        let mut line = format!("export {name}=").into_bytes();
        line.extend(quoted(&value));
        line.push(b'\n');
        cx.output.bytes(&line)?;
    }
    Ok(())
}

/// A value as a shell reads it back, byte for byte.
fn quoted(value: &OsStr) -> Vec<u8> {
    let mut quoted = vec![b'\''];
    for byte in value.as_encoded_bytes() {
        match byte {
            b'\'' => quoted.extend(b"'\\''"),
            byte => quoted.push(*byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_the_value_back() {
        for (value, shown) in [("a b", "'a b'"), ("it's $x", r"'it'\''s $x'"), ("", "''")] {
            assert_eq!(quoted(OsStr::new(value)), shown.as_bytes());
        }
    }
}
