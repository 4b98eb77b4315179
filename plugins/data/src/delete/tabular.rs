//! `viam data delete tabular` (behaviour.md §2.6).

use viam_client::rpc_error;
use viam_contract::{Context, Error, Kind, Result, Target};
use viam_proto::app::data::v1::{DeleteTabularDataRequest, DeleteTabularFilter, Filter};

use super::{halfway, report};
use crate::client;
use crate::filter::FilterArgs;
use crate::organization::OrgArgs;

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    /// delete what is older than so many days; 0 deletes all
    #[arg(long, value_name = "DAYS")]
    delete_older_than_days: u32,
    #[command(flatten)]
    organization: OrgArgs,
    #[command(flatten)]
    filter: FilterArgs,
    /// tags that a reading has one of, as in `a,b`; `tagged` and `untagged` mean any and none
    #[arg(long, value_delimiter = ',', value_name = "TAG,…")]
    tags: Vec<String>,
    /// Documented for exports; there is nothing to do side by side here.
    #[arg(long, hide = true)]
    parallel: Option<u64>,
}

/// What the request has no field for.
const NOT_CARRIED: &[&str] =
    &["--machine-name", "--part-name", "--mime-types", "--start", "--end", "--bbox-labels"];

impl Args {
    /// Refuses what would be lost on the way: less of a filter deletes more.
    fn check(&mut self) -> Result<()> {
        let given = self.filter.names();
        if let Some(flag) = given.into_iter().find(|flag| NOT_CARRIED.contains(flag)) {
            return Err(Error::new(
                Kind::Usage,
                format!(
                    "{flag} cannot be used to delete tabular data: the cloud has no such filter"
                ),
            )
            .hint_text(match flag {
                "--machine-name" => "use --machine-id",
                "--part-name" => "use --part-id",
                "--start" | "--end" => "use --delete-older-than-days",
                _ => "leave it out, if more may be deleted",
            }));
        }
        // One organization is given as other verbs are given several.
        match (&self.filter.org_ids()[..], self.organization.given()) {
            ([], _) => Ok(()),
            ([one], None) => {
                self.organization.org_id = Some(one.clone());
                Ok(())
            }
            _ => Err(Error::new(
                Kind::Usage,
                "tabular data is deleted in one organization at a time",
            )
            .hint_text("give --org-id alone")),
        }
    }
}

pub(crate) async fn run(cx: &Context, mut args: Args) -> Result<()> {
    args.check()?;
    let organization = args.organization.wanted(cx, "delete tabular data")?;
    let wire = cx.sessions.wire(&Target::App).await?;
    let organization_id = organization.id(&wire).await?;
    let filter = args.filter.of_organization(&organization_id);
    let mut deleted = 0;
    for filter in filter.resolve(cx, &wire, &args.tags, None).await? {
        // Not tried again: what a lost answer has counted would be missing.
        let request = DeleteTabularDataRequest {
            organization_id: organization_id.clone(),
            delete_older_than_days: args.delete_older_than_days,
            filter: carried(filter),
        };
        let mut client = client::data(&wire);
        let answer = client::unhurried(request, |request| async move {
            client.delete_tabular_data(request).await
        });
        let answer = answer.await.map_err(|status| {
            halfway(cx, deleted, "datapoint", rpc_error(status, "could not delete tabular data"))
        })?;
        deleted += answer.deleted_count;
    }
    report(cx, deleted, "datapoint")
}

/// The filter as this request has it; none where it says nothing.
fn carried(filter: Filter) -> Option<DeleteTabularFilter> {
    let carried = DeleteTabularFilter {
        location_ids: filter.location_ids,
        robot_id: filter.robot_id,
        part_id: filter.part_id,
        component_type: filter.component_type,
        component_name: filter.component_name,
        method: filter.method,
        tags_filter: filter.tags_filter,
    };
    (carried != DeleteTabularFilter::default()).then_some(carried)
}
