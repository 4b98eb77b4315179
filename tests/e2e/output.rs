//! Terminals: colour, control characters, notices.

use std::ffi::OsStr;
use std::io::Read as _;

use viam_test::TestEnv;

use crate::support::logged_in;

/// Runs a command on a terminal and returns everything it showed.
fn on_a_terminal(env: &TestEnv, args: &[&str], vars: &[(&str, &str)]) -> String {
    let (mut pty, pts) = pty_process::blocking::open().expect("pty");
    let mut command = pty_process::blocking::Command::new(&env.viam)
        .args(args)
        .env_clear()
        .env("HOME", env.home())
        .env("PATH", env.path())
        .env("TERM", "xterm");
    for (name, value) in vars {
        command = command.env(name, OsStr::new(value));
    }
    let mut child = command.spawn(pts).expect("starts");
    let _watch = crate::support::Watch::on(&child);
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = pty.read(&mut buffer) {
        seen.extend_from_slice(&buffer[..length]);
    }
    child.wait().expect("ends");
    String::from_utf8_lossy(&seen).into_owned()
}

#[test]
fn b39_colour_is_for_terminals_that_want_it() {
    let env = TestEnv::new();
    let words = ["organizations", "list"];
    assert!(on_a_terminal(&env, &words, &[]).contains("\u{1b}[1;31mError:\u{1b}[0m"));
    assert!(on_a_terminal(&env, &words, &[("NO_COLOR", "")]).contains('\u{1b}'));
    for vars in [("NO_COLOR", "1"), ("TERM", "dumb"), ("VIAM_COLOR", "never")] {
        let seen = on_a_terminal(&env, &words, &[vars]);
        assert!(!seen.contains('\u{1b}'), "{vars:?}: {seen:?}");
    }
    assert!(!on_a_terminal(&env, &["--color", "never", "whoami"], &[]).contains('\u{1b}'));
    let piped = env.viam(&words).run().code(4);
    assert!(!piped.err().contains('\u{1b}'), "{piped}");
    let forced = env.viam(&["--color=always", "organizations", "list"]).run().code(4);
    assert!(forced.err().contains('\u{1b}'), "{forced}");
}

#[test]
fn the_terminal_is_never_asked_anything() {
    let (env, _sandbox) = logged_in("fleet");
    for words in [&["version"][..], &["whoami"], &["organizations", "list"], &["help"]] {
        let seen = on_a_terminal(&env, words, &[("NO_COLOR", "1")]);
        assert!(!seen.contains('\u{1b}'), "{words:?}: {seen:?}");
    }
}

#[test]
fn quiet_drops_notices_and_keeps_results() {
    let (env, _sandbox) = logged_in("fleet");
    let loud = env.viam(&["organizations", "list"]).run().ok();
    assert!(loud.err().starts_with("Info: Using \"http://127.0.0.1:"), "{loud}");
    for words in [&["-q", "organizations", "list"][..], &["organizations", "list", "--quiet"]] {
        let quiet = env.viam(words).run().ok();
        assert_eq!(quiet.out(), loud.out());
        assert!(quiet.stderr.is_empty(), "{quiet}");
    }
}

#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    let (env, _sandbox) = logged_in("fleet");
    env.sh("viam organizations list >/dev/full").run().code(1).says("cannot write the output");
    env.sh("viam whoami >/dev/full").run().code(1);
    env.sh("viam login print-access-token >/dev/full").run().code(1);
}

#[test]
fn a_secret_that_is_typed_is_not_shown_and_the_terminal_is_as_before() {
    use std::io::Write as _;
    let env = TestEnv::new();
    let typed = |keys: &str| {
        let (mut pty, pts) = pty_process::blocking::open().expect("pty");
        let words = "profiles add --profile-name p --key-id k --key -";
        let script =
            format!("{} {words}; echo code $?; stty -a | grep -o '[-]*echo '", env.viam.display());
        let mut child = pty_process::blocking::Command::new("/bin/sh")
            .args(["-c", &script])
            .env_clear()
            .env("HOME", env.home())
            .env("PATH", env.path())
            .spawn(pts)
            .expect("starts");
        let _watch = crate::support::Watch::on(&child);
        let mut seen = String::new();
        let mut buffer = [0; 4096];
        let mut sent = false;
        while let Ok(length @ 1..) = pty.read(&mut buffer) {
            seen.push_str(&String::from_utf8_lossy(&buffer[..length]));
            if seen.contains("not shown): ") && !sent {
                pty.write_all(keys.as_bytes()).expect("types");
                sent = true;
            }
        }
        child.wait().expect("ends");
        seen
    };
    let seen = typed("hid\u{7f}dden\n");
    assert!(seen.contains("Successfully added profile p") && !seen.contains("dden"), "{seen}");
    assert!(seen.contains("code 0\r\necho"), "{seen}");
    let stored = std::fs::read_to_string(env.login_dir().join("cli_profiles.json")).expect("file");
    assert!(stored.contains("\"hidden\""), "{stored}");
    let seen = typed("\u{3}");
    assert!(seen.contains("code 130\r\necho"), "{seen}");
}

#[test]
fn a_format_in_the_settings_leaves_call_backs_alone() {
    let (env, _sandbox) = logged_in("fleet");
    env.file(&env.home().join(".config/viam/config.toml"), "format = 'json'\n", 0o644);
    assert!(env.viam(&["organizations", "list"]).run().ok().json().is_array());
    let token = env.viam(&["login", "print-access-token"]).run().ok().out();
    assert!(!token.contains('{') && token.lines().count() == 1, "{token}");
    let json = env.viam(&["login", "print-access-token", "--format", "json"]).run().ok().json();
    assert_eq!(json["access_token"], token.trim());
}

#[test]
fn a_long_wait_is_named_on_a_terminal_only() {
    let (env, sandbox) = logged_in("empty");
    let slow = |milliseconds| {
        sandbox.server.set_faults(vec![viam_sandbox::server::FaultRule {
            delay_ms: Some(milliseconds),
            ..viam_sandbox::server::FaultRule::on(crate::support::LIST_ORGANIZATIONS)
        }]);
    };
    slow(1500);
    let seen = on_a_terminal(&env, &["organizations", "list"], &[]);
    assert!(
        seen.contains("waiting for 127.0.0.1:") && seen.contains("Organizations for"),
        "{seen}"
    );
    slow(1500);
    let piped = env.viam(&["organizations", "list"]).run().ok();
    assert!(!piped.err().contains("waiting"), "{piped}");
}
