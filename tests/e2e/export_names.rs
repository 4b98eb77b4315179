//! Names that a server gives, however they look.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::export::{assert_whole, client, contents, exported, files, runtime};
use crate::support::logged_in;
use viam_proto::app::data::v1 as pb;
use viam_test::TestSandbox;

/// What the hostile world has, as it is to be exported: what is packed is unpacked.
pub(crate) fn hostile(
    sandbox: &TestSandbox,
) -> (Vec<pb::BinaryMetadata>, BTreeMap<String, Vec<u8>>) {
    let metadata = runtime().block_on(async {
        let request = pb::BinaryDataByFilterRequest {
            data_request: Some(pb::DataRequest { limit: 100, ..Default::default() }),
            ..Default::default()
        };
        let page = client(sandbox).binary_data_by_filter(request).await.expect("page");
        page.into_inner().data.into_iter().filter_map(|data| data.metadata).collect::<Vec<_>>()
    });
    assert!(metadata.len() > 30, "{}", metadata.len());
    let mut all = contents(sandbox);
    for known in metadata.iter().filter(|known| known.file_ext == ".gz") {
        use std::io::Read as _;
        let bytes = all.get_mut(&known.binary_data_id).expect("there");
        // What only says that it is packed stays as it is.
        if bytes.starts_with(&[0x1f, 0x8b]) {
            let mut plain = Vec::new();
            flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain).expect("gzip");
            *bytes = plain;
        }
    }
    (metadata, all)
}

#[test]
fn a52_a54_b47_b48_b49_hostile_names_stay_inside_and_distinct() {
    let (env, sandbox) = logged_in("hostile");
    let (metadata, all) = hostile(&sandbox);
    let before: BTreeSet<String> = files(env.root()).into_keys().collect();
    let line = ["data", "export", "binary", "filter", "--destination", "out"];
    let outcome = env.viam(&line).run().ok();
    assert!(!outcome.err().contains('\u{1b}'), "{outcome}");
    let outcome = outcome.says("under another name");
    drop(outcome);
    let root = env.root().join("work/out");
    assert_whole(&root, &all);
    // Nothing anywhere else.
    let now: BTreeSet<String> = files(env.root()).into_keys().collect();
    let elsewhere: Vec<&String> =
        now.difference(&before).filter(|name| !name.starts_with("work/out/")).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    for name in files(&root).keys() {
        for part in name.split('/') {
            assert!(part.len() <= 255 && !part.contains([':', '\\', '\n', '\u{1b}']), "{name:?}");
            assert!(!part.ends_with(['.', ' ']), "{name:?}");
        }
    }
    // On a second run each is recognised, and none comes twice.
    let outcome = env.viam(&line).run().ok();
    let packed = metadata.iter().filter(|known| known.file_ext == ".gz").count();
    let there = metadata.len();
    assert!(packed > 0);
    outcome.says(&format!("0 files exported, 0 B; {there} complete already"));
    assert_whole(&root, &all);
    // One that is not unpacked whole comes again.
    let found = exported(&root);
    let gz = metadata.iter().find(|known| known.file_name == "x.txt.gz").expect("one");
    let bytes = &found[&gz.binary_data_id];
    let path = files(&root.join("data"))
        .into_values()
        .find(|path| fs::read(path).expect("read") == *bytes)
        .expect("its file");
    fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
    env.viam(&line).run().ok().prints("Downloaded 1 file\n");
    assert_whole(&root, &all);
}
