//! What is refused, and what cannot run (plugin-protocol §2, §7).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use viam_test::TestEnv;

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
}

#[test]
fn what_anybody_may_write_is_not_run() {
    let env = TestEnv::new();
    let path = env.plugin("x", "#!/bin/sh\necho run\n");
    mode(&path, 0o757);
    env.viam(&["x"]).run().code(125).says("everybody may write");
    mode(&path, 0o775);
    env.viam(&["x"]).run().ok().prints("run");
    mode(&env.bin(), 0o777);
    env.viam(&["x"]).run().code(125).says("its folder");
    let outcome = env.viam(&["plugin", "list"]).run().ok();
    assert!(outcome.out().contains("unsafe"), "{outcome}");
    // A sticky folder with one's own file in it is fine.
    mode(&env.bin(), 0o1777);
    env.viam(&["x"]).run().ok().prints("run");
    mode(&env.bin(), 0o755);
}

#[test]
fn b9_b10_what_cannot_run_says_which_it_is() {
    let env = TestEnv::new();
    env.plugin("bad", "echo no shebang\n");
    env.viam(&["bad"]).run().code(126).says("not an executable for this system").says("viam-bad");
    env.plugin("zz", "#!/no/such/interp\n");
    env.viam(&["zz"]).run().code(126).says("/no/such/interp is not found");
    env.plugin("zsh", "#!/usr/bin/env no-such-shell\n");
    env.viam(&["zsh"]).run().code(126).says("no-such-shell is not found");
    let path = env.plugin("noexec", "#!/bin/sh\n");
    mode(&path, 0o644);
    env.viam(&["noexec"]).run().code(126).says("execute bit").says("chmod +x");
}

#[test]
fn b20_a_bad_plugin_touches_nothing_else() {
    let env = TestEnv::new();
    let before = env.viam(&["version"]).run().ok();
    let help = env.viam(&[]).run().ok();
    env.plugin("bad", "\u{1}\u{2}\u{3}garbage");
    env.file(&env.bin().join("viam-bad.plugin.toml"), "not toml = = =", 0o644);
    std::os::unix::fs::symlink("/no/such/file", env.bin().join("viam-dangling")).expect("link");
    let after = env.viam(&["version"]).run().ok();
    assert_eq!((before.stdout, before.stderr), (after.stdout, after.stderr));
    let with = env.viam(&[]).run().ok();
    assert!(with.out().contains("bad"), "{with}");
    assert!(with.out().lines().count() <= help.out().lines().count() + 3, "{with}");
    assert!(with.stderr.is_empty(), "{with}");
    let outcome = env.viam(&["plugin", "list"]).run().ok();
    assert!(outcome.out().contains("broken"), "{outcome}");
    let listed = env.viam(&["--format", "json", "plugin", "list"]).run().ok().json();
    assert_eq!(listed[0]["name"], "bad");
    assert_eq!(listed[0]["status"], "broken");
    assert_eq!(listed[0]["kind"], "path");
}

#[test]
fn the_policy_of_the_settings_decides() {
    let env = TestEnv::new();
    env.plugin("x", "#!/bin/sh\necho run\n");
    let settings = |text: &str| {
        env.file(&env.home().join(".config/viam/config.toml"), text, 0o644);
    };
    settings("[plugins]\nallow = \"installed\"\n");
    env.viam(&["x"]).run().code(125).says("plugins.allow");
    settings("[plugins]\nallow = \"ask\"\n");
    env.viam(&["x"]).run().code(125).says("no terminal to ask");
    settings("[plugins]\nallow = \"path\"\n");
    env.viam(&["x"]).run().ok();
    settings("[plugins]\nallow = \"everything\"\n");
    env.viam(&["x"]).run().code(1).says("config.toml");
    // A folder that one works in sets nothing.
    fs::remove_file(env.home().join(".config/viam/config.toml")).expect("removes");
    env.file(&env.root().join("work/config.toml"), "[plugins]\nallow = \"installed\"\n", 0o644);
    env.viam(&["x"]).run().ok().prints("run");
}

#[test]
fn an_answer_on_the_terminal_is_kept_for_this_very_content() {
    use std::io::{Read as _, Write as _};
    let env = TestEnv::new();
    env.plugin("x", "#!/bin/sh\necho run-one\n");
    env.file(&env.home().join(".config/viam/config.toml"), "[plugins]\nallow = \"ask\"\n", 0o644);
    let ask = |answer: &str| {
        let (mut pty, pts) = pty_process::blocking::open().expect("pty");
        let mut command = pty_process::blocking::Command::new(&env.viam).arg("x").env_clear();
        for (name, value) in [("HOME", env.home().into_os_string()), ("PATH", env.path())] {
            command = command.env(name, value);
        }
        let mut child = command.spawn(pts).expect("starts");
        let _watch = crate::support::Watch::on(&child);
        pty.write_all(answer.as_bytes()).expect("types");
        let mut seen = Vec::new();
        let mut buffer = [0; 1024];
        while let Ok(length @ 1..) = pty.read(&mut buffer) {
            seen.extend_from_slice(&buffer[..length]);
        }
        (child.wait().expect("ends").code(), String::from_utf8_lossy(&seen).into_owned())
    };
    let (code, seen) = ask("n\n");
    assert_eq!(code, Some(125), "{seen}");
    let (code, seen) = ask("y\n");
    assert!(code == Some(0) && seen.contains("run-one"), "{seen}");
    env.viam(&["x"]).run().ok().prints("run-one");
    env.plugin("x", "#!/bin/sh\necho run-two\n");
    env.viam(&["x"]).run().code(125);
}
