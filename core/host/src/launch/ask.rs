//! `plugins.allow = "ask"`: a plugin on PATH is confirmed once, for this very content.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use ring::digest;
use viam_contract::{Error, Kind, Prompter as _, Result, ResultExt as _};

use crate::doors::Terminal;
use crate::files;
use crate::route::{Candidate, Origin};
use crate::settings::Allow;
use crate::world::World;

/// Asks, if the settings say so.
///
/// # Errors
/// `NotStarted` when the answer is no, or when nobody can be asked.
pub(super) fn confirm(world: &World, candidate: &Candidate) -> Result<()> {
    let (Allow::Ask, Origin::Path, Some(path)) =
        (world.settings.plugins.allow, candidate.origin, &candidate.path)
    else {
        return Ok(());
    };
    let record = world.dirs.data.join("confirmed-plugins.json");
    let mut context = digest::Context::new(&digest::SHA256);
    let mut file = std::fs::File::open(path)
        .or_kind(Kind::NotStarted, || format!("cannot read {}", path.display()))?;
    io::copy(&mut file, &mut Feed(&mut context))
        .or_kind(Kind::NotStarted, || format!("cannot read {}", path.display()))?;
    let hash: String = context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let key = path.display().to_string();
    if read(&record)?.get(&key) == Some(&hash) {
        return Ok(());
    }
    let prompter = Terminal { no_input: world.globals.no_input };
    let refused = |why: &str| {
        Error::new(Kind::NotStarted, format!("the plugin {key} is not confirmed"))
            .because(format!("plugins.allow in the settings is `ask`, and {why}"))
    };
    if !prompter.interactive() {
        return Err(refused("there is no terminal to ask on"));
    }
    if !prompter.confirm(&format!("Run the plugin {key} with your session?"))? {
        return Err(refused("the answer was no"));
    }
    // Another answer may have been given meanwhile.
    let _lock = files::lock_blocking(&record.with_extension("lock"))?;
    let mut known = read(&record)?;
    known.insert(key, hash);
    files::replace_json(&record, &known)
}

/// The confirmed contents by path. A record that is not understood confirms nothing.
fn read(record: &Path) -> Result<BTreeMap<String, String>> {
    let bytes = files::read(record)?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
}

struct Feed<'a>(&'a mut digest::Context);

impl io::Write for Feed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
