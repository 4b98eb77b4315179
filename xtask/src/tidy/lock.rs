//! What Cargo.lock may hold.

use std::collections::BTreeMap;

use super::{Finding, Tree};

const LOCK: &str = "Cargo.lock";

/// ring is the one crypto provider, and nothing links a library of the system.
const BANNED: &[&str] = &["aws-lc-rs", "aws-lc-sys", "native-tls", "openssl-sys"];

/// Crates that are there in more than one major version, which, and why that is borne.
const SEVERAL: &[(&str, &[&str], &str)] = &[
    ("asn1-rs", &["0.6", "0.7"], "comes with the two x509-parser"),
    ("asn1-rs-derive", &["0.5", "0.6"], "comes with the two x509-parser"),
    ("base64", &["0.22", "0.23"], "tonic and oauth2 are on 0.22, hyper-util and pem on 0.23"),
    ("bitflags", &["1", "2"], "a branch of WebRTC's tree that is not built on Linux"),
    ("block-buffer", &["0.10", "0.12"], "comes with the two digest"),
    ("cpufeatures", &["0.2", "0.3"], "aes of WebRTC is on 0.2, rand on 0.3"),
    ("crypto-common", &["0.1", "0.2"], "comes with the two digest"),
    ("der-parser", &["9", "10"], "comes with the two x509-parser"),
    ("digest", &["0.10", "0.11"], "WebRTC is on 0.10, object_store on both"),
    ("foldhash", &["0.1", "0.2"], "comes with the two hashbrown"),
    (
        "getrandom",
        &["0.2", "0.3", "0.4"],
        "oauth2 and ring are on 0.2, bson on 0.3, tempfile and uuid on 0.4",
    ),
    ("hashbrown", &["0.15", "0.17"], "petgraph of prost-build, which runs for developers only"),
    ("md-5", &["0.10", "0.11"], "WebRTC is on 0.10, object_store on 0.11"),
    ("num-bigint", &["0.4", "0.5"], "WebRTC is on 0.4, parquet on 0.5"),
    ("oid-registry", &["0.7", "0.8"], "comes with the two x509-parser"),
    ("pem", &["3", "4"], "WebRTC is on 3, rcgen on 4"),
    ("prettyplease", &["0.2", "0.3"], "tonic's and prost's generators, for developers only"),
    ("r-efi", &["5", "6"], "comes with the getrandom; not on Linux"),
    (
        "rand",
        &["0.8", "0.9", "0.10"],
        "oauth2 is on 0.8, bson on 0.9, WebRTC and object_store on 0.10",
    ),
    ("rand_chacha", &["0.3", "0.9"], "comes with the rand"),
    ("rand_core", &["0.6", "0.9", "0.10"], "comes with the rand"),
    ("spin", &["0.9", "0.10"], "mdns-sd is on 0.9, object_store on 0.10"),
    ("syn", &["2", "3"], "derive macros are in the middle of the move; nothing of it is linked"),
    ("synstructure", &["0.13", "0.14"], "comes with the two syn"),
    ("thiserror", &["1", "2"], "oauth2 is on 1"),
    ("thiserror-impl", &["1", "2"], "comes with the two thiserror"),
    ("windows-sys", &["0.52", "0.61"], "ring is on 0.52; Windows only"),
    (
        "x509-parser",
        &["0.16", "0.18"],
        "WebRTC is on 0.16, a part of rcgen that is not built on 0.18",
    ),
];

pub(super) fn check(tree: &Tree, found: &mut Vec<Finding>) {
    let Some(file) = tree.file(LOCK) else { return };
    let packages = packages(&file.text);
    for (name, _, line) in &packages {
        if BANNED.contains(name) {
            let words = format!("{name} is banned; `cargo tree -i {name}` says what brings it");
            found.push(Finding::new(LOCK, *line, words));
        }
    }
    let mut majors: BTreeMap<&str, Vec<(String, usize)>> = BTreeMap::new();
    for (name, version, line) in &packages {
        let known = majors.entry(name).or_default();
        let major = major(version);
        if !known.iter().any(|(other, _)| *other == major) {
            known.push((major, *line));
        }
    }
    for (name, versions) in &majors {
        if versions.len() < 2 {
            continue;
        }
        let borne = SEVERAL.iter().find(|(other, ..)| other == name).map_or(&[][..], |it| it.1);
        for (major, line) in versions {
            if !borne.contains(&major.as_str()) {
                let words = format!(
                    "{name} {major} is one of several major versions; use one, or say in \
                     xtask/src/tidy/lock.rs why not"
                );
                found.push(Finding::new(LOCK, *line, words));
            }
        }
    }
    for (name, borne, _) in SEVERAL {
        let present = majors.get(name).map_or(0, Vec::len);
        if present < borne.len() {
            let words = format!(
                "{name} is no longer there in {} major versions; remove its line from \
                 xtask/src/tidy/lock.rs",
                borne.len()
            );
            found.push(Finding::new(LOCK, 1, words));
        }
    }
}

/// Name, version and line of each package.
fn packages(text: &str) -> Vec<(&str, &str, usize)> {
    let mut packages = Vec::new();
    let mut name = "";
    for (index, line) in text.lines().enumerate() {
        if let Some(value) = value(line, "name") {
            name = value;
        } else if let Some(version) = value(line, "version") {
            packages.push((name, version, index + 1));
        }
    }
    packages
}

fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"')
}

/// The part of a version whose change may break a user.
fn major(version: &str) -> String {
    let mut parts = version.split('.');
    match (parts.next(), parts.next()) {
        (Some("0"), Some(minor)) => format!("0.{minor}"),
        (Some(major), _) => major.to_owned(),
        (None, _) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn banned_and_double_crates_are_found() {
        let mut lock = String::new();
        for (name, versions, _) in SEVERAL {
            for version in *versions {
                lock.push_str(&format!(
                    "[[package]]\nname = \"{name}\"\nversion = \"{version}.0.1\"\n"
                ));
            }
        }
        assert_eq!(found(check, &[(LOCK, &lock)]), []);
        let before = lock.lines().count();
        for (name, version) in [
            ("native-tls", "0.2.1"),
            ("x", "1.2.3"),
            ("x", "1.9.0"),
            ("y", "0.1.0"),
            ("y", "0.2.0"),
        ] {
            lock.push_str(&format!("name = \"{name}\"\nversion = \"{version}\"\n"));
        }
        let lines: Vec<usize> =
            found(check, &[(LOCK, &lock)]).iter().map(|it| it.1 - before).collect();
        assert_eq!(lines, [2, 8, 10]);
        let fewer = lock.replacen("\"thiserror\"", "\"other\"", 1);
        assert!(found(check, &[(LOCK, &fewer)]).contains(&(LOCK.to_owned(), 1)));
    }
}
