//! Secrets of the command line.

use std::io::{self, IsTerminal as _, Read as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use viam_contract::{Error, Kind, Result, ResultExt as _};

/// A secret that was given; `-` reads it from stdin, so that no other process sees it. On a
/// terminal it is asked for, as `what`, and not shown.
///
/// # Errors
/// `Usage` when stdin holds none, `Cancelled` when it is interrupted.
pub fn secret(given: &str, what: &str) -> Result<String> {
    if given != "-" {
        return Ok(given.to_owned());
    }
    let line = if io::stdin().is_terminal() { typed(what)? } else { first_line()? };
    let secret = line.trim().to_owned();
    if secret.is_empty() {
        return Err(Error::new(Kind::Usage, "stdin holds no secret")
            .hint_text("give it as the first line of stdin"));
    }
    Ok(secret)
}

fn first_line() -> Result<String> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line)
}

/// The terminal as it was, put back however this ends: with signals off, Ctrl-C is a character.
struct Restored(Termios);

impl Drop for Restored {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing put back.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

fn typed(what: &str) -> Result<String> {
    let doing = || "cannot read from the terminal".to_owned();
    let before = tcgetattr(io::stdin()).or_kind(Kind::User, doing)?;
    let mut silent = before.clone();
    silent.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
    let restored = Restored(before);
    tcsetattr(io::stdin(), OptionalActions::Flush, &silent).or_kind(Kind::User, doing)?;
    // Asked only now: what was typed before is dropped, what is typed from here on is not shown.
    write!(io::stderr(), "{what} (not shown): ")?;
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        match io::stdin().read(&mut byte)? {
            0 => break,
            _ => match byte[0] {
                b'\r' | b'\n' | 0x04 => break,
                0x03 => {
                    drop(restored);
                    writeln!(io::stderr())?;
                    return Err(Error::new(Kind::Cancelled, "interrupted"));
                }
                0x7f | 0x08 => drop(line.pop()),
                other => line.push(other),
            },
        }
    }
    drop(restored);
    writeln!(io::stderr())?;
    String::from_utf8(line).or_kind(Kind::Usage, || "the secret is not UTF-8".to_owned())
}
