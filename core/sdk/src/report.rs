//! How an error is shown: `Error:`, `Caused by:` where it adds words, hints.

use viam_contract::{Error, Hint, Kind, Output};

/// Prints it on stderr. What ended a child, and a reader that went away, print nothing.
pub fn show(output: &Output, error: &Error) {
    if matches!(error.kind(), Kind::Child(_) | Kind::BrokenPipe) {
        return;
    }
    let capital = capitalised(error.message());
    output.error(&capital);
    for cause in error.causes() {
        output.note(&format!("Caused by: {cause}"));
    }
    for hint in error.hints() {
        match hint {
            Hint::Run(command) => output.note(&format!("Hint: run `{command}`")),
            Hint::Text(words) => output.note(&format!("Hint: {words}")),
            _ => {}
        }
    }
    if error.kind() == Kind::Internal {
        output.note(&format!(
            "Hint: this is a fault of viam {}; run it again with --debug and report what it prints",
            viam_contract::VERSION
        ));
    }
}

/// With a capital, unless it begins with a name: an address, a file, a program.
fn capitalised(message: &str) -> String {
    let first = message.split_whitespace().next().unwrap_or_default();
    let mut letters = message.chars();
    match letters.next() {
        Some(letter) if first.chars().all(|c| c.is_ascii_lowercase()) => {
            letter.to_uppercase().chain(letters).collect()
        }
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_letters() {
        assert_eq!(capitalised("not logged in"), "Not logged in");
        assert_eq!(capitalised("http://h:1 would carry"), "http://h:1 would carry");
        assert_eq!(capitalised("viam-x is a plugin"), "viam-x is a plugin");
        assert_eq!(capitalised("\"b\" names 2 organizations"), "\"b\" names 2 organizations");
        assert_eq!(capitalised(""), "");
    }
}
