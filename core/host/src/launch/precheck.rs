//! Whether the system can run a file at all, and if not, why: `exec` alone would say only
//! "no such file", or silently give a text to the shell.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use viam_contract::{Error, Kind, Result};

/// `e_machine` of the running architecture (ELF specification).
#[cfg(target_arch = "x86_64")]
const MACHINE: u16 = 62;
#[cfg(target_arch = "aarch64")]
const MACHINE: u16 = 183;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const MACHINE: u16 = 0;

/// Looks at a file's first bytes.
///
/// # Errors
/// `CannotRun` with which it is: no execute bit, missing interpreter, other architecture, no
/// program.
pub fn runnable(path: &Path) -> Result<()> {
    let fault = |why: String| {
        Error::new(Kind::CannotRun, format!("cannot run {}", path.display())).because(why)
    };
    if rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_err() {
        return Err(fault("it has no execute bit for you".to_owned())
            .hint_text(format!("`chmod +x {}` gives it one", path.display())));
    }
    let mut head = [0; 256];
    let length = match File::open(path).and_then(|mut file| read_head(&mut file, &mut head)) {
        Ok(length) => length,
        // May be executed but not read: the system will say the rest.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
        Err(error) => return Err(fault(error.to_string())),
    };
    let head = &head[..length];
    if let Some(line) = head.strip_prefix(b"#!") {
        let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
        return interpreter(line).map_err(fault);
    }
    if head.starts_with(b"\x7fELF") && length >= 20 {
        let machine = if head[5] == 2 {
            u16::from_be_bytes([head[18], head[19]])
        } else {
            u16::from_le_bytes([head[18], head[19]])
        };
        if MACHINE != 0 && machine != MACHINE && machine != 3 {
            return Err(fault(format!(
                "it is built for another processor (ELF machine {machine}, this is {MACHINE})"
            )));
        }
        return Ok(());
    }
    if cfg!(target_os = "macos") {
        return Ok(());
    }
    Err(fault("it is not an executable for this system: no ELF program and no #! line".to_owned()))
}

fn read_head(file: &mut File, head: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < head.len() {
        match file.read(&mut head[length..])? {
            0 => break,
            more => length += more,
        }
    }
    Ok(length)
}

/// Whether the interpreter of a `#!` line exists, and with `env` the program it looks for.
fn interpreter(line: &[u8]) -> std::result::Result<(), String> {
    let mut words = line
        .split(|byte| matches!(byte, b' ' | b'\t'))
        .filter(|word| !word.is_empty())
        .map(std::ffi::OsStr::from_bytes);
    let Some(program) = words.next() else {
        return Err("its #! line names no interpreter".to_owned());
    };
    if program.as_bytes().ends_with(b"\r") {
        return Err("its lines end in CR LF, so its interpreter is not found".to_owned());
    }
    if !Path::new(program).exists() {
        return Err(format!("its interpreter {} is not found", Path::new(program).display()));
    }
    if Path::new(program).file_name().is_some_and(|name| name == "env")
        && let Some(wanted) = words
            .find(|word| !word.as_bytes().starts_with(b"-") && !word.as_bytes().contains(&b'='))
        && which::which(wanted).is_err()
    {
        return Err(format!("its interpreter {} is not found", Path::new(wanted).display()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn b9_b10_each_reason_is_named() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("viam-x");
        let why = |content: &[u8], mode: u32| {
            std::fs::write(&path, content).expect("writes");
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&path, mode).expect("mode");
            match runnable(&path) {
                Ok(()) => String::new(),
                Err(error) => {
                    assert_eq!(error.kind(), Kind::CannotRun);
                    error.causes().join(" ")
                }
            }
        };
        assert_eq!(why(b"#!/bin/sh\n", 0o755), "");
        assert_eq!(why(b"#! /usr/bin/env sh\n", 0o755), "");
        assert!(why(b"#!/bin/sh\n", 0o644).contains("execute bit"));
        assert!(why(b"#!/no/such/interp -x\n", 0o755).contains("/no/such/interp is not found"));
        assert!(why(b"#!/usr/bin/env zsh-that-is-not\n", 0o755).contains("zsh-that-is-not"));
        assert!(why(b"#!/bin/sh\r\n", 0o755).contains("CR LF"));
        assert!(why(b"echo no shebang\n", 0o755).contains("not an executable for this system"));
        assert!(why(b"", 0o755).contains("not an executable"));
        let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
        elf.resize(64, 0);
        elf[18] = 243;
        assert!(why(&elf, 0o755).contains("another processor"));
    }
}
