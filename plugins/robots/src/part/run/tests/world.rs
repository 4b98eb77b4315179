//! A context that writes to buffers, and wires to services in the same process.

use std::convert::Infallible;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use tonic::body::Body;
use tonic::codegen::{Service, http};
use viam_contract::{
    BoxFuture, Captured, Clock, Context, Defaults, Dirs, Env, Error, Exit, Format, Globals, Job,
    Kind, Output, Prompter, Result, Sessions, Spawner, Stream, Target, Wire, WireError,
};

/// A wire to one service; every other one is unimplemented.
pub(super) fn wire<S>(service: S) -> Wire
where
    S: Service<
            http::Request<Body>,
            Response = http::Response<Body>,
            Error = Infallible,
            Future: Send + 'static,
        > + tonic::server::NamedService
        + Clone
        + Send
        + Sync
        + 'static,
{
    Wire::new(tower::service_fn(move |request: http::Request<Body>| {
        let mut service = service.clone();
        async move {
            if request.uri().path().starts_with(&format!("/{}/", S::NAME)) {
                return service.call(request).await.map_err(|error| match error {});
            }
            Ok::<_, WireError>(tonic::Status::unimplemented("unknown service").into_http())
        }
    }))
}

/// What was written.
#[derive(Clone, Default)]
pub(super) struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("buffer").clone()).expect("UTF-8")
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("buffer").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A context and what it writes.
pub(super) struct World {
    pub(super) cx: Context,
    pub(super) stdout: Buffer,
    pub(super) stderr: Buffer,
}

impl World {
    pub(super) fn new(format: Format) -> Self {
        let (stdout, stderr) = (Buffer::default(), Buffer::default());
        let stream = |buffer: &Buffer| Stream::plain(Box::new(buffer.clone()));
        let cx = Context {
            env: Env::default(),
            cwd: "/".into(),
            core_exe: "viam".into(),
            dirs: Dirs::default(),
            output: Arc::new(Output::new(stream(&stdout), stream(&stderr), format, false)),
            globals: Globals::default(),
            defaults: Defaults::default(),
            clock: Arc::new(Nothing),
            prompter: Arc::new(Nothing),
            spawner: Arc::new(Nothing),
            sessions: Arc::new(Nothing),
        };
        Self { cx, stdout, stderr }
    }
}

/// Does nothing of all that a command may ask for.
struct Nothing;

fn nothing<T>() -> Result<T> {
    Err(Error::new(Kind::Internal, "not expected here"))
}

impl Clock for Nothing {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH
    }

    fn utc_offset(&self, _: SystemTime) -> i32 {
        0
    }
}

impl Prompter for Nothing {
    fn interactive(&self) -> bool {
        false
    }

    fn confirm(&self, _: &str) -> Result<bool> {
        nothing()
    }
}

impl Spawner for Nothing {
    fn run(&self, _: Job) -> BoxFuture<'_, Result<Exit>> {
        Box::pin(async { nothing() })
    }

    fn capture(&self, _: Job) -> BoxFuture<'_, Result<Captured>> {
        Box::pin(async { nothing() })
    }

    fn detach(&self, _: Job, _: &Path) -> Result<u32> {
        nothing()
    }
}

impl Sessions for Nothing {
    fn subject(&self) -> Result<String> {
        nothing()
    }

    fn base_url(&self) -> Result<String> {
        nothing()
    }

    fn wire<'a>(&'a self, _: &'a Target) -> BoxFuture<'a, Result<Wire>> {
        Box::pin(async { nothing() })
    }
}
