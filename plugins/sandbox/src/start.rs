//! `viam sandbox start`

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use viam_contract::cli;
use viam_contract::{Context, Error, Format, Job, Kind, Result, ResultExt as _};

use crate::place::Place;
use crate::seed::Seed;
use crate::server::admin::Status;
use crate::server::{IceServer, Options, Server};
use crate::{files, home};

/// Where the sandbox's own process finds the servers, in its directory.
const ICE_FILE: &str = "ice-servers";

/// How long a sandbox may take until it answers.
const LIMIT: Duration = Duration::from_secs(10);

/// How often it is asked meanwhile.
const STEP: Duration = Duration::from_millis(25);

/// The file that it writes to, in its directory.
const LOG_FILE: &str = "sandbox.log";

/// Start a sandbox that goes on running
#[derive(Debug, Default, PartialEq, clap::Args)]
pub(crate) struct Args {
    /// directory of its data, its login home and its log
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// keep all data in memory, to be gone when it stops
    #[arg(long)]
    ephemeral: bool,
    /// port to answer on; 0 = the one it had before, else any
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
    /// serve until INT or TERM instead of going to the background
    #[arg(long)]
    foreground: bool,
    /// what a new sandbox is filled with: fleet (when nothing is said), docs, empty, scale:N,
    /// data:FILES,BYTES,ROWS, hostile or a JSON file
    #[arg(long, value_name = "WORLD")]
    seed: Option<String>,
    /// seconds that access tokens are good for
    #[arg(long, value_name = "SECS", default_value_t = 86_400)]
    token_lifetime: u32,
    /// seconds that a login by device must leave between two polls
    #[arg(long, value_name = "SECS", default_value_t = 5)]
    device_interval: u32,
    /// how often the machines that the sandbox plays capture a picture of each camera and a
    /// reading of each sensor, such as 10s; 0 = never
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = cli::parse_duration)]
    capture_interval: Duration,
    /// server by which callers and machines find a way to each other through NAT:
    /// stun:HOST:PORT or turn:USER:PASSWORD@HOST:PORT, or @FILE with one a line, which keeps
    /// passwords out of lists of processes; may be given again
    #[arg(long = "ice-server", value_name = "SERVER")]
    ice_servers: Vec<String>,
}

#[derive(Serialize)]
struct Started<'a> {
    pid: u32,
    base_url: &'a str,
    dir: &'a Path,
    home: &'a Path,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    // A wrong world is said here and not in a log.
    let seed = args.seed.as_deref().map(|word| Seed::parse(word, &cx.cwd)).transpose()?;
    let given = ice_servers(cx, &args)?;
    let servers = given.iter().map(|server| IceServer::parse(server)).collect::<Result<_>>()?;
    let place = Place::of(cx, args.dir.as_deref());
    if let Some((state, _)) = place.running().await? {
        return Err(Error::new(
            Kind::User,
            format!("a sandbox is running already: process {}, {}", state.pid, state.base_url),
        )
        .hint_run("viam sandbox status")
        .hint_run("viam sandbox stop"));
    }
    let Some(dir) = place.dir.clone() else {
        return Err(Error::new(Kind::User, "the sandbox of this home has ended")
            .hint_text("name a directory with --dir, or leave VIAM_HOME alone"));
    };
    files::make_private_dir(&dir)?;
    if args.foreground {
        return foreground(cx, &args, (seed, servers), &place, &dir).await;
    }
    // A password is nothing for the arguments of a process.
    let file = dir.join(ICE_FILE);
    if !given.is_empty() {
        files::write_private(&file, given.join("\n").as_bytes())?;
    }
    let started = background(cx, &args, seed.as_ref(), &place, &dir).await;
    if !given.is_empty() {
        // It has been read, or nobody will.
        let _ = std::fs::remove_file(&file);
    }
    started
}

/// The texts of all servers, those of files among them.
fn ice_servers(cx: &Context, args: &Args) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for given in &args.ice_servers {
        let Some(file) = given.strip_prefix('@') else {
            all.push(given.clone());
            continue;
        };
        let path = cx.cwd.join(file);
        let text = std::fs::read_to_string(&path)
            .or_kind(Kind::User, || format!("cannot read {}", path.display()))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        all.extend(lines.map(str::to_owned));
    }
    Ok(all)
}

async fn foreground(
    cx: &Context,
    args: &Args,
    (seed, ice_servers): (Option<Seed>, Vec<IceServer>),
    place: &Place,
    dir: &Path,
) -> Result<()> {
    let mut running = Server::start(Options {
        dir: Some(dir.to_owned()),
        in_memory: args.ephemeral,
        port: args.port,
        seed: seed.clone().unwrap_or_default(),
        token_lifetime: Duration::from_secs(args.token_lifetime.into()),
        device_interval: Duration::from_secs(args.device_interval.into()),
        capture: args.capture_interval,
        ice_servers,
        signals: true,
        ..Options::default()
    })?;
    home::prepare(&place.home, &running)?;
    let status = running.status()?;
    report(cx, &status, seed.as_ref(), dir, &place.home)?;
    cx.output.flush()?;
    running.ended().await;
    home::forget(&place.home);
    running.stop();
    Ok(())
}

async fn background(
    cx: &Context,
    args: &Args,
    seed: Option<&Seed>,
    place: &Place,
    dir: &Path,
) -> Result<()> {
    let log = dir.join(LOG_FILE);
    // Readable by nobody else from the start.
    files::write_private(&log, b"")?;
    cx.spawner.detach(
        Job { program: cx.core_exe.clone(), args: words(cx, args, dir), ..Job::default() },
        &log,
    )?;
    let wait = async {
        loop {
            if place.home.join(crate::server::STATE_FILE).exists()
                && let Some((_, status)) = place.running().await?
            {
                return Ok(status);
            }
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            if said.lines().any(|line| line.starts_with("Error:")) {
                return Err(failed(&said, "the sandbox did not start"));
            }
            tokio::time::sleep(STEP).await;
        }
    };
    let status = match tokio::time::timeout(LIMIT, wait).await {
        Ok(status) => status?,
        Err(_) => {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            let words = format!("the sandbox did not answer within {} s", LIMIT.as_secs());
            return Err(failed(&said, &words));
        }
    };
    report(cx, &status, seed, dir, &place.home)
}

/// The words for the sandbox's own process.
fn words(cx: &Context, args: &Args, dir: &Path) -> Vec<OsString> {
    let mut words: Vec<OsString> = ["sandbox", "start", "--foreground"].map(Into::into).into();
    if args.ephemeral {
        words.push("--ephemeral".into());
    }
    let numbers = [
        ("--port", u32::from(args.port)),
        ("--token-lifetime", args.token_lifetime),
        ("--device-interval", args.device_interval),
    ];
    words.extend(["--dir".into(), dir.into()]);
    if let Some(word) = &args.seed {
        let seed = match Seed::named(word) {
            Ok(None) => cx.cwd.join(word).into_os_string(),
            _ => word.into(),
        };
        words.extend(["--seed".into(), seed]);
    }
    if !args.ice_servers.is_empty() {
        let mut file = OsString::from("@");
        file.push(dir.join(ICE_FILE));
        words.extend(["--ice-server".into(), file]);
    }
    let interval = format!("{}us", args.capture_interval.as_micros());
    words.extend(["--capture-interval".into(), interval.into()]);
    for (flag, number) in numbers {
        words.extend([flag.into(), number.to_string().into()]);
    }
    words
}

/// Says what the process said last.
fn failed(log: &str, words: &str) -> Error {
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    let tail = lines[lines.len().saturating_sub(5)..].join("; ");
    let error = Error::new(Kind::User, words);
    if tail.is_empty() { error } else { error.because(tail) }
}

fn report(
    cx: &Context,
    status: &Status,
    seed: Option<&Seed>,
    dir: &Path,
    home: &Path,
) -> Result<()> {
    if cx.output.format == Format::Json {
        let started = Started { pid: status.pid, base_url: &status.base_url, dir, home };
        return cx.output.json(&started);
    }
    cx.output.line(format!("Sandbox running at {} (pid {})", status.base_url, status.pid))?;
    if seed.is_some_and(|seed| seed.label() != status.seed) {
        cx.output.warn(&format!(
            "the sandbox keeps its world ({}); `viam sandbox reset --seed` makes another",
            status.seed
        ));
    }
    cx.output.status("use it in this shell with: eval \"$(viam sandbox env)\"");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::Fake;

    #[test]
    fn the_words_of_the_process_are_whole_paths() {
        let fake = Fake::new();
        std::fs::write(fake.cx.cwd.join("w.json"), "{}").expect("world");
        let args = Args {
            seed: Some("w.json".to_owned()),
            port: 7,
            capture_interval: Duration::from_millis(1500),
            ice_servers: vec!["turn:u:secret@h:1".to_owned()],
            ..Args::default()
        };
        let words = words(&fake.cx, &args, Path::new("/d"));
        let world = fake.cx.cwd.join("w.json").into_os_string();
        assert!(
            words.contains(&world)
                && words.contains(&"7".into())
                && words.contains(&"1500000us".into())
                && words.contains(&"@/d/ice-servers".into()),
            "{words:?}"
        );
        assert!(words.iter().all(|word| !word.to_string_lossy().contains("secret")), "{words:?}");
        let args = Args { seed: Some("scale:5".to_owned()), ..args };
        assert!(super::words(&fake.cx, &args, Path::new("/d")).contains(&"scale:5".into()));
    }

    /// A process in the background is a thread with a context of its own here.
    fn with_background() -> Fake {
        let dir = tempfile::tempdir().expect("directory");
        let cwd = dir.path().join("work");
        Fake::in_dir(dir, move |job, _| {
            let mut fake = Fake::new();
            fake.cx.cwd.clone_from(&cwd);
            let words: Vec<String> =
                job.args[1..].iter().map(|word| word.to_str().expect("text").to_owned()).collect();
            assert_eq!(job.args[0], "sandbox");
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                runtime.expect("runtime").block_on(fake.sandbox(&words)).expect("served");
            });
            Ok(viam_contract::Exit::OK)
        })
    }

    #[tokio::test]
    async fn from_start_to_stop() {
        let fake = with_background();
        let error = fake.sandbox(&["status"]).await.expect_err("none runs");
        assert_eq!(error.kind(), Kind::Child(viam_contract::Exit::Code(1)));
        fake.sandbox(&["start", "--seed", "empty", "--device-interval", "1"]).await.expect("start");
        let error = fake.sandbox(&["start"]).await.expect_err("one runs");
        let url = fake.stdout.text().split(' ').nth(6).expect("address").to_owned();
        let process = std::process::id().to_string();
        assert!(error.message().contains(&url) && error.message().contains(&process), "{error}");

        fake.sandbox(&["status"]).await.expect("status");
        fake.sandbox(&["env"]).await.expect("env");
        let home = fake.cx.dirs.data.join("sandboxes/default/home");
        let shown = format!("export VIAM_HOME='{}'\n", home.display());
        assert!(fake.stdout.text().contains(&shown), "{}", fake.stdout.text());
        let error = fake.sandbox(&["approve", "WDJB-MJHT"]).await.expect_err("no such code");
        assert!(error.message().contains("WDJB-MJHT"), "{error}");
        fake.sandbox(&["reset", "--seed", "scale:3"]).await.expect("reset");
        assert!(fake.stdout.text().ends_with("Sandbox filled with scale:3\n"));

        // With its home as VIAM_HOME, the same sandbox is meant.
        let mut inside = Fake::new();
        inside.cx.dirs.login.clone_from(&home);
        inside.sandbox(&["status"]).await.expect("the same");
        assert!(inside.stdout.text().contains(&url), "{}", inside.stdout.text());
        inside.sandbox(&["stop"]).await.expect("stopped");
        fake.sandbox(&["stop"]).await.expect("nothing to stop");
        assert!(fake.stdout.text().ends_with("No sandbox is running\n"));
        fake.sandbox(&["env"]).await.expect_err("none runs");
        fake.sandbox(&["reset"]).await.expect("without a server");
        assert!(fake.stdout.text().ends_with("Sandbox filled with scale:3\n"));
    }

    #[tokio::test]
    async fn a_wrong_server_is_said_before_anything_starts() {
        let fake = Fake::with_process(|job, _| panic!("{job:?}"));
        std::fs::write(fake.cx.cwd.join("servers"), "stun:h:1\n\nturn:h:1\n").expect("written");
        for wrong in ["turn:h:1", "@servers"] {
            let error = fake.sandbox(&["start", "--ice-server", wrong]).await.expect_err(wrong);
            assert_eq!(error.kind(), Kind::Usage);
        }
        let error = fake.sandbox(&["start", "--ice-server", "@none"]).await.expect_err("no file");
        assert_eq!(error.kind(), Kind::User);
    }

    #[tokio::test]
    async fn a_process_that_fails_is_quoted() {
        let fake = Fake::with_process(|_, log| {
            std::fs::write(log.expect("log"), "Error: cannot listen\n").expect("written");
            Ok(viam_contract::Exit::OK)
        });
        let error = fake.sandbox(&["start"]).await.expect_err("failed");
        assert_eq!(error.causes(), ["Error: cannot listen"]);
    }

    #[test]
    fn the_end_of_the_log_is_the_cause() {
        let error = failed("a\n\nError: port in use\n", "the sandbox did not start");
        assert_eq!(error.causes(), ["a; Error: port in use"]);
    }
}
