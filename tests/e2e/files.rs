//! Files to and from live machines.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::BoxStream;
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};
use viam_proto::common::v1::ResourceName;
use viam_proto::robot::v1 as robot;
use viam_proto::robot::v1::robot_service_server::{RobotService, RobotServiceServer};
use viam_proto::service::shell::v1 as pb;
use viam_proto::service::shell::v1::copy_files_from_machine_response::Response as Answer;
use viam_proto::service::shell::v1::shell_service_server::{ShellService, ShellServiceServer};
use viam_test::{Outcome, TestEnv};

use crate::support::logged_in;

pub(crate) const ROVER_MAIN: &str = "d43d916a-c077-5fad-9615-956618741961";

const CP: [&str; 5] = ["machines", "part", "cp", "--part", ROVER_MAIN];

pub(crate) fn cp(env: &TestEnv, words: &[&str]) -> Outcome {
    env.viam(&[&CP[..], words].concat()).run()
}

pub(crate) fn work(env: &TestEnv) -> PathBuf {
    env.root().join("work")
}

/// The folder of the machine.
pub(crate) fn home(env: &TestEnv) -> PathBuf {
    let words = ["machines", "part", "run", "--part", ROVER_MAIN, "-c", "shell1"];
    let data = r#"{"command":{"get_viam_home":true}}"#;
    let words = [&words[..], &["--method", "DoCommand", "--data", data]].concat();
    let answer = env.viam(&words).run().ok().json();
    answer["result"]["viam_home"].as_str().expect("a folder").into()
}

/// Everything in a directory: mode and, of files, contents.
fn tree(root: &Path) -> BTreeMap<String, (u32, Option<Vec<u8>>)> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(path) = open.pop() {
        let meta = fs::metadata(&path).expect("there");
        let name = path.strip_prefix(root).expect("in it").display().to_string();
        let content = meta.is_file().then(|| fs::read(&path).expect("read"));
        found.insert(name, (meta.permissions().mode() & 0o777, content));
        if meta.is_dir() {
            open.extend(fs::read_dir(&path).expect("read").map(|entry| entry.expect("one").path()));
        }
    }
    found
}

pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>, mode: u32) {
    fs::create_dir_all(path.parent().expect("parent")).expect("made");
    fs::write(path, content).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode");
}

/// A tree with odd names, and modes that no usual umask takes anything away of.
fn plant(root: &Path, count: usize) {
    for number in 0..count {
        let folder = ["a b", "é €", "deep/er/still"][number % 3];
        let name = format!("file {number} \u{1f980}.txt");
        let mode = [0o644, 0o600, 0o755, 0o444][number % 4];
        write(&root.join(folder).join(name), format!("{number}\n").repeat(number % 7), mode);
    }
    fs::create_dir(root.join("empty")).expect("made");
    fs::set_permissions(root.join("empty"), fs::Permissions::from_mode(0o700)).expect("mode");
}

#[test]
fn a_tree_is_the_same_after_both_ways() {
    let (env, _sandbox) = logged_in("fleet");
    let (work, home) = (work(&env), home(&env));
    plant(&work.join("tree"), if viam_test::full() { 5000 } else { 50 });
    let sent = tree(&work.join("tree"));
    cp(&env, &["-r", "tree", "machine:~"]).ok();
    assert!(tree(&home.join("tree")) == sent, "to the machine");
    cp(&env, &["-r", "-p", "machine:~/tree", "back"]).ok();
    assert!(tree(&work.join("back")) == sent, "and back");
    let modified = |path: PathBuf| fs::metadata(path).expect("there").modified().expect("a time");
    let old = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let file = fs::File::open(work.join("tree/a b/file 0 \u{1f980}.txt")).expect("opened");
    file.set_modified(old).expect("set");
    cp(&env, &["-p", "tree/a b/file 0 \u{1f980}.txt", "machine:kept"]).ok();
    assert_eq!(modified(home.join("kept")), old);
    cp(&env, &["-p", "machine:kept", "."]).ok();
    assert_eq!(modified(work.join("kept")), old);
}

#[test]
fn a_large_file_is_the_same_after_both_ways() {
    let (env, _sandbox) = logged_in("fleet");
    let work = work(&env);
    let megabytes = if viam_test::full() { 2000 } else { 20 };
    let script = format!("head -c {megabytes}M /dev/urandom > large");
    env.sh(&script).run().ok();
    cp(&env, &["large", "machine:there"]).ok();
    let outcome = cp(&env, &["machine:~/there", "back"]).ok();
    // Nobody looks on.
    assert!(!outcome.err().contains("large") && outcome.out().is_empty(), "{outcome}");
    env.sh("cmp large back").run().ok();
    assert_eq!(fs::read_dir(&work).expect("read").count(), 2);
}

#[test]
fn destinations_are_found_as_in_scp() {
    let (env, _sandbox) = logged_in("fleet");
    let (work, home) = (work(&env), home(&env));
    for name in ["a", "b", "d/x"] {
        write(&work.join(name), name, 0o644);
    }
    fs::create_dir_all(home.join("there")).expect("made");
    let is = |path: PathBuf, text: &str| {
        assert_eq!(fs::read_to_string(&path).ok().as_deref(), Some(text), "{}", path.display());
    };
    cp(&env, &["a", "machine:there"]).ok();
    cp(&env, &["a", "machine:there/renamed"]).ok();
    cp(&env, &["b", "machine:there/renamed"]).ok();
    cp(&env, &["-r", "d", "machine:d2"]).ok();
    cp(&env, &["-r", "d", "b", "machine:there"]).ok();
    is(home.join("there/a"), "a");
    is(home.join("there/renamed"), "b");
    is(home.join("d2/x"), "d/x");
    is(home.join("there/d/x"), "d/x");
    for (words, said) in [
        (&["a", "b", "machine:no"][..], "does not exist or is not a directory"),
        (&["a", "machine:no/way"], "destination \"no/way\""),
        (&["a", "machine:/etc/x"], "permission denied"),
        (&["d", "machine:~"], "copy recursion not used (you can use -r to enable this)"),
        (&["machine:d2", "."], "copy recursion not used (you can use -r to enable this)"),
        (&["machine:nothing", "."], "not found"),
        (&["machine:there/a", "no/way"], "cannot be made"),
        (
            &["machine:there/a", "machine:there/renamed", "no"],
            "does not exist or is not a directory",
        ),
        (&["-r", "machine:d2", "a"], "is a file"),
        (&["nothing", "machine:~"], "nothing"),
    ] {
        let outcome = cp(&env, words).code(1).says(said);
        assert!(!outcome.err().contains("attempt"), "{outcome}");
    }
    cp(&env, &[]).code(2).says("must provide files to copy");
    cp(&env, &["a"]).code(2).says("expected last argument to be machine:<copy to path>");
    fs::create_dir(work.join("got")).expect("made");
    cp(&env, &["machine:there/a", "machine:there/renamed", "got"]).ok();
    is(work.join("got/a"), "a");
    is(work.join("got/renamed"), "b");
    cp(&env, &["machine:there/a", "got/renamed"]).ok();
    is(work.join("got/renamed"), "a");
    cp(&env, &["-r", "machine:there", "new"]).ok();
    is(work.join("new/d/x"), "d/x");
    symlink("..", work.join("d/up")).expect("linked");
    symlink("../a", work.join("d/link")).expect("linked");
    cp(&env, &["-r", "d", "machine:d3"]).ok().says("leads back");
    is(home.join("d3/link"), "a");
    let words = ["machines", "part", "cp", "--part", "weather-station-main", "a", "machine:~"];
    env.viam(&words).run().code(1).says("shell service is not enabled on this machine part");
}

#[test]
fn a_passing_failure_is_tried_again() {
    let (env, sandbox) = logged_in("fleet");
    let home = home(&env);
    write(&work(&env).join("a"), "a", 0o644);
    let to = "/viam.service.shell.v1.ShellService/CopyFilesToMachine";
    sandbox.fail(to, 2, 14, "not now");
    cp(&env, &["a", "machine:~"]).ok().says("attempt 2 failed");
    assert_eq!(fs::read_to_string(home.join("a")).expect("there"), "a");
    sandbox.fail(to, 6, 14, "not now");
    cp(&env, &["a", "machine:~"]).code(1).says("all 6 copy attempts failed, try again later");
}

#[test]
fn a_copy_that_is_killed_leaves_whole_files_and_is_completed_by_the_next() {
    let (env, _sandbox) = logged_in("fleet");
    let (work, home) = (work(&env), home(&env));
    let (count, size) = if viam_test::full() { (250, 8 << 20) } else { (30, 1 << 20) };
    let contents = |number: u8| vec![number; size];
    for number in 0..count {
        let name = format!("src/{number}");
        write(&work.join(&name), contents(number), 0o644);
        write(&home.join(&name), contents(number), 0o644);
    }
    fs::create_dir(work.join("into")).expect("made");
    fs::create_dir(home.join("into")).expect("made");
    let directions =
        [(&home, ["-r", "src", "machine:into"]), (&work, ["-r", "machine:src", "into"])];
    for (root, words) in directions {
        let into = root.join("into/src");
        let mut child = env.viam(&[&CP[..], &words].concat()).spawn();
        let arrived = || fs::read_dir(&into).map_or(0, Iterator::count);
        while arrived() < 5 && child.try_wait().expect("asked").is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().expect("killed");
        child.wait().expect("ended");
        for entry in fs::read_dir(&into).expect("read") {
            let entry = entry.expect("one");
            let name = entry.file_name().into_string().expect("text");
            // A machine may be about to give a file its name.
            if let Ok(number) = name.parse() {
                assert!(fs::read(entry.path()).expect("read") == contents(number), "{name}");
            } else {
                assert!(name.contains(".download"), "{name}");
            }
        }
        cp(&env, &words).ok();
        for number in 0..count {
            let content = fs::read(into.join(number.to_string())).expect("there");
            assert!(content == contents(number), "{number}");
        }
    }
}

/// A machine that has a shell service.
struct WithShell;

#[tonic::async_trait]
impl RobotService for WithShell {
    async fn resource_names(
        &self,
        _: Request<robot::ResourceNamesRequest>,
    ) -> Result<Response<robot::ResourceNamesResponse>, Status> {
        let shell = ResourceName {
            namespace: "rdk".to_owned(),
            r#type: "service".to_owned(),
            subtype: "shell".to_owned(),
            name: "sh".to_owned(),
        };
        Ok(Response::new(robot::ResourceNamesResponse { resources: vec![shell] }))
    }
}

/// A shell service that sends one file, under whatever name.
struct Hostile(String);

#[tonic::async_trait]
impl ShellService for Hostile {
    async fn copy_files_from_machine(
        &self,
        request: Request<Streaming<pb::CopyFilesFromMachineRequest>>,
    ) -> Result<Response<BoxStream<pb::CopyFilesFromMachineResponse>>, Status> {
        let metadata = pb::CopyFilesFromMachineResponseMetadata { source_type: 2 };
        let file = pb::FileData {
            name: self.0.clone(),
            size: 4,
            data: b"evil"[..].into(),
            mode: Some(0o644),
            ..pb::FileData::default()
        };
        let end = pb::FileData { eof: true, ..pb::FileData::default() };
        let answers = [Answer::Metadata(metadata), Answer::FileData(file), Answer::FileData(end)]
            .map(|answer| Ok(pb::CopyFilesFromMachineResponse { response: Some(answer) }));
        let rest = request.into_inner().filter_map(|_| None);
        Ok(Response::new(Box::pin(tokio_stream::iter(answers).chain(rest))))
    }
}

/// Serves it on a thread of its own, which ends with the tests.
pub(crate) fn served(shell: impl ShellService) -> String {
    let routes =
        Routes::new(RobotServiceServer::new(WithShell)).add_service(ShellServiceServer::new(shell));
    let (sender, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().build().expect("runtime").block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bound");
            sender.send(listener.local_addr().expect("address").to_string()).expect("sent");
            axum::serve(listener, routes.prepare().into_axum_router()).await.expect("served");
        });
    });
    address.recv().expect("an address")
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let env = TestEnv::new();
    let absolute = env.root().join("x").display().to_string();
    for name in ["../x", &absolute, "src/../../x", "src/\\..\\x", "x", "src//x", "src/\0"] {
        let address = served(Hostile(name.to_owned()));
        let words = ["robots", "part", "cp", "--address", &address, "-r", "machine:src", "."];
        let shown = if name.contains('\0') { "src/".to_owned() } else { format!("{name:?}") };
        env.viam(&words).run().code(1).says(&shown).says("refused");
    }
    assert!(!env.root().join("x").exists());
    assert_eq!(fs::read_dir(work(&env)).expect("read").count(), 0);
}

/// Where each copy went, and what was confirmed of it.
type Copies = Arc<Mutex<Vec<(String, Vec<String>)>>>;

/// A shell service that breaks off the first copy after one file.
struct BreaksOff(Copies);

#[tonic::async_trait]
impl ShellService for BreaksOff {
    async fn copy_files_from_machine(
        &self,
        _: Request<Streaming<pb::CopyFilesFromMachineRequest>>,
    ) -> Result<Response<BoxStream<pb::CopyFilesFromMachineResponse>>, Status> {
        Err(if self.0.lock().expect("copies").is_empty() {
            Status::not_found("no such directory")
        } else {
            Status::invalid_argument("file is a directory but copy recursion not used")
        })
    }

    async fn copy_files_to_machine(
        &self,
        request: Request<Streaming<pb::CopyFilesToMachineRequest>>,
    ) -> Result<Response<BoxStream<pb::CopyFilesToMachineResponse>>, Status> {
        use pb::copy_files_to_machine_request::Request as Part;
        let copies = self.0.clone();
        let mut requests = request.into_inner();
        let (sender, answers) = tokio::sync::mpsc::channel(1);
        tokio::spawn(async move {
            while let Ok(Some(request)) = requests.message().await {
                let number = copies.lock().expect("copies").len();
                match request.request.expect("a request") {
                    Part::Metadata(metadata) => {
                        copies.lock().expect("copies").push((metadata.destination, Vec::new()));
                        continue;
                    }
                    // Each file is empty, and so a single message.
                    Part::FileData(data) => {
                        // The second file says that the first one's answer has arrived.
                        if number == 1 && copies.lock().expect("copies")[0].1.len() == 1 {
                            let broken = Err(Status::unavailable("broken off"));
                            return sender.send(broken).await.expect("sent");
                        }
                        copies.lock().expect("copies")[number - 1].1.push(data.name);
                    }
                }
                let answer = Ok(pb::CopyFilesToMachineResponse { ack_last_file: true });
                sender.send(answer).await.expect("sent");
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }
}

#[test]
fn a65_a_directory_under_a_new_name_is_completed_where_it_began() {
    let env = TestEnv::new();
    for name in ["src/a", "src/b"] {
        write(&work(&env).join(name), "", 0o644);
    }
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    // A65: the separators of a path of the machine are the machine's.
    for (whole, parent) in [("far/new", "far"), (r"C:\opt\viam\new", r"C:\opt\viam")] {
        let copies = Copies::default();
        let address = served(BreaksOff(copies.clone()));
        let to = format!("machine:{whole}");
        let words = ["robots", "part", "cp", "--address", &address, "-r", "src", &to];
        env.viam(&words).run().ok().says("attempt 1 failed");
        assert_eq!(
            *copies.lock().expect("copies"),
            [(whole.to_owned(), names(&["src/a"])), (parent.to_owned(), names(&["new/b", "new"])),]
        );
    }
}
