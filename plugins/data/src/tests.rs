//! The spellings of both eras.

use viam_contract::Kind;
use viam_contract::cli::Parsed;

use super::*;

/// The command of a line as text; `error` where it is not accepted.
fn shown(line: &str) -> String {
    let words: Vec<_> = line.split(' ').map(std::ffi::OsString::from).collect();
    let (group, words) = words.split_first().expect("a group");
    let is_data = group == "data";
    let plugin: &dyn Plugin = if is_data { &Data } else { &Dataset };
    match cli::parse(plugin, words) {
        Ok(Parsed::Run { matches, .. }) if is_data => {
            format!("{:?}", cli::args::<DataArgs>(&matches).expect(line).verb)
        }
        Ok(Parsed::Run { matches, .. }) => {
            format!("{:?}", cli::args::<DatasetArgs>(&matches).expect(line).verb)
        }
        Ok(Parsed::Help(text)) => format!("help {text}"),
        Err(error) => {
            assert_eq!(error.kind(), Kind::Usage, "{line}");
            "error".to_owned()
        }
    }
}

#[track_caller]
fn same(lines: &[&str]) {
    let one = shown(lines[0]);
    for line in lines {
        assert_eq!(shown(line), one, "{line}");
        assert!(one != "error" && !one.starts_with("help"), "{line}: {one}");
    }
}

/// Each filter flag of both eras.
const FILTER: &str = "--org-ids o1,o2 --location-ids l1 --location-ids l2 --part-id p --part-name pn \
    --component-type t --component-name c --component-model m --method M \
    --mime-types image/jpeg,image/png --start 2026-01-01T00:00:00Z --end 2026-01-02T00:00:00Z \
    --bbox-labels b";

#[test]
fn both_eras_spell_the_same_filter() {
    for verb in [
        "data delete binary",
        "data query binary filter",
        "data tag filter add --tags x",
        "data tag filter remove --tags x",
        "data dataset add filter --dataset-id d",
        "dataset data add filter --dataset-id d",
        "dataset data remove filter --dataset-id d",
    ] {
        same(&[
            &format!("{verb} {FILTER} --machine-id r --machine-name rn"),
            &format!("{verb} {FILTER} --robot-id r --robot-name rn"),
            &format!("{verb} {FILTER} --robot_id=r -robot_name rn"),
        ]);
    }
    let line = format!("data delete binary {FILTER}");
    let all = shown(&line);
    assert!(all.contains(r#"location_ids: ["l1", "l2"]"#), "{all}");
    assert!(all.contains(r#"org_ids: ["o1", "o2"]"#), "{all}");
}

#[test]
fn what_to_delete_is_said() {
    same(&["data delete binary --tags a,b", "data delete binary --tags a --tags b"]);
    assert!(shown("data delete binary --parallel 10 --yes").contains("yes: true"));
    assert!(shown("data delete binary").contains("Binary"));
    same(&[
        "data delete tabular --org-id o --delete-older-than-days 3",
        "data delete tabular --delete_older_than_days=3 --organization o",
    ]);
    assert!(
        shown("data delete tabular --delete-older-than-days 0 --parallel 2").contains("days: 0")
    );
    for days in ["", "-1", "4294967296", "1.5", "x"] {
        assert_eq!(shown(&format!("data delete tabular --delete-older-than-days={days}")), "error");
    }
    assert_eq!(shown("data delete tabular --org-id o"), "error");
    // Accepted to be answered.
    for line in ["data delete", "data delete --org-ids o --start x", "data delete files --tags x"] {
        assert!(shown(line).starts_with("Delete(Args { verb: None"), "{line}: {}", shown(line));
    }
}

#[test]
fn files_are_named_by_the_ids_of_both_eras() {
    same(&[
        "dataset data add ids --dataset-id d --binary-data-ids a,b",
        "dataset data add ids --dataset_id d --binary-data-ids a --binary-data-ids b",
    ]);
    let old = "--dataset-id d --org-id o --location-id l --file-ids a,b";
    assert!(shown(&format!("data dataset add ids {old}")).contains(r#"file_ids: ["a", "b"]"#));
    assert!(shown(&format!("data dataset remove {old}")).contains("Remove"));
    assert!(shown(&format!("dataset data remove ids {old}")).contains("Remove"));
    for verb in ["add", "remove"] {
        let old = "--org-id o --location-id l --file-ids a";
        assert_ne!(shown(&format!("data tag ids {verb} --tags x {old}")), "error");
        assert_ne!(shown(&format!("data tag ids {verb} --tags x --binary-data-ids a")), "error");
        assert_eq!(shown(&format!("data tag ids {verb} --binary-data-ids a")), "error");
        assert_eq!(shown(&format!("data tag ids {verb} --tags x")), "error");
        assert_eq!(shown(&format!("data tag ids {verb} --tags x --file-ids a")), "error");
        let mixed = format!("data tag ids {verb} --tags x --binary-data-ids a");
        assert_eq!(shown(&format!("{mixed} --file-ids b --location-id l")), "error");
        assert_eq!(shown(&format!("{mixed} --location-id l")), "error");
    }
}

#[test]
fn queries_are_given_once() {
    assert_ne!(shown("data query tabular sql --sql q --org-id o --destination d"), "error");
    assert_eq!(shown("data query tabular sql"), "error");
    same(&[
        "data query tabular mql --mql [] --data-source-type hotstorage",
        "data query tabular mql --mql [] --data-source-type hot_storage",
        "data query tabular mql --mql [] --data-source-type hot-storage",
        "data query tabular mql --mql [] --data-source-type HOT_STORAGE",
    ]);
    for more in ["standard", "pipelinesink", "pipeline-sink", "pipeline_sink"] {
        assert_ne!(
            shown(&format!("data query tabular mql --mql-path - --data-source-type {more}")),
            "error"
        );
    }
    for line in [
        "data query tabular mql",
        "data query tabular mql --mql [] --mql-path f",
        "data query tabular mql --mql [] --data-source-type other",
        "data query tabular mql --mql [] --pipeline-id p --pipeline-name n",
        "data query binary filter --limit -1",
    ] {
        assert_eq!(shown(line), "error", "{line}");
    }
}

#[test]
fn databases_indexes_and_datasets() {
    same(&[
        "data database configure --org-id o --password p",
        "data database configure --password=p -org_id=o",
    ]);
    assert_ne!(shown("data database hostname"), "error");
    assert_eq!(shown("data database configure --org-id o"), "error");
    same(&[
        "data index list --collection-type hot-store",
        "data index list --collection-type hot-storage",
        "data index list --collection-type hot_storage",
        "data index list --collection-type hot",
    ]);
    let pipeline = "--org-id o --collection-type pipeline_sink --pipeline-name p";
    assert_ne!(shown(&format!("data index create --index-path f {pipeline}")), "error");
    assert_ne!(shown(&format!("data index delete --index-name i {pipeline}")), "error");
    assert_eq!(shown("data index list"), "error");
    for line in [
        "dataset create --org-id o --name n",
        "dataset rename --dataset-id d --name n",
        "dataset list",
        "dataset list --dataset-ids a,b",
        "dataset list --org-id o",
        "dataset delete --dataset-id d",
        "dataset merge --org-id o --name n --dataset-ids a,b",
    ] {
        assert_ne!(shown(line), "error", "{line}");
    }
    for line in ["dataset create", "dataset rename --name n", "dataset merge --name n"] {
        assert_eq!(shown(line), "error", "{line}");
    }
    for line in ["data", "dataset", "data tag", "data query tabular", "dataset data add"] {
        assert!(shown(line).starts_with("help"), "{line}");
    }
}

#[test]
fn the_trees_are_sound() {
    DataArgs::command().debug_assert();
    DatasetArgs::command().debug_assert();
}
