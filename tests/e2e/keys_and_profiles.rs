//! API keys as a login, keys of the environment, profiles, defaults.

use viam_test::{TestEnv, TestSandbox};

use crate::support::{AUTHENTICATE, logged_in, organization_key};

#[test]
fn a39_a_key_logs_in_from_an_empty_home() {
    let (donor, sandbox) = logged_in("fleet");
    let (id, key) = organization_key(&donor, "Acme Robotics");
    let env = TestEnv::new();
    let words = ["--base-url", sandbox.url(), "login", "api-key", "--key-id", &id, "--key", &key];
    let outcome = env.viam(&words).run().ok();
    assert_eq!(outcome.out(), format!("Successfully logged in with api key \"{id}\"\n"));
    assert_eq!(env.session()["auth"]["key_id"], id.as_str());
    assert_eq!(env.session()["auth"]["key_crypto"], key.as_str());
    // Exchanged once; the token serves the next processes.
    sandbox.server.clear_requests();
    env.viam(&["organizations", "list"]).run().ok().prints("Acme Robotics");
    env.viam(&["locations", "list"]).run().ok();
    assert_eq!(sandbox.asked(AUTHENTICATE), 0);
    // The secret by stdin, where no other process sees it.
    let words = ["--base-url", sandbox.url(), "login", "api-key", "--key-id", &id, "--key", "-"];
    env.viam(&words).stdin(format!("{key}\n")).run().ok();
    env.viam(&words).run().code(2).says("stdin holds no secret");
}

#[test]
fn a_wrong_key_is_refused_and_not_stored() {
    let (env, sandbox) = logged_in("fleet");
    let before = env.session();
    let id = "11111111-2222-3333-4444-555555555555";
    let words = ["login", "api-key", "--key-id", id, "--key", "wrong"];
    env.viam(&words).run().code(4).says("invalid credentials");
    assert_eq!(env.session(), before);
    // The right id with a wrong secret: what was cached for the right one does not help.
    let (id, key) = organization_key(&env, "Acme Robotics");
    env.viam(&["login", "api-key", "--key-id", &id, "--key", &key]).run().ok();
    env.viam(&["login", "api-key", "--key-id", &id, "--key", "wrong"]).run().code(4);
    assert_eq!(env.session()["auth"]["key_crypto"], key.as_str());
    drop(sandbox);
    env.viam(&["login", "api-key", "--key-id", &id, "--key", &key])
        .run()
        .code(1)
        .says("cannot reach");
}

#[test]
fn a_revoked_token_of_a_key_is_exchanged_anew_once() {
    let (env, sandbox) = logged_in("fleet");
    let (id, key) = organization_key(&env, "Acme Robotics");
    env.viam(&["login", "api-key", "--key-id", &id, "--key", &key]).run().ok();
    sandbox.server.clear_requests();
    sandbox.fail(crate::support::LIST_ORGANIZATIONS, 1, 16, "unknown token");
    env.viam(&["organizations", "list"]).run().ok();
    assert_eq!(sandbox.asked(AUTHENTICATE), 1);
    env.viam(&["organizations", "list"]).run().ok();
    assert_eq!(sandbox.asked(AUTHENTICATE), 1);
}

#[test]
fn b43_the_environment_wins_and_errors_name_it() {
    let (env, sandbox) = logged_in("fleet");
    let (id, key) = organization_key(&env, "Field Lab");
    let with = |id: &str, key: &str, words: &[&str]| {
        env.viam(words)
            .env("VIAM_API_KEY_ID", id)
            .env("VIAM_API_KEY", key)
            .env("VIAM_BASE_URL", sandbox.url())
            .run()
    };
    let outcome = with(&id, &key, &["organizations", "list"]).ok();
    assert!(outcome.out().contains("Field Lab") && !outcome.out().contains("Acme"), "{outcome}");
    let json = with(&id, &key, &["whoami", "--format", "json"]).ok().json();
    assert_eq!(json["subject"], format!("key-{id}"));
    assert_eq!(json["source"], "VIAM_API_KEY_ID and VIAM_API_KEY");
    let bad = "11111111-2222-3333-4444-555555555555";
    let outcome = with(bad, "bad", &["organizations", "list"]).code(4);
    assert!(outcome.err().contains("VIAM_API_KEY_ID"), "{outcome}");
    // A key that is exchanged and then refused for good is named too.
    sandbox.fail(crate::support::LIST_ORGANIZATIONS, 9, 16, "no longer");
    with(&id, &key, &["organizations", "list"])
        .code(4)
        .says("from VIAM_API_KEY_ID")
        .says("no longer");
    sandbox.server.set_faults(Vec::new());
    // One without the other is a mistake, not a choice.
    env.viam(&["whoami"]).env("VIAM_API_KEY", "x").run().code(1).says("VIAM_API_KEY_ID is not");
    // Without them the stored login is as it was.
    env.viam(&["organizations", "list"]).run().ok().prints("Acme Robotics");
}

#[test]
fn a40_an_updated_profile_uses_its_new_key() {
    let (env, sandbox) = logged_in("fleet");
    let (old_id, old_key) = organization_key(&env, "Acme Robotics");
    let (new_id, new_key) = organization_key(&env, "Field Lab");
    let put = |verb: &str, id: &str, key: &str| {
        let words = [
            "--base-url",
            sandbox.url(),
            "profiles",
            verb,
            "--profile-name",
            "prod",
            "--key-id",
            id,
            "--key",
            key,
        ];
        env.viam(&words).run()
    };
    assert_eq!(put("add", &old_id, &old_key).ok().out(), "Successfully added profile prod\n");
    put("add", &old_id, &old_key).code(1).says("exists already");
    env.viam(&["--profile", "prod", "organizations", "list"]).run().ok().prints("Acme Robotics");
    assert_eq!(put("update", &new_id, &new_key).ok().out(), "Successfully updated profile prod\n");
    let outcome = env.viam(&["--profile", "prod", "organizations", "list"]).run().ok();
    assert!(outcome.out().contains("Field Lab") && !outcome.out().contains("Acme"), "{outcome}");
    assert_eq!(
        env.viam(&["--profile", "prod", "whoami"]).run().ok().out(),
        format!("key-{new_id}\n")
    );
    // After the word too, and by the variable.
    env.viam(&["whoami", "--profile", "prod"]).run().ok().prints(&new_id);
    env.viam(&["whoami"]).env("VIAM_CLI_PROFILE_NAME", "prod").run().ok().prints(&new_id);
    assert_eq!(env.viam(&["profiles", "list"]).run().ok().out(), "prod\n");
    // The login itself is untouched, and logging a profile out is not logging out.
    env.viam(&["--profile", "prod", "logout"]).run().ok().prints("Logged out from \"key-");
    assert_eq!(env.viam(&["whoami"]).run().ok().out(), "demo@example.com\n");
    assert_eq!(
        env.viam(&["profiles", "remove", "--profile-name", "prod"]).run().ok().out(),
        "Successfully deleted profile prod\n"
    );
    env.viam(&["profiles", "remove", "--profile-name", "prod"]).run().code(1).says("not found");
    assert_eq!(env.viam(&["profiles", "list"]).run().ok().out(), "");
}

#[test]
fn a41_a_profile_that_does_not_exist() {
    let (env, _sandbox) = logged_in("empty");
    env.viam(&["--profile", "nope", "whoami"]).run().code(1).says("rofile \"nope\" not found");
    let outcome = env.viam(&["whoami"]).env("VIAM_CLI_PROFILE_NAME", "nope").run().ok();
    assert_eq!(outcome.out(), "demo@example.com\n");
    assert!(outcome.err().contains("\"nope\""), "{outcome}");
    for flag in ["--disable-profiles", "--disable-profile"] {
        let outcome = env.viam(&[flag, "whoami"]).env("VIAM_CLI_PROFILE_NAME", "nope").run().ok();
        assert!(outcome.stderr.is_empty(), "{outcome}");
    }
    for bad in ["../x", "a/b", ".h"] {
        let words = ["profiles", "add", "--profile-name", bad, "--key-id", "k", "--key", "s"];
        env.viam(&words).run().code(2);
    }
}

#[test]
fn profiles_of_the_existing_program_are_used() {
    let (env, sandbox) = logged_in("fleet");
    let (id, key) = organization_key(&env, "Acme Robotics");
    let text = format!(
        "{{\"p\": {{\"Name\": \"p\", \"APIKey\": {{\"key_id\": \"{id}\", \"key_crypto\": \"{key}\"}}}}}}"
    );
    env.file(&env.login_dir().join("cli_profiles.json"), &text, 0o640);
    env.viam(&["--profile", "p", "--base-url", sandbox.url(), "organizations", "list"])
        .run()
        .ok()
        .prints("Acme Robotics");
    assert_eq!(env.viam(&["--profile", "p", "whoami"]).run().ok().out(), format!("key-{id}\n"));
}

#[test]
fn defaults_stand_in_for_flags() {
    let (env, _sandbox) = logged_in("fleet");
    env.viam(&["defaults", "set-org", "--org-id", "Field Lab"]).run().ok();
    assert_eq!(env.viam(&["defaults", "set-org", "--org-id", "No Such"]).run().code(1).out(), "");
    let id = env.session()["default_org"].as_str().expect("id").to_owned();
    let listed = env.viam(&["organizations", "list"]).run().ok();
    assert!(listed.out().contains(&format!("Field Lab (id: {id})")), "{listed}");
    let outcome = env.viam(&["locations", "list"]).run().ok();
    assert!(outcome.out().starts_with("\tOrchard (id: "), "{outcome}");
    env.viam(&["defaults", "set-location", "--location-id", "Orchard"]).run().ok();
    let outcome = env.viam(&["robots", "list"]).run().ok();
    // Both are given by defaults, so no header.
    assert!(outcome.out().starts_with("sprayer-1 (id: "), "{outcome}");
    env.viam(&["defaults", "clear-org"]).run().ok();
    env.viam(&["defaults", "clear-location"]).run().ok();
    assert_eq!(env.session()["default_org"], "");
    assert!(env.viam(&["robots", "list"]).run().ok().out().starts_with("Acme Robotics -> "));
}

#[test]
fn clearing_a_default_needs_no_network() {
    let env = TestEnv::new();
    env.viam(&["defaults", "clear-org"]).run().ok();
    assert!(!env.session_file().exists(), "nothing was there to forget");
    env.store_login(&crate::support::nobody(), "t");
    env.viam(&["defaults", "clear-org"]).run().ok();
    env.viam(&["whoami"]).run().ok();
    env.viam(&["profiles", "list"]).run().ok();
    drop(TestSandbox::start("empty"));
}
