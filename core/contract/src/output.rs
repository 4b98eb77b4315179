//! The only doors to stdout and stderr.
//!
//! stdout is data, stderr is talk. Both are plain writers here, so that a test can look at
//! them; whether each is a terminal is a field, not a system call.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::{Format, Result, text};

/// One of the two writers.
pub struct Stream {
    /// Where the bytes go.
    pub writer: Box<dyn Write + Send>,
    /// Whether it is a terminal: control characters of foreign text are dropped there.
    pub tty: bool,
    /// Whether headings are coloured.
    pub color: bool,
}

impl Stream {
    /// A stream that is not a terminal.
    #[must_use]
    pub fn plain(writer: Box<dyn Write + Send>) -> Self {
        Self { writer, tty: false, color: false }
    }
}

/// Where results, notices and errors go.
pub struct Output {
    stdout: Mutex<Stream>,
    stderr: Mutex<Stream>,
    /// What is not to be said again.
    said: Mutex<Vec<String>>,
    /// `--format`.
    pub format: Format,
    /// `--quiet`: notices are dropped, warnings and errors are not.
    pub quiet: bool,
}

impl Output {
    /// Joins two streams.
    #[must_use]
    pub fn new(stdout: Stream, stderr: Stream, format: Format, quiet: bool) -> Self {
        let (stdout, stderr) = (Mutex::new(stdout), Mutex::new(stderr));
        Self { stdout, stderr, said: Mutex::default(), format, quiet }
    }

    /// Whether stdout is a terminal.
    #[must_use]
    pub fn stdout_tty(&self) -> bool {
        self.stdout.lock().unwrap_or_else(PoisonError::into_inner).tty
    }

    /// Whether stderr is a terminal.
    #[must_use]
    pub fn stderr_tty(&self) -> bool {
        self.stderr.lock().unwrap_or_else(PoisonError::into_inner).tty
    }

    /// Prints one line of the result.
    ///
    /// # Errors
    /// When stdout cannot be written; a closed pipe has a kind of its own.
    pub fn line(&self, line: impl AsRef<str>) -> Result<()> {
        let mut stream = self.stdout.lock().unwrap_or_else(PoisonError::into_inner);
        let line = line.as_ref();
        if stream.tty {
            stream.writer.write_all(text::for_terminal(line).as_bytes())?;
        } else {
            stream.writer.write_all(line.as_bytes())?;
        }
        stream.writer.write_all(b"\n")?;
        Ok(())
    }

    /// Writes raw bytes of the result.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn bytes(&self, bytes: &[u8]) -> Result<()> {
        let mut stream = self.stdout.lock().unwrap_or_else(PoisonError::into_inner);
        stream.writer.write_all(bytes)?;
        Ok(())
    }

    /// Prints a value as the JSON result of the command: indented, one newline at the end.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn json<T: Serialize + ?Sized>(&self, value: &T) -> Result<()> {
        let mut bytes = serde_json::to_vec_pretty(value).map_err(io::Error::from)?;
        bytes.push(b'\n');
        self.bytes(&bytes)
    }

    /// Prints a value as one line of JSON, for results that come as a stream.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn json_line<T: Serialize + ?Sized>(&self, value: &T) -> Result<()> {
        let mut bytes = serde_json::to_vec(value).map_err(io::Error::from)?;
        bytes.push(b'\n');
        self.bytes(&bytes)
    }

    /// Prints an `Info:` line of the result on stdout (documented forms that scripts read).
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn info(&self, words: &str) -> Result<()> {
        self.headed_result("Info:", "36", words)
    }

    /// Prints a `Warning:` line of the result on stdout (documented forms that scripts read).
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn result_warning(&self, words: &str) -> Result<()> {
        self.headed_result("Warning:", "33", words)
    }

    fn headed_result(&self, heading: &str, color: &str, words: &str) -> Result<()> {
        let mut stream = self.stdout.lock().unwrap_or_else(PoisonError::into_inner);
        let line = headed(&stream, heading, color, words);
        stream.writer.write_all(line.as_bytes())?;
        Ok(())
    }

    /// Says something on stderr that is not a result: dropped by `--quiet`.
    pub fn status(&self, words: &str) {
        if !self.quiet {
            self.talk("Info:", "36", words);
        }
    }

    /// As [`Self::status`], but once only, however often it is true.
    pub fn status_once(&self, words: &str) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if !said.iter().any(|before| before == words) {
            said.push(words.to_owned());
            self.status(words);
        }
    }

    /// Warns on stderr.
    pub fn warn(&self, words: &str) {
        self.talk("Warning:", "33", words);
    }

    /// Prints a headed error line on stderr.
    pub fn error(&self, words: &str) {
        self.talk("Error:", "31", words);
    }

    /// Prints a plain line on stderr.
    pub fn note(&self, words: &str) {
        let mut stream = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        let words = if stream.tty { text::for_terminal(words) } else { words.into() };
        // stderr that cannot be written leaves nobody to tell.
        let _ = stream.writer.write_all(format!("{words}\n").as_bytes());
    }

    fn talk(&self, heading: &str, color: &str, words: &str) {
        let mut stream = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        let line = headed(&stream, heading, color, words);
        let _ = stream.writer.write_all(line.as_bytes());
        let _ = stream.writer.flush();
    }

    /// Pushes out what is buffered.
    ///
    /// # Errors
    /// When stdout cannot be written: a full disk must not end in exit code 0.
    pub fn flush(&self) -> Result<()> {
        self.stdout.lock().unwrap_or_else(PoisonError::into_inner).writer.flush()?;
        Ok(())
    }
}

/// `Heading: words` with the heading in bold colour; the words never carry colour.
fn headed(stream: &Stream, heading: &str, color: &str, words: &str) -> String {
    let words = if stream.tty { text::for_terminal(words) } else { words.into() };
    if stream.color {
        format!("\x1b[1;{color}m{heading}\x1b[0m {words}\n")
    } else {
        format!("{heading} {words}\n")
    }
}
