//! `viam robots create` (behaviour.md §1.11).

use serde::Serialize;
use viam_client::{lookup, rpc_error};
use viam_contract::{Context, Error, Format, Kind, Result, Target, text};
use viam_proto::app::v1::NewRobotRequest;

use crate::args::PlaceArgs;

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    /// name of the new machine
    #[arg(long)]
    name: String,
    #[command(flatten)]
    place: PlaceArgs,
}

/// JSON result.
#[derive(Serialize)]
struct Created<'a> {
    id: &'a str,
    name: &'a str,
    location_id: &'a str,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    if args.name.is_empty() {
        return Err(
            Error::new(Kind::Usage, "the name of the machine is empty").hint_text("give --name")
        );
    }
    let scope = args.place.scope(cx);
    let location = scope.location.or_else(|| cx.defaults.location_id.clone());
    let Some(wanted) = location else {
        return Err(Error::new(Kind::Usage, "must provide a location to create a machine in")
            .hint_text("give --location")
            .hint_run("viam locations list"));
    };
    let wire = cx.sessions.wire(&Target::App).await?;
    let location_id = lookup::location_id(&wire, scope.organization.as_deref(), &wanted).await?;
    let request = NewRobotRequest { name: args.name.clone(), location: location_id.clone() };
    let answer = lookup::app(wire).new_robot(request).await.map_err(|status| {
        rpc_error(status, format!("could not create machine {}", text::quoted(&args.name)))
    })?;
    let id = answer.into_inner().id;
    if cx.output.format == Format::Json {
        let location_id = &location_id;
        return cx.output.json(&Created { id: &id, name: &args.name, location_id });
    }
    cx.output.line(format!("created new machine with id {}", text::one_line(&id)))
}
