//! Data and datasets, but for exports: deleting, tagging, querying, collecting.

use prost::Message;
use serde_json::Value;
use viam_proto::app::data::v1::{
    AddBinaryDataToDatasetByIDsRequest, DeleteBinaryDataByFilterRequest, DeleteTabularDataRequest,
    RemoveTagsFromBinaryDataByIDsRequest, TagsFilterType,
};
use viam_sandbox::server::{FaultRule, FaultStatus};
use viam_test::{TestEnv, TestSandbox};

use crate::support::{Pty, logged_in};

pub(crate) const DATA: &str = "/viam.app.data.v1.DataService/";
const ACME: &str = "3155ac07-900b-5239-8771-3d2885502a6a";
const DATASET: &str = "d9698edc-1247-57e2-9130-777549c077e4";
const ROVER: &str = "a33001ed-0abb-54c8-9e35-f03700874511";
const ROVER_MAIN: &str = "d43d916a-c077-5fad-9615-956618741961";
const DOCK: &str = "3a158a54-0957-5ea3-8da9-3cd5aaed58f1";

/// The words of a line; `_` stands for a space within one.
fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(|word| word.replace('_', " ")).collect()
}

pub(crate) fn viam(env: &TestEnv, line: &str) -> viam_test::Outcome {
    let words = words(line);
    env.viam(&words.iter().map(String::as_str).collect::<Vec<_>>()).run()
}

/// stdout of a command that succeeds.
#[track_caller]
pub(crate) fn out(env: &TestEnv, line: &str) -> String {
    viam(env, line).ok().out()
}

/// The metadata of what a filter finds.
#[track_caller]
fn found(env: &TestEnv, filter: &str) -> Vec<Value> {
    let out = out(env, &format!("data query binary filter {filter}"));
    out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn ids(found: &[Value]) -> Vec<String> {
    found.iter().map(|file| file["binaryDataId"].as_str().expect("id").to_owned()).collect()
}

/// The last request of a method.
fn last<M: Message + Default>(sandbox: &TestSandbox, method: &str) -> M {
    let recorded = sandbox.server.recorded(&format!("{DATA}{method}"));
    M::decode(recorded.last().expect("a request").clone()).expect("decodes")
}

fn asked(sandbox: &TestSandbox, method: &str) -> u64 {
    sandbox.asked(&format!("{DATA}{method}"))
}

#[test]
fn files_are_deleted_by_filter() {
    let (env, sandbox) = logged_in("fleet");
    assert_eq!(found(&env, "").len(), 36);
    assert_eq!(
        out(&env, "data delete binary --tags keep --part-id rover-1-main"),
        "Deleted 4 files\n"
    );
    let request: DeleteBinaryDataByFilterRequest = last(&sandbox, "DeleteBinaryDataByFilter");
    assert_eq!(request.filter.expect("filter").part_id, ROVER_MAIN);
    let one = found(&env, "--machine-name rover-1 --limit 1").remove(0);
    let time = one["timeRequested"].as_str().expect("time").to_owned();
    let line = format!("data delete binary --robot-name rover-1 --start {time} --end {time}");
    assert_eq!(out(&env, &line), "Deleted 1 file\n");
    assert_eq!(out(&env, &line), "Deleted 0 files\n");
    let line = "data delete binary --component-name camera1 --robot-id rover-1 --format json";
    assert_eq!(viam(&env, line).ok().json(), serde_json::json!({ "deleted": 7 }));
    assert_eq!(found(&env, "").len(), 24);
    // Every flag arrives.
    viam(
        &env,
        "data delete binary --org-ids Acme_Robotics --location-ids Loading_Dock --robot-id rover-1 \
         --part-id rover-1-main --robot-name rn --part-name pn --component-type t \
         --component-name c --method M --mime-types image/png,image/jpeg \
         --start 2026-01-01T00:00:00Z --end 2026-01-02T00:00:00.5Z --tags a,b --bbox-labels x,y \
         --parallel 4",
    )
    .ok()
    .prints("Deleted 0 files\n");
    let request: DeleteBinaryDataByFilterRequest = last(&sandbox, "DeleteBinaryDataByFilter");
    let filter = request.filter.expect("filter");
    assert_eq!(
        (&filter.organization_ids[..], &filter.location_ids[..]),
        (&[ACME.to_owned()][..], &[DOCK.to_owned()][..])
    );
    assert_eq!((filter.robot_id.as_str(), filter.part_id.as_str()), (ROVER, ROVER_MAIN));
    assert_eq!((filter.robot_name.as_str(), filter.part_name.as_str()), ("rn", "pn"));
    assert_eq!((filter.component_type.as_str(), filter.component_name.as_str()), ("t", "c"));
    assert_eq!((filter.method.as_str(), filter.mime_type.len()), ("M", 2));
    let interval = filter.interval.expect("interval");
    assert_eq!(interval.start.expect("start").seconds, 1_767_225_600);
    assert_eq!(interval.end.expect("end").nanos, 500_000_000);
    let tags = filter.tags_filter.expect("tags");
    assert_eq!((tags.r#type(), tags.tags.len()), (TagsFilterType::MatchByOr, 2));
    assert_eq!(filter.bbox_labels, ["x", "y"]);
}

#[test]
fn nothing_is_deleted_that_was_not_meant() {
    let (env, sandbox) = logged_in("fleet");
    for line in ["data delete binary", "data delete binary --org-ids= --tags ,", "data delete"] {
        viam(&env, line).code(2).says("Hint: ");
    }
    viam(&env, "data delete binary").code(2).says("every file would be deleted").says("--yes");
    for line in ["data delete", "data delete --org-ids x", "data delete --start y --format json"] {
        viam(&env, line).code(2).says("viam data delete binary").says("viam data delete tabular");
    }
    viam(&env, "data delete files").code(2).says("\"files\"").says("binary or tabular");
    viam(&env, "data delete help").ok().prints("tabular");
    viam(&env, "data delete binary --start yesterday").code(2).says("invalid start time format");
    viam(&env, "data delete binary --org-ids x --bbox y")
        .code(2)
        .says("did you mean --bbox-labels?");
    // What has the model is looked up, and nothing has it.
    let outcome = viam(&env, "data delete binary --component-model webcam").ok();
    assert_eq!(outcome.out(), "Deleted 0 files\n");
    outcome.says("no component has the model \"webcam\" now");
    viam(&env, "data delete binary --machine-id rover-11")
        .code(1)
        .says("did you mean \"rover-1\"?");
    assert_eq!(asked(&sandbox, "DeleteBinaryDataByFilter"), 0);
    // A failure is not tried again.
    sandbox.fail(&format!("{DATA}DeleteBinaryDataByFilter"), 1, 14, "busy");
    viam(&env, "data delete binary --tags keep")
        .code(1)
        .says("could not delete files")
        .says("busy");
    assert_eq!(asked(&sandbox, "DeleteBinaryDataByFilter"), 1);
    assert_eq!(found(&env, "").len(), 36);
    let outcome = viam(&env, "data delete binary --component-model fake --robot-id rover-1").ok();
    outcome.says("components have the model \"fake\" now").prints("Deleted ");
    assert_eq!(out(&env, "data delete binary --yes"), "Deleted 24 files\n");
}

#[test]
fn a_terminal_is_asked_before_everything_is_deleted() {
    let (env, _sandbox) = logged_in("fleet");
    for (answer, code) in [("n\n", "code 1\r\n"), ("y\n", "code 0\r\n")] {
        let mut pty = Pty::run(&env, "viam data delete binary; echo code $?");
        pty.wait_for("Delete every file that this login sees? [y/N]");
        pty.type_in(answer);
        let seen = pty.wait_for(code);
        let word = if answer == "y\n" { "Deleted 36 files" } else { "Aborted" };
        assert!(seen.contains(word), "{seen}");
        pty.end();
    }
}

#[test]
fn readings_are_deleted_by_age_and_filter() {
    let (env, sandbox) = logged_in("docs");
    let line = "data delete tabular --delete-older-than-days 0";
    viam(&env, line).code(2).says("must provide an organization ID to delete tabular data");
    assert_eq!(
        out(&env, "data delete tabular --org-id abc --delete-older-than-days 1"),
        "Deleted 0 datapoints\n"
    );
    let request: DeleteTabularDataRequest = last(&sandbox, "DeleteTabularData");
    assert_eq!((request.organization_id.as_str(), request.delete_older_than_days), ("abc", 1));
    assert_eq!(request.filter, None);
    viam(
        &env,
        "data delete tabular --org-id abc --delete-older-than-days 0 --location-ids 123 \
         --robot-id sensor-1 --part-id sensor-1-main --component-type t --component-name c \
         --method M --tags a --parallel 3",
    )
    .ok();
    let request: DeleteTabularDataRequest = last(&sandbox, "DeleteTabularData");
    let filter = request.filter.expect("filter");
    assert_eq!(filter.location_ids, ["123"]);
    assert!(!filter.robot_id.is_empty() && !filter.part_id.is_empty(), "{filter:?}");
    assert_eq!((filter.component_type.as_str(), filter.component_name.as_str()), ("t", "c"));
    assert_eq!((filter.method.as_str(), filter.tags_filter.is_some()), ("M", true));
    let before = asked(&sandbox, "DeleteTabularData");
    for flag in [
        "--machine-name x",
        "--robot-name x",
        "--part-name x",
        "--mime-types x",
        "--start 2026-01-01T00:00:00Z",
        "--end 2026-01-01T00:00:00Z",
        "--bbox-labels x",
    ] {
        let line = format!("data delete tabular --org-id abc --delete-older-than-days 0 {flag}");
        let name = flag.split(' ').next().expect("name").replace("robot", "machine");
        viam(&env, &line).code(2).says(&format!("{name} cannot be used"));
    }
    for days in ["-1", "4294967296", "many"] {
        let line = format!("data delete tabular --org-id abc --delete-older-than-days {days}");
        viam(&env, &line).code(2).says("--delete-older-than-days");
    }
    viam(&env, "data delete tabular --org-id abc").code(2).says("\"delete-older-than-days\"");
    assert_eq!(asked(&sandbox, "DeleteTabularData"), before);
    sandbox.fail(&format!("{DATA}DeleteTabularData"), 1, 13, "broken");
    let line = "data delete tabular --org-ids abc --delete-older-than-days 0";
    viam(&env, line).code(1).says("could not delete tabular data").says("broken");
    // The default organization, and a model.
    out(&env, "defaults set-org --org-id abc");
    let model = "data delete tabular --delete-older-than-days 0 --component-model nothing";
    assert_eq!(out(&env, model), "Deleted 0 datapoints\n");
    let outcome = viam(&env, "data delete tabular --delete-older-than-days 0 --format json").ok();
    assert_eq!(outcome.json()["deleted"], 24);
}

#[test]
fn files_are_queried() {
    let (env, _sandbox) = logged_in("fleet");
    let all = found(&env, "--tags keep");
    assert_eq!(all.len(), 12);
    assert_eq!(all[0]["captureMetadata"]["tags"][0], "keep");
    assert_eq!(found(&env, "--limit 5").len(), 5);
    assert_eq!(found(&env, "--limit 0 --org-ids Field_Lab").len(), 0);
    let line = "data query binary filter --destination a/b --tags keep";
    assert_eq!(out(&env, line), "Wrote 12 results to a/b/data.ndjson\n");
    let file = env.root().join("work/a/b/data.ndjson");
    let text = std::fs::read_to_string(&file).expect("there");
    assert_eq!(text, out(&env, "data query binary filter --tags keep"));
    let line = "data query binary filter --destination a/b --limit 1 --format json";
    let json = viam(&env, line).ok().json();
    assert_eq!(json, serde_json::json!({ "path": "a/b/data.ndjson", "count": 1 }));
    assert_eq!(std::fs::read_to_string(&file).expect("there").lines().count(), 1);
    let names: Vec<_> = std::fs::read_dir(env.root().join("work/a/b")).expect("dir").collect();
    assert_eq!(names.len(), 1, "{names:?}");
    viam(&env, "data query binary filter --destination s3://x").code(2).says("a folder only");
    env.file(&env.root().join("work/taken"), "x", 0o644);
    viam(&env, "data query binary filter --destination taken").code(1).says("could not write to");
}

#[test]
fn files_are_tagged_by_ids() {
    let (env, sandbox) = logged_in("fleet");
    let some = found(&env, "--tags untagged --limit 3");
    let all = ids(&some);
    let line =
        format!("data tag ids add --tags a,b --tags c --binary-data-ids {},{}", all[0], all[1]);
    assert_eq!(out(&env, &line), "Added tags [a b c] to data\n");
    assert_eq!(found(&env, "--tags b").len(), 2);
    let line = format!("data tag ids remove --tags a --binary-data-ids {}", all[0]);
    assert_eq!(out(&env, &line), "Removed tags [a] from data\n");
    assert_eq!(found(&env, "--tags a").len(), 1);
    // As in 2023.
    let capture = &some[2]["captureMetadata"];
    let line = format!(
        "data tag ids add --tags old --org-id Acme_Robotics --location-id {} --file-ids {} --format json",
        capture["locationId"].as_str().expect("location"),
        some[2]["id"].as_str().expect("id")
    );
    assert_eq!(viam(&env, &line).ok().json(), serde_json::json!({ "tags": ["old"], "files": 1 }));
    assert_eq!(ids(&found(&env, "--tags old")), all[2..]);
    viam(&env, "data tag ids add --tags x --binary-data-ids nothing")
        .code(1)
        .says("could not add tags");
    viam(&env, "data tag ids add --tags , --binary-data-ids x").code(2).says("no tag is given");
    viam(&env, "data tag ids add --tags x --binary-data-ids ,").code(2).says("--binary-data-ids");
    viam(&env, "data tag ids add --tags x").code(2).says("binary-data-ids");
    assert_eq!(asked(&sandbox, "AddTagsToBinaryDataByIDs"), 3);
}

#[test]
fn many_files_are_tagged_by_filter_though_they_leave_it() {
    let (env, sandbox) = logged_in("data:250,10,0");
    assert_eq!(out(&env, "data tag filter add --tags x,y"), "Added tags to 250 files\n");
    assert_eq!(asked(&sandbox, "AddTagsToBinaryDataByIDs"), 3);
    assert_eq!(found(&env, "--tags x").len(), 250);
    // What loses the tag is no longer found by the filter, and the rest still is.
    let line = "data tag filter remove --tags x --filter-tags x";
    assert_eq!(out(&env, line), "Removed tags from 250 files\n");
    let request: RemoveTagsFromBinaryDataByIDsRequest =
        last(&sandbox, "RemoveTagsFromBinaryDataByIDs");
    assert_eq!((&request.tags[..], request.binary_data_ids.len()), (&["x".to_owned()][..], 50));
    assert_eq!(found(&env, "--tags x").len(), 0);
    assert_eq!(found(&env, "--tags y").len(), 250);
    assert_eq!(out(&env, line), "Removed tags from 0 files\n");
    let line = "data tag filter add --tags z --filter-tags untagged";
    assert_eq!(out(&env, line), "Added tags to 0 files\n");
    let line = "data tag filter remove --tags y --component-name camera1 --format json";
    assert_eq!(viam(&env, line).ok().json(), serde_json::json!({ "tags": ["y"], "files": 250 }));
    assert_eq!(
        out(&env, "data tag filter add --tags z --filter-tags untagged"),
        "Added tags to 250 files\n"
    );
}

#[test]
fn datasets_are_made_listed_renamed_merged_and_deleted() {
    let (env, _sandbox) = logged_in("fleet");
    let outcome = viam(&env, "dataset list --org-id Acme_Robotics").ok();
    assert_eq!(
        outcome.out(),
        format!("\trover-pictures (ID: {DATASET}, Organization ID: {ACME})\n")
    );
    assert_eq!(out(&env, "dataset list --org-id Field_Lab"), "");
    let made = out(&env, "dataset create --org-id Acme_Robotics --name fruit_bowl");
    let id = made
        .strip_prefix("Created dataset fruit bowl with dataset ID: ")
        .expect("the line")
        .trim_end()
        .to_owned();
    let line = format!("dataset rename --dataset-id {id} --name vegetables");
    assert_eq!(out(&env, &line), format!("Dataset with ID {id} renamed to vegetables\n"));
    let json = viam(&env, &format!("dataset list --dataset-ids {id} --format json")).ok().json();
    assert_eq!(json[0]["name"], "vegetables");
    assert_eq!(json[0]["organization_id"], ACME);
    assert_eq!(json[0]["type"], "binary");
    assert!(json[0]["created_at"].is_string(), "{json}");
    let outcome = viam(&env, &format!("dataset list --dataset-ids {id},nothing")).ok();
    assert_eq!(outcome.out().lines().count(), 1);
    outcome.says("no dataset found for \"nothing\"");
    out(&env, "defaults set-org --org-id Acme_Robotics");
    let line = format!("dataset merge --name both --dataset-ids {id},{DATASET}");
    let merged = out(&env, &line);
    let both = merged
        .strip_prefix("Successfully merged 2 datasets into new dataset 'both' with ID: ")
        .expect("the line")
        .trim_end()
        .to_owned();
    assert_eq!(out(&env, "dataset list").lines().count(), 3);
    let line = "dataset create --name json --format json";
    let json = viam(&env, line).ok().json();
    assert_eq!((&json["name"], &json["organization_id"]), (&"json".into(), &ACME.into()));
    let line = format!("dataset delete --dataset-id {both}");
    assert_eq!(out(&env, &line), format!("Dataset with ID {both} deleted\n"));
    viam(&env, &line).code(1).says("could not delete dataset").says("not found");
    let line = format!("dataset delete --dataset-id {id} --format json");
    assert_eq!(viam(&env, &line).ok().json()["id"], id.as_str());
    viam(&env, &format!("dataset rename --dataset-id {id} --name x"))
        .code(1)
        .says("could not rename");
}

#[test]
fn a_dataset_is_named_in_one_way() {
    let (env, sandbox) = logged_in("fleet");
    viam(&env, "dataset list --org-id x --dataset-ids y")
        .code(2)
        .says("must specify either dataset IDs or organization ID, got both");
    viam(&env, "dataset list").code(2).says("got neither");
    viam(&env, "dataset create --name x").code(2).says("must provide an organization ID");
    viam(&env, "dataset merge --name x --dataset-ids a").code(2).says("organization ID");
    viam(&env, "dataset create --org-id x --name=").code(2).says("--name");
    viam(&env, "dataset delete --dataset-id=").code(2).says("--dataset-id");
    viam(&env, "dataset rename --name x").code(2).says("\"dataset-id\"");
    viam(&env, "dataset create --org-id Feild_Lab --name x")
        .code(1)
        .says("did you mean \"Field Lab\"?");
    assert_eq!(sandbox.asked("/viam.app.dataset.v1.DatasetService/CreateDataset"), 0);
}

#[test]
fn files_are_put_into_a_dataset_and_taken_out() {
    let (env, sandbox) = logged_in("fleet");
    let made =
        viam(&env, "dataset create --org-id Acme_Robotics --name d --format json").ok().json();
    let d = made["id"].as_str().expect("id");
    let within = || {
        found(&env, "")
            .iter()
            .filter(|file| {
                file["datasetIds"].as_array().is_some_and(|all| all.iter().any(|id| id == d))
            })
            .count()
    };
    let line = format!("dataset data add filter --dataset-id {d} --tags keep");
    assert_eq!(out(&env, &line), format!("Added 12 files to dataset ID {d}\n"));
    assert_eq!(within(), 12);
    let some = found(&env, "--tags untagged --limit 2");
    let all = ids(&some).join(",");
    let line = format!("dataset data add ids --dataset-id {d} --binary-data-ids {all}");
    assert_eq!(out(&env, &line), format!("Added data to dataset ID {d}\n"));
    assert_eq!(within(), 14);
    // Only what is in the dataset is taken out and counted: 22 others are untagged.
    let line = format!("dataset data remove filter --dataset-id {d} --tags untagged");
    assert_eq!(out(&env, &line), format!("Removed 2 files from dataset ID {d}\n"));
    let line = format!("dataset data add ids --dataset-id {d} --binary-data-ids {all}");
    out(&env, &line);
    let line = format!("dataset data remove filter --dataset-id {d} --tags keep --format json");
    assert_eq!(viam(&env, &line).ok().json(), serde_json::json!({ "dataset_id": d, "files": 12 }));
    let line = format!("dataset data remove ids --dataset-id {d} --binary-data-ids {all}");
    assert_eq!(out(&env, &line), format!("Removed data from dataset ID {d}\n"));
    assert_eq!(within(), 0);
    // As in 2023.
    let (id, location) = (&some[0]["id"], &some[0]["captureMetadata"]["locationId"]);
    let old = format!(
        "--dataset-id {d} --org-id {ACME} --location-id {} --file-ids {}",
        location.as_str().expect("location"),
        id.as_str().expect("id")
    );
    assert_eq!(
        out(&env, &format!("data dataset add ids {old}")),
        format!("Added data to dataset ID {d}\n")
    );
    let request: AddBinaryDataToDatasetByIDsRequest = last(&sandbox, "AddBinaryDataToDatasetByIDs");
    assert_eq!(request.binary_ids[0].organization_id, ACME);
    assert_eq!(within(), 1);
    assert_eq!(
        out(&env, &format!("data dataset remove {old}")),
        format!("Removed data from dataset ID {d}\n")
    );
    let line = format!("data dataset add filter --dataset-id {d} --robot-name rover-1 --tags keep");
    assert_eq!(out(&env, &line), format!("Added 4 files to dataset ID {d}\n"));
    assert_eq!(within(), 4);
    viam(&env, "dataset data add filter --dataset-id nothing --tags keep")
        .code(1)
        .says("could not add files");
    viam(&env, "dataset data add ids --binary-data-ids x").code(2).says("\"dataset-id\"");
}

#[test]
fn a59_a_passing_failure_does_not_end_adding_to_a_dataset() {
    let (env, sandbox) = logged_in("data:250,10,0");
    let made = viam(&env, "dataset create --org-id Data --name d --format json").ok().json();
    let d = made["id"].as_str().expect("id");
    let line = format!("dataset data add filter --dataset-id {d}");
    let every = |path: String, every: u32, code: i32| FaultRule {
        times: 100,
        every: Some(every),
        status: Some(FaultStatus { code, message: "passing".to_owned() }),
        ..FaultRule::on(&path)
    };
    let add = format!("{DATA}AddBinaryDataToDatasetByIDs");
    sandbox.server.set_faults(vec![
        every(add.clone(), 2, 14),
        every(format!("{DATA}BinaryDataByFilter"), 3, 4),
    ]);
    let outcome = viam(&env, &line).ok();
    assert_eq!(outcome.out(), format!("Added 250 files to dataset ID {d}\n"));
    assert!(sandbox.asked(&add) > 3);
    // A wait that is worth a word is told on stderr.
    sandbox.server.set_faults(vec![FaultRule {
        retry_after: Some("1".to_owned()),
        times: 1,
        ..every(add.clone(), 1, 8)
    }]);
    let outcome = viam(&env, &line).ok().says("Info: could not add files to the dataset");
    assert_eq!(outcome.out(), format!("Added 250 files to dataset ID {d}\n"));
    // What does not pass is said at once.
    sandbox.server.clear_requests();
    sandbox.fail(&add, 100, 3, "no such thing");
    let outcome = viam(&env, &line).code(1).says("could not add files to the dataset");
    assert_eq!(outcome.out(), "");
    assert_eq!(sandbox.asked(&add), 1);
    // After some of it was done, that is said.
    sandbox.server.set_faults(vec![every(add.clone(), 2, 3)]);
    viam(&env, &line).code(1).says("Warning: 100 files done before this").says("run again");
}
