//! What is exported: the flags of what a filter finds.

use viam_contract::{Context, Result, Wire};
use viam_proto::app::data::v1::Filter;

use crate::filter::FilterArgs;

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct FoundArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// tags of which one is there; `tagged` or `untagged` alone for any or none
    #[arg(long, value_delimiter = ',', value_name = "TAG,…")]
    tags: Vec<String>,
    /// id of a dataset
    #[arg(long, value_name = "ID")]
    dataset_id: Option<String>,
}

impl FoundArgs {
    /// Checks what can be checked without a call.
    pub(crate) fn check(&self) -> Result<()> {
        self.filter.check()
    }

    /// The filters of the requests.
    pub(crate) async fn resolve(&self, cx: &Context, wire: &Wire) -> Result<Vec<Filter>> {
        self.filter.resolve(cx, wire, &self.tags, self.dataset_id.as_ref()).await
    }
}
