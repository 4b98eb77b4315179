//! Tags of files and the datasets that they are in, changed for many files: a batch a call, each
//! call tried again until it is done. A change that is made twice is the same change.

mod files;

use viam_contract::{Context, Error, Result, Wire};
use viam_proto::app::data::v1::{
    AddBinaryDataToDatasetByIDsRequest, AddTagsToBinaryDataByIDsRequest, Filter,
    RemoveBinaryDataFromDatasetByIDsRequest, RemoveTagsFromBinaryDataByIDsRequest,
};

pub(crate) use files::{FileIdArgs, Files};

use crate::pages::Pages;
use crate::{client, count};

/// How many files a call changes.
const BATCH: usize = 100;

/// A change of files.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// These tags are added.
    Tag(Vec<String>),
    /// These tags are removed.
    Untag(Vec<String>),
    /// They are put into this dataset.
    Collect(String),
    /// They are taken out of this dataset.
    Drop(String),
}

impl Change {
    fn doing(&self) -> &'static str {
        match self {
            Self::Tag(_) => "could not add tags to files",
            Self::Untag(_) => "could not remove tags from files",
            Self::Collect(_) => "could not add files to the dataset",
            Self::Drop(_) => "could not remove files from the dataset",
        }
    }

    /// Changes these files.
    ///
    /// # Errors
    /// What could not be done; what was done before is said.
    pub(crate) async fn apply(&self, cx: &Context, wire: &Wire, files: &Files) -> Result<u64> {
        let mut done = 0;
        for batch in files.batches(BATCH) {
            self.batch(cx, wire, &batch).await.map_err(|error| halfway(cx, done, error))?;
            done += batch.len();
        }
        Ok(done)
    }

    /// Changes what filters find. A page is forgotten when it is done: the next one begins behind
    /// the last file by its time, which no change moves, so it does not matter that a file may no
    /// longer be found after its tags have changed.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub(crate) async fn apply_to_filters(
        &self,
        cx: &Context,
        wire: &Wire,
        filters: Vec<Filter>,
    ) -> Result<u64> {
        let mut pages = Pages::of_filters(cx, wire, filters, None);
        let mut done = 0;
        while let Some(page) = pages.next().await {
            let files = Files::of(page.map_err(|error| halfway(cx, done, error))?);
            for batch in files.batches(BATCH) {
                self.batch(cx, wire, &batch).await.map_err(|error| halfway(cx, done, error))?;
                done += batch.len();
            }
        }
        Ok(done)
    }

    async fn batch(&self, cx: &Context, wire: &Wire, files: &Files) -> Result<()> {
        client::patient(&cx.output, self.doing(), || {
            let (mut client, change, files) = (client::data(wire), self.clone(), files.clone());
            async move {
                let (binary_ids, binary_data_ids) = (files.before, files.today);
                match change {
                    Self::Tag(tags) => {
                        let request =
                            AddTagsToBinaryDataByIDsRequest { binary_ids, binary_data_ids, tags };
                        let answer = client.add_tags_to_binary_data_by_i_ds(request).await?;
                        Ok(answer.map(drop))
                    }
                    Self::Untag(tags) => {
                        let request = RemoveTagsFromBinaryDataByIDsRequest {
                            binary_ids,
                            binary_data_ids,
                            tags,
                        };
                        let answer = client.remove_tags_from_binary_data_by_i_ds(request).await?;
                        Ok(answer.map(drop))
                    }
                    Self::Collect(dataset_id) => {
                        let request = AddBinaryDataToDatasetByIDsRequest {
                            binary_ids,
                            binary_data_ids,
                            dataset_id,
                        };
                        let answer = client.add_binary_data_to_dataset_by_i_ds(request).await?;
                        Ok(answer.map(drop))
                    }
                    Self::Drop(dataset_id) => {
                        let request = RemoveBinaryDataFromDatasetByIDsRequest {
                            binary_ids,
                            binary_data_ids,
                            dataset_id,
                        };
                        let answer = client.remove_binary_data_from_dataset_by_i_ds(request);
                        Ok(answer.await?.map(drop))
                    }
                }
            }
        })
        .await
    }
}

/// A failure after some files were changed says so.
fn halfway(cx: &Context, done: u64, error: Error) -> Error {
    if done == 0 {
        return error;
    }
    cx.output.warn(&format!("{} done before this", count::of(done, "file")));
    error.hint_text("the same command may be run again: what is done is done")
}
