//! `viam sandbox tour`: the main job, for real, on a sandbox of its own.
//!
//! Each line that begins with `$` is run by the running program itself, and what follows is what
//! it printed. A command that fails fails the tour.

use std::ffi::OsString;
use std::path::Path;

use serde_json::Value;
use viam_contract::{Captured, Context, Error, Exit, Job, Kind, Result, ResultExt as _, text};

use crate::place::{FOREIGN, path_led_by_core};
use crate::run::temporary_home;
use crate::seed::Seed;
use crate::server::{Options, Running, Server};
use crate::{files, home};

/// Look around: a fleet, an API key and a plugin of one's own
///
/// Starts a sandbox, logs in to it, lists what is there, makes an API key and runs a plugin that
/// is a shell script. Nothing is left behind.
#[derive(Debug, PartialEq, clap::Args)]
pub(crate) struct Args {
    /// what the sandbox is filled with: fleet, docs, scale:N,
    /// data:FILES,BYTES,ROWS, hostile or a JSON file
    #[arg(long, value_name = "WORLD", default_value = "fleet")]
    seed: String,
    /// name of the API key that is made
    #[arg(long, value_name = "NAME", default_value = "made-on-the-tour")]
    key_name: String,
    /// the angle that a servo is moved to, in degrees
    #[arg(long, value_name = "DEGREES", default_value_t = 75)]
    angle: u8,
    /// what the plugin says
    #[arg(long, value_name = "WORDS", default_value = "Hello")]
    greeting: String,
}

/// The plugin: it reads its session from stdin and asks the core for a token.
const PLUGIN: &str = r#"#!/bin/sh
session=$(cat)
who=$(printf '%s' "$session" | sed 's/.*"subject":"\([^"]*\)".*/\1/')
mine=$(printf '%s' "$session" | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
echo "$1, $who!"
if [ "$("$VIAM_CLI" login print-access-token)" = "$mine" ]; then
    echo "The core gave me the same token when I called it back."
else
    echo "The core gave me another token." >&2
    exit 1
fi
"#;

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    let seed = Seed::parse(&args.seed, &cx.cwd)?;
    let running = Server::start(Options { seed, ..Options::default() })?;
    let folder = temporary_home(cx)?;
    let result = Tour { cx, running: &running, folder: folder.path() }.walk(&args).await;
    running.stop();
    folder
        .close()
        .or_kind(Kind::Config, || "cannot remove what the tour made".to_owned())
        .and(result)
}

struct Tour<'a> {
    cx: &'a Context,
    running: &'a Running,
    folder: &'a Path,
}

impl Tour<'_> {
    async fn walk(&self, args: &Args) -> Result<()> {
        let output = &self.cx.output;
        output.line(format!(
            "A cloud of your own runs at {} for the length of this tour.",
            self.running.base_url()
        ))?;
        // The user of this world makes the key that the tour logs in with.
        home::prepare(&self.folder.join("owner"), self.running)?;
        let owner = self.captured("owner", &["organizations", "list", "--format", "json"], None);
        let owner = json(&owner.await?)?;
        let organization = owner[0]["id"].as_str().unwrap_or_default().to_owned();
        let words =
            ["organizations", "api-key", "create", "--org-id", &organization, "--format", "json"];
        let key = json(&self.captured("owner", &words, None).await?)?;
        let (id, secret) = (key["id"].as_str(), key["key"].as_str());
        let (id, secret) = (id.unwrap_or_default(), secret.unwrap_or_default());

        self.heading("Log in with an API key; its secret comes by stdin")?;
        let base_url = self.running.base_url();
        let words = ["--base-url", base_url, "login", "api-key", "--key-id", id, "--key", "-"];
        self.show_fed(&words, Some(secret)).await?;
        self.show(&["whoami"]).await?;

        self.heading("See what is there")?;
        self.show(&["organizations", "list"]).await?;
        self.show(&["locations", "list"]).await?;
        self.show(&["robots", "list"]).await?;
        self.show(&["organizations", "list", "--format", "json"]).await?;
        let words = ["robots", "list", "--all", "--format", "json"];
        let machines = json(&self.captured("home", &words, None).await?)?;
        if let (Some(machine), Some(part)) =
            (machines[0]["id"].as_str(), machines[0]["main_part_id"].as_str())
        {
            self.show(&["robots", "status", "--machine", machine]).await?;
            self.show(&["robots", "part", "logs", "--part", part, "--count", "5"]).await?;
            self.servo(part, &args.angle.to_string()).await?;
        }

        self.heading("Make an API key for a script")?;
        let words = [
            "organizations",
            "api-key",
            "create",
            "--org-id",
            &organization,
            "--name",
            &args.key_name,
        ];
        self.show(&words).await?;
        let words = [&words[..], &["--format", "json"]].concat();
        self.show(&words).await?;

        self.heading("Add a command: an executable viam-hello on PATH, here a shell script")?;
        let plugin = self.folder.join("bin").join("viam-hello");
        files::make_private_dir(&self.folder.join("bin"))?;
        files::write_private(&plugin, PLUGIN.as_bytes())?;
        executable(&plugin)?;
        for line in PLUGIN.lines() {
            output.line(format!("    {line}"))?;
        }
        self.show(&["hello", &args.greeting]).await?;
        self.show(&["plugin", "list"]).await?;
        output.line("")?;
        output.line("`viam sandbox start` keeps such a cloud running; `viam login` logs in to the real one.")
    }

    /// Moves a servo of the part, where it has one.
    async fn servo(&self, part: &str, angle: &str) -> Result<()> {
        // Only a part that the sandbox plays has a port.
        if !self.running.fqdn(part)?.starts_with("127.0.0.1:") {
            return Ok(());
        }
        let run = ["robots", "part", "run", "--part", part];
        let words = [&run[..], &["--list", "--format", "json"]].concat();
        let listed = json(&self.captured("home", &words, None).await?)?;
        let servo = listed.as_array().into_iter().flatten().find_map(|one| {
            let servo = one["resource"].as_str()?.strip_prefix("rdk:component:servo/")?;
            Some(servo.to_owned())
        });
        let Some(servo) = servo else { return Ok(()) };
        self.heading("Move a servo of a live machine")?;
        let data = format!("{{\"angle_deg\": {angle}}}");
        let run = [&run[..], &["--component", &servo, "--method"]].concat();
        self.show(&[&run[..], &["Move", "--data", &data]].concat()).await?;
        self.show(&[&run[..], &["GetPosition"]].concat()).await
    }

    fn heading(&self, words: &str) -> Result<()> {
        self.cx.output.line("")?;
        self.cx.output.line(format!("# {words}"))
    }

    async fn show(&self, words: &[&str]) -> Result<()> {
        self.show_fed(words, None).await
    }

    /// Prints the command and what it prints.
    async fn show_fed(&self, words: &[&str], stdin: Option<&str>) -> Result<()> {
        let line: Vec<String> = words.iter().map(|word| shell_word(word)).collect();
        self.cx.output.line(format!("$ viam {}", line.join(" ")))?;
        self.cx.output.flush()?;
        let captured = self.captured("home", words, stdin).await?;
        let said = String::from_utf8_lossy(&captured.stdout).into_owned();
        for line in said.lines() {
            self.cx.output.line(line)?;
        }
        self.cx.output.flush()
    }

    /// Runs the program with a home; a failure is an error that shows what it said.
    async fn captured(&self, home: &str, words: &[&str], stdin: Option<&str>) -> Result<Captured> {
        let mut path = OsString::from(self.folder.join("bin"));
        path.push(":");
        path.push(path_led_by_core(self.cx));
        let mut env: Vec<(OsString, Option<OsString>)> =
            FOREIGN.iter().map(|name| (OsString::from(name), None)).collect();
        env.extend([
            ("VIAM_HOME".into(), Some(self.folder.join(home).into())),
            ("PATH".into(), Some(path)),
        ]);
        let job = Job {
            program: self.cx.core_exe.clone(),
            args: words.iter().map(OsString::from).collect(),
            env,
            stdin: stdin.map(|text| text.as_bytes().to_vec()),
        };
        let captured = self.cx.spawner.capture(job).await?;
        if captured.exit == Exit::OK {
            return Ok(captured);
        }
        let said = String::from_utf8_lossy(&captured.stderr).trim().to_owned();
        let code = captured.exit.shell_code();
        let command = words.join(" ");
        Err(Error::new(Kind::User, format!("`viam {command}` ended with exit code {code}"))
            .because(said))
    }
}

fn json(captured: &Captured) -> Result<Value> {
    serde_json::from_slice(&captured.stdout)
        .or_kind(Kind::Internal, || "the program printed no JSON".to_owned())
}

fn executable(path: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
            .or_kind(Kind::Config, || format!("cannot make {} executable", path.display()))?;
    }
    Ok(())
}

/// A word as one would type it.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", text::one_line(word).replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::Fake;

    #[tokio::test]
    async fn a_command_that_fails_fails_the_tour() {
        let fake = Fake::with_process(|_, _| Ok(Exit::Code(3)));
        let error = fake.sandbox(&["tour"]).await.expect_err("fails");
        assert!(error.message().contains("exit code 3"), "{error}");
        assert!(!fake.stdout.text().contains("$ viam"), "{}", fake.stdout.text());
    }

    #[test]
    fn words_are_shown_as_one_types_them() {
        assert_eq!(shell_word("--org-id"), "--org-id");
        assert_eq!(shell_word("Acme Robotics"), "'Acme Robotics'");
        assert_eq!(shell_word("it's"), "'it'\\''s'");
        assert_eq!(shell_word(""), "''");
    }
}
