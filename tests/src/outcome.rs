//! What a command did, as a test sees it.

use std::fmt;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Output;

/// Exit status and both outputs. Shown, paths of the test and port numbers are replaced.
pub struct Outcome {
    /// The exit code; -N where signal N ended it.
    pub code: i32,
    /// Raw stdout.
    pub stdout: Vec<u8>,
    /// Raw stderr.
    pub stderr: Vec<u8>,
    replacements: Vec<(String, &'static str)>,
}

impl Outcome {
    pub(crate) fn new(output: Output, root: &Path, home: &Path) -> Self {
        let code = output
            .status
            .code()
            .or_else(|| output.status.signal().map(|signal| -signal))
            .unwrap_or(i32::MIN);
        Self {
            code,
            stdout: output.stdout,
            stderr: output.stderr,
            replacements: vec![
                (home.display().to_string(), "[HOME]"),
                (root.display().to_string(), "[ROOT]"),
            ],
        }
    }

    /// stdout as text.
    #[must_use]
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// stderr as text.
    #[must_use]
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// stdout as JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// Expects success.
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{self}");
        self
    }

    /// Expects this exit code.
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    /// Expects words on stderr; a first letter may be a capital there.
    pub fn says(self, words: &str) -> Self {
        let (said, wanted) = (self.err().to_lowercase(), words.to_lowercase());
        assert!(said.contains(&wanted), "no {words:?} in stderr:\n{self}");
        self
    }

    /// Expects words on stdout.
    pub fn prints(self, words: &str) -> Self {
        assert!(self.out().contains(words), "no {words:?} in stdout:\n{self}");
        self
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: String| {
            let mut text = text;
            for (from, to) in &self.replacements {
                text = text.replace(from, to);
            }
            without_ports(&text)
        };
        writeln!(f, "exit: {}", self.code)?;
        writeln!(f, "-- stdout --\n{}[EOF]", shown(self.out()))?;
        write!(f, "-- stderr --\n{}[EOF]", shown(self.err()))
    }
}

/// `127.0.0.1:40123` becomes `127.0.0.1:[PORT]`.
fn without_ports(text: &str) -> String {
    let mut rest = text;
    let mut shown = String::new();
    while let Some(at) = rest.find("127.0.0.1:") {
        let end = at + "127.0.0.1:".len();
        shown.push_str(&rest[..end]);
        rest = &rest[end..];
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        shown.push_str(if digits > 0 { "[PORT]" } else { "" });
        rest = &rest[digits..];
    }
    shown.push_str(rest);
    shown
}
