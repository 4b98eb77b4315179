//! Machines and their parts: status, logs, changes; names and ids in every spelling.

use viam_test::{Outcome, TestEnv, TestSandbox};

use crate::logs::entries;
use crate::support::logged_in;

const ROVER: &str = "a33001ed-0abb-54c8-9e35-f03700874511";
const ROVER_MAIN: &str = "d43d916a-c077-5fad-9615-956618741961";
const ROVER_ARM: &str = "4865c313-e09e-5c52-b5fd-197d941dd91f";

/// stdout with times that change taken out.
fn timeless(outcome: &Outcome) -> String {
    let line = |line: &str| match line.split_once("Last Access: ") {
        Some((before, time)) => {
            assert!(time.contains(" UTC ") && time.ends_with(" ago)"), "{outcome}");
            format!("{before}Last Access: [TIME]\n")
        }
        None => format!("{line}\n"),
    };
    outcome.out().lines().map(line).collect()
}

#[test]
fn status_of_a_machine_in_the_documented_form() {
    let (env, _sandbox) = logged_in("fleet");
    let outcome = env.viam(&["machines", "status", "--machine", "rover-1"]).run().ok();
    let block = format!(
        "ID: {ROVER}\nName: rover-1\nLast Access: [TIME]\nParts:\n\tID: {ROVER_MAIN}\n\tName: \
         rover-1-main (main)\n\tLast Access: [TIME]\n\n\tID: {ROVER_ARM}\n\tName: \
         rover-1-arm\n\tLast Access: [TIME]\n"
    );
    assert_eq!(timeless(&outcome), format!("Acme Robotics -> Warehouse\n{block}"));
    // All is given: no header.
    for flags in [
        ["--machine", "--organization", "--location"],
        ["--robot", "--org", "--location-id"],
        ["--machine-id", "--org-id", "--location-name"],
        ["--machine_name", "--org_name", "-location"],
    ] {
        let words: Vec<&str> = ["robots", "status"]
            .into_iter()
            .chain(
                flags
                    .into_iter()
                    .zip(["rover-1", "Acme Robotics", "Warehouse"])
                    .flat_map(|(flag, value)| [flag, value]),
            )
            .collect();
        assert_eq!(timeless(&env.viam(&words).run().ok()), block, "{words:?}");
    }
    // Never heard of.
    let never = env.viam(&["robot", "status", "--robot", "sprayer-2"]).run().ok();
    assert!(never.out().contains("Last Access: Thu Jan  1 00:00:00 UTC 1970 ("), "{never}");
    let json =
        env.viam(&["machine", "status", "--machine=rover-1", "--format=json"]).run().ok().json();
    assert_eq!(json["id"], ROVER);
    assert_eq!(json["organization"], "Acme Robotics");
    assert_eq!(json["parts"][0]["main"], true);
    assert_eq!(json["parts"][1]["id"], ROVER_ARM);
    assert!(json["last_access"].as_str().is_some_and(|time| time.ends_with('Z')), "{json}");
    env.viam(&["machines", "status"]).run().code(2).says("required flag \"machine\"");
    env.viam(&["machines", "status", "--machine", ""]).run().code(2);
}

#[test]
fn status_by_id_asks_for_nothing_but_the_machine_and_what_it_lies_in() {
    let (env, sandbox) = logged_in("fleet");
    sandbox.server.clear_requests();
    env.viam(&["machines", "status", "--machine", ROVER]).run().ok();
    env.viam(&["machines", "part", "status", "--part", ROVER_ARM]).run().ok();
    for (method, times) in [
        ("GetRobot", 2),
        ("GetRobotParts", 1),
        ("GetRobotPart", 1),
        ("GetLocation", 2),
        ("GetOrganizationsWithAccessToLocation", 2),
        ("ListOrganizations", 0),
    ] {
        let path = format!("/viam.app.v1.AppService/{method}");
        assert_eq!(sandbox.asked(&path), times, "{method}");
    }
}

#[test]
fn an_id_is_found_wherever_it_lies_and_heads_its_own_place() {
    let (env, _sandbox) = logged_in("docs");
    // Ids of the documentation are no UUIDs; a default elsewhere does not hide one.
    for id in ["82c608a-1be9-46a5-968d-bad3a8a6daa", "82c608a-1be9-46a5"] {
        let outcome = env.viam(&["robots", "status", "--robot", id]).run().ok();
        outcome.prints(&format!("ID: {id}\n"));
    }
    let (env, _sandbox) = logged_in("fleet");
    let outcome =
        env.viam(&["robots", "status", "--robot", ROVER, "--organization", "Field Lab"]).run().ok();
    assert!(outcome.out().starts_with("Acme Robotics -> Warehouse\n"), "{outcome}");
}

#[test]
fn a23_names_are_taken_where_ids_are_expected_and_several_of_one_name_are_listed() {
    let world = r#"{"organizations":[{"name":"AcmeDemos","locations":[
        {"name":"test","machines":[{"id":"m-1","name":"arduino-q","parts":[{"id":"p-1","name":"main",
            "logs":[{"level":"info","logger":"a","message":"firmata ready"},
                    {"level":"info","logger":"a","message":"other"}]}]}]},
        {"name":"lab","machines":[{"id":"m-2","name":"arduino-q","parts":[{"id":"p-2","name":"main"}]}]}]}]}"#;
    let env = TestEnv::new();
    let file = env.file(&env.root().join("world.json"), world, 0o644);
    let sandbox = TestSandbox::start(&file.display().to_string());
    sandbox.log_in(&env);
    let words = ["--machine=arduino-q", "--org=AcmeDemos", "--count=300", "--keyword=firmata"];
    let logs = [&["machines", "logs"][..], &words].concat();
    let outcome = env.viam(&[&logs[..], &["--location=test"]].concat()).run().ok();
    assert_eq!(entries(&outcome.out()), ["info\ta\tfirmata ready\t"]);
    for id in ["--org-id=AcmeDemos", "--organization=AcmeDemos", "--org-name=AcmeDemos"] {
        let words = ["machine", "log", "--robot=m-1", id, "--location-id=test"];
        assert_eq!(entries(&env.viam(&words).run().ok().out()).len(), 2, "{id}");
    }
    let outcome = env.viam(&logs).run().code(1);
    insta::assert_snapshot!(outcome, @r#"
    exit: 1
    -- stdout --
    [EOF]
    -- stderr --
    Info: Using "http://127.0.0.1:[PORT]" as base URL value
    Error: "arduino-q" names 2 machines
    Hint: use an id: m-1, m-2
    [EOF]
    "#);
    env.viam(&["machines", "part", "status", "--part", "main"]).run().code(1).says("p-1, p-2");
    env.viam(&["machines", "part", "status", "--part=main", "--location=lab"]).run().ok();
    env.viam(&["machines", "part", "status", "--part-id", "p-2"]).run().ok().prints("ID: p-2");
    // The only part of a machine needs no name.
    env.viam(&["machines", "part", "status", "--machine=m-2"]).run().ok().prints("\tID: p-2\n");
}

#[test]
fn parts_are_found_by_id_by_name_and_within_their_machine() {
    let (env, _sandbox) = logged_in("fleet");
    let full = env
        .viam(&[
            "robots",
            "part",
            "status",
            "--organization",
            "Acme Robotics",
            "--location",
            "Warehouse",
            "--robot",
            "rover-1",
            "--part",
            "rover-1-arm",
        ])
        .run()
        .ok();
    let block = format!("\tID: {ROVER_ARM}\n\tName: rover-1-arm\n\tLast Access: [TIME]\n");
    assert_eq!(timeless(&full), block);
    for words in [
        &["--part-id", ROVER_ARM][..],
        &["--part", "rover-1-arm"],
        &["--part-name", "rover-1-arm", "--machine-id", ROVER],
        &["--part", ROVER_ARM, "--machine-name", "rover-1"],
    ] {
        let words = [&["machines", "part", "status"], words].concat();
        let outcome = env.viam(&words).run().ok();
        let header = "Acme Robotics -> Warehouse -> rover-1\n";
        assert_eq!(timeless(&outcome), format!("{header}{block}"), "{words:?}");
    }
    let words = ["machines", "part", "status", "--part", ROVER_ARM, "--format", "json"];
    let json = env.viam(&words).run().ok().json();
    assert_eq!((&json["machine"], &json["machine_id"]), (&"rover-1".into(), &ROVER.into()));
    let outcome = env
        .viam(&["machines", "part", "status", "--machine", "rover-1", "--part", "rover-1-amr"])
        .run()
        .code(1);
    insta::assert_snapshot!(outcome, @r#"
    exit: 1
    -- stdout --
    [EOF]
    -- stderr --
    Info: Using "http://127.0.0.1:[PORT]" as base URL value
    Error: No machine part found for machine: "rover-1" part: "rover-1-amr"
    Hint: did you mean "rover-1-arm"?
    [EOF]
    "#);
    env.viam(&["machines", "part", "status", "--machine", "rover-1"])
        .run()
        .code(1)
        .says("\"rover-1\" has 2 parts")
        .says(ROVER_ARM);
    env.viam(&["machines", "part", "status"]).run().code(2).says("required flag \"part\"");
    let list = env.viam(&["machines", "part", "list", "--machine", "rover-1"]).run().ok();
    assert!(timeless(&list).starts_with("Parts:\n\tID: ") && list.out().contains(" (main)\n\t"));
    let by_id = env.viam(&["machines", "part", "list", "--machine", ROVER]).run().ok();
    assert_eq!(timeless(&by_id), timeless(&list));
    let words = ["robots", "part", "list", "--robot", "rover-1", "--format=json"];
    assert_eq!(env.viam(&words).run().ok().json()[1]["name"], "rover-1-arm");
}

#[test]
fn machines_are_created_renamed_moved_and_deleted() {
    let (env, _sandbox) = logged_in("fleet");
    let merged = env
        .sh("viam machines create --name=bot-7 --organization='Field Lab' --location=Orchard 2>&1")
        .run()
        .ok();
    let line = merged.out().lines().last().expect("line").to_owned();
    let id = line.strip_prefix("created new machine with id ").expect("the documented line");
    assert_eq!(id.len(), 36);
    assert_eq!(merged.out().matches(id).count(), 1);
    let words = ["machines", "update", "--machine", "bot-7", "--new-name", "bot-8"];
    assert_eq!(env.viam(&words).run().ok().out(), "updated machine bot-7\n");
    env.viam(&["machines", "status", "--machine", id]).run().ok().prints("Name: bot-8\n");
    let words = [
        "robots",
        "update",
        "--robot",
        "bot-8",
        "--new-location",
        "Classroom",
        "--location",
        "Orchard",
        "--format",
        "json",
    ];
    let json = env.viam(&words).run().ok().json();
    assert_eq!((&json["id"], &json["name"]), (&id.into(), &"bot-8".into()));
    let status = env.viam(&["machines", "status", "--machine", "bot-8"]).run().ok();
    assert!(status.out().starts_with("Old Mill School -> Classroom\n"), "{status}");
    env.viam(&["machines", "update", "--machine", "bot-8"]).run().code(2).says("--new-name");
    let outcome = env.viam(&["machines", "delete", "--machine", "bot-88"]).run().code(1);
    outcome.says("no machine found for \"bot-88\"").says("did you mean \"bot-8\"?");
    let words = ["machines", "delete", "--machine", "bot-8"];
    assert_eq!(env.viam(&words).run().ok().out(), "deleted machine bot-8\n");
    env.viam(&words).run().code(1).says("no machine found");
    env.viam(&["machines", "create", "--name", "x"])
        .run()
        .code(2)
        .says("must provide a location to create a machine in");
    env.viam(&["machines", "create", "--location", "Orchard"]).run().code(2).says("\"name\"");
    let words = ["machines", "create", "--name", "sprayer-1", "--location", "Orchard"];
    env.viam(&words).run().code(1).says("it exists already");
    let words = ["machines", "create", "--name", "n", "--location", "Orchard", "--format=json"];
    assert_eq!(env.viam(&words).run().ok().json()["name"], "n");
}

#[test]
fn a8_the_documented_script_reads_the_ids_of_a_new_machine_and_its_part() {
    let (env, _sandbox) = logged_in("fleet");
    let script = "set -euo pipefail
        CREATED=$(viam machines create --name=bot --location=Orchard)
        ID=$(echo \"$CREATED\" | grep -oE '[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}')
        PART=$(viam machines part list --machine=$ID | grep 'ID:' | head -1 | awk '{print $2}')
        viam machines part status --part=$PART --machine=$ID | grep -q 'bot-main (main)'
        echo $PART";
    assert_eq!(env.sh(script).run().ok().out().trim_end().len(), 36);
}

#[test]
fn a_key_of_a_machine_is_enough_for_its_status_and_logs() {
    let (env, sandbox) = logged_in("fleet");
    let words =
        ["robots", "api-key", "create", "--machine-id=rover-1", "--name=n", "--format=json"];
    let made = env.viam(&words).run().ok().json();
    let other = TestEnv::new();
    for words in [
        &["machines", "status", "--machine", "rover-1"][..],
        &["machines", "status", "--machine", ROVER],
        &["machines", "logs", "--machine", "rover-1"],
        &["machines", "part", "logs", "--part", "rover-1-arm"],
        &["machines", "part", "status", "--part", ROVER_ARM],
    ] {
        let outcome = other
            .viam(words)
            .env("VIAM_BASE_URL", sandbox.url())
            .env("VIAM_API_KEY_ID", made["id"].as_str().expect("id"))
            .env("VIAM_API_KEY", made["key"].as_str().expect("key"))
            .run()
            .ok();
        assert!(outcome.out().contains("Acme Robotics"), "{outcome}");
    }
}

#[test]
fn parts_are_created_restarted_and_deleted_and_have_a_history() {
    let (env, _sandbox) = logged_in("fleet");
    let made = env
        .viam(&["machines", "part", "create", "--part-name", "gripper", "--machine", "rover-1"])
        .run()
        .ok();
    let out = made.out();
    let id = out.strip_prefix("created new machine part with ID ").expect("line").trim_end();
    let words = ["machines", "part", "restart", "--part", "gripper"];
    let outcome = env.viam(&words).run().ok();
    assert_eq!(outcome.out(), "Info: Request to restart part sent successfully\n");
    let json = env.viam(&[&words[..], &["--format=json"]].concat()).run().ok().json();
    assert_eq!(json["id"], id);
    let history = env.viam(&["machines", "part", "history", "--part", id]).run().ok();
    assert_eq!(history.out(), "no history found for part gripper\n");
    let words = ["machines", "part", "delete", "--part", "gripper", "--machine", "rover-1"];
    let outcome = env.viam(&words).run().ok();
    assert_eq!(outcome.out(), format!("successfully deleted part gripper (ID: {id})\n"));
    env.viam(&words).run().code(1).says("no machine part found");
    env.viam(&["machines", "part", "delete", "--part", "rover-1-main"])
        .run()
        .code(1)
        .says("could not delete machine part \"rover-1-main\"");
    env.viam(&["machines", "part", "create", "--machine", "rover-1"]).run().code(2);
}
