//! `viam.app.v1.AppService`: which method is which function.

use std::sync::Arc;

use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};
use viam_proto::app::v1 as pb;
use viam_proto::app::v1::app_service_server::{AppService, AppServiceServer};

use super::{answer, keys, locations, logs, organizations, parts, robots};
use crate::server::state::Shared;

struct App {
    shared: Arc<Shared>,
}

pub(super) fn service(shared: Arc<Shared>) -> AppServiceServer<impl AppService> {
    AppServiceServer::new(App { shared })
}

/// A method a line, those that answer with a stream in braces; the others keep the body that
/// answers UNIMPLEMENTED.
macro_rules! methods {
    (
        $($method:ident($request:ident) -> $response:ident = $work:path;)*
        { $($stream:ident($asked:ident) -> $piece:ident = $begin:path;)* }
    ) => {
        #[tonic::async_trait]
        impl AppService for App {
            $(async fn $method(
                &self,
                request: Request<pb::$request>,
            ) -> Result<Response<pb::$response>, Status> {
                answer(&self.shared, request, $work).await
            })*

            $(async fn $stream(
                &self,
                request: Request<pb::$asked>,
            ) -> Result<Response<BoxStream<pb::$piece>>, Status> {
                $begin(&self.shared, request).await
            })*
        }
    };
}

methods! {
    list_organizations(ListOrganizationsRequest) -> ListOrganizationsResponse = organizations::list;
    list_organizations_by_user(ListOrganizationsByUserRequest) -> ListOrganizationsByUserResponse
        = organizations::list_by_user;
    get_organization(GetOrganizationRequest) -> GetOrganizationResponse = organizations::get;
    create_organization(CreateOrganizationRequest) -> CreateOrganizationResponse
        = organizations::create;
    update_organization(UpdateOrganizationRequest) -> UpdateOrganizationResponse
        = organizations::update;
    update_organization_namespace(UpdateOrganizationNamespaceRequest)
        -> UpdateOrganizationNamespaceResponse = organizations::update_namespace;
    delete_organization(DeleteOrganizationRequest) -> DeleteOrganizationResponse
        = organizations::delete;
    get_organization_namespace_availability(GetOrganizationNamespaceAvailabilityRequest)
        -> GetOrganizationNamespaceAvailabilityResponse = organizations::namespace_availability;
    get_organizations_with_access_to_location(GetOrganizationsWithAccessToLocationRequest)
        -> GetOrganizationsWithAccessToLocationResponse = organizations::with_access_to_location;

    list_locations(ListLocationsRequest) -> ListLocationsResponse = locations::list;
    get_location(GetLocationRequest) -> GetLocationResponse = locations::get;
    create_location(CreateLocationRequest) -> CreateLocationResponse = locations::create;
    update_location(UpdateLocationRequest) -> UpdateLocationResponse = locations::update;
    delete_location(DeleteLocationRequest) -> DeleteLocationResponse = locations::delete;
    share_location(ShareLocationRequest) -> ShareLocationResponse = locations::share;
    unshare_location(UnshareLocationRequest) -> UnshareLocationResponse = locations::unshare;

    list_robots(ListRobotsRequest) -> ListRobotsResponse = robots::list;
    list_robots_for_locations(ListRobotsForLocationsRequest) -> ListRobotsForLocationsResponse
        = robots::list_for_locations;
    list_robots_for_org(ListRobotsForOrgRequest) -> ListRobotsForOrgResponse
        = robots::list_for_org;
    list_machine_summaries(ListMachineSummariesRequest) -> ListMachineSummariesResponse
        = robots::summaries;
    get_robot(GetRobotRequest) -> GetRobotResponse = robots::get;
    new_robot(NewRobotRequest) -> NewRobotResponse = robots::create;
    update_robot(UpdateRobotRequest) -> UpdateRobotResponse = robots::update;
    delete_robot(DeleteRobotRequest) -> DeleteRobotResponse = robots::delete;

    get_robot_parts(GetRobotPartsRequest) -> GetRobotPartsResponse = parts::list;
    get_robot_part(GetRobotPartRequest) -> GetRobotPartResponse = parts::get;
    get_robot_part_by_name_and_location(GetRobotPartByNameAndLocationRequest)
        -> GetRobotPartByNameAndLocationResponse = parts::get_by_name;
    new_robot_part(NewRobotPartRequest) -> NewRobotPartResponse = parts::create;
    update_robot_part(UpdateRobotPartRequest) -> UpdateRobotPartResponse = parts::update;
    delete_robot_part(DeleteRobotPartRequest) -> DeleteRobotPartResponse = parts::delete;
    mark_part_as_main(MarkPartAsMainRequest) -> MarkPartAsMainResponse = parts::mark_as_main;
    mark_part_for_restart(MarkPartForRestartRequest) -> MarkPartForRestartResponse
        = parts::mark_for_restart;
    get_robot_part_history(GetRobotPartHistoryRequest) -> GetRobotPartHistoryResponse
        = parts::history;
    get_robot_part_logs(GetRobotPartLogsRequest) -> GetRobotPartLogsResponse = logs::page;

    create_key(CreateKeyRequest) -> CreateKeyResponse = keys::create;
    create_key_from_existing_key_authorizations(CreateKeyFromExistingKeyAuthorizationsRequest)
        -> CreateKeyFromExistingKeyAuthorizationsResponse = keys::create_like;
    delete_key(DeleteKeyRequest) -> DeleteKeyResponse = keys::delete;
    list_keys(ListKeysRequest) -> ListKeysResponse = keys::list;
    rename_key(RenameKeyRequest) -> RenameKeyResponse = keys::rename;
    rotate_key(RotateKeyRequest) -> RotateKeyResponse = keys::rotate;
    get_robot_api_keys(GetRobotApiKeysRequest) -> GetRobotApiKeysResponse = keys::of_robot;

    {
        tail_robot_part_logs(TailRobotPartLogsRequest) -> TailRobotPartLogsResponse = logs::tail;
    }
}
