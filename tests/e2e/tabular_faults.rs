//! Exports of readings that are cut short, refused, filled up; and how much memory they take.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tonic::codegen::BoxStream;
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status};
use viam_proto::app::data::v1 as pb;
use viam_proto::app::data::v1::data_service_server::{DataService, DataServiceServer};
use viam_sandbox::server::{FaultRule, FaultStatus};
use viam_test::{TestEnv, full};

use crate::export::files;
use crate::support::{Pty, Watch};
use crate::tabular::{BY_FILTER, READINGS, STREAM, export, lines, out, readings};

/// Breaks the connection after so many bytes; 5,000 rows have more than a million and a half.
fn cut(times: u32, at: u64) -> FaultRule {
    FaultRule { times, cut_at: Some(at), ..FaultRule::on(STREAM) }
}

fn status(path: &str, times: u32, code: i32) -> FaultRule {
    let status = Some(FaultStatus { code, message: "as asked for".to_owned() });
    FaultRule { times, status, ..FaultRule::on(path) }
}

#[test]
fn a55_a_stream_that_breaks_is_tried_again_from_the_start() {
    let (env, sandbox) = readings(5000);
    sandbox.server.set_faults(vec![cut(1, 900_000), status(STREAM, 1, 14), cut(1, 0)]);
    let outcome = export(&env, &[]).ok();
    // A dot for each attempt.
    assert_eq!(outcome.out(), "Downloading......\n");
    let rows = lines(&out(&env).join("data.ndjson"));
    assert_eq!(rows.len(), 5000);
    assert_eq!(rows[4999]["payload"]["readings"]["count"], 4999);
    assert_eq!(sandbox.asked(STREAM), 4);
}

#[test]
fn a55_a_stream_that_breaks_every_time_leaves_nothing() {
    let (env, sandbox) = readings(5000);
    for format in ["ndjson", "csv", "parquet"] {
        sandbox.server.set_faults(vec![cut(100, 900_000)]);
        sandbox.server.clear_requests();
        let outcome = export(&env, &["--file-format", format]).code(1);
        let outcome = outcome.says("error receiving tabular data");
        assert_eq!(outcome.out(), "Downloading.......\n");
        assert_eq!(sandbox.asked(STREAM), 5);
        assert!(files(&out(&env)).is_empty(), "{:?}", files(&out(&env)));
    }
    // An export that was there before stays as it was.
    sandbox.server.set_faults(Vec::new());
    export(&env, &[]).ok();
    sandbox.server.set_faults(vec![cut(100, 1_200_000)]);
    export(&env, &[]).code(1);
    assert_eq!(lines(&out(&env).join("data.ndjson")).len(), 5000);
    // What no time heals is not tried again.
    sandbox.server.clear_requests();
    sandbox.server.set_faults(vec![status(STREAM, 100, 3)]);
    export(&env, &[]).code(1).says("failed to export tabular data").says("as asked for");
    assert_eq!(sandbox.asked(STREAM), 1);
}

#[test]
fn a55_pages_that_break_leave_nothing() {
    let (env, sandbox) = readings(500);
    let line = ["data", "export", "--destination=out", "--data-type=tabular"];
    // The third page.
    let rule = |times, code| FaultRule { every: Some(3), ..status(BY_FILTER, times, code) };
    sandbox.server.set_faults(vec![rule(1, 14)]);
    env.viam(&line).run().ok();
    assert_eq!(lines(&out(&env).join("data/data.ndjson")).len(), 500);
    fs::remove_dir_all(out(&env)).expect("removed");
    sandbox.server.set_faults(vec![rule(1, 9)]);
    env.viam(&line).run().code(1).says("failed to export tabular data").says("as asked for");
    assert!(files(&out(&env)).is_empty(), "{:?}", files(&out(&env)));
}

/// A service whose streams end in a status after so many rows.
struct Breaks {
    rows: usize,
    code: Code,
    asked: Arc<AtomicUsize>,
}

#[tonic::async_trait]
impl DataService for Breaks {
    async fn export_tabular_data(
        &self,
        _: Request<pb::ExportTabularDataRequest>,
    ) -> Result<Response<BoxStream<pb::ExportTabularDataResponse>>, Status> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let row = pb::ExportTabularDataResponse { part_id: "p".into(), ..Default::default() };
        let rows = vec![Ok(row); self.rows].into_iter();
        let rows = rows.chain([Err(Status::new(self.code, "broken half-way"))]);
        Ok(Response::new(Box::pin(tokio_stream::iter(rows))))
    }
}

fn breaking(code: Code) -> (String, Arc<AtomicUsize>) {
    let asked = Arc::<AtomicUsize>::default();
    let service = Breaks { rows: 1000, code, asked: Arc::clone(&asked) };
    let routes = Routes::new(DataServiceServer::new(service));
    let (sender, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        crate::export::runtime().block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bound");
            sender.send(listener.local_addr().expect("address").to_string()).expect("sent");
            axum::serve(listener, routes.prepare().into_axum_router()).await.expect("served");
        });
    });
    (format!("http://{}", address.recv().expect("an address")), asked)
}

#[test]
fn a55_two_hundred_broken_streams_are_two_hundred_failures() {
    let rounds = if full() { 200 } else { 10 };
    for (code, attempts, at_once) in [(Code::Internal, 1, 1), (Code::Unavailable, 5, 10)] {
        let (address, asked) = breaking(code);
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..at_once {
                scope.spawn(|| {
                    while next.fetch_add(1, Ordering::Relaxed) < rounds {
                        let env = TestEnv::new();
                        env.store_login(&address, "token");
                        let outcome = export(&env, &[]).code(1).says("broken half-way");
                        assert_eq!(outcome.err().matches("Error:").count(), 1, "{outcome}");
                        assert!(files(&out(&env)).is_empty(), "{outcome}");
                    }
                });
            }
        });
        assert_eq!(asked.load(Ordering::Relaxed), rounds * attempts);
    }
}

#[test]
fn b55_a_full_disk_ends_an_export_of_readings() {
    if !rustix::process::getuid().is_root() {
        println!("SKIPPED 1: only root may mount a small file system");
        return;
    }
    let (env, sandbox) = readings(20_000);
    let program = env.viam.display().to_string();
    let words = READINGS.join(" ");
    let script = format!(
        "mkdir full; mount -t tmpfs -o size=1m tmpfs full || exit 77; \
         for format in ndjson csv parquet; do \
         \"$1\" {words} --destination full --file-format $format; echo rc $?; done; \
         \"$1\" data export --data-type tabular --destination full; echo rc $?; \
         find full -type f"
    );
    // Parquet is so small that it fits, unless there is less room.
    let script = script.replace("for format", "head -c 900000 /dev/zero > full/there; for format");
    let words = ["-m", "/bin/bash", "-c", &script, "x", &program];
    let outcome = env.program("/usr/bin/unshare").args(&words).run();
    if outcome.code == 77 || outcome.err().contains("unshare failed") {
        println!("SKIPPED 1: no small file system can be mounted here");
        return;
    }
    let outcome = outcome.says("cannot write to").says("/full").says("No space left on device");
    let said = outcome.out();
    let codes: Vec<&str> = said.lines().filter(|line| line.starts_with("rc ")).collect();
    assert_eq!(codes, ["rc 1"; 4], "{outcome}");
    let left: Vec<&str> = said.lines().filter(|line| line.starts_with("full/")).collect();
    assert_eq!(left, ["full/there"], "{outcome}");
    // It was not tried again.
    assert_eq!(sandbox.asked(STREAM), 3, "{outcome}");
}

#[test]
fn memory_does_not_grow_with_the_rows() {
    let count = if full() { 5_000_000 } else { 50_000 };
    let (env, _sandbox) = readings(count);
    for format in ["ndjson", "parquet"] {
        let words = ["-q", "--destination", "out", "--file-format", format];
        let mut child = env.viam(&[&READINGS[..], &words].concat()).spawn();
        let _watch = (!full()).then(|| Watch::on(&child));
        let status = format!("/proc/{}/status", child.id());
        let mut peak = 0;
        let ended = loop {
            let status = fs::read_to_string(&status).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let line = line.map(|line| line.trim_end_matches("kB").trim().parse::<usize>());
            peak = line.map_or(peak, |line| line.expect("a number"));
            match child.try_wait().expect("waited") {
                Some(ended) => break ended,
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        assert!(ended.success());
        println!("{count} rows, {format}: {peak} kB");
        assert!(peak > 0 && peak < 64 << 10, "{peak} kB");
    }
    let newlines = fs::read(out(&env).join("data.ndjson")).expect("read");
    assert_eq!(newlines.iter().filter(|byte| **byte == b'\n').count(), count);
}

#[test]
fn a_terminal_sees_how_many_rows_there_are() {
    let (env, sandbox) = readings(3000);
    let slow = FaultRule { bytes_per_second: Some(1 << 20), ..FaultRule::on(STREAM) };
    sandbox.server.set_faults(vec![slow]);
    let words = READINGS.join(" ");
    let script = format!(
        "cd work; viam {words} --destination out; echo code $?; \
         viam -q {words} --destination out; echo quiet code $?"
    );
    let mut pty = Pty::run(&env, &script);
    let shown = pty.wait_for("code 0");
    assert!(shown.contains(" rows, "), "{shown}");
    assert!(shown.contains("Downloading...\r\n"), "{shown}");
    let quiet = pty.wait_for("quiet code 0");
    assert!(!quiet.contains(" rows"), "{quiet}");
    pty.end();
}
