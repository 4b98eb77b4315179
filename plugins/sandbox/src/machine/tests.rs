//! A machine that is called as its clients call it.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use http::{Request, Response};
use prost_types::value::Kind;
use prost_types::{Struct, Value};
use serde_json::{Map, json};
use tonic::body::Body;
use tonic::{Code, Status};
use viam_contract::BoxFuture;
use viam_proto::common::v1::{DoCommandRequest, GetReadingsRequest};
use viam_proto::component::board::v1::board_service_client::BoardServiceClient;
use viam_proto::component::camera::v1::camera_service_client::CameraServiceClient;
use viam_proto::component::motor::v1::motor_service_client::MotorServiceClient;
use viam_proto::component::movementsensor::v1::movement_sensor_service_client::MovementSensorServiceClient;
use viam_proto::component::sensor::v1::sensor_service_client::SensorServiceClient;
use viam_proto::component::servo::v1::servo_service_client::ServoServiceClient;
use viam_proto::component::{board, camera, generic, motor, movementsensor, servo};
use viam_proto::robot::v1 as robot;
use viam_proto::robot::v1::robot_service_client::RobotServiceClient;
use viam_proto::service::vision::v1 as vision;
use viam_proto::service::vision::v1::vision_service_client::VisionServiceClient;

use super::{Machine, serves};

/// A machine as a client sees it.
#[derive(Clone)]
pub(super) struct Wire(Machine);

impl tower::Service<Request<Body>> for Wire {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let machine = self.0.clone();
        Box::pin(async move { Ok(machine.call(request).await) })
    }
}

/// What a machine has said.
pub(super) type Said = Arc<Mutex<Vec<String>>>;

fn config(value: serde_json::Value) -> Map<String, serde_json::Value> {
    value.as_object().expect("object").clone()
}

/// A machine with one of each kind, and what it has said.
pub(super) fn machine() -> (Wire, Said) {
    let said = Said::default();
    let log = {
        let said = said.clone();
        move |level: &str, logger: &str, message: &str| {
            said.lock().expect("said").push(format!("{level} {logger}: {message}"));
        }
    };
    let config = config(json!({
        "components": [
            { "name": "pan", "api": "rdk:component:servo", "attributes": { "pin": "11" } },
            { "name": "wheel", "api": "rdk:component:motor" },
            { "name": "air", "type": "sensor" },
            { "name": "gps", "api": "rdk:component:movement_sensor" },
            { "name": "eye", "api": "rdk:component:camera" },
            { "name": "pi", "api": "rdk:component:board" },
            { "name": "thing", "api": "rdk:component:generic" },
        ],
        "services": [
            {
                "name": "seer",
                "api": "rdk:service:vision",
                "attributes": { "camera_name": "eye", "classifier": ["good", "bad"] },
            },
        ],
    }));
    let machine = Machine::new("rover".to_owned(), &config, Arc::new(log), "/nonexistent".into())
        .expect("machine");
    (Wire(machine), said)
}

fn command() -> Struct {
    let value = Value { kind: Some(Kind::StringValue("up".to_owned())) };
    Struct { fields: [("go".to_owned(), value)].into() }
}

fn move_to(name: &str, angle_deg: u32) -> servo::v1::MoveRequest {
    servo::v1::MoveRequest { name: name.to_owned(), angle_deg, extra: None }
}

fn position(name: &str) -> servo::v1::GetPositionRequest {
    servo::v1::GetPositionRequest { name: name.to_owned(), extra: None }
}

async fn names(wire: &Wire) -> Vec<String> {
    let mut client = RobotServiceClient::new(wire.clone());
    let names = client.resource_names(robot::ResourceNamesRequest {}).await.expect("names");
    let names = names.into_inner().resources;
    names
        .iter()
        .map(|name| format!("{}:{}:{}/{}", name.namespace, name.r#type, name.subtype, name.name))
        .collect()
}

#[tokio::test]
async fn a_machine_has_what_its_configuration_names() {
    let expected = [
        "rdk:component:servo/pan",
        "rdk:component:motor/wheel",
        "rdk:component:sensor/air",
        "rdk:component:movement_sensor/gps",
        "rdk:component:camera/eye",
        "rdk:component:board/pi",
        "rdk:component:generic/thing",
        "rdk:service:vision/seer",
    ];
    assert_eq!(names(&machine().0).await, expected);
}

#[tokio::test]
async fn a_servo_stays_where_it_was_moved_to() {
    let (wire, said) = machine();
    let mut client = ServoServiceClient::new(wire.clone());
    client.r#move(move_to("pan", 75)).await.expect("move");
    let told = client.get_position(position("pan")).await.expect("position").into_inner();
    assert_eq!(told.position_deg, 75);
    assert!(said.lock().expect("said").contains(&"info pan: moved to 75 degrees".to_owned()));

    let refused = client.r#move(move_to("pan", 181)).await.expect_err("too far");
    assert_eq!(refused.code(), Code::InvalidArgument);
    for name in ["tilt", "wheel"] {
        let missing = client.get_position(position(name)).await.expect_err(name);
        assert_eq!(missing.code(), Code::NotFound);
        assert_eq!(missing.message(), format!("resource \"rdk:component:servo/{name}\" not found"));
    }
}

#[tokio::test]
async fn what_stays_in_the_configuration_keeps_its_state() {
    let (wire, said) = machine();
    let mut client = ServoServiceClient::new(wire.clone());
    client.r#move(move_to("pan", 75)).await.expect("move");
    wire.0.reconfigure(&config(json!({
        "components": [
            { "name": "tilt", "api": "rdk:component:servo" },
            { "name": "pan", "api": "rdk:component:servo" },
            { "name": "pan", "api": "rdk:component:servo" },
            { "api": "rdk:component:servo" },
            { "name": "odd", "api": "servo" },
        ],
    })));
    assert_eq!(names(&wire).await, ["rdk:component:servo/tilt", "rdk:component:servo/pan"]);
    let told = client.get_position(position("pan")).await.expect("position").into_inner();
    assert_eq!(told.position_deg, 75);
    let said = said.lock().expect("said").join("\n");
    for expected in [
        "info rdk.resource_manager: added rdk:component:servo/tilt",
        "info rdk.resource_manager: removed rdk:component:motor/wheel",
        "error rdk.resource_manager: rdk:component:servo/pan is configured twice",
        "error rdk.resource_manager: cannot configure a component: it has no name",
        "the api \"servo\" of \"odd\" is not of the form rdk:component:KIND",
    ] {
        assert!(said.contains(expected), "{expected} in {said}");
    }
}

#[tokio::test]
async fn a_command_comes_back() {
    let (wire, _) = machine();
    let mut client = generic::v1::generic_service_client::GenericServiceClient::new(wire);
    let request = DoCommandRequest { name: "thing".to_owned(), command: Some(command()) };
    let answer = client.do_command(request.clone()).await.expect("answer").into_inner();
    assert_eq!(answer.result, Some(command()));
    let unset = client.do_command(DoCommandRequest { command: None, ..request.clone() }).await;
    assert_eq!(unset.expect_err("unset").code(), Code::InvalidArgument);
    let missing = client.do_command(DoCommandRequest { name: "pan".to_owned(), ..request }).await;
    assert_eq!(missing.expect_err("missing").code(), Code::NotFound);
}

#[tokio::test]
async fn a_motor_counts_its_turns() {
    let mut client = MotorServiceClient::new(machine().0);
    let name = || "wheel".to_owned();
    let go = motor::v1::GoForRequest { name: name(), rpm: -30.0, revolutions: 2.5, extra: None };
    client.go_for(go).await.expect("go");
    let ask = motor::v1::GetPositionRequest { name: name(), extra: None };
    let told = client.get_position(ask).await.expect("position").into_inner();
    assert!((told.position + 2.5).abs() < 1e-9, "{told:?}");

    let power = motor::v1::SetPowerRequest { name: name(), power_pct: 0.5, extra: None };
    client.set_power(power).await.expect("power");
    let ask = motor::v1::IsPoweredRequest { name: name(), extra: None };
    assert!(client.is_powered(ask.clone()).await.expect("powered").into_inner().is_on);
    client.stop(motor::v1::StopRequest { name: name(), extra: None }).await.expect("stop");
    assert!(!client.is_powered(ask).await.expect("powered").into_inner().is_on);
}

#[tokio::test]
async fn a_pin_keeps_what_is_written_to_it() {
    let mut client = BoardServiceClient::new(machine().0);
    let (name, pin) = (|| "pi".to_owned(), || "11".to_owned());
    let ask = board::v1::GetGpioRequest { name: name(), pin: pin(), extra: None };
    assert!(!client.get_gpio(ask.clone()).await.expect("low").into_inner().high);
    let set = board::v1::SetGpioRequest { name: name(), pin: pin(), high: true, extra: None };
    client.set_gpio(set).await.expect("set");
    assert!(client.get_gpio(ask).await.expect("high").into_inner().high);
}

#[tokio::test]
async fn two_readings_and_two_pictures_differ() {
    let (wire, _) = machine();
    let mut client = SensorServiceClient::new(wire.clone());
    let ask = || GetReadingsRequest { name: "air".to_owned(), extra: None };
    let one = client.get_readings(ask()).await.expect("readings").into_inner();
    assert_ne!(one, client.get_readings(ask()).await.expect("readings").into_inner());

    let mut client = MovementSensorServiceClient::new(wire.clone());
    let ask = || movementsensor::v1::GetPositionRequest { name: "gps".to_owned(), extra: None };
    let one = client.get_position(ask()).await.expect("position").into_inner();
    assert_ne!(one, client.get_position(ask()).await.expect("position").into_inner());

    let mut client = CameraServiceClient::new(wire);
    let ask = || camera::v1::GetImagesRequest { name: "eye".to_owned(), ..Default::default() };
    let one = client.get_images(ask()).await.expect("images").into_inner().images;
    let other = client.get_images(ask()).await.expect("images").into_inner().images;
    assert!(one[0].image.starts_with(b"\x89PNG\r\n\x1a\n"));
    assert_ne!(one[0].image, other[0].image);
}

#[tokio::test]
async fn a_vision_service_sees_its_classes() {
    let mut client = VisionServiceClient::new(machine().0);
    let ask = |camera: &str, n| vision::GetClassificationsFromCameraRequest {
        name: "seer".to_owned(),
        camera_name: camera.to_owned(),
        n,
        extra: None,
    };
    let all = client.get_classifications_from_camera(ask("", 0)).await.expect("all").into_inner();
    let mut classes: Vec<_> =
        all.classifications.iter().map(|class| class.class_name.as_str()).collect();
    classes.sort_unstable();
    assert_eq!(classes, ["bad", "good"]);
    let one = client.get_classifications_from_camera(ask("eye", 1)).await.expect("one");
    assert_eq!(one.into_inner().classifications.len(), 1);
    let missing = client.get_classifications_from_camera(ask("ear", 1)).await.expect_err("ear");
    assert_eq!(missing.message(), "resource \"rdk:component:camera/ear\" not found");
}

#[tokio::test]
async fn what_is_not_served_is_named() {
    let (wire, _) = machine();
    let unserved = |status: Status, path: &str| {
        assert_eq!(status.code(), Code::Unimplemented);
        assert_eq!(status.message(), format!("the machine \"rover\" does not serve {path}"));
    };
    let mut client = RobotServiceClient::new(wire.clone());
    let status = client.get_pose(robot::GetPoseRequest::default()).await.expect_err("pose");
    unserved(status, "/viam.robot.v1.RobotService/GetPose");
    let path = "/viam.component.arm.v1.ArmService/Stop";
    let request = Request::post(path)
        .header("content-type", "application/grpc")
        .body(Body::empty())
        .expect("request");
    let response = wire.0.call(request).await;
    unserved(Status::from_header_map(response.headers()).expect("status"), path);
}

#[test]
fn paths_of_machines_are_told_from_those_of_the_cloud() {
    for path in [
        "/viam.robot.v1.RobotService/GetVersion",
        "/viam.component.arm.v1.ArmService/Stop",
        "/viam.service.vision.v1.VisionService/GetDetections",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ] {
        assert!(serves(path), "{path}");
    }
    for path in ["/viam.app.v1.AppService/ListRobots", "/viam.app.v1.RobotService/Log", "/", ""] {
        assert!(!serves(path), "{path}");
    }
}
