//! What is committed in `proto/src/gen` is what the definitions give.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use prost::Message as _;
use prost_types::FileDescriptorSet;

#[test]
fn the_committed_files_are_current() {
    let stale = viam_codegen::differences(&committed(), &generated()).expect("differences");
    assert!(stale.is_empty(), "run `cargo xtask codegen`; these differ: {stale:?}");
}

#[test]
fn two_runs_give_the_same() {
    assert!(generated() == generated());
}

#[test]
fn each_generated_package_is_a_module_of_the_crate() {
    let library = fs::read_to_string(viam_codegen::proto_dir().join("src/lib.rs")).expect("lib.rs");
    for name in generated().keys() {
        match name.strip_suffix(".rs") {
            Some(package) => {
                assert_eq!(library.matches(&format!("\"{package}\",")).count(), 1, "{package}");
            }
            None => assert!(library.contains(&format!("include_bytes!(\"gen/{name}\")"))),
        }
    }
}

#[test]
fn the_descriptors_are_complete_and_bare() {
    let bytes = fs::read(committed().join(viam_codegen::DESCRIPTORS)).expect("descriptors");
    let set = FileDescriptorSet::decode(bytes.as_slice()).expect("a set of descriptors");
    let mut seen = Vec::new();
    for file in &set.file {
        assert!(file.source_code_info.is_none(), "{}", file.name());
        for import in &file.dependency {
            assert!(seen.contains(import), "{} comes before its import {import}", file.name());
        }
        seen.push(file.name().to_owned());
    }
    assert!(seen.iter().any(|name| name == "google/protobuf/struct.proto"));
}

#[test]
fn writing_repairs_what_checking_finds() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("output");
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("an empty folder");
    }
    let output: BTreeMap<String, Vec<u8>> =
        ["a.rs", "b.rs", "c.rs"].map(|name| (name.to_owned(), name.as_bytes().to_vec())).into();
    assert_eq!(viam_codegen::write(&folder, &output).expect("first"), ["a.rs", "b.rs", "c.rs"]);

    fs::write(folder.join("a.rs"), "changed").expect("a.rs");
    fs::remove_file(folder.join("b.rs")).expect("b.rs");
    fs::write(folder.join("old.rs"), "left over").expect("old.rs");
    let wrong = ["a.rs", "b.rs", "old.rs"];
    assert_eq!(viam_codegen::differences(&folder, &output).expect("differences"), wrong);
    assert_eq!(viam_codegen::write(&folder, &output).expect("second"), wrong);
    assert!(viam_codegen::differences(&folder, &output).expect("differences").is_empty());
    assert!(!folder.join("old.rs").exists());
}

/// The folder of the committed files.
fn committed() -> std::path::PathBuf {
    viam_codegen::proto_dir().join("src/gen")
}

/// The files by name as the definitions give them now.
fn generated() -> BTreeMap<String, Vec<u8>> {
    let set = viam_codegen::compile(&viam_codegen::proto_dir().join("defs")).expect("definitions");
    viam_codegen::generate(&set).expect("code")
}
