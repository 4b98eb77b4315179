//! `viam sandbox run`

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use viam_contract::{Context, Error, Exit, Job, Kind, Result, ResultExt as _};

use crate::home;
use crate::place::{FOREIGN, path_led_by_core};
use crate::seed::Seed;
use crate::server::{Options, Server};

/// Run a command against a sandbox of its own
///
/// The sandbox is made for this one command and thrown away after it, unless --dir says where its
/// data stays. The command is logged in as demo@example.com, finds this very `viam` first on its
/// PATH, and its exit code is the one of this program.
#[derive(Debug, Default, PartialEq, clap::Args)]
pub(crate) struct Args {
    /// what a new sandbox is filled with: fleet, docs, empty, scale:N,
    /// data:FILES,BYTES,ROWS, hostile or a JSON file
    #[arg(long, value_name = "WORLD", default_value = "fleet")]
    seed: String,
    /// directory of the sandbox's data, to be kept
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// command and its arguments
    #[arg(required = true, last = true, value_name = "CMD")]
    command: Vec<OsString>,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let seed = Seed::parse(&args.seed, &cx.cwd)?;
    let mut words = args.command.into_iter();
    let program =
        words.next().ok_or_else(|| Error::new(Kind::Usage, "there is no command to run"))?;
    let dir = args.dir.map(|dir| cx.cwd.join(dir));
    let running = Server::start(Options { dir, seed, ..Options::default() })?;
    let home = temporary_home(cx)?;
    home::prepare(home.path(), &running)?;
    let mut env: Vec<(OsString, Option<OsString>)> =
        FOREIGN.iter().map(|name| (OsString::from(name), None)).collect();
    env.extend([
        ("VIAM_HOME".into(), Some(home.path().into())),
        ("VIAM_SANDBOX_URL".into(), Some(running.base_url().into())),
        ("PATH".into(), Some(path_led_by_core(cx))),
    ]);
    let job = Job { program: found(cx, program), args: words.collect(), env, stdin: None };
    let exit = cx.spawner.run(job).await;
    running.stop();
    let shown = home.path().display().to_string();
    if let Err(error) = home.close() {
        cx.output.warn(&format!("cannot remove {shown}: {error}"));
    }
    match exit? {
        Exit::OK => Ok(()),
        exit => Err(Error::new(Kind::Child(exit), "the command failed")),
    }
}

/// A command of the core's own folder is the one that is meant; others are found on PATH.
fn found(cx: &Context, program: OsString) -> PathBuf {
    let beside = cx.core_exe.parent().map(|folder| folder.join(&program));
    match beside {
        Some(beside) if Path::new(&program).components().count() == 1 && beside.is_file() => beside,
        _ => PathBuf::from(program),
    }
}

/// A folder that is the user's alone, gone when it is closed.
pub(crate) fn temporary_home(cx: &Context) -> Result<tempfile::TempDir> {
    let parent = cx.env.get("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
    let mut builder = tempfile::Builder::new();
    builder.prefix("viam-sandbox-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder
        .tempdir_in(&parent)
        .or_kind(Kind::Config, || format!("cannot make a directory in {}", parent.display()))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::Value;

    use super::*;
    use crate::fakes::Fake;

    fn variable(job: &Job, name: &str) -> Option<Option<String>> {
        let (_, value) = job.env.iter().find(|(key, _)| key == name)?;
        Some(value.as_ref().map(|value| value.to_str().expect("text").to_owned()))
    }

    #[tokio::test]
    async fn the_command_finds_a_sandbox_and_a_login() {
        let homes = Arc::new(Mutex::new(Vec::new()));
        let seen = homes.clone();
        let fake = Fake::with_process(move |job, _| {
            assert_eq!(job.program, PathBuf::from("cmd"));
            assert_eq!(job.args, ["--seed", "x", "--"]);
            let home = PathBuf::from(variable(job, "VIAM_HOME").flatten().expect("home"));
            let login = std::fs::read(home.join("cached_cli_config.json")).expect("login");
            let login: Value = serde_json::from_slice(&login).expect("JSON");
            let url = variable(job, "VIAM_SANDBOX_URL").flatten().expect("address");
            assert_eq!(login["base_url"], url);
            let path = variable(job, "PATH").flatten().expect("path");
            assert!(path.ends_with("/core:/bin"), "{path}");
            for foreign in ["VIAM_API_KEY", "VIAM_CLI_PROFILE_NAME", "XDG_CONFIG_HOME"] {
                assert_eq!(variable(job, foreign), Some(None));
            }
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                let mode = home.metadata().expect("home").permissions().mode();
                assert_eq!(mode & 0o777, 0o700);
            }
            seen.lock().expect("homes").push(home);
            Ok(Exit::Code(42))
        });
        let words = ["run", "--seed", "empty", "--", "cmd", "--seed", "x", "--"];
        let error = fake.sandbox(&words).await.expect_err("42");
        assert_eq!(error.kind(), Kind::Child(Exit::Code(42)));
        let homes = homes.lock().expect("homes");
        assert!(homes.len() == 1 && !homes[0].exists(), "{homes:?}");
        assert_eq!(fake.stdout.text() + &fake.stderr.text(), "");
    }

    #[tokio::test]
    async fn a_command_beside_the_core_is_meant_before_others() {
        let fake = Fake::with_process(|job, _| {
            assert!(job.program.ends_with("core/viam") && job.program.is_absolute());
            Ok(Exit::OK)
        });
        std::fs::create_dir(fake.dir.path().join("core")).expect("folder");
        std::fs::write(fake.dir.path().join("core/viam"), "").expect("file");
        fake.sandbox(&["run", "--seed", "empty", "--", "viam", "whoami"]).await.expect("run");
    }

    #[tokio::test]
    async fn the_command_stands_after_two_dashes() {
        let fake = Fake::with_process(|job, _| panic!("{job:?}"));
        for words in [&["run", "sh", "-c", "x"][..], &["run", "sh"], &["run"], &["run", "--"]] {
            let error = fake.sandbox(words).await.expect_err("no command");
            assert_eq!(error.kind(), Kind::Usage, "{error}");
        }
    }

    #[tokio::test]
    async fn data_stays_where_it_is_asked_to() {
        let fake = Fake::with_process(|_, _| Ok(Exit::OK));
        fake.sandbox(&["run", "--seed", "empty", "--dir", "d", "--", "cmd"]).await.expect("run");
        assert!(fake.cx.cwd.join("d").join(crate::server::DATA_FILE).exists());
        let error = fake.sandbox(&["run", "--seed", "nothing", "--", "cmd"]).await;
        assert_eq!(error.expect_err("no such world").kind(), Kind::Usage);
        assert_eq!(fake.sandbox(&["run"]).await.expect_err("no command").kind(), Kind::Usage);
    }
}
