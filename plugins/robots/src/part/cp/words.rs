//! What is copied where, as the command line says it (transport.md §6.3).

use viam_contract::{Error, Kind, Result, text};

/// What stands before the paths of the machine.
const PREFIX: &str = "machine:";

/// One copy.
#[derive(Debug, PartialEq)]
pub(super) enum Copy {
    /// Files of this computer to the machine; an empty destination is the home there.
    To { sources: Vec<String>, destination: String },
    /// Files of the machine to this computer.
    From { sources: Vec<String>, destination: String },
}

impl Copy {
    /// The first word decides the direction.
    pub(super) fn parse(words: &[String]) -> Result<Self> {
        let usage = |words: String| Err(Error::new(Kind::Usage, words));
        let Some((last, sources)) = words.split_last() else {
            return usage("must provide files to copy".to_owned());
        };
        let first = sources.first().unwrap_or(last);
        if first.starts_with(PREFIX) {
            if last.starts_with(PREFIX) {
                return usage("expected last argument to be <copy to path>".to_owned());
            }
            let mut paths = Vec::new();
            for source in sources {
                match source.strip_prefix(PREFIX) {
                    // The home, as for a destination.
                    Some("") => paths.push("~".to_owned()),
                    Some(path) => paths.push(path.to_owned()),
                    None => {
                        let source = text::quoted(source);
                        return usage(format!(
                            "expected argument {source} to be machine:<copy from path>"
                        ));
                    }
                }
            }
            return Ok(Self::From { sources: paths, destination: last.clone() });
        }
        let Some(destination) = last.strip_prefix(PREFIX) else {
            return usage("expected last argument to be machine:<copy to path>".to_owned());
        };
        if sources.is_empty() {
            return usage("must provide files to copy".to_owned());
        }
        if let Some(source) = sources.iter().find(|source| source.starts_with(PREFIX)) {
            let source = text::quoted(source);
            return usage(format!("expected argument {source} to be a path of this computer"));
        }
        let destination = if destination == "~" { "" } else { destination };
        Ok(Self::To { sources: sources.to_vec(), destination: destination.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Copy, String> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        Copy::parse(&words).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn the_prefix_says_which_side_is_the_machine() {
        let list = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        for (words, to) in [(&["a", "b", "machine:~"][..], ""), (&["a", "b", "machine:x"], "x")] {
            let expected = Copy::To { sources: list(&["a", "b"]), destination: to.to_owned() };
            assert_eq!(parsed(words), Ok(expected));
        }
        let expected = Copy::From { sources: list(&["a", "~"]), destination: ".".to_owned() };
        assert_eq!(parsed(&["machine:a", "machine:", "."]), Ok(expected));
    }

    #[test]
    fn what_is_wrong_is_said_as_documented() {
        for (words, said) in [
            (&[][..], "must provide files to copy"),
            (&["a"], "expected last argument to be machine:<copy to path>"),
            (&["a", "b"], "expected last argument to be machine:<copy to path>"),
            (&["machine:a"], "expected last argument to be <copy to path>"),
            (&["machine:a", "machine:b"], "expected last argument to be <copy to path>"),
            (&["machine:a", "b", "c"], "expected argument \"b\" to be machine:<copy from path>"),
            (
                &["a", "machine:b", "machine:c"],
                "expected argument \"machine:b\" to be a path of this computer",
            ),
        ] {
            assert_eq!(parsed(words), Err(said.to_owned()), "{words:?}");
        }
    }
}
