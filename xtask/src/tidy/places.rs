//! Paths of one computer: what a tool printed here and somebody pasted.

use std::path::Path;

use super::{Finding, Tree};
use crate::workspace;

pub(super) fn check(tree: &Tree, found: &mut Vec<Finding>) {
    let root = workspace::root();
    // One folder below the top is no name to go by.
    if root.components().count() < 3 {
        return;
    }
    let root = below(&root);
    for file in &tree.files {
        for (number, line) in file.lines() {
            if line.contains(&root) {
                let words = format!("{root} is a path of this computer");
                found.push(Finding::new(&file.path, number, words));
            }
        }
    }
}

fn below(root: &Path) -> String {
    format!("{}/", root.display())
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn what_a_tool_printed_here_is_found() {
        let pasted = format!("fine\n   Compiling viam ({}core)\n", below(&workspace::root()));
        let files = [("docs/a.md", &*pasted), ("docs/b.md", "/usr/bin/core")];
        assert_eq!(found(check, &files), [("docs/a.md".to_owned(), 2)]);
    }
}
