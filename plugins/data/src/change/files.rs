//! Which files are meant, by their ids.

use viam_client::lookup;
use viam_contract::{Context, Error, Kind, Result, Wire};
use viam_proto::app::data::v1::{BinaryId, BinaryMetadata};

use crate::filter::list;
use crate::organization::OrgArgs;

/// Ids as flags. What a file is called today is one id; in 2023 it was three.
#[derive(clap::Args, Debug, Default, PartialEq)]
pub(crate) struct FileIdArgs {
    /// ids of files, as in `a,b`
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "ID,…",
        required_unless_present = "file_ids",
        conflicts_with_all = ["file_ids", "location_id", "org_id"]
    )]
    binary_data_ids: Vec<String>,
    /// ids of files within a location, as in 2023
    #[arg(long, hide = true, value_delimiter = ',', requires = "location_id")]
    file_ids: Vec<String>,
    /// id or name of the location that the files lie in
    #[arg(long, hide = true)]
    location_id: Option<String>,
    /// id or name of the organization that the files belong to
    #[arg(long, hide = true)]
    org_id: Option<String>,
}

/// Ids as a request takes them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Files {
    pub(super) today: Vec<String>,
    pub(super) before: Vec<BinaryId>,
}

impl FileIdArgs {
    /// Checks what can be checked without a call.
    pub(crate) fn check(&self) -> Result<()> {
        if list(&self.binary_data_ids).is_empty() && list(&self.file_ids).is_empty() {
            return Err(Error::new(Kind::Usage, "no id of a file is given")
                .hint_text("give --binary-data-ids")
                .hint_run("viam data query binary filter --limit 10"));
        }
        Ok(())
    }

    /// The ids, with names looked up.
    pub(crate) async fn files(&self, cx: &Context, wire: &Wire) -> Result<Files> {
        let ids = list(&self.file_ids);
        if ids.is_empty() {
            return Ok(Files { today: list(&self.binary_data_ids), before: Vec::new() });
        }
        let organization = OrgArgs { org_id: self.org_id.clone() };
        let organization_id = organization.wanted(cx, "find files by --file-ids")?.id(wire).await?;
        let location = self.location_id.as_deref().unwrap_or_default();
        let location_id = lookup::location_id(wire, Some(&organization_id), location).await?;
        let id = |file_id| BinaryId {
            file_id,
            organization_id: organization_id.clone(),
            location_id: location_id.clone(),
        };
        Ok(Files { today: Vec::new(), before: ids.into_iter().map(id).collect() })
    }
}

impl Files {
    /// The ids of what a filter has found. A server that has not today's ids says the others.
    pub(super) fn of(page: Vec<BinaryMetadata>) -> Self {
        let mut files = Self::default();
        for found in page {
            if !found.binary_data_id.is_empty() {
                files.today.push(found.binary_data_id);
                continue;
            }
            let capture = found.capture_metadata.unwrap_or_default();
            files.before.push(BinaryId {
                file_id: found.id,
                organization_id: capture.organization_id,
                location_id: capture.location_id,
            });
        }
        files
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        (self.today.len() + self.before.len()) as u64
    }

    /// The same in pieces of so many at most.
    pub(super) fn batches(&self, most: usize) -> impl Iterator<Item = Self> {
        let today = self.today.chunks(most);
        let today = today.map(|ids| Self { today: ids.to_vec(), before: Vec::new() });
        let before = self.before.chunks(most);
        let before = before.map(|ids| Self { today: Vec::new(), before: ids.to_vec() });
        today.chain(before)
    }
}

#[cfg(test)]
mod tests {
    use viam_proto::app::data::v1::CaptureMetadata;

    use super::*;

    #[test]
    fn ids_of_both_eras_are_kept_apart() {
        let found = |id: &str, today: &str| BinaryMetadata {
            id: id.to_owned(),
            binary_data_id: today.to_owned(),
            capture_metadata: Some(CaptureMetadata {
                organization_id: "o".to_owned(),
                location_id: "l".to_owned(),
                ..CaptureMetadata::default()
            }),
            ..BinaryMetadata::default()
        };
        let files = Files::of(vec![found("1", "o/l/1"), found("2", ""), found("3", "o/l/3")]);
        assert_eq!(files.today, ["o/l/1", "o/l/3"]);
        assert_eq!(files.before.len(), 1);
        assert_eq!(files.before[0].location_id, "l");
        assert_eq!(files.len(), 3);
        let batches: Vec<u64> = files.batches(1).map(|batch| batch.len()).collect();
        assert_eq!(batches, [1, 1, 1]);
        assert_eq!(Files::default().batches(100).count(), 0);
    }
}
