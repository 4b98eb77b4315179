//! The one error type at the boundary: kind + message + source + hints.
//!
//! Grammar: the message is a lower-case fragment that says what was being done to which thing;
//! the cause is the source; advice is a hint. The kind alone sets the exit code.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::io;

use crate::Exit;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of failure it is. The only map from meaning to exit code is [`Kind::exit`]
/// (plugin-protocol §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The thing that was asked for cannot be done as it stands: not found, refused, ambiguous.
    User,
    /// The command line itself is wrong.
    Usage,
    /// A file of settings or of the session is broken or cannot be written.
    Config,
    /// Nobody is logged in, or the login is no longer accepted.
    Auth,
    /// The server or the network failed.
    Remote,
    /// A plugin was not started: unsafe, refused, incompatible, nested too deep.
    NotStarted,
    /// A plugin was found but the system cannot run it.
    CannotRun,
    /// No command of that name.
    NotFound,
    /// The user interrupted.
    Cancelled,
    /// The reader of our output went away; ends quietly.
    BrokenPipe,
    /// A fault of this program.
    Internal,
    /// A child process ended like this; nothing is printed.
    Child(Exit),
}

impl Kind {
    /// The exit status of the process for this kind.
    #[must_use]
    pub const fn exit(self) -> Exit {
        match self {
            Self::User | Self::Config | Self::Remote | Self::Internal => Exit::Code(1),
            Self::Usage => Exit::Code(2),
            Self::Auth => Exit::Code(4),
            Self::NotStarted => Exit::Code(125),
            Self::CannotRun => Exit::Code(126),
            Self::NotFound => Exit::Code(127),
            Self::Cancelled => Exit::Code(130),
            Self::BrokenPipe => Exit::OK,
            Self::Child(exit) => exit,
        }
    }
}

/// Advice that is printed below an error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// A command line that the user can run; a test checks that it parses.
    Run(Cow<'static, str>),
    /// Words.
    Text(Cow<'static, str>),
}

/// An error at the boundary. One word wide in a `Result`.
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
    hints: Vec<Hint>,
}

impl Error {
    /// Makes an error of a kind with a message (a lower-case fragment without a full stop).
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), source: None, hints: Vec::new() }))
    }

    /// Says what caused it.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Adds a hint, unless it is there already.
    #[must_use]
    pub fn hint(mut self, hint: Hint) -> Self {
        if !self.0.hints.contains(&hint) {
            self.0.hints.push(hint);
        }
        self
    }

    /// Adds a hint that is a command line.
    #[must_use]
    pub fn hint_run(self, command: impl Into<Cow<'static, str>>) -> Self {
        self.hint(Hint::Run(command.into()))
    }

    /// Adds a hint in words.
    #[must_use]
    pub fn hint_text(self, words: impl Into<Cow<'static, str>>) -> Self {
        self.hint(Hint::Text(words.into()))
    }

    /// The same error of another kind.
    #[must_use]
    pub fn with_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// The kind, which sets the exit code.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The message, without causes and hints.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The hints in the order they were added.
    #[must_use]
    pub fn hints(&self) -> &[Hint] {
        &self.0.hints
    }

    /// Message and causes on one line, where there is room for no more.
    #[must_use]
    pub fn one_line(&self) -> String {
        let mut line = self.0.message.clone();
        for cause in self.causes() {
            line.push_str(": ");
            line.push_str(&cause);
        }
        line
    }

    /// The same failure as a step of something larger: kind and hints stay, what was said so far
    /// becomes the cause.
    #[must_use]
    pub fn within(&self, doing: impl Into<String>) -> Self {
        let outer = Self::new(self.0.kind, doing).because(self.one_line());
        self.0.hints.iter().cloned().fold(outer, Self::hint)
    }

    /// The texts of the causes, outermost first, without those that only repeat what is
    /// already said by the text before them.
    #[must_use]
    pub fn causes(&self) -> Vec<String> {
        let mut said = self.0.message.clone();
        let mut causes = Vec::new();
        let mut next = self.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            if !text.is_empty() && !said.contains(&text) {
                said.clone_from(&text);
                causes.push(text);
            }
            next = cause.source();
        }
        causes
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .field("hints", &self.0.hints)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// Writing the result failed: a closed pipe is a kind of its own, a full disk is not.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::new(Kind::BrokenPipe, "the reader of the output went away");
        }
        Self::new(Kind::User, "cannot write the output").because(error)
    }
}

/// Adds what was being done to a foreign error.
pub trait ResultExt<T> {
    /// Turns the error into one of `kind`, with the message that `doing` gives.
    ///
    /// # Errors
    /// The same failure, with its source kept.
    fn or_kind(self, kind: Kind, doing: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<Box<dyn StdError + Send + Sync>>> ResultExt<T> for std::result::Result<T, E> {
    fn or_kind(self, kind: Kind, doing: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Error::new(kind, doing()).because(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_alone_sets_the_exit_code() {
        let table = [
            (Kind::User, 1),
            (Kind::Usage, 2),
            (Kind::Config, 1),
            (Kind::Auth, 4),
            (Kind::Remote, 1),
            (Kind::NotStarted, 125),
            (Kind::CannotRun, 126),
            (Kind::NotFound, 127),
            (Kind::Cancelled, 130),
            (Kind::BrokenPipe, 0),
            (Kind::Child(Exit::Code(42)), 42),
            (Kind::Child(Exit::Signal(15)), 143),
        ];
        for (kind, code) in table {
            assert_eq!(kind.exit().shell_code(), code, "{kind:?}");
        }
    }

    #[test]
    fn causes_leave_out_repetition() {
        let inner = Error::new(Kind::User, "no such file");
        let middle = Error::new(Kind::User, "cannot read x: no such file").because(inner);
        let outer = Error::new(Kind::Config, "cannot load the settings").because(middle);
        assert_eq!(outer.causes(), ["cannot read x: no such file"]);
    }

    #[test]
    fn a_failure_keeps_kind_and_hints_within_something_larger() {
        let inner =
            Error::new(Kind::Auth, "not logged in").because("no file").hint_run("viam login");
        let outer = inner.within("could not list");
        assert_eq!(outer.kind(), Kind::Auth);
        assert_eq!(outer.one_line(), "could not list: not logged in: no file");
        assert_eq!(outer.hints(), inner.hints());
    }

    #[test]
    fn hints_are_not_repeated() {
        let error =
            Error::new(Kind::Auth, "not logged in").hint_run("viam login").hint_run("viam login");
        assert_eq!(error.hints().len(), 1);
    }
}
