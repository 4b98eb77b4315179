//! No file leads to a host that the project has nothing to do with.

use super::{Finding, Tree};

/// The hosts that files may name: Viam's, those of standards, and names that cannot exist.
const ALLOWED: &[&str] = &[
    "app.viam.com",
    "app.viam.dev",
    "datatracker.ietf.org",
    "docs.viam.com",
    "example.com",
    "json-schema.org",
    "keepachangelog.com",
    "semver.org",
    "viam-prod.fusionauth.io",
    "viam.com",
    "viam.fusionauth.io",
    "www.apache.org",
];

/// Written in two parts, so that this file passes its own check.
const REGISTRIES: &[&str] = &[
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("npmjs", ".org"),
    concat!("proxy.golang", ".org"),
];

pub(super) fn check(tree: &Tree, found: &mut Vec<Finding>) {
    // Cargo writes its own file.
    for file in tree.files.iter().filter(|file| file.path != "Cargo.lock") {
        for (number, line) in file.lines() {
            for name in REGISTRIES.iter().filter(|name| line.contains(**name)) {
                let words = format!("{name} is named; say what is meant without the host");
                found.push(Finding::new(&file.path, number, words));
            }
            for host in hosts(line).filter(|host| !is_allowed(host)) {
                let words = format!(
                    "the host {host} is unknown; use example.com, or add it to \
                     xtask/src/tidy/hosts.rs"
                );
                found.push(Finding::new(&file.path, number, words));
            }
        }
    }
}

/// The hosts of the links in a line.
fn hosts(line: &str) -> impl Iterator<Item = &str> {
    let scheme = concat!("https", "://");
    line.match_indices(scheme).map(move |(at, _)| {
        let rest = &line[at + scheme.len()..];
        let end = rest.find(|c: char| !matches!(c, '.' | '-' | '_') && !c.is_ascii_alphanumeric());
        rest[..end.unwrap_or(rest.len())].trim_end_matches('.')
    })
}

fn is_allowed(host: &str) -> bool {
    let mut labels = host.rsplit('.');
    let last = labels.next().unwrap_or_default();
    // A name without a dot is of a local network, or stands for any; the rest is kept for
    // examples and tests by RFC 2606 and RFC 6761.
    !host.contains('.')
        || ALLOWED.contains(&host)
        || host == "127.0.0.1"
        || matches!(last, "test" | "invalid" | "localhost" | "example")
        || host.split('.').any(|label| label == "example")
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn hosts_are_known() {
        let known = "https://example.com/x https://app.viam.com. https://{host}/ https://h:443\n\
            https://other.example.org https://a.test https://127.0.0.1:1 https://[::1]:1\n";
        let unknown = concat!("<https", "://somewhere.net/x>\n");
        let text = format!("{known}{unknown}{}", REGISTRIES[0]);
        let places = found(check, &[("a.md", &text), ("Cargo.lock", REGISTRIES[0])]);
        assert_eq!(places, [("a.md".to_owned(), 3), ("a.md".to_owned(), 4)]);
    }
}
