//! `viam-docs`: writes what is made from the command trees of `viam`.
//!
//! `cargo xtask reference` and `cargo xtask man` run it; it is apart from them because it links
//! the whole program.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for developers")]

mod man;
mod reference;

use std::path::Path;
use std::process::ExitCode;
use std::{fs, io};

/// The command that puts a differing page right.
const REPAIR: &str = "cargo xtask reference";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["reference", file] => write(Path::new(file)),
        ["reference", file, "--check"] => Ok(check(Path::new(file))),
        ["man", folder] => man::write(&viam::trees(), Path::new(folder)),
        _ => {
            eprintln!("Usage: viam-docs reference FILE [--check] | man FOLDER");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("Error: cannot write {}: {error}", arguments[1]);
            ExitCode::FAILURE
        }
    }
}

/// Brings the page up to date.
fn write(file: &Path) -> io::Result<bool> {
    let page = reference::page(&viam::trees());
    if fs::read_to_string(file).is_ok_and(|present| present == page) {
        return Ok(true);
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, page)?;
    println!("{}", file.display());
    Ok(true)
}

/// Says the first line in which the page differs.
fn check(file: &Path) -> bool {
    let page = reference::page(&viam::trees());
    let present = fs::read_to_string(file).unwrap_or_default();
    if present == page {
        return true;
    }
    let same = present.lines().zip(page.lines()).take_while(|(present, page)| present == page);
    let number = same.count();
    let wanted = page.lines().nth(number).unwrap_or("(the end)");
    eprintln!("{}:{}: not up to date, should be {wanted:?}", file.display(), number + 1);
    eprintln!("run `{REPAIR}`");
    false
}
