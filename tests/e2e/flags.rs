//! Every flag of every command does something, or is refused: what a command does with it is
//! compared with what it does without. The flags are those of the reference.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use viam_proto::app::v1::UpdateRobotPartRequest;
use viam_proto::app::v1::app_service_client::AppServiceClient;
use viam_sandbox::seed::LogSpec;
use viam_test::{TestEnv, TestSandbox};

use crate::files::{ROVER_MAIN, write};
use crate::webrtc::app;

/// What every command is run with, so that it does something: the command, and its words.
const COMMANDS: &[(&str, &str)] = &[
    ("organizations list", ""),
    ("organizations api-key create", "--org-id Acme_Robotics --name k --format json"),
    ("locations list", ""),
    ("locations api-key create", "--location-id Warehouse --name k --format json"),
    ("robots list", "--location Warehouse"),
    ("robots status", "--machine rover-1"),
    ("robots logs", "--machine rover-1"),
    ("robots create", "--name new --location Warehouse --format json"),
    ("robots update", "--machine rover-1 --new-name other --format json"),
    ("robots delete", "--machine rover-2"),
    ("robots part list", "--machine rover-1"),
    ("robots part status", "--part rover-1-main"),
    ("robots part logs", "--part rover-1-main"),
    ("robots part run", "--part rover-1-main -c servo1 --method GetPosition"),
    ("robots part shell", "--part rover-1-main"),
    ("robots part cp", "--part rover-1-main here machine:there"),
    ("robots part tunnel", "--part rover-1-main --local-port 0 --destination-port 9"),
    ("robots part restart", "--part rover-1-main"),
    ("robots part create", "--part-name new --machine rover-1 --format json"),
    ("robots part delete", "--part rover-1-arm"),
    ("robots part history", "--part rover-1-main"),
    ("robots api-key create", "--machine-id rover-1 --name k --format json"),
    ("data export", "--destination out --data-type binary"),
    ("data export binary filter", "--destination out"),
    (
        "data export binary ids",
        "--destination out --binary-data-ids 3155ac07-900b-5239-8771-3d2885502a6a/3a158a54-0957-5ea3-8da9-3cd5aaed58f1/eff9bdf3-98df-5daa-9546-19ef58f692fb",
    ),
    (
        "data export tabular",
        "--destination out --part-id d43d916a-c077-5fad-9615-956618741961 --resource-name sensor1 --resource-subtype rdk:component:sensor --method Readings",
    ),
    ("data delete binary", "--machine-id rover-1"),
    ("data delete tabular", "--org-id Acme_Robotics --delete-older-than-days 0"),
    ("data query tabular sql", "--org-id Acme_Robotics --sql SELECT_count(*)_AS_n_FROM_readings"),
    ("data query tabular mql", "--org-id Acme_Robotics --mql [{\"$count\":\"n\"}]"),
    ("data query binary filter", "--limit 3"),
    (
        "data tag ids add",
        "--tags x --binary-data-ids 3155ac07-900b-5239-8771-3d2885502a6a/3a158a54-0957-5ea3-8da9-3cd5aaed58f1/eff9bdf3-98df-5daa-9546-19ef58f692fb",
    ),
    (
        "data tag ids remove",
        "--tags x --binary-data-ids 3155ac07-900b-5239-8771-3d2885502a6a/3a158a54-0957-5ea3-8da9-3cd5aaed58f1/eff9bdf3-98df-5daa-9546-19ef58f692fb",
    ),
    ("data tag filter add", "--tags x"),
    ("data tag filter remove", "--tags x"),
    (
        "data index create",
        "--org-id Acme_Robotics --collection-type hot-store --index-path index.json",
    ),
    ("data index delete", "--org-id Acme_Robotics --collection-type hot-store --index-name x"),
    ("data index list", "--org-id Acme_Robotics --collection-type hot-store"),
    ("data database configure", "--org-id Acme_Robotics --password secret"),
    ("data database hostname", "--org-id Acme_Robotics"),
    ("dataset create", "--org-id Acme_Robotics --name new --format json"),
    ("dataset rename", "--dataset-id d9698edc-1247-57e2-9130-777549c077e4 --name new"),
    ("dataset list", "--org-id Acme_Robotics"),
    ("dataset delete", "--dataset-id d9698edc-1247-57e2-9130-777549c077e4"),
    ("dataset export", "--destination out --dataset-id d9698edc-1247-57e2-9130-777549c077e4"),
    (
        "dataset merge",
        "--org-id Acme_Robotics --name new --dataset-ids d9698edc-1247-57e2-9130-777549c077e4 --format json",
    ),
    (
        "dataset data add ids",
        "--dataset-id d9698edc-1247-57e2-9130-777549c077e4 --binary-data-ids 3155ac07-900b-5239-8771-3d2885502a6a/3a158a54-0957-5ea3-8da9-3cd5aaed58f1/eff9bdf3-98df-5daa-9546-19ef58f692fb",
    ),
    ("dataset data add filter", "--dataset-id d9698edc-1247-57e2-9130-777549c077e4"),
    (
        "dataset data remove ids",
        "--dataset-id d9698edc-1247-57e2-9130-777549c077e4 --binary-data-ids 3155ac07-900b-5239-8771-3d2885502a6a/3a158a54-0957-5ea3-8da9-3cd5aaed58f1/eff9bdf3-98df-5daa-9546-19ef58f692fb",
    ),
    ("dataset data remove filter", "--dataset-id d9698edc-1247-57e2-9130-777549c077e4"),
];

/// Flags whose value is not a name that nothing has. Where there are words before the arrow, they
/// take the place of the command's own.
const VALUES: &[(&str, &str, &str)] = &[
    ("robots list", "--all", " -> --all"),
    ("robots logs", "--count", "--count 1"),
    ("robots logs", "--format", "--format json"),
    ("robots logs", "--order", "--order asc"),
    ("robots logs", "--tail", "--output x -> --output x --tail"),
    ("robots part logs", "--count", "--count 1"),
    ("robots part logs", "--format", "--format json"),
    ("robots part logs", "--order", "--order desc"),
    (
        "robots part logs",
        "--tail",
        "--part rover-1-main --output x -> --part rover-1-main --output x --tail",
    ),
    (
        "robots part run",
        "--output",
        "--part rover-1-main -c camera1 --method GetImages -> --part rover-1-main -c camera1 --method GetImages --output x",
    ),
    ("robots part run", "--timeout", "--timeout 1ns"),
    ("robots part run", "--transport", "--transport webrtc"),
    ("robots part shell", "--transport", "--transport webrtc"),
    ("robots part cp", "--transport", "--transport webrtc"),
    (
        "robots part cp",
        "--recursive",
        "--part rover-1-main folder machine:there -> --part rover-1-main -r folder machine:there",
    ),
    (
        "robots part cp",
        "--preserve",
        "--part rover-1-main here machine:there -> --part rover-1-main -p here machine:there",
    ),
    ("robots part tunnel", "--transport", "--transport webrtc"),
    ("data delete binary", "--yes", " -> --yes"),
    // One that is not as long as the right one: of requests only the length is looked at.
    ("data export tabular", "--resource-subtype", "--resource-subtype other"),
];

/// Flags whose effect is seen by a test of its own only: the command, the flag, the test.
const ELSEWHERE: &[(&str, &str, &str)] = &[(
    "robots part cp",
    "--no-progress",
    "a_terminal_sees_how_far_a_copy_is_and_then_nothing_of_it",
)];

/// Where these tests are.
const SOURCES: &str = concat!(include_str!("transfers.rs"), include_str!("tunnel.rs"));

/// The long flags of each command, and whether they take a value.
fn reference() -> BTreeMap<String, Vec<(String, bool)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
    let text = fs::read_to_string(root.join("docs/reference.md")).expect("the reference");
    let mut commands: BTreeMap<String, Vec<(String, bool)>> = BTreeMap::new();
    let mut command = String::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            command = title.strip_prefix("viam ").unwrap_or_default().to_owned();
        } else if line.starts_with("viam ") && !line.ends_with("<COMMAND>") {
            commands.entry(command.clone()).or_default();
        } else if let Some((usage, _)) =
            line.strip_prefix("| `").and_then(|rest| rest.split_once("` |"))
            && let Some(flags) = commands.get_mut(&command)
            && let Some(at) = usage.find("--")
        {
            let mut words = usage[at..].split(' ');
            flags.push((words.next().expect("a flag").to_owned(), words.next().is_some()));
        }
    }
    commands
}

/// What a command did: its answer, what it asked for how often and how long the first request of
/// each call was, what lies where files go.
#[derive(Debug, PartialEq)]
struct Effect {
    answer: (i32, String, String),
    asked: BTreeMap<String, (u64, Option<usize>)>,
    files: Vec<(String, u32, u64, bool)>,
}

/// Takes out what is different each time: ids, secrets, ports, times.
fn steady(text: &str, secrets: bool) -> String {
    let lines = text.lines().filter(|line| !(secrets && line.contains("\"key\":")));
    let mut steady = String::new();
    for line in lines {
        for word in line.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
            let digits = word.chars().filter(char::is_ascii_digit).count();
            steady.push_str(if digits > 0 { "#" } else { word });
        }
        steady.push('\n');
    }
    steady
}

/// Runs a command in a world of its own.
fn effect(command: &str, words: &str) -> Effect {
    let (env, sandbox) = (TestEnv::new(), TestSandbox::start("fleet"));
    sandbox.log_in(&env);
    let entry = |level, message| LogSpec::new(level, "test", message);
    let logs = vec![entry("info", "one"), entry("error", "two"), entry("info", "three")];
    sandbox.server.append_logs(ROVER_MAIN, logs).expect("logs");
    let work = env.root().join("work");
    write(&work.join("folder/inner"), "x", 0o644);
    write(&work.join("here"), "x", 0o600);
    write(&work.join("index.json"), "{\"key\": {\"part_id\": 1}}", 0o644);
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    fs::File::open(work.join("here")).and_then(|file| file.set_modified(old)).expect("old");
    if command == "robots part history" {
        change(&env, &sandbox);
    }
    sandbox.server.clear_requests();
    let all: Vec<&str> = ["-q"].into_iter().chain(command.split(' ')).collect();
    let words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
    let words: Vec<String> = words.iter().map(|word| word.replace('_', " ")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = env.viam(&[all, words].concat()).stdin("echo ready\nexit\n").run();
    let mut files = Vec::new();
    let home = sandbox.server.machine_home(ROVER_MAIN);
    for root in [work, home] {
        for entry in fs::read_dir(&root).into_iter().flatten() {
            let entry = entry.expect("an entry");
            let meta = entry.metadata().expect("there");
            let name = entry.file_name().to_string_lossy().into_owned();
            files.push((name, meta.mode(), meta.len(), meta.mtime() == 1_000_000_000));
        }
    }
    files.sort();
    let mut asked = BTreeMap::new();
    for (path, count) in sandbox.server.requests().counts {
        let first = sandbox.server.recorded(&path).first().map(|message| message.len());
        asked.insert(path, (count, first));
    }
    // How often something is asked until it is there depends on the moment.
    asked.retain(|path, _| !path.ends_with("/CallUpdate"));
    let secrets = command.ends_with("api-key create");
    let out = if command == "robots part shell" {
        // A terminal mixes what is typed with what is printed.
        outcome.out().contains("ready").to_string()
    } else {
        steady(&outcome.out(), secrets)
    };
    Effect { answer: (outcome.code, out, steady(&outcome.err(), false)), asked, files }
}

/// Changes a part, so that it has a history.
fn change(env: &TestEnv, sandbox: &TestSandbox) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("runtime").block_on(async {
        let request = UpdateRobotPartRequest {
            id: ROVER_MAIN.to_owned(),
            name: "rover-1-main".to_owned(),
            robot_config: Some(prost_types::Struct::default()),
            ..UpdateRobotPartRequest::default()
        };
        let mut client = AppServiceClient::new(app(sandbox, env));
        client.update_robot_part(request).await.expect("changed");
    });
}

/// The words without a flag and its value.
fn without(words: &str, flag: &str) -> String {
    let mut kept = Vec::new();
    let mut all = words.split(' ');
    while let Some(word) = all.next() {
        if word == flag {
            all.next();
        } else {
            kept.push(word);
        }
    }
    kept.join(" ")
}

#[test]
fn a42_every_flag_has_an_effect_or_is_refused() {
    check(&["organizations", "locations", "robots"]);
}

#[test]
fn a42_every_flag_of_data_has_an_effect_or_is_refused() {
    check(&["data", "dataset"]);
}

fn check(groups: &[&str]) {
    let mut faults = Vec::new();
    for (command, flags) in reference() {
        if !groups.contains(&command.split(' ').next().unwrap_or_default()) {
            continue;
        }
        let Some((_, own)) = COMMANDS.iter().find(|(name, _)| *name == command) else {
            faults.push(format!("{command}: COMMANDS does not say how to run it"));
            continue;
        };
        let plain = effect(&command, own);
        let again = effect(&command, own);
        if plain != again {
            faults.push(format!("{command}: two runs differ: {plain:#?} and {again:#?}"));
            continue;
        }
        for (flag, takes_value) in flags {
            let is = |row: &&(&str, &str, &str)| row.0 == command && row.1 == flag;
            if let Some((_, _, test)) = ELSEWHERE.iter().find(is) {
                if !SOURCES.contains(&format!("fn {test}()")) {
                    faults.push(format!("{command} {flag}: there is no test {test}"));
                }
                continue;
            }
            let value = VALUES.iter().find(is).map(|row| row.2);
            let (before, with) = match value.map(|value| value.split_once(" -> ")) {
                Some(Some((before, with))) => (Some(effect(&command, before)), with.to_owned()),
                _ => {
                    let nothing = format!("{flag} nothing-of-this-name");
                    let added = value.unwrap_or(if takes_value { &nothing } else { &flag });
                    (None, format!("{} {added}", without(own, &flag)))
                }
            };
            if effect(&command, &with) == *before.as_ref().unwrap_or(&plain) {
                faults.push(format!("{command} {with}: {flag} does nothing"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
