//! The organization that a verb works in.

use viam_client::lookup;
use viam_contract::{Context, Error, Kind, Result, Wire};

/// One organization.
#[derive(clap::Args, Clone, Debug, Default, PartialEq)]
pub(crate) struct OrgArgs {
    /// id or name of the organization; the default one if not given
    #[arg(long, aliases = ["organization", "org", "org-name"], value_name = "ID")]
    pub(crate) org_id: Option<String>,
}

/// One that is meant, not yet looked up.
#[derive(Debug, PartialEq)]
pub(crate) struct Wanted(String);

impl OrgArgs {
    /// What was given, where it is not empty.
    pub(crate) fn given(&self) -> Option<&str> {
        self.org_id.as_deref().map(str::trim).filter(|id| !id.is_empty())
    }

    /// The one that is given, or the default one.
    ///
    /// # Errors
    /// `must provide an organization ID to …`, in the words of the existing program.
    pub(crate) fn wanted(&self, cx: &Context, to_do: &str) -> Result<Wanted> {
        let given = self.given().or(cx.defaults.org_id.as_deref());
        given.map(|given| Wanted(given.to_owned())).ok_or_else(|| {
            Error::new(Kind::Usage, format!("must provide an organization ID to {to_do}"))
                .hint_text("give --org-id, or set a default with `viam defaults set-org`")
                .hint_run("viam organizations list")
        })
    }
}

impl Wanted {
    /// Its id.
    pub(crate) async fn id(&self, wire: &Wire) -> Result<String> {
        lookup::organization_id(wire, &self.0).await
    }
}
