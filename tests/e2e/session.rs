//! The stored login: files, refresh, the base URL it belongs to.

use std::fs;

use serde_json::json;
use viam_test::{TestEnv, TestSandbox};

use crate::support::{
    AUTHENTICATE, LIST_ORGANIZATIONS, TOKEN, as_nobody, logged_in, nobody, organization_key,
};

const PAST: &str = "2020-01-01T00:00:00Z";
const FUTURE: &str = "2099-01-01T00:00:00Z";

#[test]
fn a11_whoami_without_a_login_is_4_and_says_so_on_stdout() {
    let env = TestEnv::new();
    let outcome = env.viam(&["whoami"]).run().code(4);
    assert_eq!(outcome.out(), "Not logged in\n");
    assert_eq!(outcome.err(), "Error: Not logged in\nHint: run `viam login`\n");
    let json = env.viam(&["whoami", "--format", "json"]).run().code(4).json();
    assert_eq!(json["logged_in"], false);
    // Nothing was written by asking.
    assert!(!env.login_dir().exists());
}

#[test]
fn a14_a_copy_of_the_file_is_a_login() {
    let (env, sandbox) = logged_in("fleet");
    let other = TestEnv::new();
    other.file(
        &other.session_file(),
        &fs::read_to_string(env.session_file()).expect("file"),
        0o640,
    );
    other.viam(&["organizations", "list"]).run().ok().prints("Acme Robotics");
    // A file of the existing program: an API key, in its own form.
    let (id, key) = organization_key(&env, "Acme Robotics");
    other.store_session(&json!({
        "base_url": sandbox.url(), "auth": { "key_id": id, "key_crypto": key },
        "last_update_check": "2026-11-24T23:27:23Z", "latest_version": "",
        "default_org": "", "default_location": "",
    }));
    assert_eq!(other.viam(&["whoami"]).run().ok().out(), format!("key-{id}\n"));
    other.viam(&["organizations", "list"]).run().ok().prints("Acme Robotics");
}

#[test]
fn a15_an_expired_token_is_renewed_and_written_back() {
    let (env, sandbox) = (TestEnv::new(), TestSandbox::start("fleet"));
    let old = sandbox.log_in_until(&env, PAST);
    let token = env.viam(&["login", "print-access-token"]).run().ok().out();
    assert_ne!(token.trim(), old.access_token);
    let session = env.session();
    assert_eq!(session["auth"]["access_token"], token.trim());
    assert_ne!(session["auth"]["refresh_token"], old.refresh_token);
    assert_eq!(sandbox.asked(TOKEN), 1);
    // Good now: nobody is asked again.
    assert_eq!(env.viam(&["login", "print-access-token"]).run().ok().out(), token);
    assert_eq!(sandbox.asked(TOKEN), 1);
    // By an API key it is the token that the key was exchanged for, once for all processes.
    let (id, key) = organization_key(&env, "Acme Robotics");
    env.viam(&["login", "api-key", "--key-id", &id, "--key", &key]).run().ok();
    sandbox.server.clear_requests();
    let token = env.viam(&["login", "print-access-token"]).run().ok().out();
    assert!(token.trim().len() > 20 && !token.contains(&key), "{token}");
    env.viam(&["organizations", "list"]).run().ok();
    assert_eq!(sandbox.asked(AUTHENTICATE), 0);
}

#[test]
fn a16_stdout_is_the_bare_token_or_nothing() {
    let env = TestEnv::new();
    let outcome = env.viam(&["login", "print-access-token"]).run().code(4);
    assert!(outcome.stdout.is_empty(), "{outcome}");
    env.store_login(&nobody(), "to%ken%20!d");
    let outcome = env.viam(&["login", "print-access-token"]).run().ok();
    assert_eq!(outcome.out(), "to%ken%20!d\n");
    assert!(outcome.stderr.is_empty(), "{outcome}");
}

#[test]
fn b27_sixteen_at_once_and_the_provider_sees_one_refresh() {
    let (env, sandbox) = (TestEnv::new(), TestSandbox::start("fleet"));
    for round in 0..if viam_test::full() { 20 } else { 2 } {
        sandbox.log_in_until(&env, PAST);
        sandbox.server.clear_requests();
        let children: Vec<_> =
            (0..16).map(|_| env.viam(&["organizations", "list"]).spawn()).collect();
        for child in children {
            let output = child.wait_with_output().expect("ends");
            let shown = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "round {round}: {shown}");
        }
        let refreshes = sandbox.asked(TOKEN);
        assert!((1..=2).contains(&refreshes), "round {round}: {refreshes} refreshes");
        assert_eq!(env.session()["auth"]["user_data"]["email"], "demo@example.com");
    }
    // No temporary file stays.
    let left: Vec<_> = fs::read_dir(env.login_dir())
        .expect("list")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".tmp"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_refused_refresh_is_4_and_a_network_failure_keeps_the_login() {
    let (env, sandbox) = (TestEnv::new(), TestSandbox::start("fleet"));
    let first = sandbox.log_in_until(&env, PAST);
    env.viam(&["login", "print-access-token"]).run().ok();
    // The rotated refresh token again: refused.
    let mut session = env.session();
    session["auth"]["refresh_token"] = json!(first.refresh_token);
    session["auth"]["expires_at"] = json!(PAST);
    env.store_session(&session);
    env.viam(&["organizations", "list"]).run().code(4).says("has ended").says("viam login");
    // The provider does not answer: an error, and the file is as it was.
    let nobody = nobody();
    session["auth"]["token_url"] = json!(format!("{nobody}/oauth/token"));
    env.store_session(&session);
    env.viam(&["organizations", "list"]).run().code(1).says(&format!("cannot reach {nobody}"));
    assert_eq!(env.session(), session);
    // Logging in again works, whatever the old token.
    let mut login = crate::support::Login::start(&env, &["login", "--no-browser"], &[]);
    let code = login.code();
    sandbox.server.decide(&code, true).expect("decides");
    assert_eq!(login.end().0, 0);
}

#[test]
fn b38_the_servers_word_beats_the_clock_and_nothing_loops() {
    let (env, sandbox) = (TestEnv::new(), TestSandbox::start("fleet"));
    sandbox.log_in_until(&env, FUTURE);
    // The clock says good, the server says no: one refresh, one more call.
    sandbox.fail(LIST_ORGANIZATIONS, 1, 16, "token expired");
    env.viam(&["organizations", "list"]).run().ok();
    assert_eq!(sandbox.asked(TOKEN), 1);
    // The server says no to everything: an error, not a loop.
    sandbox.server.clear_requests();
    sandbox.fail(LIST_ORGANIZATIONS, 100, 16, "token expired");
    env.viam(&["organizations", "list"])
        .run()
        .code(4)
        .says("the login of demo@example.com from the stored login: token expired")
        .says("viam login");
    assert_eq!(sandbox.asked(TOKEN), 1);
    assert_eq!(sandbox.asked(LIST_ORGANIZATIONS), 2);
    // An end that is long past by this clock, for a token that the server takes.
    sandbox.server.set_faults(Vec::new());
    sandbox.server.clear_requests();
    sandbox.log_in_until(&env, "1990-01-01T00:00:00Z");
    env.viam(&["organizations", "list"]).run().ok();
    assert_eq!(sandbox.asked(TOKEN), 1);
}

#[test]
fn a_stored_login_belongs_to_its_base_url() {
    let (env, sandbox) = logged_in("fleet");
    let other = TestSandbox::start("fleet");
    for words in [
        &["--base-url", other.url(), "organizations", "list"][..],
        &["organizations", "list", "--base-url", other.url()],
    ] {
        let outcome = env.viam(words).run().code(4);
        let hint = format!("run `viam --base-url {} login`", other.url());
        assert!(outcome.err().contains(&hint), "{outcome}");
    }
    env.viam(&["organizations", "list"]).env("VIAM_BASE_URL", other.url()).run().code(4);
    env.viam(&["--base-url", other.url(), "whoami"]).run().code(4);
    assert_eq!(other.server.requests().counts.len(), 0, "something was sent");
    // The same place in other words is the same place.
    let spelled = sandbox.url().replace("http://", "").to_uppercase();
    env.viam(&["--base-url", &spelled, "organizations", "list"]).run().ok();
    // A plugin gets no token for another place either.
    env.plugin("hello", "#!/bin/sh\njq -c .auth\n");
    let outcome = env.viam(&["--base-url", other.url(), "hello"]).run().ok();
    assert!(outcome.out().starts_with("{\"kind\":\"none\""), "{outcome}");
}

#[test]
fn cleartext_is_for_this_machine() {
    let env = TestEnv::new();
    env.viam(&["--base-url", "http://app.example.test", "organizations", "list"])
        .run()
        .code(2)
        .says("unencrypted")
        .says("--allow-plaintext");
    env.viam(&["--base-url", "ftp://x", "whoami"]).run().code(2).says("https or http");
}

#[test]
fn a37_a_broken_file_blocks_nothing_and_is_kept_aside() {
    let (donor, sandbox) = logged_in("fleet");
    let (id, key) = organization_key(&donor, "Acme Robotics");
    for broken in ["{", "", "[]", "{\"auth\": {}}", "{\"auth\": null}}"] {
        let env = TestEnv::new();
        env.file(&env.session_file(), broken, 0o600);
        let outcome = env.viam(&["whoami"]).run().code(4);
        assert_eq!(outcome.out(), "Not logged in\n");
        assert!(outcome.err().contains("cached_cli_config.json"), "{outcome}");
        assert_eq!(fs::read_to_string(env.session_file()).expect("kept"), broken);
        env.viam(&[
            "--base-url",
            sandbox.url(),
            "login",
            "api-key",
            "--key-id",
            &id,
            "--key",
            &key,
        ])
        .run()
        .ok();
        assert_eq!(env.viam(&["whoami"]).run().ok().out(), format!("key-{id}\n"));
        let aside = env.login_dir().join("cached_cli_config.json.broken");
        assert_eq!(fs::read_to_string(aside).expect("aside"), broken);
    }
    let env = TestEnv::new();
    env.file(&env.session_file(), "{\"base_url\":\"h\",\"auth\":null}", 0o600);
    let outcome = env.viam(&["whoami"]).run().code(4);
    assert!(!outcome.err().contains("ignoring"), "{outcome}");
    env.file(&env.session_file(), "{", 0o600);
    assert_eq!(env.viam(&["logout"]).run().ok().out(), "Already logged out\n");
}

#[test]
fn a12_b29_a_folder_that_is_not_ours_is_said_before_the_login() {
    let (donor, sandbox) = logged_in("fleet");
    let (id, key) = organization_key(&donor, "Acme Robotics");
    let env = TestEnv::new();
    fs::create_dir(env.login_dir()).expect("dir");
    fs::set_permissions(env.login_dir(), std::os::unix::fs::PermissionsExt::from_mode(0o555))
        .expect("mode");
    let login =
        format!("viam --base-url {} login api-key --key-id {id} --key {key}", sandbox.url());
    sandbox.server.clear_requests();
    let outcome = as_nobody(&env, &login).code(1);
    let dir = env.login_dir().display().to_string();
    assert!(outcome.err().contains(&format!("Cannot write into {dir}")), "{outcome}");
    // Root made the folder; nobody else is told to live with that.
    let owner = if rustix::process::getuid().is_root() { "belongs to user 0" } else { "is yours" };
    assert!(outcome.err().contains(owner), "{outcome}");
    assert_eq!(sandbox.server.requests().counts.len(), 0, "the network was asked first");
    assert_eq!(fs::read_dir(env.login_dir()).expect("list").count(), 0);
    let browser = format!("viam --base-url {} login --no-browser", sandbox.url());
    as_nobody(&env, &browser).code(1).says("annot write into");
    // Keys of the environment need no folder.
    let by_env = format!(
        "export VIAM_API_KEY_ID={id} VIAM_API_KEY={key} VIAM_BASE_URL={}; viam organizations list",
        sandbox.url()
    );
    as_nobody(&env, &by_env).ok().prints("Acme Robotics");
    // A login that can be read is used; one that must be renewed is kept in memory.
    sandbox.log_in_until(&donor, PAST);
    fs::set_permissions(env.login_dir(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("mode");
    fs::copy(donor.session_file(), env.session_file()).expect("copy");
    fs::set_permissions(env.session_file(), std::os::unix::fs::PermissionsExt::from_mode(0o444))
        .expect("mode");
    fs::set_permissions(env.login_dir(), std::os::unix::fs::PermissionsExt::from_mode(0o555))
        .expect("mode");
    as_nobody(&env, "viam organizations list").ok().prints("Acme").says("could not be saved");
    // One that cannot be read is an error with its owner, not a log-out.
    fs::set_permissions(env.session_file(), std::os::unix::fs::PermissionsExt::from_mode(0o000))
        .expect("mode");
    as_nobody(&env, "viam organizations list").code(1).says("annot read").says("cached_cli_config");
    as_nobody(&env, "HOME=/proc viam version").ok();
    fs::set_permissions(env.login_dir(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("mode");
}

#[test]
fn a_full_disk_leaves_the_old_login() {
    if !rustix::process::getuid().is_root() {
        println!("SKIPPED 1: only root may mount a small file system");
        return;
    }
    let (env, sandbox) = (TestEnv::new(), TestSandbox::start("fleet"));
    let mount = format!(
        "mount -t tmpfs -o size=64k tmpfs {home} 2>/dev/null || exit 77; mkdir -p {home}/.viam",
        home = env.home().display()
    );
    let fill = format!("dd if=/dev/zero of={}/fill bs=1k 2>/dev/null; true", env.home().display());
    let script = format!(
        "{mount}; cp \"$1\" {login}; {fill}; \"$2\" organizations list; \"$2\" profiles add --profile-name p --key-id k --key s; echo \"rc $?\"; cat {login}",
        login = env.session_file().display()
    );
    let donor = TestEnv::new();
    sandbox.log_in_until(&donor, PAST);
    let outcome = env
        .program("/usr/bin/unshare")
        .args(&["-m", "/bin/bash", "-c", &script, "x"])
        .args(&[donor.session_file(), env.viam.clone()])
        .run();
    if outcome.code == 77 || outcome.err().contains("unshare failed") {
        println!("SKIPPED 1: no small file system can be mounted here");
        return;
    }
    assert!(outcome.out().contains("Acme Robotics"), "{outcome}");
    assert!(outcome.err().contains("could not be saved"), "{outcome}");
    assert!(outcome.out().contains("rc 1"), "{outcome}");
    let kept = outcome.out();
    let file = &kept[kept.find("rc 1").expect("rc") + 4..];
    let file: serde_json::Value = serde_json::from_str(file.trim()).expect("whole");
    assert_eq!(file["auth"]["expires_at"], PAST);
}

/// Starts a command whose refresh takes a while, and waits until the provider has been asked.
fn slow_refresh(env: &TestEnv, sandbox: &TestSandbox) -> std::process::Child {
    sandbox.server.set_faults(vec![viam_sandbox::server::FaultRule {
        delay_ms: Some(1500),
        ..viam_sandbox::server::FaultRule::on(TOKEN)
    }]);
    sandbox.server.clear_requests();
    let child = env.viam(&["organizations", "list"]).spawn();
    let started = std::time::Instant::now();
    while sandbox.asked(TOKEN) == 0 && started.elapsed().as_secs() < 30 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    child
}

#[test]
fn a_refresh_under_way_takes_nothing_back() {
    let (env, sandbox) = (TestEnv::new(), TestSandbox::start("fleet"));
    // A default that is forgotten meanwhile stays forgotten, and the new tokens are kept.
    sandbox.log_in_until(&env, PAST);
    let mut session = env.session();
    session["default_org"] = json!("some-org");
    env.store_session(&session);
    let child = slow_refresh(&env, &sandbox);
    env.viam(&["defaults", "clear-org"]).run().ok();
    assert!(child.wait_with_output().expect("ends").status.success());
    assert_eq!(env.session()["default_org"], "");
    assert_ne!(env.session()["auth"]["access_token"], session["auth"]["access_token"]);
    env.viam(&["organizations", "list"]).run().ok();
    // A log-out meanwhile is a log-out.
    sandbox.log_in_until(&env, PAST);
    let child = slow_refresh(&env, &sandbox);
    env.viam(&["logout"]).run().ok();
    assert!(child.wait_with_output().expect("ends").status.success());
    assert!(!env.session_file().exists(), "the refresh logged in again");
    // So is another login.
    sandbox.log_in_until(&env, PAST);
    let child = slow_refresh(&env, &sandbox);
    env.store_login("http://127.0.0.1:9", "another");
    drop(child.wait_with_output());
    assert_eq!(env.session()["auth"]["access_token"], "another");
}

#[test]
fn a_token_in_an_answer_that_is_not_understood_is_not_shown() {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let url = format!("http://{}/token", listener.local_addr().expect("address"));
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut head = [0; 4096];
            drop(client.read(&mut head));
            // A token set without `token_type`, which RFC 6749 §5.1 requires.
            let body = r#"{"access_token":"SECRET-A","refresh_token":"SECRET-R","id_token":7}"#;
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            drop(client.write_all(format!("{head}{body}").as_bytes()));
        }
    });
    let env = TestEnv::new();
    env.store_login("http://127.0.0.1:9", "t");
    let mut session = env.session();
    session["auth"]["token_url"] = json!(url);
    session["auth"]["expires_at"] = json!(PAST);
    env.store_session(&session);
    for words in [&["organizations", "list"][..], &["--debug", "organizations", "list"]] {
        let outcome = env.viam(words).run().code(1);
        assert!(outcome.err().contains("cannot renew the login"), "{outcome}");
        assert!(!outcome.err().contains("SECRET"), "{outcome}");
    }
}
