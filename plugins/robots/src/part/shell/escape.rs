//! The way out of a session that is dead: `~.` at the beginning of a line, as in ssh.

/// What was typed so far.
#[derive(Debug, Default, PartialEq)]
enum State {
    /// At the beginning of a line.
    #[default]
    Start,
    /// A `~` there, which is not passed on yet.
    Tilde,
    /// Elsewhere.
    Within,
}

/// Looks at what is typed.
#[derive(Debug, Default)]
pub(super) struct Escape {
    state: State,
}

impl Escape {
    /// What of the bytes goes to the shell; `true` when the session is to be dropped.
    pub(super) fn filter(&mut self, typed: &[u8]) -> (Vec<u8>, bool) {
        let mut passed = Vec::with_capacity(typed.len() + 1);
        for &byte in typed {
            let line_ends = matches!(byte, b'\r' | b'\n');
            match (&self.state, byte) {
                (State::Start, b'~') => {
                    self.state = State::Tilde;
                    continue;
                }
                (State::Tilde, b'.') => return (passed, true),
                // `~~` stands for one.
                (State::Tilde, b'~') => {}
                (State::Tilde, _) => passed.push(b'~'),
                _ => {}
            }
            passed.push(byte);
            self.state = if line_ends { State::Start } else { State::Within };
        }
        (passed, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(pieces: &[&str]) -> (String, bool) {
        let mut escape = Escape::default();
        let mut all = Vec::new();
        for piece in pieces {
            let (passed, dropped) = escape.filter(piece.as_bytes());
            all.extend(passed);
            if dropped {
                return (String::from_utf8(all).expect("text"), true);
            }
        }
        (String::from_utf8(all).expect("text"), false)
    }

    #[test]
    fn a_tilde_and_a_dot_at_the_beginning_of_a_line_drop_the_session() {
        for (pieces, passed, dropped) in [
            (&["~."][..], "", true),
            (&["ls\r~", ".x"], "ls\r", true),
            (&["ls ~.\r"], "ls ~.\r", false),
            (&["~~.\r"], "~.\r", false),
            (&["~x", "~."], "~x~.", false),
            (&["cd ~\n", "~/a\n"], "cd ~\n~/a\n", false),
        ] {
            assert_eq!(typed(pieces), (passed.to_owned(), dropped), "{pieces:?}");
        }
    }
}
