//! Every link of the docs to another place in the repository leads there.

use super::{File, Finding, Tree};

pub(super) fn check(tree: &Tree, found: &mut Vec<Finding>) {
    let pages = tree.files.iter().filter(|file| {
        file.path == "README.md" || (file.path.starts_with("docs/") && file.path.ends_with(".md"))
    });
    for page in pages {
        for (number, line) in prose(page) {
            for target in targets(line) {
                if let Some(why) = broken(tree, page, target) {
                    let words = format!("the link to {target:?} leads nowhere: {why}");
                    found.push(Finding::new(&page.path, number, words));
                }
            }
        }
    }
}

/// The lines outside code blocks.
fn prose(page: &File) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    page.lines().filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    })
}

/// Where the links of a line lead.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("](").filter_map(move |(at, open)| {
        let rest = &line[at + open.len()..];
        rest.split([')', ' ']).next().filter(|target| !target.is_empty())
    })
}

/// Why a link is broken.
fn broken(tree: &Tree, page: &File, target: &str) -> Option<&'static str> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() { page.path.clone() } else { joined(&page.path, path)? };
    let folder = format!("{}/", path.trim_end_matches('/'));
    match tree.file(&path) {
        None if tree.files.iter().any(|file| file.path.starts_with(&folder)) => None,
        None => Some("there is no such file"),
        Some(_) if anchor.is_empty() || !path.ends_with(".md") => None,
        Some(other) => {
            let known = prose(other).any(|(_, line)| slug(line).as_deref() == Some(anchor));
            (!known).then_some("the page has no such heading")
        }
    }
}

/// The path that a link means, from the root of the repository; none outside it.
fn joined(page: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The anchor of a heading.
fn slug(line: &str) -> Option<String> {
    let heading = line.strip_prefix('#')?.trim_start_matches('#').strip_prefix(' ')?;
    let kept = heading.trim().to_lowercase().replace(' ', "-");
    Some(kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect())
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn links_lead_somewhere() {
        let readme = "[a](docs/a.md) [b](docs/b.md) [c](https://example.com)\n[d](docs) [e](docs/a.md#part-two)\n\
            [f](docs/a.md#three)\n```\n[g](nowhere)\n```\n[h](#head)\n[i](../x)\n# Head\n";
        let page = "## Part two\n[up](../README.md) [no](README.md)\n";
        let places = found(check, &[("README.md", readme), ("docs/a.md", page)]);
        let expected = [("README.md", 1), ("README.md", 3), ("docs/a.md", 2)];
        assert_eq!(places, expected.map(|(path, line)| (path.to_owned(), line)));
    }
}
