//! Manual pages, one a command that has a page of help.

use std::path::Path;
use std::{fs, io};

use clap::Command;

/// Writes `viam-COMMAND….1` for every command at every level.
pub(crate) fn write(trees: &[Command], folder: &Path) -> io::Result<bool> {
    fs::create_dir_all(folder)?;
    for tree in trees {
        pages(tree, "viam", folder)?;
    }
    Ok(true)
}

fn pages(command: &Command, above: &str, folder: &Path) -> io::Result<()> {
    let words = format!("{above} {}", command.get_name());
    let page = command
        .clone()
        .display_name(words.replace(' ', "-"))
        .bin_name(words.clone())
        .disable_help_subcommand(true);
    let path = folder.join(format!("{}.1", words.replace(' ', "-")));
    let mut text = Vec::new();
    clap_mangen::Man::new(page)
        .source(concat!("viam ", env!("CARGO_PKG_VERSION")))
        .manual("viam")
        .render(&mut text)?;
    fs::write(&path, text)?;
    println!("{}", path.display());
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        pages(below, &words, folder)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_has_a_page() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let key = Command::new("api-key").subcommand(Command::new("create").about("Create a key"));
        write(&[Command::new("robots").subcommand(key)], folder).unwrap();
        let page = fs::read_to_string(folder.join("viam-robots-api-key-create.1")).unwrap();
        assert!(page.contains("Create a key") && page.contains("viam robots api"), "{page}");
        assert!(
            folder.join("viam-robots.1").exists() && folder.join("viam-robots-api-key.1").exists()
        );
    }
}
