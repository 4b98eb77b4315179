//! Every environment variable that the program knows is in the docs.

use std::collections::BTreeMap;

use super::code::is_of_a_name;
use super::{File, Finding, Tree};

pub(super) fn check(tree: &Tree, found: &mut Vec<Finding>) {
    let mut used: BTreeMap<&str, (&File, usize)> = BTreeMap::new();
    for (file, code) in tree.rust() {
        if file.is_test() || !file.starts_with_any(&["core/", "plugins/"]) {
            continue;
        }
        for (number, line) in file.lines() {
            // Names stand in strings, so this looks at the text; a comment uses nothing.
            if code.is_for_tests(number) || line.trim_start().starts_with("//") {
                continue;
            }
            for name in names(line) {
                used.entry(name).or_insert((file, number));
            }
        }
    }
    let docs: Vec<&str> = tree
        .files
        .iter()
        .filter(|file| file.path.starts_with("docs/"))
        .flat_map(|file| file.text.lines().flat_map(names))
        .collect();
    for (name, (file, number)) in used {
        if !docs.contains(&name) {
            let words =
                format!("the environment variable {name} is not in docs/; describe it there");
            found.push(Finding::new(&file.path, number, words));
        }
    }
}

/// The names of our variables in a line; what ends in `_` is a prefix and not a name.
fn names(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("VIAM_").filter_map(move |(at, start)| {
        let rest = &line[at..];
        let end = rest.find(|c: char| c != '_' && !c.is_ascii_uppercase()).unwrap_or(rest.len());
        let before = line[..at].chars().next_back();
        let after = rest[end..].chars().next();
        let whole = !before.is_some_and(is_of_a_name) && !after.is_some_and(is_of_a_name);
        (whole && end > start.len() && !rest[..end].ends_with('_')).then_some(&rest[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn variables_are_in_the_docs() {
        let source = "//! VIAM_IN_COMMENT\nconst A: &str = \"VIAM_KNOWN\";\nget(\"VIAM_NEW\");\n\
            name.starts_with(\"VIAM_PLUGIN_\");\n#[cfg(test)]\nmod tests {\n  get(\"VIAM_TEST_X\");\n}\n";
        let files = [
            ("core/host/src/a.rs", source),
            ("docs/environment.md", "| `VIAM_KNOWN` | VIAM_NEWER |"),
            ("tests/src/a.rs", "get(\"VIAM_TEST_Y\")"),
        ];
        assert_eq!(found(check, &files), [("core/host/src/a.rs".to_owned(), 3)]);
    }
}
