//! `viam plugin which NAME`.

use serde::Serialize;
use viam_contract::{Format, Result};
use viam_host::route::{self, Candidate};
use viam_host::world::World;

use crate::built_in::TABLE;

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// the command word
    name: String,
}

/// JSON result: the chosen one first, then those it shadows.
#[derive(Serialize)]
struct Found {
    name: String,
    kind: &'static str,
    path: Option<String>,
}

pub(super) fn run(world: &World, args: &Args) -> Result<()> {
    let found = route::resolve(&args.name, TABLE, &world.env, &world.core_exe);
    if found.is_empty() {
        return Err(route::not_found(args.name.as_ref(), TABLE, &world.env, &world.core_exe));
    }
    if world.output.format == Format::Json {
        let all: Vec<Found> = found
            .iter()
            .map(|one| Found {
                name: one.name.clone(),
                kind: one.origin.as_str(),
                path: one.path.as_ref().map(|path| path.display().to_string()),
            })
            .collect();
        return world.output.json(&all);
    }
    for (place, one) in found.iter().enumerate() {
        if place == 0 {
            world.output.line(shown(one))?;
        } else {
            world.output.line(format!("shadowed: {}", shown(one)))?;
        }
    }
    Ok(())
}

fn shown(one: &Candidate) -> String {
    match &one.path {
        Some(path) => path.display().to_string(),
        None => format!("{} ({})", one.name, one.origin.as_str()),
    }
}
