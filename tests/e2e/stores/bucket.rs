//! The stores that tests export into, each a real server of this computer with one empty bucket.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};

use super::google::{self, Google};
use crate::support::Running;

/// The account that azurite has, and its key: both are public.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// The kinds of stores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    S3,
    Azure,
    Google,
}

/// An empty bucket.
pub(crate) struct Bucket {
    /// As it is named on the command line.
    pub(crate) url: &'static str,
    /// What the program is told of the account.
    pub(crate) variables: Vec<(&'static str, String)>,
    /// Which of these variables is the secret.
    pub(crate) secret: &'static str,
    held: Held,
}

enum Held {
    Client(Client),
    Google(Google),
}

/// A client of another maker, in a process of its own; its server goes with it.
struct Client {
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    _running: Vec<Running>,
}

impl Bucket {
    /// Starts a store; `None` where it is not there.
    pub(crate) fn of(kind: Kind) -> Option<Self> {
        let text = |words: &str| words.to_owned();
        match kind {
            Kind::S3 => {
                let python = viam_test::peer("VIAM_TEST_PYTHON", "the PyPI package moto")?;
                let arguments = ["-c".into(), include_str!("s3.py").into()];
                let (client, endpoint) = Client::start(python, &arguments, Vec::new());
                let variables = vec![
                    ("AWS_ENDPOINT_URL", endpoint),
                    ("AWS_ACCESS_KEY_ID", text("the-id")),
                    ("AWS_SECRET_ACCESS_KEY", text("the-secret-of-s3")),
                    ("AWS_REGION", text("us-east-1")),
                ];
                let secret = "AWS_SECRET_ACCESS_KEY";
                Some(Self { url: "s3://bucket", variables, secret, held: client.with_bucket() })
            }
            Kind::Azure => {
                let script = viam_test::peer("VIAM_TEST_AZURITE", "the npm package azurite")?;
                let node = viam_test::peer("VIAM_TEST_NODE", "Node.js")?;
                let python = viam_test::peer("VIAM_TEST_PYTHON", "azure-storage-blob of PyPI")?;
                let (server, url) = azurite(&node, &script);
                let arguments = ["-c", include_str!("azure.py"), &url, ACCOUNT, KEY];
                let arguments = arguments.map(OsString::from);
                let (client, url) = Client::start(python, &arguments, vec![server]);
                let variables = vec![
                    ("AZURE_STORAGE_ENDPOINT", format!("{url}/{ACCOUNT}")),
                    ("AZURE_STORAGE_ACCOUNT_NAME", text(ACCOUNT)),
                    ("AZURE_STORAGE_ACCOUNT_KEY", text(KEY)),
                ];
                let secret = "AZURE_STORAGE_ACCOUNT_KEY";
                Some(Self { url: "az://bucket", variables, secret, held: client.with_bucket() })
            }
            Kind::Google => {
                let (google, url) = Google::start();
                let variables =
                    vec![("GOOGLE_BASE_URL", url), ("GOOGLE_BEARER_TOKEN", text(google::TOKEN))];
                let secret = "GOOGLE_BEARER_TOKEN";
                Some(Self { url: "gs://bucket", variables, secret, held: Held::Google(google) })
            }
        }
    }

    /// All objects by their names.
    pub(crate) fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        match &self.held {
            Held::Google(google) => google.objects(),
            Held::Client(client) => {
                let folder = tempfile::tempdir().expect("a folder");
                let answer = client.ask("read", folder.path());
                let names = answer.as_object().expect("names").iter();
                names
                    .map(|(name, path)| {
                        let bytes = fs::read(path.as_str().expect("a path")).expect("read");
                        (name.clone(), bytes)
                    })
                    .collect()
            }
        }
    }

    /// How many objects were begun and neither completed nor given up.
    pub(crate) fn uploads(&self) -> usize {
        match &self.held {
            Held::Google(google) => google.uploads(),
            Held::Client(client) => {
                let number = client.ask("uploads", Path::new("")).as_u64().expect("a number");
                usize::try_from(number).expect("few")
            }
        }
    }

    /// Looks at keys from now on, where the store does not do so by itself.
    pub(crate) fn guard(&self) {
        if let Held::Client(client) = &self.held
            && self.url.starts_with("s3")
        {
            client.ask("guard", Path::new(""));
        }
    }

    /// The stand-in, for what only it can do.
    pub(crate) fn google(&self) -> &Google {
        match &self.held {
            Held::Google(google) => google,
            Held::Client(_) => panic!("{} is a store of its own", self.url),
        }
    }
}

impl Client {
    /// Starts a script that says an address, and then answers a line for each line.
    fn start(
        python: impl AsRef<Path>,
        arguments: &[OsString],
        mut running: Vec<Running>,
    ) -> (Self, String) {
        let mut child = started(Command::new(python.as_ref()).args(arguments));
        let input = child.stdin.take().expect("stdin");
        let mut output = BufReader::new(child.stdout.take().expect("stdout"));
        running.insert(0, Running(child));
        let url = line(&mut output);
        let url = url.as_str().expect("an address").to_owned();
        (Self { pipes: Mutex::new((input, output)), _running: running }, url)
    }

    fn with_bucket(self) -> Held {
        self.ask("make", Path::new(""));
        Held::Client(self)
    }

    fn ask(&self, verb: &str, folder: &Path) -> Value {
        let mut pipes = self.pipes.lock().expect("no test has failed here");
        writeln!(pipes.0, "{}", json!([verb, "bucket", folder])).expect("asked");
        line(&mut pipes.1)
    }
}

fn line(output: &mut BufReader<ChildStdout>) -> Value {
    let mut line = String::new();
    output.read_line(&mut line).expect("a line");
    serde_json::from_str(&line).expect("JSON; the reason is above")
}

fn started(command: &mut Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts")
}

/// Starts azurite on a free port, with nothing on the disk.
fn azurite(node: &Path, script: &Path) -> (Running, String) {
    let mut child = started(Command::new(node).arg(script).args([
        "--blobPort",
        "0",
        "--inMemoryPersistence",
        "--skipApiVersionCheck",
        "--disableTelemetry",
        "--silent",
    ]));
    let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    let server = Running(child);
    loop {
        let line = lines.next().expect("azurite listens").expect("a line");
        if let Some((_, url)) = line.split_once("listens on ") {
            // Nobody reads what it says later: that is nothing, as it is silent.
            return (server, url.trim().to_owned());
        }
    }
}
