//! Which crate may depend on which, and what every manifest says.

use crate::workspace::{self, Workspace};

use super::{File, Finding, Tree};

/// All that the contract between core and plugins is made of.
const CONTRACT: &[&str] = &["clap", "http", "serde", "serde_json", "tonic", "tower"];

pub(super) fn check(tree: &Tree, workspace: &Workspace, found: &mut Vec<Finding>) {
    let root = workspace::root();
    let members: Vec<_> = workspace.members().map(|it| (it.manifest(&root), it)).collect();
    let plugins: Vec<&str> =
        members.iter().filter(|(path, _)| is_plugin(path)).map(|(_, it)| it.name()).collect();
    for (path, member) in &members {
        let line = |name: &str| tree.file(path).map_or(1, |file| line_of(file, name));
        for dependency in member.dependencies() {
            let name = dependency.name;
            let other = plugins.contains(&name) && name != member.name();
            if is_plugin(path) && (name == "viam-host" || other) {
                let words = format!(
                    "a plugin does not depend on {name}: what both need belongs in viam-contract or \
                     viam-client"
                );
                found.push(Finding::new(path, line(name), words));
            }
            if member.name() == "viam-contract" && !dependency.dev && !CONTRACT.contains(&name) {
                let words = format!(
                    "viam-contract depends on {} and nothing else; {name} belongs in another crate",
                    CONTRACT.join(", ")
                );
                found.push(Finding::new(path, line(name), words));
            }
        }
    }
    for (path, _) in &members {
        if let Some(file) = tree.file(path) {
            inherits(file, found);
        }
    }
}

fn is_plugin(manifest: &str) -> bool {
    manifest.starts_with("plugins/")
}

fn line_of(file: &File, key: &str) -> usize {
    let is_key =
        |line: &str| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(['.', ' ', '=']));
    file.lines().find(|(_, line)| is_key(line)).map_or(1, |(number, _)| number)
}

/// Lints and licence come from the workspace.
fn inherits(file: &File, found: &mut Vec<Finding>) {
    for (table, key, words) in [
        ("[lints]", "workspace", "add `[lints]` with `workspace = true`"),
        ("[package]", "license.workspace", "add `license.workspace = true`"),
    ] {
        let mut within = "";
        let said = file.text.lines().map(str::trim).any(|line| {
            if line.starts_with('[') {
                within = line;
            }
            let value = line.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
            within == table && value == Some((key, "true"))
        });
        if !said {
            found.push(Finding::new(&file.path, 1, words));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(name: &str, folder: &str, dependencies: &[(&str, &str)]) -> serde_json::Value {
        let dependencies: Vec<_> = dependencies
            .iter()
            .map(|(name, kind)| serde_json::json!({"name": name, "kind": kind}))
            .collect();
        let path = workspace::root().join(folder).join("Cargo.toml");
        serde_json::json!({"name": name, "manifest_path": path, "dependencies": dependencies})
    }

    #[test]
    fn dependencies_have_a_direction() {
        let packages = [
            manifest(
                "viam-a",
                "plugins/a",
                &[("viam-host", ""), ("viam-b", ""), ("viam-client", "")],
            ),
            manifest("viam-b", "plugins/b", &[("viam-plugin", ""), ("viam-proto", "")]),
            manifest(
                "viam-contract",
                "core/contract",
                &[("tokio", ""), ("clap", ""), ("insta", "dev")],
            ),
            manifest("viam", "core/viam", &[("viam-host", ""), ("viam-a", "")]),
        ];
        let metadata = serde_json::json!({"packages": packages}).to_string();
        let workspace = Workspace::parse(metadata.as_bytes()).unwrap();
        let text = "[package]\n\n[dependencies]\nviam-bb = \"1\"\nviam-host.workspace = true\nviam-b = {}\n";
        let tree = Tree::of(&[("plugins/a/Cargo.toml", text)]);
        let mut found = Vec::new();
        check(&tree, &workspace, &mut found);
        let mut places: Vec<_> = found.iter().map(|it| (it.path.as_str(), it.line)).collect();
        places.retain(|(_, line)| *line > 1 || !tree.files.is_empty());
        places.sort_unstable();
        assert_eq!(
            places,
            [
                ("core/contract/Cargo.toml", 1),
                ("plugins/a/Cargo.toml", 1),
                ("plugins/a/Cargo.toml", 1),
                ("plugins/a/Cargo.toml", 5),
                ("plugins/a/Cargo.toml", 6),
            ]
        );
    }

    #[test]
    fn lints_and_licence_are_inherited() {
        let good = "[package]\nlicense.workspace = true\n[lints]\nworkspace = true\n";
        let elsewhere = "[package]\nlicense = \"MIT\"\n[lints]\n[dependencies]\nworkspace = true\n";
        for (text, wrong) in [(good, 0), (elsewhere, 2)] {
            let mut found = Vec::new();
            inherits(&File::new("a/Cargo.toml".into(), text.into()), &mut found);
            assert_eq!(found.len(), wrong, "{text}");
        }
    }
}
