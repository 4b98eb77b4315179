//! How large the binaries are.

use std::path::Path;

use crate::Failure;
use crate::dist::{self, Built, megabytes};

use super::table::{Goal, Table, ratio};

/// What the first command of README builds, and what packagers ship.
pub(crate) fn measure(target: &Path, shipped: &[Built]) -> Result<Table, Failure> {
    let release = megabytes(dist::size(&target.join("release/viam"))?);
    let mut table = Table::new("Sizes");
    table.row("release, full", format!("{release:.2} MB"), String::new(), None);
    for built in shipped {
        let size = megabytes(built.size);
        let limit = if built.name == "full" { 15.0 } else { 8.0 };
        let goal = Goal::new(format!("≤ {limit} MB"), size <= limit);
        let against = format!("{} release", ratio(size, release));
        table.row(&format!("dist, {}", built.name), format!("{size:.2} MB"), against, Some(goal));
    }
    Ok(table)
}
