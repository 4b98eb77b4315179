//! `viam login`: the OAuth device flow (RFC 8628) against the sandbox's provider.

use std::time::{Duration, Instant};

use viam_sandbox::server::FaultRule;
use viam_test::{TestEnv, TestSandbox};

use crate::support::{Login, TOKEN, nobody};

#[test]
fn a21_a_login_is_approved_and_lasts() {
    let (env, sandbox) = (TestEnv::new(), TestSandbox::start("fleet"));
    // `auth login`, as old instructions have it.
    let mut login =
        Login::start(&env, &["--base-url", sandbox.url(), "auth", "login", "--no-browser"], &[]);
    let code = login.code();
    // Nobody has decided: the provider is asked again.
    let started = Instant::now();
    while sandbox.asked(TOKEN) < 2 && started.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(sandbox.server.decide(&code, true).expect("decides"));
    let (status, stdout, stderr) = login.end();
    assert_eq!(status, 0, "{stderr}");
    assert!(stdout.starts_with("Logged in as \"demo@example.com\", expires "), "{stdout}");
    assert!(stderr.contains(&format!("{}/device?user_code={code}", sandbox.url())), "{stderr}");

    let session = env.session();
    assert_eq!(session["base_url"], sandbox.url());
    assert_eq!(session["auth"]["token_type"], "user-oauth-token");
    assert_eq!(session["auth"]["user_data"]["email"], "demo@example.com");
    assert_eq!(mode(&env.session_file()), 0o600);
    assert_eq!(mode(&env.login_dir()), 0o700);
    assert_eq!(env.viam(&["whoami"]).run().ok().out(), "demo@example.com\n");
    env.viam(&["organizations", "list"])
        .run()
        .ok()
        .prints("Organizations for \"demo@example.com\":");

    // A second login has nothing to do, and asks nobody.
    sandbox.server.clear_requests();
    let again = env.viam(&["login"]).run().ok();
    assert_eq!(again.out(), "Already logged in as \"demo@example.com\"\n");
    assert_eq!(sandbox.server.requests().counts.len(), 0);

    let out = env.viam(&["logout"]).run().ok();
    assert_eq!(out.out(), "Logged out from \"demo@example.com\"\n");
    assert_eq!(env.viam(&["logout"]).run().ok().out(), "Already logged out\n");
    assert!(!env.session_file().exists());
}

#[test]
fn a35_no_browser_is_no_obstacle() {
    let (env, sandbox) = (TestEnv::new(), TestSandbox::start("empty"));
    let nothing = env.root().join("nothing");
    std::fs::create_dir(&nothing).expect("dir");
    let nothing = nothing.display().to_string();
    let mut login = Login::start(
        &env,
        &["--base-url", sandbox.url(), "login"],
        &[("PATH", &nothing), ("DISPLAY", ":77")],
    );
    let code = login.code();
    sandbox.server.decide(&code, true).expect("decides");
    let (status, stdout, stderr) = login.end();
    assert_eq!(status, 0, "{stderr}");
    assert!(stdout.contains("Logged in as"), "{stdout}");
    assert!(stderr.contains("no browser could be opened"), "{stderr}");
}

#[test]
fn b53_slow_down_adds_five_seconds() {
    let (env, sandbox) = (TestEnv::new(), TestSandbox::start("empty"));
    sandbox.server.set_faults(vec![FaultRule {
        oauth_error: Some("slow_down".to_owned()),
        ..FaultRule::on(TOKEN)
    }]);
    let started = Instant::now();
    let mut login =
        Login::start(&env, &["--base-url", sandbox.url(), "login", "--no-browser"], &[]);
    let code = login.code();
    sandbox.server.decide(&code, true).expect("decides");
    let (status, _, stderr) = login.end();
    assert_eq!(status, 0, "{stderr}");
    // The interval is 1 s; after slow_down it is 6.
    assert!(started.elapsed() >= Duration::from_secs(6), "{:?}", started.elapsed());
    assert_eq!(sandbox.asked(TOKEN), 2);
}

#[test]
fn denied_and_expired_are_said_and_nothing_is_stored() {
    let (env, sandbox) = (TestEnv::new(), TestSandbox::start("empty"));
    let mut login =
        Login::start(&env, &["--base-url", sandbox.url(), "login", "--no-browser"], &[]);
    let code = login.code();
    sandbox.server.decide(&code, false).expect("decides");
    let (status, stdout, stderr) = login.end();
    assert_eq!((status, stdout.as_str()), (4, ""), "{stderr}");
    assert!(stderr.contains("The login was denied"), "{stderr}");

    let brief =
        TestSandbox::with("empty", |options| options.device_lifetime = Duration::from_secs(2));
    let login = Login::start(&env, &["--base-url", brief.url(), "login", "--no-browser"], &[]);
    let (status, _, stderr) = login.end();
    assert_eq!(status, 4, "{stderr}");
    assert!(stderr.contains("expired before it was approved"), "{stderr}");
    assert!(!env.session_file().exists());
}

#[test]
fn a_provider_that_is_none_is_said() {
    let (env, sandbox) = (TestEnv::new(), TestSandbox::start("empty"));
    let discovery = "/.well-known/openid-configuration";
    for fault in [
        FaultRule { http_status: Some(500), ..FaultRule::on(discovery) },
        FaultRule { http_status: Some(404), ..FaultRule::on(discovery) },
        FaultRule { cut: true, ..FaultRule::on(discovery) },
        FaultRule { http_status: Some(502), ..FaultRule::on("/oauth/*") },
    ] {
        sandbox.server.set_faults(vec![fault]);
        let outcome =
            env.viam(&["--base-url", sandbox.url(), "login", "--no-browser"]).run().code(1);
        assert!(outcome.err().contains("Error: "), "{outcome}");
        assert!(outcome.stdout.is_empty(), "{outcome}");
    }
    // Nobody listens there at all.
    let nobody = nobody();
    env.viam(&["--base-url", &nobody, "login"])
        .run()
        .code(1)
        .says(&format!("cannot reach {nobody}"));
    assert!(!env.session_file().exists());
}

/// A driver speaks WebDriver; the browser is a real one, and so is the click.
const CLICK: &str = r#"
set -eu
page=$1
chromedriver --port=0 > driver.log 2>&1 &
driver=$!
trap 'kill $driver' EXIT
port=
for i in $(seq 300); do
    port=$(sed -n 's/.*started successfully on port \([0-9]*\).*/\1/p' driver.log)
    [ -n "$port" ] && break
    sleep 0.1
done
at=http://127.0.0.1:$port/session
flags='["--headless","--no-sandbox","--disable-gpu","--disable-quic","--no-first-run","--disable-background-networking","--disable-component-update","--disable-sync"]'
id=$(curl -sS "$at" -d "{\"capabilities\":{\"alwaysMatch\":{\"goog:chromeOptions\":{\"binary\":\"$CHROMIUM\",\"args\":$flags}}}}" | jq -r .value.sessionId)
curl -sS "$at/$id/url" -d "{\"url\":\"$page\"}" >/dev/null
curl -sS "$at/$id/source" | jq -r .value
button=$(curl -sS "$at/$id/element" -d '{"using":"css selector","value":"button[value=approve]"}' | jq -r '.value[]')
curl -sS "$at/$id/element/$button/click" -d '{}' >/dev/null
curl -sS "$at/$id/source" | jq -r .value
curl -sS -X DELETE "$at/$id" >/dev/null
"#;

#[test]
fn the_page_in_a_browser_approves() {
    let Some(chromium) = viam_test::peer("VIAM_TEST_CHROMIUM", "Chromium") else { return };
    if !std::path::Path::new("/usr/bin/chromedriver").exists() {
        assert!(std::env::var_os("VIAM_REQUIRE_PEERS").is_none(), "chromedriver is required");
        println!("SKIPPED 1: there is no chromedriver beside Chromium");
        return;
    }
    let (env, sandbox) = (TestEnv::new(), TestSandbox::start("empty"));
    let mut login =
        Login::start(&env, &["--base-url", sandbox.url(), "login", "--no-browser"], &[]);
    let code = login.code();
    let page = format!("{}/device?user_code={code}", sandbox.url());
    let outcome = env
        .program("/bin/bash")
        .args(&["-c", CLICK, "click", &page])
        .env("CHROMIUM", chromium)
        .run()
        .ok();
    assert!(
        outcome.out().contains(&code) && outcome.out().contains("Approve this login?"),
        "{outcome}"
    );
    assert!(outcome.out().contains("You are logged in as"), "{outcome}");
    let (status, _, stderr) = login.end();
    assert_eq!(status, 0, "{stderr}");
}

fn mode(path: &std::path::Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).expect("is there").permissions().mode() & 0o777
}
