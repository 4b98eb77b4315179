//! Which of the captured things are meant: the flags that all verbs share (behaviour.md §2.1).

mod model;
mod names;

use viam_client::time;
use viam_contract::{Context, Error, Kind, Result, Wire};
use viam_proto::app::data::v1::{CaptureInterval, Filter, TagsFilter, TagsFilterType};

/// The flags, but for tags, which are not called the same everywhere.
#[derive(clap::Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "What is meant")]
pub(crate) struct FilterArgs {
    /// ids or names of organizations, as in `a,b`
    #[arg(long, value_delimiter = ',', value_name = "ID,…")]
    org_ids: Vec<String>,
    /// ids or names of locations
    #[arg(long, value_delimiter = ',', value_name = "ID,…")]
    location_ids: Vec<String>,
    /// id or name of a machine that is there
    #[arg(long, alias = "robot-id", value_name = "ID")]
    machine_id: Option<String>,
    /// name that a machine had when it captured
    #[arg(long, alias = "robot-name", value_name = "NAME")]
    machine_name: Option<String>,
    /// id or name of a part that is there
    #[arg(long, value_name = "ID")]
    part_id: Option<String>,
    /// name that a part had when it captured
    #[arg(long, value_name = "NAME")]
    part_name: Option<String>,
    /// type of the component or service, as in `camera`
    #[arg(long, value_name = "TYPE")]
    component_type: Option<String>,
    /// name of the component or service
    #[arg(long, value_name = "NAME")]
    component_name: Option<String>,
    /// model of the component, as it stands in the configuration of the machines now
    #[arg(long, value_name = "MODEL")]
    component_model: Option<String>,
    /// method that captured, as in `ReadImage`
    #[arg(long)]
    method: Option<String>,
    /// MIME types, as in `image/jpeg,image/png`
    #[arg(long, value_delimiter = ',', value_name = "TYPE,…")]
    mime_types: Vec<String>,
    /// captured at this time or later, in RFC 3339
    #[arg(long, value_name = "TIME")]
    start: Option<String>,
    /// captured at this time or before, in RFC 3339
    #[arg(long, value_name = "TIME")]
    end: Option<String>,
    /// labels of boxes in pictures
    #[arg(long, value_delimiter = ',', value_name = "LABEL,…")]
    bbox_labels: Vec<String>,
}

fn given(value: Option<&String>) -> String {
    value.cloned().unwrap_or_default()
}

/// The items of a list, without the spaces around them.
pub(crate) fn list(values: &[String]) -> Vec<String> {
    values.iter().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()).collect()
}

impl FilterArgs {
    /// Whether anything is given; else everything is meant.
    pub(crate) fn is_given(&self) -> bool {
        !self.names().is_empty()
    }

    /// The ids or names of organizations.
    pub(crate) fn org_ids(&self) -> Vec<String> {
        list(&self.org_ids)
    }

    /// The same filter within one organization.
    pub(crate) fn of_organization(mut self, id: &str) -> Self {
        self.org_ids = vec![id.to_owned()];
        self
    }

    /// The flags that are given, by their names.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let text = |value: &Option<String>| value.as_ref().is_some_and(|value| !value.is_empty());
        let many = |values: &[String]| !list(values).is_empty();
        [
            ("--org-ids", many(&self.org_ids)),
            ("--location-ids", many(&self.location_ids)),
            ("--machine-id", text(&self.machine_id)),
            ("--machine-name", text(&self.machine_name)),
            ("--part-id", text(&self.part_id)),
            ("--part-name", text(&self.part_name)),
            ("--component-type", text(&self.component_type)),
            ("--component-name", text(&self.component_name)),
            ("--component-model", text(&self.component_model)),
            ("--method", text(&self.method)),
            ("--mime-types", many(&self.mime_types)),
            ("--start", text(&self.start)),
            ("--end", text(&self.end)),
            ("--bbox-labels", many(&self.bbox_labels)),
        ]
        .into_iter()
        .filter_map(|(name, is_given)| is_given.then_some(name))
        .collect()
    }

    /// Checks what can be checked without a call.
    pub(crate) fn check(&self) -> Result<()> {
        self.interval().map(drop)
    }

    fn interval(&self) -> Result<Option<CaptureInterval>> {
        let start = time::parse("start", self.start.as_ref())?;
        let end = time::parse("end", self.end.as_ref())?;
        if let (Some(from), Some(to)) = (&start, &end)
            && (from.seconds, from.nanos) > (to.seconds, to.nanos)
        {
            return Err(Error::new(Kind::Usage, "--start is later than --end"));
        }
        Ok((start.is_some() || end.is_some()).then_some(CaptureInterval { start, end }))
    }

    /// The filters of the requests. There are several where a model stands for several components,
    /// and none where nothing has the model; that is said.
    pub(crate) async fn resolve(
        &self,
        cx: &Context,
        wire: &Wire,
        tags: &[String],
        dataset_id: Option<&String>,
    ) -> Result<Vec<Filter>> {
        let interval = self.interval()?;
        let organization_ids = names::organizations(cx, wire, &list(&self.org_ids)).await?;
        let (location_ids, robot_id, part_id) = tokio::try_join!(
            names::locations(cx, wire, &organization_ids, list(&self.location_ids)),
            names::machine(wire, given(self.machine_id.as_ref())),
            names::part(wire, given(self.part_id.as_ref())),
        )?;
        let filter = Filter {
            component_name: given(self.component_name.as_ref()),
            component_type: given(self.component_type.as_ref()),
            method: given(self.method.as_ref()),
            robot_name: given(self.machine_name.as_ref()),
            robot_id,
            part_name: given(self.part_name.as_ref()),
            part_id,
            location_ids,
            organization_ids,
            mime_type: list(&self.mime_types),
            interval,
            tags_filter: tags_filter(tags),
            bbox_labels: list(&self.bbox_labels),
            dataset_id: given(dataset_id),
        };
        match self.component_model.as_deref().filter(|model| !model.is_empty()) {
            Some(model) => model::resolve(cx, wire, filter, model).await,
            None => Ok(vec![filter]),
        }
    }
}

/// `tagged` and `untagged` alone have a meaning of their own.
pub(crate) fn tags_filter(tags: &[String]) -> Option<TagsFilter> {
    let tags = list(tags);
    let (kind, tags) = match &tags[..] {
        [] => return None,
        [word] if word == "tagged" => (TagsFilterType::Tagged, Vec::new()),
        [word] if word == "untagged" => (TagsFilterType::Untagged, Vec::new()),
        _ => (TagsFilterType::MatchByOr, tags),
    };
    Some(TagsFilter { r#type: kind.into(), tags })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_tags() {
        let tags = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            tags_filter(&words).map(|filter| (filter.r#type, filter.tags))
        };
        assert_eq!(tags(&[]), None);
        assert_eq!(tags(&["", " "]), None);
        assert_eq!(tags(&["tagged"]), Some((2, Vec::new())));
        assert_eq!(tags(&["untagged"]), Some((3, Vec::new())));
        let both = ["tagged".to_owned(), "x".to_owned()];
        assert_eq!(tags(&["tagged", " x "]), Some((1, both.to_vec())));
    }

    #[test]
    fn times_are_checked_before_any_call() {
        let between = |start: &str, end: &str| FilterArgs {
            start: Some(start.to_owned()),
            end: Some(end.to_owned()),
            ..FilterArgs::default()
        };
        let (one, two) = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z");
        assert!(between(one, two).check().is_ok());
        assert!(between(one, "").check().is_ok());
        assert_eq!(between(two, one).check().expect_err("order").kind(), Kind::Usage);
        assert_eq!(between("x", one).check().expect_err("form").kind(), Kind::Usage);
        assert_eq!(between(one, two).names(), ["--start", "--end"]);
    }
}
