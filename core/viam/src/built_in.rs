//! The groups of this release: which are compiled in, and the words of all of them.
//!
//! The order is the order of help. A new group is a line in each of the two tables and a
//! feature in Cargo.toml.

use viam_contract::Plugin;
use viam_host::route::{Group, Table};

const BUILT_IN: &[&dyn Plugin] = &[
    #[cfg(feature = "organizations")]
    &viam_organizations::Organizations,
    #[cfg(feature = "locations")]
    &viam_locations::Locations,
    #[cfg(feature = "robots")]
    &viam_robots::Robots,
    #[cfg(feature = "data")]
    &viam_data::Data,
    #[cfg(feature = "dataset")]
    &viam_data::Dataset,
    #[cfg(feature = "sandbox")]
    &viam_sandbox::Sandbox,
];

const GROUPS: &[Group] = &[
    Group {
        name: "organizations",
        aliases: &["organization", "org"],
        summary: "list organizations, make API keys",
    },
    Group { name: "locations", aliases: &["location"], summary: "list locations, make API keys" },
    Group {
        name: "robots",
        aliases: &["robot", "machines", "machine"],
        summary: "see and manage machines, their parts and logs (also `machines`)",
    },
    Group {
        name: "data",
        aliases: &[],
        summary: "export, delete, query and tag what machines have captured",
    },
    Group { name: "dataset", aliases: &[], summary: "collect files into datasets and export them" },
    Group { name: "sandbox", aliases: &[], summary: "run a local cloud with a fleet in it" },
];

/// What this binary knows.
pub(crate) const TABLE: Table = Table { built_in: BUILT_IN, groups: GROUPS };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tables_say_the_same() {
        for plugin in BUILT_IN {
            let about = plugin.about();
            let group = GROUPS.iter().find(|group| group.name == about.name).expect(about.name);
            assert_eq!(group.aliases, about.aliases, "{}", about.name);
            assert_eq!(group.summary, about.summary, "{}", about.name);
            plugin.command().debug_assert();
        }
    }
}
