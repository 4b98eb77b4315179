//! Copies that are cut short, refused, filled up, interrupted; and what a terminal sees of them.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio_stream::StreamExt as _;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming};
use viam_proto::service::shell::v1 as pb;
use viam_proto::service::shell::v1::copy_files_from_machine_response::Response as Answer;
use viam_proto::service::shell::v1::shell_service_server::ShellService;
use viam_sandbox::server::{FaultRule, FaultStatus};
use viam_test::TestEnv;

use crate::files::{ROVER_MAIN, cp, home, served, work, write};
use crate::support::{Pty, TOKEN, Watch, logged_in};

const TO_MACHINE: &str = "/viam.service.shell.v1.ShellService/CopyFilesToMachine";
const RESOURCES: &str = "/viam.robot.v1.RobotService/ResourceNames";

fn refused(path: &str, times: u32) -> FaultRule {
    let status = FaultStatus { code: 16, message: "the token has ended".to_owned() };
    FaultRule { times, status: Some(status), ..FaultRule::on(path) }
}

#[test]
fn b45_a_token_that_ends_is_renewed_once_or_the_copy_is_over() {
    let (env, sandbox) = logged_in("fleet");
    let home = home(&env);
    for number in 0..3 {
        write(&work(&env).join(format!("src/{number}")), "x", 0o644);
    }
    sandbox.server.set_faults(vec![refused(TO_MACHINE, 1), refused(RESOURCES, 1)]);
    cp(&env, &["--transport", "direct", "-r", "src", "machine:~"]).ok();
    assert_eq!(fs::read_dir(home.join("src")).expect("there").count(), 3);
    // No other token is better.
    let again = ["--transport", "direct", "-r", "src", "machine:again"];
    sandbox.server.clear_requests();
    sandbox.server.set_faults(vec![refused(TO_MACHINE, 100)]);
    let outcome = cp(&env, &again).code(4).says("viam login");
    assert_eq!(outcome.err().matches("Error: ").count(), 1, "{outcome}");
    assert!(sandbox.asked(TO_MACHINE) <= 2, "{outcome}");
    // And none is to be had.
    sandbox.server.clear_requests();
    let gone = FaultRule {
        oauth_error: Some("invalid_grant".to_owned()),
        times: 100,
        ..FaultRule::on(TOKEN)
    };
    sandbox.server.set_faults(vec![refused(TO_MACHINE, 1), refused(RESOURCES, 100), gone]);
    let outcome = cp(&env, &again).code(4).says("viam login");
    assert_eq!(outcome.err().matches("Error: ").count(), 1, "{outcome}");
}

/// A shell service whose first copies are cut short, each in another way.
#[derive(Default)]
struct CutShort(AtomicUsize);

#[tonic::async_trait]
impl ShellService for CutShort {
    async fn copy_files_from_machine(
        &self,
        request: Request<Streaming<pb::CopyFilesFromMachineRequest>>,
    ) -> Result<Response<BoxStream<pb::CopyFilesFromMachineResponse>>, Status> {
        let metadata = pb::CopyFilesFromMachineResponseMetadata { source_type: 1 };
        let data = |name: &str, length: usize, eof| {
            Answer::FileData(pb::FileData {
                name: name.to_owned(),
                size: 100,
                data: vec![b'x'; length].into(),
                mode: Some(0o644),
                eof,
                ..pb::FileData::default()
            })
        };
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let answers = match number {
            // It says that this was all; it ends; it sends more than it said; at last it is whole.
            0 => vec![data("x", 60, false), data("", 0, true)],
            1 => vec![data("x", 60, false)],
            2 => vec![data("x", 60, false), data("", 60, false), data("", 0, true)],
            _ => vec![data("x", 60, false), data("", 40, false), data("", 0, true)],
        };
        let answers = [Answer::Metadata(metadata)].into_iter().chain(answers);
        let answers: Vec<_> = answers
            .map(|answer| Ok(pb::CopyFilesFromMachineResponse { response: Some(answer) }))
            .collect();
        if number == 1 {
            return Ok(Response::new(Box::pin(tokio_stream::iter(answers))));
        }
        let rest = request.into_inner().take(1).filter_map(|_| None);
        Ok(Response::new(Box::pin(tokio_stream::iter(answers).chain(rest))))
    }
}

#[test]
fn b52_a_file_that_is_cut_short_is_not_taken_for_whole() {
    let env = TestEnv::new();
    let address = served(CutShort::default());
    let words = ["robots", "part", "cp", "--address", &address, "machine:x", "."];
    let outcome = env.viam(&words).run().ok();
    outcome
        .says("attempt 1 failed")
        .says("with 60 bytes instead of 100")
        .says("attempt 2 failed")
        .says("in the middle of \"x\"")
        .says("attempt 3 failed")
        .says("with 120 bytes instead of 100");
    assert_eq!(fs::read(work(&env).join("x")).expect("there"), [b'x'; 100]);
    assert_eq!(fs::read_dir(work(&env)).expect("read").count(), 1);
}

/// A shell service that stops in the middle of a file.
struct Stalls;

#[tonic::async_trait]
impl ShellService for Stalls {
    async fn copy_files_from_machine(
        &self,
        _: Request<Streaming<pb::CopyFilesFromMachineRequest>>,
    ) -> Result<Response<BoxStream<pb::CopyFilesFromMachineResponse>>, Status> {
        let metadata = pb::CopyFilesFromMachineResponseMetadata { source_type: 1 };
        let file = pb::FileData {
            name: "x".to_owned(),
            size: 100,
            data: b"half"[..].into(),
            ..pb::FileData::default()
        };
        let answers = [Answer::Metadata(metadata), Answer::FileData(file)]
            .map(|answer| Ok(pb::CopyFilesFromMachineResponse { response: Some(answer) }));
        Ok(Response::new(Box::pin(tokio_stream::iter(answers).chain(tokio_stream::pending()))))
    }
}

#[test]
fn b56_a_copy_that_stalls_is_interrupted_at_once_and_leaves_nothing() {
    let env = TestEnv::new();
    let address = served(Stalls);
    let program = env.viam.display().to_string();
    // Whatever started the tests may have ignored the signal.
    let words = ["--default-signal=INT", &program, "robots", "part", "cp", "--address", &address];
    let words = [&words[..], &["machine:x", "."]].concat();
    let mut child = env.program("/usr/bin/env").args(&words).spawn();
    let _watch = Watch::on(&child);
    let until = Instant::now() + Duration::from_secs(30);
    while fs::read_dir(work(&env)).expect("read").count() == 0 {
        assert!(Instant::now() < until, "it does not begin");
        std::thread::sleep(Duration::from_millis(10));
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("interrupted");
    assert_eq!(child.wait().expect("ends").signal(), Some(2));
    assert_eq!(fs::read_dir(work(&env)).expect("read").count(), 0);
}

#[test]
fn b55_a_full_disk_is_named_and_nothing_half_is_left() {
    if !rustix::process::getuid().is_root() {
        println!("SKIPPED 1: only root may mount a small file system");
        return;
    }
    let (env, _sandbox) = logged_in("fleet");
    let home = home(&env);
    write(&home.join("src/small"), "small", 0o644);
    write(&home.join("src/x large"), vec![b'x'; 3 << 20], 0o644);
    let script = format!(
        "mkdir full; mount -t tmpfs -o size=1m tmpfs full || exit 77; \
         \"$1\" machines part cp --part {ROVER_MAIN} -r machine:~/src full; echo rc $?; \
         find full -type f"
    );
    let program = env.viam.display().to_string();
    let words = ["-m", "/bin/bash", "-c", &script, "x", &program];
    let outcome = env.program("/usr/bin/unshare").args(&words).run();
    if outcome.code == 77 || outcome.err().contains("unshare failed") {
        println!("SKIPPED 1: no small file system can be mounted here");
        return;
    }
    let outcome = outcome.says("full/src/x large").says("No space left on device");
    assert!(!outcome.err().contains("attempt"), "{outcome}");
    let out = outcome.out();
    let mut lines = out.lines();
    assert_eq!(lines.next(), Some("rc 1"), "{outcome}");
    assert!(lines.all(|line| line == "full/src/small"), "{outcome}");
}

#[test]
fn a_terminal_sees_how_far_a_copy_is_and_then_nothing_of_it() {
    let (env, _sandbox) = logged_in("fleet");
    write(&env.root().join("large"), vec![b'x'; 64 << 20], 0o644);
    let script = format!(
        "viam machines part cp --part {ROVER_MAIN} large machine:~; echo code $?; \
         viam -q machines part cp --part {ROVER_MAIN} large machine:~; echo quiet code $?"
    );
    let mut pty = Pty::run(&env, &script);
    pty.wait_for("64.00 MiB");
    pty.wait_for("code 0");
    let quiet = pty.wait_for("quiet code 0");
    assert!(!quiet.contains("MiB"), "{quiet}");
    pty.end();
}
