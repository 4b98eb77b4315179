use super::*;

fn named(name: &str, ext: &str) -> BinaryMetadata {
    BinaryMetadata {
        id: "my-id".to_owned(),
        file_name: name.to_owned(),
        file_ext: ext.to_owned(),
        ..BinaryMetadata::default()
    }
}

fn first(name: &str, ext: &str) -> (String, String) {
    let Name { metadata, data } = Names::of(&named(name, ext)).candidates()[0].clone();
    (metadata, data)
}

#[test]
fn names_are_those_of_the_existing_program() {
    let epoch = |rest: &str| format!("1970-01-01T00_00_00Z_{rest}");
    for (name, ext, metadata, data) in [
        ("", "", epoch("my-id"), epoch("my-id")),
        ("", ".jpg", epoch("my-id.jpg"), epoch("my-id.jpg")),
        ("whatever.txt", "", epoch("whatever.txt"), epoch("whatever.txt")),
        ("whatever", ".txt", epoch("whatever"), epoch("whatever.txt")),
        ("dir/whatever.txt", ".txt", "dir/whatever.txt".into(), "dir/whatever.txt".into()),
        ("whatever.gz", ".gz", epoch("whatever"), epoch("whatever")),
        ("whatever.txt.gz", ".gz", epoch("whatever.txt"), epoch("whatever.txt")),
        ("dir/whatever.gz", "", "dir/whatever".into(), "dir/whatever".into()),
        ("Users/hi/.viam/capture/dir/x.jpg", ".jpg", "dir/x.jpg".into(), "dir/x.jpg".into()),
        ("/abs/x.jpg", ".jpg", "abs/x.jpg".into(), "abs/x.jpg".into()),
        ("d/a.b:c", "", "d/a.b_c".into(), "d/a.b_c".into()),
    ] {
        assert_eq!(first(name, ext), (metadata, data), "{name:?} {ext:?}");
        assert!(!Names::of(&named(name, ext)).changed, "{name:?}");
    }
}

#[test]
fn a53_a_time_is_put_before_a_name_once() {
    let time = prost_types::Timestamp { seconds: 1_696_467_723, nanos: 400_000_000 };
    for given in ["z.jpg", "2023-10-05T01:02:03.4Z_z.jpg", "2023-10-05T01_02_03.4Z_z.jpg"] {
        let metadata = BinaryMetadata { time_requested: Some(time), ..named(given, ".jpg") };
        let names = Names::of(&metadata);
        assert_eq!(names.candidates()[0].data, "2023-10-05T01_02_03.4Z_z.jpg", "{given}");
    }
    // Another time is a part of the name.
    let other = "2025-01-01T00:00:00Z_z.jpg";
    assert_eq!(first(other, ".jpg").1, "1970-01-01T00_00_00Z_2025-01-01T00_00_00Z_z.jpg");
}

#[test]
fn a54_no_name_leads_out_of_the_destination() {
    for (name, expected) in [
        ("/home/bob/.viam/capture/cam/../../../../etc/x.jpg", "etc/x.jpg"),
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("a/./b//c", "a/b/c"),
        ("..", "1970-01-01T00_00_00Z_.._"),
        ("../..", "_"),
        ("dir/..", "_"),
        ("./", "_"),
        ("dir2/", "dir2"),
        (r"d/..\..\x", "d/.._.._x"),
        (r"d/C:\x", "d/C__x"),
    ] {
        let names = Names::of(&named(name, ""));
        for Name { metadata, data } in names.candidates() {
            for path in [metadata, data] {
                assert!(!path.starts_with('/'), "{path}");
                assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")), "{path}");
            }
        }
        let clean = names.candidates()[0].data.clone();
        if name != ".." {
            assert_eq!(clean, expected, "{name}");
        }
    }
    let ext = first("d/x", "/../../y");
    assert_eq!(ext.1.matches('/').count(), 1, "{ext:?}");
}

#[test]
fn b47_names_that_a_system_keeps_for_itself_are_changed() {
    for (name, expected) in [
        ("d/CON.jpg", "d/CON_.jpg"),
        ("d/nul", "d/nul_"),
        ("d/a. ", "d/a._"),
        ("d/COM¹", "d/COM¹_"),
        ("d/com1.json", "d/com1_.json"),
        ("aux/x", "aux_/x"),
        ("d/a\u{1b}[2J\n<>\"|?*", "d/a_[2J_______"),
        ("d/concert", "d/concert"),
        ("d/com10", "d/com10"),
        ("d/...", "d/.._"),
        ("-rf", "1970-01-01T00_00_00Z_-rf"),
    ] {
        let names = Names::of(&named(name, ""));
        assert_eq!(names.candidates()[0].data, expected, "{name}");
        assert_eq!(
            names.changed,
            !name.ends_with(expected.trim_start_matches("d/")) && !expected.ends_with(name),
            "{name}"
        );
    }
}

#[test]
fn b48_no_part_of_a_path_is_too_long() {
    let long = format!("{}.jpg", "é".repeat(300));
    let whole = "x".repeat(255);
    let deep = "folder/".repeat(300) + "x.jpg";
    for name in [
        long.as_str(),
        &format!("d/{long}"),
        &format!("{long}/x"),
        &whole,
        &format!("d/{whole}"),
        &format!("d/x.{whole}"),
        &deep,
    ] {
        for ext in ["", ".jpg", &format!(".{whole}")] {
            let names = Names::of(&named(name, ext));
            for Name { metadata, data } in names.candidates() {
                let metadata = format!("{metadata}.json");
                for path in [&metadata, data] {
                    assert!(path.len() < 1300, "{}", path.len());
                    for part in path.split('/') {
                        assert!(part.len() <= 255, "{} {part}", part.len());
                    }
                }
            }
        }
    }
    let (metadata, data) = first(&format!("d/{long}"), ".jpg");
    assert!(metadata.ends_with(".jpg") && metadata.contains('~'), "{metadata}");
    assert_eq!(metadata, data);
}

#[test]
fn candidates_differ_by_the_id() {
    let names = Names::of(&named("dir/x.jpg", ".jpg"));
    let [_, tagged, flat] = names.candidates();
    let mark = tag("my-id");
    assert_eq!(tagged.data, format!("dir/x~{mark}.jpg"));
    assert_eq!(flat.data, format!("dir_x~{}.jpg", digest("my-id")));
    assert_eq!(&names.clone().marked().candidates()[0], tagged);
}

#[test]
fn one_path_of_data_may_belong_to_two_names() {
    let rivals = |name: &str, ext: &str| {
        let names = Names::of(&named(name, ext));
        names.candidates()[0].rivals().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(rivals("d/a", ".jpg"), ["d/a.jpg"]);
    assert_eq!(rivals("d/a.jpg", ".jpg"), ["d/a"]);
    assert_eq!(rivals("d/a", ""), [] as [&str; 0]);
}
