//! A generated client calls a generated server without a connection between them.

use tonic::{Code, Request, Response, Status};
use viam_proto::app::v1::app_service_client::AppServiceClient;
use viam_proto::app::v1::app_service_server::{AppService, AppServiceServer};
use viam_proto::app::v1::{
    GetUserIdByEmailRequest, ListOrganizationsRequest, ListOrganizationsResponse, Organization,
};

/// Serves one method of all that `AppService` has.
struct OneMethod;

#[tonic::async_trait]
impl AppService for OneMethod {
    async fn list_organizations(
        &self,
        _: Request<ListOrganizationsRequest>,
    ) -> Result<Response<ListOrganizationsResponse>, Status> {
        let organization = Organization { name: "Robots".to_owned(), ..Default::default() };
        Ok(Response::new(ListOrganizationsResponse { organizations: vec![organization] }))
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_method_that_is_written_answers() {
    let mut client = AppServiceClient::new(AppServiceServer::new(OneMethod));
    let response = client.list_organizations(ListOrganizationsRequest {}).await.expect("answer");
    let names: Vec<_> = response.get_ref().organizations.iter().map(|org| &org.name).collect();
    assert_eq!(names, ["Robots"]);
}

#[tokio::test(flavor = "current_thread")]
async fn a_method_that_is_not_written_is_unimplemented() {
    let mut client = AppServiceClient::new(AppServiceServer::new(OneMethod));
    let error = client.get_user_id_by_email(GetUserIdByEmailRequest::default()).await;
    assert_eq!(error.expect_err("no answer").code(), Code::Unimplemented);
}
