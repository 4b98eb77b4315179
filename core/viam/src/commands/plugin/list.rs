//! `viam plugin list`: names, kinds and states, without running any of them.

use std::os::unix::fs::MetadataExt as _;

use serde::Serialize;
use viam_contract::{Format, Kind, Result, text};
use viam_host::route::{self, Candidate, Origin};
use viam_host::world::World;
use viam_host::{launch, route::RESERVED};

use crate::built_in::TABLE;

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// built-in groups too
    #[arg(long)]
    all: bool,
}

/// JSON result: one of these each.
#[derive(Serialize)]
struct Listed {
    name: String,
    version: Option<String>,
    kind: &'static str,
    path: Option<String>,
    /// `ok`, `shadowed`, `unsafe`, `incompatible`, `broken` or `refused`.
    status: &'static str,
    /// Why it is not `ok`.
    reason: Option<String>,
    /// The user id that owns the file, where it is another one.
    owner: Option<u32>,
}

pub(super) fn run(world: &World, args: &Args) -> Result<()> {
    let mut all = Vec::new();
    if args.all {
        for plugin in TABLE.built_in {
            all.push(Listed {
                name: plugin.about().name.to_owned(),
                version: Some(viam_contract::VERSION.to_owned()),
                kind: Origin::BuiltIn.as_str(),
                path: None,
                status: "ok",
                reason: None,
                owner: None,
            });
        }
    }
    for candidate in route::scan(&world.env, &world.core_exe) {
        all.push(look(world, &candidate));
    }
    if world.output.format == Format::Json {
        return world.output.json(&all);
    }
    if all.is_empty() {
        world.output.status("no plugins: none of the folders on PATH has a file viam-NAME");
    }
    for one in &all {
        let version = one.version.as_deref().unwrap_or("-");
        let path = one.path.as_deref().unwrap_or("-");
        let mut line = format!("{}\t{version}\t{}\t{}\t{path}", one.name, one.kind, one.status);
        if let Some(reason) = &one.reason {
            line.push_str("\t(");
            line.push_str(reason);
            line.push(')');
        }
        if let Some(owner) = one.owner {
            line.push_str(&format!("\t(belongs to user {owner})"));
        }
        world.output.line(text::one_line(&line.replace('\t', "  ")))?;
    }
    Ok(())
}

fn look(world: &World, candidate: &Candidate) -> Listed {
    let manifest = route::manifest_of(candidate);
    let version = manifest.as_ref().ok().and_then(|m| m.as_ref()?.version.clone());
    let path = candidate.path.clone().unwrap_or_default();
    let chosen = route::resolve(&candidate.name, TABLE, &world.env, &world.core_exe);
    let winner = chosen.first();
    let said = |error: viam_contract::Error| {
        let mut words = error.message().to_owned();
        for cause in error.causes() {
            words = cause;
        }
        words
    };
    let fitting = match manifest {
        Ok(Some(manifest)) => launch::manifest::check_requires(&candidate.name, &manifest),
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    let (status, reason) = if let Some(reason) = route::unsafe_reason(&path) {
        ("unsafe", Some(reason))
    } else if let Err(error) = launch::runnable(&path) {
        ("broken", Some(said(error)))
    } else if let Err(error) = fitting {
        ("incompatible", Some(said(error)))
    } else if winner.is_some_and(|winner| winner.path.as_ref() != candidate.path.as_ref()) {
        let by = match winner {
            Some(Candidate { path: Some(path), .. }) => path.display().to_string(),
            _ if RESERVED.contains(&candidate.name.as_str()) => "the core's own command".to_owned(),
            _ => "the built-in command".to_owned(),
        };
        ("shadowed", Some(format!("by {by}")))
    } else if let Err(error) = route::check(candidate, world.settings.plugins.allow) {
        debug_assert_eq!(error.kind(), Kind::NotStarted);
        ("refused", Some(said(error)))
    } else {
        ("ok", None)
    };
    let owner = std::fs::metadata(&path)
        .ok()
        .map(|meta| meta.uid())
        .filter(|uid| *uid != rustix::process::getuid().as_raw() && *uid != 0);
    Listed {
        name: candidate.name.clone(),
        version,
        kind: candidate.origin.as_str(),
        path: Some(path.display().to_string()),
        status,
        reason,
        owner,
    }
}
