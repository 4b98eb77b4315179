//! `viam.app.data.v1.DataService`: which method is which function.

mod binary;
mod convert;
mod database;
mod members;
mod query;
mod tabular;
mod tags;

use std::sync::Arc;

use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};
use viam_proto::app::data::v1 as pb;
use viam_proto::app::data::v1::data_service_server::{DataService, DataServiceServer};

use super::answer;
use crate::server::state::Shared;

struct Data {
    shared: Arc<Shared>,
}

pub(super) fn service(shared: Arc<Shared>) -> DataServiceServer<impl DataService> {
    DataServiceServer::new(Data { shared })
}

/// A method a line; those in braces need more than the data that SQLite has.
macro_rules! methods {
    (
        $($method:ident($request:ident) -> $response:ident = $work:path;)*
        { $($other:ident($asked:ident) -> $answer:ident = $begin:path;)* }
    ) => {
        #[tonic::async_trait]
        impl DataService for Data {
            $(async fn $method(
                &self,
                request: Request<pb::$request>,
            ) -> Result<Response<pb::$response>, Status> {
                answer(&self.shared, request, $work).await
            })*

            $(async fn $other(
                &self,
                request: Request<pb::$asked>,
            ) -> Result<Response<pb::$answer>, Status> {
                $begin(&self.shared, request).await
            })*

            async fn export_tabular_data(
                &self,
                request: Request<pb::ExportTabularDataRequest>,
            ) -> Result<Response<BoxStream<pb::ExportTabularDataResponse>>, Status> {
                tabular::export(&self.shared, request).await
            }
        }
    };
}

methods! {
    tabular_data_by_filter(TabularDataByFilterRequest) -> TabularDataByFilterResponse
        = tabular::by_filter;
    delete_tabular_data(DeleteTabularDataRequest) -> DeleteTabularDataResponse = tabular::delete;
    tags_by_filter(TagsByFilterRequest) -> TagsByFilterResponse = tags::list;
    add_tags_to_binary_data_by_i_ds(AddTagsToBinaryDataByIDsRequest)
        -> AddTagsToBinaryDataByIDsResponse = tags::add;
    remove_tags_from_binary_data_by_i_ds(RemoveTagsFromBinaryDataByIDsRequest)
        -> RemoveTagsFromBinaryDataByIDsResponse = tags::remove;
    add_binary_data_to_dataset_by_i_ds(AddBinaryDataToDatasetByIDsRequest)
        -> AddBinaryDataToDatasetByIDsResponse = members::add;
    remove_binary_data_from_dataset_by_i_ds(RemoveBinaryDataFromDatasetByIDsRequest)
        -> RemoveBinaryDataFromDatasetByIDsResponse = members::remove;
    get_database_connection(GetDatabaseConnectionRequest) -> GetDatabaseConnectionResponse
        = database::connection;
    configure_database_user(ConfigureDatabaseUserRequest) -> ConfigureDatabaseUserResponse
        = database::configure;
    create_index(CreateIndexRequest) -> CreateIndexResponse = database::create_index;
    list_indexes(ListIndexesRequest) -> ListIndexesResponse = database::list_indexes;
    delete_index(DeleteIndexRequest) -> DeleteIndexResponse = database::delete_index;

    {
        binary_data_by_filter(BinaryDataByFilterRequest) -> BinaryDataByFilterResponse
            = binary::by_filter;
        binary_data_by_i_ds(BinaryDataByIDsRequest) -> BinaryDataByIDsResponse = binary::by_ids;
        delete_binary_data_by_filter(DeleteBinaryDataByFilterRequest)
            -> DeleteBinaryDataByFilterResponse = binary::delete_by_filter;
        delete_binary_data_by_i_ds(DeleteBinaryDataByIDsRequest)
            -> DeleteBinaryDataByIDsResponse = binary::delete_by_ids;
        tabular_data_by_sql(TabularDataBySqlRequest) -> TabularDataBySqlResponse = query::by_sql;
        tabular_data_by_mql(TabularDataByMqlRequest) -> TabularDataByMqlResponse = query::by_mql;
    }
}
