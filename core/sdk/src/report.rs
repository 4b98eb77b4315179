//! How an error is shown: `Error:`, `Caused by:` where it adds words, hints.

use viam_contract::{Error, Hint, Kind, Output};

/// Prints it on stderr. What ended a child, and a reader that went away, print nothing.
pub fn show(output: &Output, error: &Error) {
    if matches!(error.kind(), Kind::Child(_) | Kind::BrokenPipe) {
        return;
    }
    let message = error.message();
    let mut letters = message.chars();
    let capital: String = letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default();
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
