//! Names where the requests take ids. What looks like an id is not looked up.

use viam_client::lookup::{self, Scope};
use viam_client::parallel;
use viam_contract::{Context, Result, Wire, text};

/// Ids of organizations.
pub(super) async fn organizations(
    cx: &Context,
    wire: &Wire,
    wanted: &[String],
) -> Result<Vec<String>> {
    if wanted.iter().all(|wanted| lookup::is_uuid(wanted)) {
        return Ok(wanted.to_vec());
    }
    let all = lookup::organizations(wire).await?;
    let mut ids = Vec::new();
    for wanted in wanted {
        let found = lookup::find("organization", &all, wanted)?.map(|found| found.id.clone());
        ids.push(found.unwrap_or_else(|| as_it_is(cx, "organization", wanted)));
    }
    Ok(ids)
}

/// Ids of locations, in these organizations or in any.
pub(super) async fn locations(
    cx: &Context,
    wire: &Wire,
    organizations: &[String],
    wanted: Vec<String>,
) -> Result<Vec<String>> {
    if wanted.iter().all(|wanted| lookup::is_uuid(wanted)) {
        return Ok(wanted);
    }
    let all = lookup::organizations(wire).await?;
    let within = |id: &String| organizations.is_empty() || organizations.contains(id);
    let all: Vec<_> = all.into_iter().filter(|organization| within(&organization.id)).collect();
    let places = lookup::places(wire, &all).await?;
    let mut ids = Vec::new();
    for wanted in &wanted {
        let found = lookup::find("location", &places, wanted)?;
        let found = found.map(|place| place.location.id.clone());
        ids.push(found.unwrap_or_else(|| as_it_is(cx, "location", wanted)));
    }
    Ok(ids)
}

/// What was captured may outlive what it was captured in.
fn as_it_is(cx: &Context, kind: &str, wanted: &str) -> String {
    let shown = text::quoted(wanted);
    cx.output.warn(&format!("no {kind} {shown} is seen by this login; it is taken as an id"));
    wanted.to_owned()
}

/// The id of a machine.
pub(super) async fn machine(wire: &Wire, wanted: String) -> Result<String> {
    if wanted.is_empty() || lookup::is_uuid(&wanted) {
        return Ok(wanted);
    }
    Ok(lookup::machine(wire, &Scope::default(), &wanted).await?.id)
}

/// The id of a part.
pub(super) async fn part(wire: &Wire, wanted: String) -> Result<String> {
    if wanted.is_empty() || lookup::is_uuid(&wanted) {
        return Ok(wanted);
    }
    Ok(lookup::part(wire, &Scope::default(), None, Some(&wanted)).await?.id)
}

/// Every part of the machines that a filter may mean.
pub(super) async fn parts(
    wire: &Wire,
    organizations: &[String],
    locations: &[String],
    machine: &str,
) -> Result<Vec<viam_proto::app::v1::RobotPart>> {
    let machines = if machine.is_empty() {
        let all = lookup::organizations(wire).await?;
        let within = |id: &String| organizations.is_empty() || organizations.contains(id);
        let all: Vec<_> = all.into_iter().filter(|organization| within(&organization.id)).collect();
        let places = lookup::places(wire, &all).await?;
        let ids = places.iter().map(|place| &place.location.id);
        let ids = ids.filter(|id| locations.is_empty() || locations.contains(id));
        let lists = parallel::map(ids, |id| lookup::machines(wire, id)).await?;
        lists.into_iter().flatten().map(|robot| robot.id).collect()
    } else {
        vec![machine.to_owned()]
    };
    let lists = parallel::map(&machines, |id| lookup::parts(wire, id)).await?;
    Ok(lists.into_iter().flatten().collect())
}
