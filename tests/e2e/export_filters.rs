//! Every filter that is given is in every request that it is meant for.

use prost::Message as _;
use viam_proto::app::data::v1 as pb;
use viam_test::{TestEnv, TestSandbox};

use crate::export::BY_FILTER;
use crate::support::logged_in;

/// A flag, its value, and whether a filter has it.
type Case = (&'static str, &'static str, fn(&pb::Filter) -> bool);

/// Flags with their values, and what the request then has. Ids that look like ids are not looked
/// up.
const FLAGS: &[Case] = &[
    ("--org-ids", "3155ac07-900b-5239-8771-3d2885502a6a", |f| {
        f.organization_ids == ["3155ac07-900b-5239-8771-3d2885502a6a"]
    }),
    ("--org-ids", "Acme Robotics", |f| {
        f.organization_ids == ["3155ac07-900b-5239-8771-3d2885502a6a"]
    }),
    ("--location-ids", "Warehouse,elsewhere", |f| {
        f.location_ids.len() == 2
            && f.location_ids[0].len() == 36
            && f.location_ids[1] == "elsewhere"
    }),
    ("--robot-id", "11111111-2222-3333-4444-555555555555", |f| {
        f.robot_id == "11111111-2222-3333-4444-555555555555"
    }),
    ("--machine-id", "rover-1", |f| f.robot_id.len() == 36),
    ("--robot-name", "rover", |f| f.robot_name == "rover"),
    ("--machine-name", "rover", |f| f.robot_name == "rover"),
    ("--part-id", "rover-1-main", |f| f.part_id == "d43d916a-c077-5fad-9615-956618741961"),
    ("--part-name", "main", |f| f.part_name == "main"),
    ("--component-type", "camera", |f| f.component_type == "camera"),
    ("--component-name", "camera1", |f| f.component_name == "camera1"),
    ("--method", "ReadImage", |f| f.method == "ReadImage"),
    ("--mime-types", "image/png, image/jpeg", |f| f.mime_type == ["image/png", "image/jpeg"]),
    ("--start", "2026-01-01T00:00:00.5Z", |f| {
        let interval = f.interval.unwrap_or_default();
        interval.end.is_none()
            && interval.start.is_some_and(|t| (t.seconds, t.nanos) == (1_767_225_600, 500_000_000))
    }),
    ("--end", "2026-01-01T01:00:00+01:00", |f| {
        let interval = f.interval.unwrap_or_default();
        interval.start.is_none() && interval.end.is_some_and(|t| t.seconds == 1_767_225_600)
    }),
    ("--tags", "a,b", |f| {
        let tags = f.tags_filter.clone().unwrap_or_default();
        tags.r#type == 1 && tags.tags == ["a", "b"]
    }),
    ("--tags", "untagged", |f| f.tags_filter.clone().unwrap_or_default().r#type == 3),
    ("--bbox-labels", "dog", |f| f.bbox_labels == ["dog"]),
    ("--dataset-id", "ds", |f| f.dataset_id == "ds"),
];

fn filters(sandbox: &TestSandbox) -> Vec<pb::Filter> {
    let requests = sandbox.server.recorded(BY_FILTER);
    let filter = |bytes: &_| {
        let request = pb::BinaryDataByFilterRequest::decode(bytes).expect("a request");
        request.data_request.and_then(|request| request.filter).unwrap_or_default()
    };
    requests.iter().map(|bytes| filter(&mut bytes.clone())).collect()
}

fn export(env: &TestEnv, form: &[&str], words: &[&str]) {
    env.viam(&[&["data", "export"][..], form, &["--destination", "out"], words].concat())
        .run()
        .ok();
}

#[test]
fn every_filter_is_in_the_request_in_both_forms() {
    let (env, sandbox) = logged_in("fleet");
    for form in [&["binary", "filter"][..], &["--data-type", "binary"], &["--data_type=binary"]] {
        for (flag, value, is_there) in FLAGS {
            sandbox.server.clear_requests();
            export(&env, form, &[flag, value]);
            let seen = filters(&sandbox);
            assert!(!seen.is_empty(), "{flag}");
            assert!(seen.iter().all(is_there), "{form:?} {flag} {value}: {seen:?}");
        }
        // All at once, and the first page is not the only one that has them.
        let all: Vec<&str> = FLAGS
            .iter()
            .filter(|(flag, _, _)| !["--tags", "--robot-id", "--robot-name"].contains(flag))
            .flat_map(|(flag, value, _)| [*flag, *value])
            .collect();
        sandbox.server.clear_requests();
        let words = ["--start", "2025-01-01T00:00:00Z"];
        let all: Vec<&str> = all.into_iter().skip(4).collect();
        let both = [&all[..], &words].concat();
        let outcome = env
            .viam(&[&["data", "export"][..], form, &["--destination", "out"], &both].concat())
            .run();
        // The same flag twice is a mistake to be told.
        outcome.code(2);
    }
}

#[test]
fn a_model_is_looked_up_in_the_configurations() {
    let (env, sandbox) = logged_in("fleet");
    export(
        &env,
        &["binary", "filter"],
        &["--component-model", "fake", "--component-name", "camera1"],
    );
    let seen = filters(&sandbox);
    assert!(!seen.is_empty());
    assert!(
        seen.iter().all(|f| f.component_name == "camera1" && f.part_id.len() == 36),
        "{seen:?}"
    );
    // Where nothing has the model, nothing is asked for.
    sandbox.server.clear_requests();
    let line = ["data", "export", "binary", "filter", "--destination", "none"];
    let outcome = env.viam(&[&line[..], &["--component-model", "no-such"]].concat()).run().ok();
    outcome.says("no component has the model \"no-such\" now").says("0 files exported");
    assert!(filters(&sandbox).is_empty());
}

#[test]
fn what_is_wrong_is_said_before_any_call() {
    let (env, sandbox) = logged_in("fleet");
    sandbox.server.clear_requests();
    for (words, said) in [
        (&["--data-type", "video"][..], "data-type must be binary or tabular, got \"video\""),
        (&["--data-type", "binary", "--parallel", "0"], "--parallel must be greater than 0"),
        (&["--data-type", "binary", "--start", "today"], "invalid start time format"),
        (&["--data-type", "binary", "--shard", "9/8"], "a shard is K/N"),
        (&["--data-type", "binary", "--parallel", "-1"], "invalid"),
    ] {
        let line = ["data", "export", "--destination", "out"];
        env.viam(&[&line[..], words].concat()).run().code(2).says(said);
    }
    for place in ["ftp://x/y", "", "s3://", "s3://b/../c", "file://elsewhere/x"] {
        let line = ["data", "export", "binary", "filter", "--destination", place];
        env.viam(&line).run().code(2).says("");
    }
    assert!(sandbox.server.requests().counts.is_empty(), "{:?}", sandbox.server.requests());
    assert!(!env.root().join("work/out").exists());
}
