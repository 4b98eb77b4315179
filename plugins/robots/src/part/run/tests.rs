//! A call from end to end, to services in the same process.

mod world;

use futures_util::{StreamExt as _, stream};
use prost_types::{
    FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto, ServiceDescriptorProto,
};
use tonic::{Code, Request, Response, Status};
use viam_contract::Wire;
use viam_proto::common::v1::ResourceName;
use viam_proto::component::servo::v1::servo_service_server::{ServoService, ServoServiceServer};
use viam_proto::component::servo::v1::{
    GetPositionRequest, GetPositionResponse, MoveRequest, MoveResponse,
};
use viam_proto::service::shell::v1::shell_service_server::{ShellService, ShellServiceServer};
use viam_proto::service::shell::v1::{ShellRequest, ShellResponse};

use self::world::{World, wire};
use super::poll::Polled as _;
use super::*;

/// A servo that may move only to 90 degrees.
struct Servo;

#[tonic::async_trait]
impl ServoService for Servo {
    async fn r#move(&self, call: Request<MoveRequest>) -> Result<Response<MoveResponse>, Status> {
        match call.get_ref() {
            MoveRequest { angle_deg: 90, name, .. } if name == "s" => {
                Ok(Response::new(MoveResponse {}))
            }
            _ => Err(Status::failed_precondition("50% done")),
        }
    }

    async fn get_position(
        &self,
        _: Request<GetPositionRequest>,
    ) -> Result<Response<GetPositionResponse>, Status> {
        Ok(Response::new(GetPositionResponse { position_deg: 90 }))
    }
}

/// A shell that says what it hears.
struct Echo;

#[tonic::async_trait]
impl ShellService for Echo {
    async fn shell(
        &self,
        call: Request<tonic::Streaming<ShellRequest>>,
    ) -> Result<Response<tonic::codegen::BoxStream<ShellResponse>>, Status> {
        let answers = call.into_inner().map(|request| {
            let data_out = request?.data_in;
            Ok(ShellResponse { data_out, ..Default::default() })
        });
        let broken = stream::once(async { Err(Status::data_loss("no more")) });
        Ok(Response::new(Box::pin(answers.chain(broken))))
    }
}

fn servo() -> Wire {
    wire(ServoServiceServer::new(Servo))
}

fn machine(wire: Wire) -> Machine {
    let resource = ResourceName {
        namespace: "rdk".to_owned(),
        r#type: "component".to_owned(),
        subtype: "servo".to_owned(),
        name: "s".to_owned(),
    };
    let mut machine = Machine::at(wire);
    machine.resources = vec![resource];
    machine
}

/// Calls it once, and says what was printed.
async fn called(
    world: &World,
    machine: Machine,
    name: &str,
    component: Option<&str>,
    data: &str,
) -> Result<()> {
    let pieces = json::split(data)?;
    let prepared = prepare(&world.cx, &machine, name, component, &pieces).await;
    let (method, requests) = prepared.map_err(|failure| failure.report(&world.cx, "x"))?;
    let mut run = Run {
        cx: &world.cx,
        which: &WhichArgs::default(),
        machine,
        method,
        requests,
        output: None,
        timeout: Some(Duration::from_secs(60)),
    };
    run.once().await.map_err(|failure| failure.report(&world.cx, "x"))
}

#[tokio::test(flavor = "current_thread")]
async fn a_short_name_and_one_in_full_call_the_same() {
    for (name, component, data) in [
        ("Move", Some("s"), r#"{"angleDeg": 90}"#),
        ("viam.component.servo.v1.ServoService/Move", None, r#"{"angle_deg": 90, "name": "s"}"#),
        ("viam.component.servo.v1.ServoService.MoveRequest", Some("s"), r#"{"angleDeg": 90}"#),
    ] {
        let world = World::new(Format::Text);
        called(&world, machine(servo()), name, component, data).await.expect(name);
        assert_eq!((world.stdout.text(), world.stderr.text()), ("{}\n".into(), String::new()));
    }
}

#[tokio::test(flavor = "current_thread")]
async fn answers_are_indented_or_lines() {
    for (format, shown) in
        [(Format::Text, "{\n  \"positionDeg\": 90\n}\n"), (Format::Json, "{\"positionDeg\":90}\n")]
    {
        let world = World::new(format);
        called(&world, machine(servo()), "GetPosition", Some("s"), "").await.expect("position");
        assert_eq!(world.stdout.text(), shown);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn the_status_of_the_machine_is_all_that_is_said() {
    let world = World::new(Format::Text);
    let error = called(&world, machine(servo()), "Move", Some("s"), "").await.expect_err("status");
    assert_eq!(error.kind(), Kind::Child(viam_contract::Exit::Code(1)));
    assert_eq!(world.stderr.text(), "ERROR:\n  Code: FailedPrecondition\n  Message: 50% done\n");
    assert_eq!(world.stdout.text(), "");
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_not_there_is_named() {
    let world = World::new(Format::Text);
    let refused = |name: &'static str| called(&world, machine(servo()), name, None, "");
    let error = refused("no.Such.Method").await.expect_err("service");
    assert_eq!(error.message(), "Target server does not expose service \"no.Such\"");
    let error = refused("viam.component.serv.v1.ServoService/Move").await.expect_err("service");
    let hints = format!("{:?}", error.hints());
    assert!(hints.contains("did you mean viam.component.servo.v1.ServoService?"), "{hints}");
    let error = refused("viam.component.servo.v1.ServoService/Nope").await.expect_err("method");
    assert_eq!(error.kind(), Kind::User);
}

#[tokio::test(flavor = "current_thread")]
async fn streamed_answers_are_printed_as_they_come() {
    let world = World::new(Format::Json);
    let shell = machine(wire(ShellServiceServer::new(Echo)));
    let data = r#"{"dataIn": "a"} {"dataIn": "b"}"#;
    let name = "viam.service.shell.v1.ShellService.Shell";
    let error = called(&world, shell, name, None, data).await.expect_err("broken");
    assert_eq!(error.kind(), Kind::Child(viam_contract::Exit::Code(1)));
    let out = world.stdout.text();
    let said: Vec<_> = out.lines().filter(|line| line.contains("\"dataOut\":")).collect();
    assert!(said.len() == 2 && said[0].contains("\"a\"") && said[1].contains("\"b\""), "{out}");
    assert!(world.stderr.text().contains("Code: DataLoss"));
}

/// A service that is not built in, with an import that the machine does not give.
fn odd() -> FileDescriptorSet {
    let method = MethodDescriptorProto {
        name: Some("Do".to_owned()),
        input_type: Some(".google.protobuf.Struct".to_owned()),
        output_type: Some(".google.protobuf.Struct".to_owned()),
        ..Default::default()
    };
    let service = ServiceDescriptorProto {
        name: Some("Odd".to_owned()),
        method: vec![method],
        ..Default::default()
    };
    let file = FileDescriptorProto {
        name: Some("odd.proto".to_owned()),
        package: Some("test".to_owned()),
        dependency: vec!["google/protobuf/struct.proto".to_owned()],
        service: vec![service],
        syntax: Some("proto3".to_owned()),
        ..Default::default()
    };
    FileDescriptorSet { file: vec![file] }
}

#[tokio::test(flavor = "current_thread")]
async fn the_machine_says_what_its_services_are() {
    let reflection =
        || tonic_reflection::server::Builder::configure().register_file_descriptor_set(odd());
    for wire in [
        wire(reflection().build_v1().expect("reflection")),
        wire(reflection().build_v1alpha().expect("reflection")),
    ] {
        let mut schema = Schema::new(&wire);
        let service = schema.service("test.Odd").await.expect("reflected");
        assert_eq!(method::pick(&service, "Do").expect("method").name(), "Do");
        let pool = service.parent_pool();
        assert!(pool.get_message_by_name("google.protobuf.BoolValue").is_some());
        // What the machine does not know may be built in.
        let built_in = schema.find("viam.component.servo.v1.ServoService").await.expect("asked");
        assert!(built_in.is_some());
        let Err(Failure::Error(error)) = schema.service("test.Odb").await else {
            panic!("no such service")
        };
        assert!(format!("{:?}", error.hints()).contains("did you mean test.Odd?"));
    }
    assert!(Schema::new(&servo()).find("test.Odd").await.expect("asked").is_none());
}

#[tokio::test(flavor = "current_thread")]
async fn reflection_follows_imports() {
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(viam_proto::DESCRIPTORS)
        .build_v1()
        .expect("reflection");
    let mut schema = Schema::new(&wire(reflection));
    let name = "viam.component.movementsensor.v1.MovementSensorService";
    assert!(schema.service(name).await.expect("reflected").methods().count() > 3);
}

#[tokio::test(flavor = "current_thread")]
async fn the_list_names_methods_in_full() {
    let world = World::new(Format::Text);
    list::list(&world.cx, &machine(servo())).await.expect("list");
    let out = world.stdout.text();
    assert!(out.starts_with("rdk:component:servo/s\n\tviam.component.servo.v1.ServoService."));
    assert!(out.contains("\tviam.component.servo.v1.ServoService.Move\n"), "{out}");
}

#[tokio::test(flavor = "current_thread")]
async fn polling_connects_again_once() {
    /// Counts.
    struct Flaky {
        calls: usize,
        connects: usize,
        retry: bool,
    }
    impl poll::Polled for Flaky {
        async fn once(&mut self) -> Result<(), Failure> {
            self.calls += 1;
            match self.calls {
                1 | 3 => Ok(()),
                _ => Err(Status::unavailable("gone").into()),
            }
        }
        async fn connect(&mut self) -> Result<()> {
            self.connects += 1;
            Ok(())
        }
        fn may_retry(&self) -> bool {
            self.retry
        }
    }
    for (retry, calls, connects) in [(true, 5, 2), (false, 2, 0)] {
        let world = World::new(Format::Text);
        let mut flaky = Flaky { calls: 0, connects: 0, retry };
        let failure = poll::poll(&world.cx, Duration::from_millis(1), &mut flaky).await;
        assert!(matches!(failure, Failure::Status(status) if status.code() == Code::Unavailable));
        assert_eq!((flaky.calls, flaky.connects), (calls, connects));
    }
}
