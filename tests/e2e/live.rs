//! Live machines: calls of their methods, and a shell.

use std::io::Read as _;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::json;
use viam_sandbox::server::FaultRule;
use viam_test::{Outcome, TestEnv};

use crate::support::{LIST_ORGANIZATIONS, Pty, Watch, logged_in};

const SERVO: &str = "viam.component.servo.v1.ServoService";
const ROVER_MAIN: &str = "d43d916a-c077-5fad-9615-956618741961";

/// `part run` with the machine of the documented examples.
fn run_on_my_robot(env: &TestEnv, words: &[&str]) -> Outcome {
    let place = [
        "robots",
        "part",
        "run",
        "--robot",
        "82c608a-1be9-46a5-968d-bad3a8a6daa",
        "--organization",
        "Robot's Org",
        "--location",
        "myLoc",
        "--part",
        "myrobot-main",
    ];
    env.viam(&[&place[..], words].concat()).run()
}

fn position(env: &TestEnv) -> u64 {
    let method = format!("{SERVO}.GetPosition");
    let outcome = run_on_my_robot(env, &["--data", r#"{"name":"myServo"}"#, &method]).ok();
    outcome.json()["positionDeg"].as_u64().expect("position")
}

#[test]
fn the_documented_call_moves_the_servo_and_so_does_every_spelling() {
    let (env, _sandbox) = logged_in("docs");
    let data = r#"{"name":"myServo","angle_deg":75}"#;
    let documented = format!("{SERVO}.MoveRequest");
    let outcome = run_on_my_robot(&env, &["--data", data, &documented]).ok();
    assert_eq!(outcome.out(), "{}\n");
    assert_eq!(position(&env), 75);
    for (angle, words) in [
        (10, vec![format!("{SERVO}.Move")]),
        (20, vec![format!("{SERVO}/Move")]),
        (30, vec![format!("/{SERVO}/Move")]),
        (40, vec!["--method".to_owned(), format!("{SERVO}.Move")]),
    ] {
        let data = json!({ "name": "myServo", "angle_deg": angle }).to_string();
        let mut all = vec!["-d", &data];
        all.extend(words.iter().map(String::as_str));
        run_on_my_robot(&env, &all).ok();
        assert_eq!(position(&env), angle, "{words:?}");
    }
    for (angle, flag) in [(50, "--component"), (60, "-c"), (70, "--service")] {
        let data = json!({ "angleDeg": angle }).to_string();
        run_on_my_robot(&env, &[flag, "myServo", "--method", "Move", "--data", &data]).ok();
        assert_eq!(position(&env), angle, "{flag}");
    }
    let file = env.file(&env.root().join("angle.json"), r#"{"angle_deg": 80}"#, 0o644);
    let from_file = format!("@{}", file.display());
    run_on_my_robot(&env, &["-c", "myServo", "--method", "Move", "--data", &from_file]).ok();
    assert_eq!(position(&env), 80);
    let words = ["robots", "part", "run", "--part", "myrobot-main", "-c", "myServo", "--method"];
    let piped = env.viam(&[&words[..], &["Move", "--data", "-"]].concat());
    piped.stdin(r#"{"angle_deg": 90}"#).run().ok();
    assert_eq!(position(&env), 90);
}

#[test]
fn a_part_is_reached_by_its_id_alone_in_two_dependent_calls() {
    let (env, sandbox) = logged_in("fleet");
    sandbox.server.clear_requests();
    let words = ["machines", "part", "run", "--part", ROVER_MAIN, "-c", "servo1", "--method"];
    let outcome = env.viam(&[&words[..], &["GetPosition"]].concat()).run().ok();
    assert_eq!(outcome.json(), json!({ "positionDeg": 0 }));
    assert_eq!(sandbox.asked("/viam.app.v1.AppService/GetRobotPart"), 1);
    assert_eq!(sandbox.asked(LIST_ORGANIZATIONS), 0);
}

#[test]
fn a18_a_command_that_is_not_wrapped_is_explained() {
    let (env, _sandbox) = logged_in("fleet");
    let run = |data: &str| {
        let words = ["machines", "part", "run", "--part", ROVER_MAIN, "-c", "generic1"];
        env.viam(&[&words[..], &["--method", "DoCommand", "--data", data]].concat()).run()
    };
    let outcome = run(r#"{"command":{"command":"get_position"}}"#).ok();
    assert_eq!(outcome.json(), json!({ "result": { "command": "get_position" } }));
    run(r#"{"get_position":true}"#).code(2).says("command").says(r#"{"get_position":true}"#);
}

#[test]
fn a30_services_are_named_by_service_or_component() {
    let (env, _sandbox) = logged_in("fleet");
    for flag in ["--service", "--component"] {
        let words = ["machine", "part", "run", "--part", ROVER_MAIN, flag, "generic2"];
        let words = [&words[..], &["--method", "DoCommand", "--data", r#"{"command":{"a":1}}"#]];
        let outcome = env.viam(&words.concat()).run().ok();
        assert_eq!(outcome.json(), json!({ "result": { "a": 1 } }), "{outcome}");
        // A whole number is printed as one.
        assert!(outcome.out().contains("\"a\": 1\n"), "{outcome}");
    }
    let words = ["machine", "part", "run", "--part", ROVER_MAIN, "--servce", "x"];
    env.viam(&words).run().code(2).says("--service");
}

#[test]
fn what_the_machine_refuses_is_shown_in_the_documented_form() {
    let (env, _sandbox) = logged_in("docs");
    let method = format!("{SERVO}.Move");
    let outcome = run_on_my_robot(&env, &["--data", r#"{"name":"no"}"#, &method]).code(1);
    assert_eq!(
        outcome.err(),
        format!(
            "{}ERROR:\n  Code: NotFound\n  Message: resource \"rdk:component:servo/no\" not found\n",
            // The notice of a base URL that is not the usual one.
            outcome.err().lines().next().map(|line| format!("{line}\n")).expect("a line"),
        )
    );
    assert_eq!(outcome.out(), "");
    for (words, code, said) in [
        (&["no.Such.Method"][..], 1, "does not expose service \"no.Such\""),
        (&["viam.component.servo.v1.ServoService.Nope"][..], 1, "a method named \"Nope\""),
        (&[][..], 2, "service method required"),
        (&["--component", "myServo"][..], 2, "method is required when using --component"),
        (&["-c", "nobody", "--method", "Move"][..], 1, "component \"nobody\" not found on machine"),
        (&["--data", "{", &method][..], 2, "Error getting request data"),
        (&["--data", "{}{}", &method][..], 2, "more than 1 message"),
        (&["--stream", "0s", &method][..], 2, "stream"),
    ] {
        run_on_my_robot(&env, words).code(code).says(said);
    }
}

#[test]
fn the_methods_of_a_machine_are_listed() {
    let (env, _sandbox) = logged_in("docs");
    let outcome = run_on_my_robot(&env, &["--list"]).ok();
    assert!(outcome.out().contains("rdk:component:servo/myServo\n"), "{outcome}");
    assert!(outcome.out().contains(&format!("\t{SERVO}.Move\n")), "{outcome}");
    let listed = run_on_my_robot(&env, &["--list", "--format", "json"]).ok();
    assert!(listed.out().contains("myServo"), "{listed}");
}

#[test]
fn a_picture_goes_into_a_file() {
    let (env, _sandbox) = logged_in("docs");
    let picture = env.root().join("picture");
    let file = picture.display().to_string();
    let words = ["-c", "cam", "--method", "GetImages", "--output", &file];
    assert_eq!(run_on_my_robot(&env, &words).ok().out(), "");
    let first = std::fs::read(&picture).expect("a picture");
    assert!(first.len() > 100, "{} bytes", first.len());
    run_on_my_robot(&env, &words).ok();
    assert_ne!(std::fs::read(&picture).expect("a picture"), first, "it changes");
    let words = ["-c", "cam", "--method", "GetImages", "--output", "/dev/full"];
    run_on_my_robot(&env, &words).code(1).says("/dev/full");
}

fn streaming(env: &TestEnv, interval: &str) -> Child {
    let data = r#"{"name":"vision","camera_name":"cam","classifier_name":"stuff_detector","n":1}"#;
    let words = [
        "robots",
        "part",
        "run",
        "--robot",
        "82c608a-1be9-46a5",
        "--organization",
        "Robot's Org",
        "--location",
        "myLoc",
        "--part",
        "myrover-main",
        "--stream",
        interval,
        "--data",
        data,
        "viam.service.vision.v1.VisionService.GetClassificationsFromCamera",
    ];
    // Whatever started the tests may have ignored the signal (a shell's background job).
    let mut command = env.program("/usr/bin/env").into_command();
    command.arg("--default-signal=INT").arg(&env.viam).args(words);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts")
}

#[test]
fn the_documented_stream_answers_each_interval_until_it_is_interrupted() {
    let (env, _sandbox) = logged_in("docs");
    let mut child = streaming(&env, "100ms");
    let _watch = Watch::on(&child);
    let mut out = child.stdout.take().expect("stdout");
    let (mut seen, mut buffer) = (String::new(), [0; 4096]);
    while seen.matches("className").count() < 3 {
        let length = out.read(&mut buffer).expect("reads");
        assert!(length > 0, "it ended: {seen}");
        seen.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("interrupts");
    let status = child.wait().expect("ends");
    let ended = std::os::unix::process::ExitStatusExt::signal(&status);
    assert!(ended == Some(2) || status.code() == Some(130), "{status}");
}

#[test]
fn a_stream_whose_reader_goes_away_ends_in_peace() {
    let (env, _sandbox) = logged_in("docs");
    let mut child = streaming(&env, "50ms");
    let _watch = Watch::on(&child);
    let mut out = child.stdout.take().expect("stdout");
    out.read_exact(&mut [0; 1]).expect("something came");
    drop(out);
    let mut said = String::new();
    let status = child.wait().expect("ends");
    child.stderr.take().expect("stderr").read_to_string(&mut said).expect("text");
    assert_eq!(status.code(), Some(0), "{said}");
    assert!(!said.contains("Error"), "{said}");
}

#[test]
fn a_connection_that_breaks_is_made_anew_for_calls_that_only_look() {
    let (env, sandbox) = logged_in("fleet");
    let words = ["robots", "part", "run", "--part", ROVER_MAIN, "--transport", "direct"];
    let run =
        |more: &[&str]| env.viam(&[&words[..], &["-c", "servo1", "--method"], more].concat()).run();
    let servo = |method: &str| format!("/viam.component.servo.v1.ServoService/{method}");
    let cut = |method: &str| {
        let rule = FaultRule { cut: true, times: 1, ..FaultRule::on(servo(method)) };
        sandbox.server.set_faults(vec![rule]);
        sandbox.server.clear_requests();
    };
    cut("GetPosition");
    let outcome = run(&["GetPosition"]).ok().says("connecting again");
    assert!(outcome.json()["positionDeg"].is_number(), "{outcome}");
    assert_eq!(sandbox.asked(&servo("GetPosition")), 2);
    cut("Move");
    run(&["Move", "--data", r#"{"angle_deg":1}"#]).code(1).says("the connection broke");
    assert_eq!(sandbox.asked(&servo("Move")), 1);
}

#[test]
fn a61_an_offline_machine_says_since_when() {
    let (env, _sandbox) = logged_in("fleet");
    let run = |part: &str| {
        let words = ["machines", "part", "run", "--part", part, "-c", "x", "--method", "Move"];
        env.viam(&words).run().code(1)
    };
    run("rover-2-main").says("offline, last seen").says("2h");
    run("sprayer-2-main").says("has never been online");
}

#[test]
fn only_who_may_see_a_machine_reaches_it() {
    let (env, sandbox) = logged_in("fleet");
    let part = env.viam(&["machines", "part", "status", "--part", ROVER_MAIN, "--format", "json"]);
    assert!(part.run().ok().out().contains("rover-1-main"));
    let fqdn = sandbox.server.fqdn(ROVER_MAIN).expect("a port");
    let words = ["part", "run", "--address", &fqdn, "-c", "servo1", "--method", "GetPosition"];
    // An address gets nothing of the session.
    env.viam(&[&["machines"][..], &words].concat()).run().code(4);
    let (id, key) = crate::support::organization_key(&env, "Field Lab");
    let with = ["--key-id", &id, "--key", &key];
    env.viam(&[&["machines"][..], &words, &with].concat()).run().code(1).says("not allowed");
    let (id, key) = crate::support::organization_key(&env, "Acme Robotics");
    let with = ["--key-id", &id, "--key", &key];
    env.viam(&[&["machines"][..], &words, &with].concat()).run().ok();
    // Nobody needs to be logged in for that.
    let other = TestEnv::new();
    other.viam(&[&["machines"][..], &words, &with].concat()).run().ok();
}

#[test]
fn a_configuration_that_changes_is_taken_up() {
    let (env, sandbox) = logged_in("fleet");
    let list = ["robots", "part", "run", "--part", ROVER_MAIN, "--list"];
    env.viam(&list).run().ok().prints("rdk:component:servo/servo1\n");
    let other = json!([{ "name": "other", "api": "rdk:component:servo", "model": "fake" }]);
    sandbox.server.configure(ROVER_MAIN, &json!({ "components": other })).expect("configured");
    let outcome = env.viam(&list).run().ok().prints("rdk:component:servo/other\n");
    assert!(!outcome.out().contains("servo1"), "{outcome}");
}

/// A shell of the machine on a pty of the size 100x30.
fn shell(env: &TestEnv) -> Pty {
    // The first line has the size, which a test may change.
    let script = format!(
        "stty -a | tail -n +2 > before; viam robots part shell --part {ROVER_MAIN}; echo code $?; \
         stty -a | tail -n +2 > after; cmp before after && echo restored"
    );
    Pty::run(env, &script)
}

#[test]
fn a51_a_shell_is_used_and_the_terminal_is_as_before() {
    let (env, _sandbox) = logged_in("fleet");
    let mut pty = shell(&env);
    pty.wait_for("valid shell type service");
    pty.type_in("stty size\r");
    pty.wait_for("30 100");
    pty.type_in("printf 'x%sy\\n' '\u{e9}\u{20ac}\u{1f980}'\r");
    pty.wait_for("x\u{e9}\u{20ac}\u{1f980}y");
    pty.pty.resize(pty_process::Size::new(40, 120)).expect("size");
    // The size travels on its own; the question is asked until it has arrived.
    pty.type_in("until [ \"$(stty size)\" = '40 120' ]; do sleep 0.05; done; echo re''sized\r");
    pty.wait_for("resized");
    pty.type_in("echo be''gun; sleep 100\r");
    pty.wait_for("begun");
    pty.type_in("\x03");
    pty.wait_for("$ ");
    pty.type_in("echo still''here\r");
    pty.wait_for("stillhere");
    pty.type_in("exit\r");
    pty.wait_for("code 0");
    pty.wait_for("restored");
    pty.end();
}

#[test]
fn a_shell_prints_ten_megabytes() {
    let (env, _sandbox) = logged_in("fleet");
    let mut pty = shell(&env);
    pty.wait_for("valid shell type service");
    pty.type_in("head -c 10000000 /dev/zero | tr '\\0' a; echo; echo the''end\r");
    pty.wait_for("theend");
    pty.type_in("exit\r");
    pty.wait_for("restored");
    pty.end();
}

#[test]
fn the_terminal_is_as_before_when_the_server_goes_away_or_the_user_escapes() {
    let (env, sandbox) = logged_in("fleet");
    let mut pty = shell(&env);
    pty.wait_for("valid shell type service");
    pty.type_in("echo re''ady\r");
    pty.wait_for("ready");
    pty.type_in("\r~.");
    pty.wait_for("code 130");
    pty.wait_for("restored");
    pty.end();
    let mut pty = shell(&env);
    pty.wait_for("valid shell type service");
    pty.type_in("echo re''ady\r");
    pty.wait_for("ready");
    sandbox.server.stop();
    pty.wait_for("code 1");
    pty.wait_for("restored");
    pty.end();
}

#[test]
fn commands_may_be_piped_into_a_shell() {
    let (env, _sandbox) = logged_in("fleet");
    let words = ["robots", "part", "shell", "--part", ROVER_MAIN];
    let outcome = env.viam(&words).stdin("echo a$((1+1))b\nexit\n").run().ok();
    assert!(outcome.out().contains("a2b"), "{outcome}");
    // Without `exit`, the end of the input ends the shell.
    let outcome = env.viam(&words).stdin("echo a$((1+1))b\n").run().ok();
    assert!(outcome.out().contains("a2b"), "{outcome}");
    let words = ["robots", "part", "shell", "--part", "weather-station-main"];
    env.viam(&words).run().code(1).says("shell service is not enabled on this machine part");
}

const PYTHON_CLIENT: &str = r#"
import asyncio, sys
from viam.components.servo import Servo
from viam.components.sensor import Sensor
from viam.robot.client import RobotClient
from viam.rpc.dial import DialOptions

async def main(address, key_id, key):
    options = DialOptions.with_api_key(api_key=key, api_key_id=key_id)
    options.insecure = True
    machine = await RobotClient.at_address(address, RobotClient.Options(dial_options=options, refresh_interval=0))
    print("resources", sorted(name.name for name in machine.resource_names))
    servo = Servo.from_robot(machine, "servo1")
    await servo.move(42)
    print("position", await servo.get_position())
    print("readings", sorted((await Sensor.from_robot(machine, "sensor1").get_readings()).keys()))
    await machine.close()

asyncio.run(asyncio.wait_for(main(*sys.argv[1:]), 20))
"#;

#[test]
fn the_python_sdk_is_a_client_of_the_live_machine() {
    let Some(python) = viam_test::peer("VIAM_TEST_PYTHON", "the PyPI package viam-sdk") else {
        return;
    };
    let (env, sandbox) = logged_in("fleet");
    let (id, key) = crate::support::organization_key(&env, "Acme Robotics");
    let fqdn = sandbox.server.fqdn(ROVER_MAIN).expect("a port");
    // About one of a hundred of its connections never opens. By its log it gets an SCTP handshake
    // that both ends have begun to its end and does not notice. It is given another try.
    let run = || env.program(&python).args(&["-c", PYTHON_CLIENT, &fqdn, &id, &key]).run();
    let outcome = std::iter::repeat_with(run).take(3).find(|outcome| outcome.code == 0);
    let outcome = outcome.expect("one of three");
    assert!(outcome.out().contains("position 42"), "{outcome}");
    // It came by WebRTC.
    assert!(sandbox.asked("/proto.rpc.webrtc.v1.SignalingService/Call") >= 1);
    assert!(outcome.out().contains("'servo1'"), "{outcome}");
    let words = ["machines", "part", "run", "--part", ROVER_MAIN, "-c", "servo1", "--method"];
    let outcome = env.viam(&[&words[..], &["GetPosition"]].concat()).run().ok();
    assert_eq!(outcome.json()["positionDeg"], 42);
}

const PYTHON_MACHINE: &str = r#"
import asyncio, sys
from viam.components.servo import Servo
from viam.components.sensor import Sensor
from viam.rpc.server import Server

class MyServo(Servo):
    angle = 0
    async def move(self, angle, *, extra=None, timeout=None, **kwargs):
        self.angle = angle
    async def get_position(self, *, extra=None, timeout=None, **kwargs):
        return self.angle
    async def stop(self, *, extra=None, timeout=None, **kwargs):
        pass
    async def is_moving(self):
        return False

class MySensor(Sensor):
    async def get_readings(self, *, extra=None, timeout=None, **kwargs):
        return {"temperature": 21.5, "count": 3}

async def main(port):
    server = Server([MyServo("s"), MySensor("t")])
    await server.serve("127.0.0.1", int(port), log_level=None)

asyncio.run(main(sys.argv[1]))
"#;

#[test]
fn the_python_sdk_is_a_machine() {
    let Some(python) = viam_test::peer("VIAM_TEST_PYTHON", "the PyPI package viam-sdk") else {
        return;
    };
    let env = TestEnv::new();
    let address = crate::support::nobody().replace("http://", "");
    let port = address.rsplit(':').next().expect("port").to_owned();
    let mut child = env.program(python).args(&["-c", PYTHON_MACHINE, &port]).spawn();
    let _watch = Watch::on(&child);
    for _ in 0..300 {
        if std::net::TcpStream::connect(&address).is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let run = |words: &[&str]| {
        let all = ["machines", "part", "run", "--address", &address];
        env.viam(&[&all[..], words].concat()).run()
    };
    let moved = run(&["-c", "s", "--method", "Move", "--data", r#"{"angle_deg": 33}"#]);
    let position = run(&["-c", "s", "--method", "GetPosition"]);
    let readings = run(&["-c", "t", "--method", "GetReadings"]);
    // The machine is to be gone whatever is found.
    child.kill().expect("killed");
    child.wait().expect("ended");
    moved.ok();
    assert_eq!(position.ok().json()["positionDeg"], 33);
    let expected = json!({ "readings": { "temperature": 21.5, "count": 3.0 } });
    let shown = readings.ok().json();
    assert_eq!(shown["readings"]["temperature"], expected["readings"]["temperature"]);
    assert_eq!(shown["readings"]["count"].as_f64(), Some(3.0));
}
