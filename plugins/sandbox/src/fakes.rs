//! A context of fakes, for the tests of the verbs.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::TempDir;
use viam_contract::cli::{self, Parsed};
use viam_contract::{
    BoxFuture, Captured, Clock, Context, Defaults, Dirs, Env, Error, Exit, Format, Globals, Job,
    Kind, Output, Plugin as _, Prompter, Result, Sessions, Spawner, Stream, Target, Wire,
};

use crate::Sandbox;

/// What was written.
#[derive(Clone, Default)]
pub(crate) struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("buffer")).into_owned()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("buffer").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a fake process does; with the log of one in the background.
type Process = Box<dyn Fn(&Job, Option<&Path>) -> Result<Exit> + Send + Sync>;

struct World {
    process: Process,
}

/// A context in a directory of its own.
pub(crate) struct Fake {
    pub(crate) dir: TempDir,
    pub(crate) cx: Context,
    pub(crate) stdout: Buffer,
    pub(crate) stderr: Buffer,
}

impl Fake {
    pub(crate) fn new() -> Self {
        Self::with_process(|_, _| Err(Error::new(Kind::Internal, "no process is expected here")))
    }

    /// With a function in place of processes.
    pub(crate) fn with_process(
        process: impl Fn(&Job, Option<&Path>) -> Result<Exit> + Send + Sync + 'static,
    ) -> Self {
        Self::in_dir(tempfile::tempdir().expect("directory"), process)
    }

    /// The same in a directory that is there.
    pub(crate) fn in_dir(
        dir: TempDir,
        process: impl Fn(&Job, Option<&Path>) -> Result<Exit> + Send + Sync + 'static,
    ) -> Self {
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir(at("work")).expect("directory");
        let (stdout, stderr) = (Buffer::default(), Buffer::default());
        let world = Arc::new(World { process: Box::new(process) });
        let env = [("PATH", "/bin".into()), ("TMPDIR", dir.path().as_os_str().to_owned())];
        let cx = Context {
            env: Env::new(env.map(|(name, value)| (name.into(), value))),
            cwd: at("work"),
            core_exe: at("core/viam"),
            dirs: Dirs {
                login: at("login"),
                config_file: at("config.toml"),
                data: at("data"),
                cache: at("cache"),
            },
            output: Arc::new(Output::new(
                Stream::plain(Box::new(stdout.clone())),
                Stream::plain(Box::new(stderr.clone())),
                Format::Text,
                false,
            )),
            globals: Globals::default(),
            defaults: Defaults::default(),
            clock: world.clone(),
            prompter: world.clone(),
            spawner: world.clone(),
            sessions: world,
        };
        Self { dir, cx, stdout, stderr }
    }

    /// Does what a command line says.
    pub(crate) async fn sandbox(&self, words: &[&str]) -> Result<()> {
        let words: Vec<OsString> = words.iter().map(Into::into).collect();
        match cli::parse(&Sandbox, &words)? {
            Parsed::Run { matches, .. } => Sandbox.run(&self.cx, matches).await,
            Parsed::Help(help) => panic!("{help}"),
        }
    }
}

impl Clock for World {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH
    }

    fn utc_offset(&self, _: SystemTime) -> i32 {
        0
    }
}

impl Prompter for World {
    fn interactive(&self) -> bool {
        false
    }

    fn confirm(&self, _: &str) -> Result<bool> {
        Err(Error::new(Kind::Usage, "nobody is there"))
    }
}

impl Spawner for World {
    fn run(&self, job: Job) -> BoxFuture<'_, Result<Exit>> {
        Box::pin(async move { (self.process)(&job, None) })
    }

    fn capture(&self, job: Job) -> BoxFuture<'_, Result<Captured>> {
        Box::pin(async move {
            let exit = (self.process)(&job, None)?;
            Ok(Captured { exit, stdout: Vec::new(), stderr: b"what it said".to_vec() })
        })
    }

    fn detach(&self, job: Job, log: &Path) -> Result<u32> {
        (self.process)(&job, Some(log)).map(|_| 1)
    }
}

impl Sessions for World {
    fn subject(&self) -> Result<String> {
        Err(Error::new(Kind::Auth, "not logged in"))
    }

    fn base_url(&self) -> Result<String> {
        Err(Error::new(Kind::Auth, "not logged in"))
    }

    fn wire<'a>(&'a self, _: &'a Target) -> BoxFuture<'a, Result<Wire>> {
        Box::pin(async { Err(Error::new(Kind::Auth, "not logged in")) })
    }
}
