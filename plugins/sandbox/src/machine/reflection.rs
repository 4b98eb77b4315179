//! Server reflection, by which generic clients learn what a machine serves.

use tonic::service::Routes;
use tonic_reflection::server::Builder;
use viam_contract::{Kind, Result, ResultExt as _};
use viam_proto::component::{
    board::v1::board_service_server, camera::v1::camera_service_server,
    generic::v1::generic_service_server as generic_component, motor::v1::motor_service_server,
    movementsensor::v1::movement_sensor_service_server, sensor::v1::sensor_service_server,
    servo::v1::servo_service_server,
};
use viam_proto::robot::v1::robot_service_server;
use viam_proto::service::{
    generic::v1::generic_service_server as generic_service, vision::v1::vision_service_server,
};

/// The services of reflection itself.
pub(super) const NAMES: &[&str] =
    &["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];

/// The services that are listed, which are those that are served.
const LISTED: &[&str] = &[
    robot_service_server::SERVICE_NAME,
    board_service_server::SERVICE_NAME,
    camera_service_server::SERVICE_NAME,
    generic_component::SERVICE_NAME,
    motor_service_server::SERVICE_NAME,
    movement_sensor_service_server::SERVICE_NAME,
    sensor_service_server::SERVICE_NAME,
    servo_service_server::SERVICE_NAME,
    generic_service::SERVICE_NAME,
    vision_service_server::SERVICE_NAME,
];

/// Adds both versions of reflection to what is served.
pub(super) fn add(routes: Routes) -> Result<Routes> {
    let doing = || "cannot read the definitions of the api".to_owned();
    let v1 = builder().build_v1().or_kind(Kind::Internal, doing)?;
    let v1alpha = builder().build_v1alpha().or_kind(Kind::Internal, doing)?;
    Ok(routes.add_service(v1).add_service(v1alpha))
}

fn builder() -> Builder<'static> {
    let all = Builder::configure().register_encoded_file_descriptor_set(viam_proto::DESCRIPTORS);
    LISTED.iter().chain(NAMES).fold(all, |builder, name| builder.with_service_name(*name))
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use prost_types::FileDescriptorProto;

    use crate::machine::serves;
    use crate::machine::tests::machine;

    /// What one version of reflection says of servos.
    macro_rules! reflection {
        ($test:ident, $version:ident) => {
            #[tokio::test]
            async fn $test() {
                use pb::server_reflection_request::MessageRequest;
                use pb::server_reflection_response::MessageResponse;
                use tonic_reflection::pb::$version as pb;

                const SERVO: &str = "viam.component.servo.v1.ServoService";
                let mut client =
                    pb::server_reflection_client::ServerReflectionClient::new(machine().0);
                let ask = [
                    MessageRequest::ListServices(String::new()),
                    MessageRequest::FileContainingSymbol(SERVO.to_owned()),
                    MessageRequest::FileByFilename("app/v1/app.proto".to_owned()),
                ];
                let ask = ask.map(|message| pb::ServerReflectionRequest {
                    host: String::new(),
                    message_request: Some(message),
                });
                let mut answers = client
                    .server_reflection_info(tokio_stream::iter(ask))
                    .await
                    .expect("answers")
                    .into_inner();
                let mut next = async || answers.message().await.expect("answer")?.message_response;
                let Some(MessageResponse::ListServicesResponse(list)) = next().await else {
                    panic!("no list")
                };
                let listed: Vec<_> = list.service.iter().map(|entry| entry.name.as_str()).collect();
                assert!(listed.contains(&SERVO), "{listed:?}");
                assert!(listed.iter().all(|name| serves(&format!("/{name}/Any"))), "{listed:?}");
                for expected in [Some(SERVO), None] {
                    let Some(MessageResponse::FileDescriptorResponse(file)) = next().await else {
                        panic!("no file")
                    };
                    let file = FileDescriptorProto::decode(&*file.file_descriptor_proto[0]);
                    let file = file.expect("a file");
                    let mut services = file
                        .service
                        .iter()
                        .map(|service| format!("{}.{}", file.package(), service.name()));
                    assert!(expected.is_none_or(|name| services.any(|service| service == name)));
                }
            }
        };
    }

    reflection!(reflection_v1_describes_what_is_served, v1);
    reflection!(reflection_v1alpha_describes_what_is_served, v1alpha);
}
