//! organizations, locations, robots: every printed form, alias and JSON.

use viam_sandbox::server::FaultRule;
use viam_test::{TestEnv, TestSandbox, bin_dir};

use crate::support::{logged_in, organization_key};

#[test]
fn organizations_list_in_the_documented_form() {
    let (env, _sandbox) = logged_in("docs");
    let outcome = env.viam(&["organizations", "list"]).run().ok();
    insta::assert_snapshot!(outcome, @r#"
    exit: 0
    -- stdout --
    Organizations for "demo@example.com":
    	Robot's Org (id: a9ead758-8915-58f2-ab82-df60b08f4f20)
    	abc (id: abc)
    	my-org (id: my-org) (namespace: my-namespace)
    [EOF]
    -- stderr --
    Info: Using "http://127.0.0.1:[PORT]" as base URL value
    [EOF]
    "#);
    for group in ["organization", "org"] {
        assert_eq!(env.viam(&[group, "list"]).run().ok().out(), outcome.out());
    }
    let json = env.viam(&["organizations", "list", "--format", "json"]).run().ok().json();
    assert_eq!(json[0]["name"], "Robot's Org");
    assert!(
        json.as_array().expect("list").iter().any(|org| org["public_namespace"] == "my-namespace"),
        "{json}"
    );
    assert!(
        json.as_array().expect("list").iter().any(|org| org["public_namespace"].is_null()),
        "{json}"
    );
}

#[test]
fn locations_list_with_and_without_an_organization() {
    let (env, _sandbox) = logged_in("fleet");
    let all = env.viam(&["locations", "list"]).run().ok();
    insta::assert_snapshot!(all, @r#"
    exit: 0
    -- stdout --
    Locations for "demo@example.com":
    Acme Robotics:
    	Warehouse (id: a4be28da-47fd-523e-b3f5-572348e139ab)
    	Loading Dock (id: 3a158a54-0957-5ea3-8da9-3cd5aaed58f1)
    	Shared Bench (id: 6c06d54e-55a0-5809-9708-c1c5ad48a69a)
    Field Lab:
    	Orchard (id: ce68cc74-9354-5b54-a53a-bd28af751547)
    	Shared Bench (id: 6c06d54e-55a0-5809-9708-c1c5ad48a69a)
    Old Mill School:
    	Classroom (id: e39cd943-25b1-51fb-8765-219f19e2f11d)
    [EOF]
    -- stderr --
    Info: Using "http://127.0.0.1:[PORT]" as base URL value
    [EOF]
    "#);
    let one = env.viam(&["locations", "list", "Field Lab"]).run().ok();
    insta::assert_snapshot!(one, @r#"
    exit: 0
    -- stdout --
    	Orchard (id: ce68cc74-9354-5b54-a53a-bd28af751547)
    	Shared Bench (id: 6c06d54e-55a0-5809-9708-c1c5ad48a69a)
    [EOF]
    -- stderr --
    Info: Using "http://127.0.0.1:[PORT]" as base URL value
    [EOF]
    "#);
    for words in [
        &["location", "list", "--organization", "Field Lab"][..],
        &["locations", "list", "--org=Field Lab"],
        &["locations", "list", "--org-name", "Field Lab"],
        &["locations", "list", "-org_id", "Field Lab"],
    ] {
        assert_eq!(env.viam(words).run().ok().out(), one.out(), "{words:?}");
    }
    let json = env.viam(&["--format=json", "locations", "list"]).run().ok().json();
    let names: Vec<&str> =
        json.as_array().expect("list").iter().filter_map(|one| one["name"].as_str()).collect();
    assert!(names.contains(&"Warehouse") && names.contains(&"Shared Bench"), "{json}");
    let outcome = env.viam(&["locations", "list", "Feild Lab"]).run().code(1);
    insta::assert_snapshot!(outcome, @r#"
    exit: 1
    -- stdout --
    [EOF]
    -- stderr --
    Info: Using "http://127.0.0.1:[PORT]" as base URL value
    Error: No organization found for "Feild Lab"
    Hint: did you mean "Field Lab"?
    [EOF]
    "#);
}

#[test]
fn robots_list_in_every_spelling() {
    let (env, _sandbox) = logged_in("fleet");
    let first = env.viam(&["robots", "list"]).run().ok();
    insta::assert_snapshot!(first, @r#"
    exit: 0
    -- stdout --
    Acme Robotics -> Warehouse
    rover-1 (id: a33001ed-0abb-54c8-9e35-f03700874511) (main part id: d43d916a-c077-5fad-9615-956618741961)
    rover-2 (id: 375520d3-d28b-5f79-8579-f124f242bdfc) (main part id: e8d6cf0a-cef2-5214-b0c1-2bc699d50359)
    picker-1 (id: 63285174-46ee-5806-b2ed-8f5f3584afcd) (main part id: 1da77738-edd7-586e-8162-69910dfe6704)
    [EOF]
    -- stderr --
    Info: Using "http://127.0.0.1:[PORT]" as base URL value
    [EOF]
    "#);
    for group in ["machines", "machine", "robot"] {
        assert_eq!(env.viam(&[group, "list"]).run().ok().out(), first.out(), "{group}");
    }
    let given = env
        .viam(&["robots", "list", "--organization", "Field Lab", "--location", "Orchard"])
        .run()
        .ok();
    // Both are given: no header.
    assert!(given.out().starts_with("sprayer-1 (id: "), "{given}");
    // A location alone is looked for in every organization.
    let alone = env.viam(&["robots", "list", "--location", "Classroom"]).run().ok();
    assert!(
        alone.out().starts_with("Old Mill School -> Classroom\nstudent-bot-1 (id: "),
        "{alone}"
    );
    let all = env.viam(&["machines", "list", "--all", "--org", "Acme Robotics"]).run().ok();
    insta::assert_snapshot!(all, @r#"
    exit: 0
    -- stdout --
    Acme Robotics -> Warehouse
    rover-1 (id: a33001ed-0abb-54c8-9e35-f03700874511) (main part id: d43d916a-c077-5fad-9615-956618741961)
    rover-2 (id: 375520d3-d28b-5f79-8579-f124f242bdfc) (main part id: e8d6cf0a-cef2-5214-b0c1-2bc699d50359)
    picker-1 (id: 63285174-46ee-5806-b2ed-8f5f3584afcd) (main part id: 1da77738-edd7-586e-8162-69910dfe6704)

    Acme Robotics -> Loading Dock
    dock-cam-1 (id: 745563e3-09e5-5e77-ba21-5a1406c7ad69) (main part id: 915adc5b-02d9-5416-9a9f-5e52d82d98e9)
    dock-cam-2 (id: 90ec363e-e4bf-5287-ab41-64771995c722) (main part id: ccdc3949-351d-56f6-b273-f4d27c3e61a0)

    Acme Robotics -> Shared Bench
    bench-arm (id: 9fa35c22-779c-54fa-8ddc-ee0190ba9327) (main part id: cea7e0c4-d24f-5b1f-ab4f-acf4fcc20a57)

    [EOF]
    -- stderr --
    Info: Using "http://127.0.0.1:[PORT]" as base URL value
    [EOF]
    "#);
    let json = env.viam(&["machines", "list", "--all", "--format", "json"]).run().ok().json();
    assert_eq!(json[0]["location"], "Warehouse");
    assert!(json[0]["main_part_id"].is_string(), "{json}");
    env.viam(&["robots", "list", "--location", "Nowhere"])
        .run()
        .code(1)
        .says("no location found for \"Nowhere\"");
}

#[test]
fn a9_a_listing_is_one_machine_a_line_and_notices_hold_no_uuid() {
    let (env, _sandbox) = logged_in("fleet");
    let outcome = env
        .viam(&["machines", "list", "--organization", "Acme Robotics", "--location", "Warehouse"])
        .run()
        .ok();
    for line in outcome.out().lines() {
        let (name, rest) = line.split_once(" (id: ").expect("name");
        let (id, rest) = rest.split_once(") (main part id: ").expect("id");
        assert!(!name.is_empty() && id.len() == 36 && rest.ends_with(')'), "{line}");
    }
    let dashes = |text: &str| {
        text.split(|c: char| !c.is_ascii_hexdigit() && c != '-').any(|word| word.len() == 36)
    };
    assert!(!dashes(&outcome.err()), "{outcome}");
    assert!(!outcome.err().contains('\r'), "{outcome}");
}

#[test]
fn an_empty_world_prints_nothing_and_says_so() {
    let (env, _sandbox) = logged_in("empty");
    let org = env.viam(&["organizations", "list", "--format", "json"]).run().ok().json();
    let name = org[0]["name"].as_str().expect("name").to_owned();
    assert_eq!(env.viam(&["locations", "list", &name]).run().ok().out(), "");
    env.viam(&["robots", "list"]).run().code(1).says("no locations to work with");
    assert_eq!(env.viam(&["robots", "list", "--all"]).run().ok().out(), "");
    assert_eq!(env.viam(&["robots", "list", "--all", "--format", "json"]).run().ok().out(), "[]\n");
}

#[test]
fn a13_lines_of_a_new_key_keep_their_places() {
    let sandbox = TestSandbox::start("fleet");
    let donor = TestEnv::new();
    sandbox.log_in(&donor);
    let (id, key) = organization_key(&donor, "Acme Robotics");
    let env = TestEnv::new();
    // No scheme, a global flag before the command, as the script has it.
    let bare = sandbox.url().replace("http://", "");
    let login = format!("viam --base-url {bare} login api-key --key-id {id} --key {key} 2>&1");
    let outcome = env.sh(&login).run().ok();
    assert!(outcome.out().to_lowercase().contains("logged in"), "{outcome}");
    let merged =
        env.sh("viam organizations api-key create --org-id 'Acme Robotics' 2>&1").run().ok();
    let out = merged.out();
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[3].starts_with("Key ID: ") && lines[4].starts_with("Key Value: "), "{out}");
    let (new_id, new_key) = (&lines[3][8..], &lines[4][11..]);
    env.viam(&["login", "api-key", "--key-id", new_id, "--key", new_key]).run().ok();
    let list = env.sh("viam organizations list 2>&1").run().ok();
    assert!(list.out().lines().nth(2).is_some_and(|line| line.starts_with('\t')), "{list}");
}

#[test]
fn keys_of_each_kind_in_the_documented_form() {
    let (env, _sandbox) = logged_in("fleet");
    let key = |words: &[&str]| {
        let outcome = env.viam(words).run().ok();
        let text = outcome
            .out()
            .lines()
            .map(|line| match line.split_once(": ") {
                Some(("Key ID", id)) => {
                    assert_eq!(id.len(), 36);
                    "Key ID: [ID]".to_owned()
                }
                Some(("Key Value", value)) => {
                    assert!(value.len() >= 20 && !value.contains(' '));
                    "Key Value: [KEY]".to_owned()
                }
                _ => line.to_owned(),
            })
            .collect::<Vec<_>>();
        text.join("\n")
    };
    assert_eq!(
        key(&["organizations", "api-key", "create", "--org-id", "Acme Robotics", "--name", "n"]),
        "Info: Successfully created key:\nKey ID: [ID]\nKey Value: [KEY]\nWarning: Keep this key somewhere safe; it has full write access to your organization"
    );
    let location = key(&["locations", "api-key", "create", "--location-id", "Orchard"]);
    let (first, rest) = location.split_once('\n').expect("lines");
    assert!(first.starts_with("Info: using default key name of \"demo@example.com-20"), "{first}");
    assert!(rest.ends_with("full write access to your location"), "{rest}");
    for flag in ["--machine-id", "--robot-id", "--machine", "--robot"] {
        let machine = key(&["machines", "api-key", "create", flag, "sprayer-1", "--name", "n"]);
        assert!(machine.ends_with("full write access to your machine"), "{machine}");
    }
    let json = env
        .viam(&["robots", "api-key", "create", "--robot-id=sprayer-1", "--format=json"])
        .run()
        .ok()
        .json();
    assert!(json["id"].is_string() && json["key"].is_string() && json["name"].is_string());
    env.viam(&["organizations", "api-key", "create"]).run().code(2).says("must specify an org ID");
    env.viam(&["locations", "api-key", "create"]).run().code(2).says("without an ID");
    env.viam(&["robots", "api-key", "create"]).run().code(2).says("without an ID");
}

#[test]
fn several_owners_of_a_location_are_asked_for() {
    let (env, _sandbox) = logged_in("fleet");
    let outcome = env
        .viam(&["robots", "api-key", "create", "--machine-id", "bench-arm", "--name", "n"])
        .run()
        .code(1);
    insta::assert_snapshot!(outcome, @r#"
    exit: 1
    -- stdout --
    [EOF]
    -- stderr --
    Info: Using "http://127.0.0.1:[PORT]" as base URL value
    Error: Cannot create the machine api-key as there are multiple orgs on the location. Please re-run the command with an organization-id flag set
    Caused by: there are multiple orgs on location 6c06d54e-55a0-5809-9708-c1c5ad48a69a: an organization id is needed
    Hint: say which one with --org-id
    [EOF]
    "#);
    env.viam(&[
        "robots",
        "api-key",
        "create",
        "--machine-id",
        "bench-arm",
        "--org-id",
        "Field Lab",
        "--name",
        "n",
    ])
    .run()
    .ok()
    .prints("Key ID: ");
    env.viam(&["locations", "api-key", "create", "--location-id", "Shared Bench", "--name", "n"])
        .run()
        .code(1)
        .says("cannot create api-key for location: ")
        .says("--org-id");
    env.viam(&[
        "locations",
        "api-key",
        "create",
        "--location-id",
        "Shared Bench",
        "--org-id",
        "Acme Robotics",
        "--name",
        "n",
    ])
    .run()
    .ok();
}

#[test]
fn a_key_sees_what_it_is_for() {
    let (env, sandbox) = logged_in("fleet");
    let made = env
        .viam(&[
            "robots",
            "api-key",
            "create",
            "--machine-id",
            "sprayer-1",
            "--name",
            "n",
            "--format",
            "json",
        ])
        .run()
        .ok()
        .json();
    let other = TestEnv::new();
    let words = [
        "--base-url",
        sandbox.url(),
        "login",
        "api-key",
        "--key-id",
        made["id"].as_str().expect("id"),
        "--key",
        made["key"].as_str().expect("key"),
    ];
    other.viam(&words).run().ok();
    let seen = other.viam(&["robots", "list", "--all"]).run().ok();
    assert!(seen.out().contains("sprayer-1 (id: ") && !seen.out().contains("sprayer-2"), "{seen}");
    let orgs = other.viam(&["organizations", "list"]).run().ok();
    assert!(orgs.out().contains("Field Lab") && !orgs.out().contains("Acme"), "{orgs}");
    other
        .viam(&["organizations", "api-key", "create", "--org-id", "Field Lab"])
        .run()
        .code(1)
        .says("permission denied");
}

#[test]
fn b6_a_server_that_fails_is_never_exit_0() {
    let (env, sandbox) = logged_in("fleet");
    for words in [
        &["organizations", "list"][..],
        &["organizations", "api-key", "create", "--org-id", "Acme Robotics"],
        &["locations", "list"],
        &["locations", "api-key", "create", "--location-id", "Orchard"],
        &["robots", "list"],
        &["robots", "list", "--all"],
        &["robots", "api-key", "create", "--machine-id", "sprayer-1"],
        &["defaults", "set-org", "--org-id", "x"],
        &["defaults", "set-location", "--location-id", "x"],
    ] {
        sandbox.fail("/viam.app.v1.*", 1000, 14, "upstream is down, 100% sure");
        let outcome = env.viam(words).run().code(1);
        assert!(
            outcome.err().contains("not available: upstream is down, 100% sure"),
            "{words:?} {outcome}"
        );
    }
    // Late failures too: the list is there, the parts are not.
    sandbox.fail("/viam.app.v1.AppService/GetRobotParts", 1, 7, "no");
    let outcome = env.viam(&["robots", "list"]).run().code(1);
    assert!(outcome.stdout.is_empty(), "{outcome}");
    sandbox.server.set_faults(vec![FaultRule {
        cut: true,
        times: 9,
        ..FaultRule::on("/viam.app.v1.*")
    }]);
    env.viam(&["organizations", "list"]).run().code(1);
}

#[test]
fn names_from_the_server_cannot_break_a_line() {
    let world =
        r#"{"organizations":[{"name":"ev\u001b]0;x\u0007il\n\tfake (id: 1)","locations":[]}]}"#;
    let env = TestEnv::new();
    let file = env.file(&env.root().join("world.json"), world, 0o644);
    let sandbox = TestSandbox::start(&file.display().to_string());
    sandbox.log_in(&env);
    let outcome = env.viam(&["organizations", "list"]).run().ok();
    assert_eq!(outcome.out().lines().count(), 2, "{outcome}");
    assert!(outcome.out().contains("ev\\u{1b}]0;x\\u{7}il\\n\\tfake (id: 1) (id: "), "{outcome}");
    // JSON has it exactly.
    let json = env.viam(&["organizations", "list", "--format", "json"]).run().ok().json();
    assert_eq!(json[0]["name"], "ev\u{1b}]0;x\u{7}il\n\tfake (id: 1)");
}

#[test]
fn requests_go_side_by_side_and_no_more_than_sixteen() {
    let machines = if viam_test::full() { 2000 } else { 200 };
    let (env, sandbox) = logged_in(&format!("scale:{machines}"));
    sandbox.server.clear_requests();
    let outcome = env.viam(&["robots", "list", "--all"]).run().ok();
    let lines = outcome.out().lines().filter(|line| line.contains("(main part id: ")).count();
    assert_eq!(lines, machines);
    assert!(!outcome.out().contains("<unknown>"));
    let seen = sandbox.server.requests();
    assert!(
        seen.highest_under_way <= 16 && seen.highest_under_way > 1,
        "{}",
        seen.highest_under_way
    );
}

#[test]
fn a8_b25_a_reader_that_goes_away_ends_it_quietly() {
    let (env, _sandbox) = logged_in(if viam_test::full() { "scale:50000" } else { "scale:500" });
    let rounds = if viam_test::full() { 5 } else { 3 };
    let script = format!(
        "set -euo pipefail; for i in $(seq {rounds}); do viam -q machines list --all | head -1 >/dev/null; viam -q organizations list | grep -q Org; viam -q locations list | head -2 | tail -1 >/dev/null; done; echo fine"
    );
    let outcome = env.sh(&script).run().ok();
    assert_eq!((outcome.out().as_str(), outcome.err().as_str()), ("fine\n", ""), "{outcome}");
}

#[test]
fn the_executable_of_a_group_does_the_same_as_the_built_in() {
    let Some(core) = viam_test::core_only() else {
        println!("SKIPPED 1: no core without groups; `cargo xtask test` builds one");
        return;
    };
    let (mut env, sandbox) = logged_in("fleet");
    let other = TestSandbox::start("docs");
    let commands: &[&[&str]] = &[
        &["organizations", "list"],
        &["org", "list", "--format", "json"],
        &["--format", "json", "locations", "list"],
        &["location", "list", "Field Lab"],
        &["machines", "list", "--all"],
        &["robots", "list", "-q"],
        &["robots", "list", "--location", "Nowhere"],
        &["organizations", "list", "--base-url", other.url()],
        &["organizations", "list", "--profile", "nope"],
        &["robots", "lst"],
        &["robots", "list", "--help"],
        &["organizations"],
    ];
    let built_in: Vec<_> = commands.iter().map(|words| env.viam(words).run()).collect();
    env.viam = core;
    for group in ["organizations", "locations", "robots"] {
        let name = format!("viam-{group}");
        std::os::unix::fs::symlink(bin_dir().join(&name), env.bin().join(&name)).expect("link");
    }
    for (words, expected) in commands.iter().zip(built_in) {
        let outcome = env.viam(words).run();
        assert_eq!(outcome.code, expected.code, "{words:?}\n{expected}\n{outcome}");
        assert_eq!(outcome.out(), expected.out(), "{words:?}\n{expected}\n{outcome}");
        assert_eq!(outcome.err(), expected.err(), "{words:?}\n{expected}\n{outcome}");
    }
    // The sandbox too, and what runs inside it is this very core.
    std::os::unix::fs::symlink(bin_dir().join("viam-sandbox"), env.bin().join("viam-sandbox"))
        .expect("link");
    let script = "echo $VIAM_HOME; viam whoami; viam organizations list | head -1";
    let outcome = env.viam(&["sandbox", "run", "--", "sh", "-c", script]).run().ok();
    let lines: Vec<String> = outcome.out().lines().map(str::to_owned).collect();
    assert_eq!(lines[1..], ["demo@example.com", "Organizations for \"demo@example.com\":"]);
    // A token that ends on the way is renewed through the core.
    sandbox.log_in_until(&env, "2099-01-01T00:00:00Z");
    sandbox.fail(crate::support::LIST_ORGANIZATIONS, 1, 16, "token expired");
    let outcome = env.viam(&["organizations", "list"]).run();
    assert!(outcome.code == 0 || outcome.err().contains("token expired"), "{outcome}");
}
