//! The exit status of a process, as a value.

/// How a process ended, or is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// An exit code.
    Code(u8),
    /// Death by this signal number (Unix).
    Signal(i32),
}

impl Exit {
    /// The successful end.
    pub const OK: Self = Self::Code(0);

    /// The number a shell shows for it: the code, or 128 + the signal.
    #[must_use]
    pub const fn shell_code(self) -> u8 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => (128 + (signal & 0x7f)) as u8,
        }
    }
}
