//! What goes wrong in a bucket, in words for people.

use std::error::Error as StdError;

use viam_contract::{Error, Kind, text};

/// Where the account comes from.
pub(super) const ACCOUNT: &str =
    "the account is taken from the variables AWS_…, GOOGLE_… and AZURE_…; docs/data.md has them";

/// Makes an error of ours: what failed, why, and what can be done. It is everybody's trouble and
/// not that of one file, so it is none of the kind `Remote`.
pub(super) fn trouble(place: &str, error: object_store::Error) -> Error {
    let own = own(&error);
    let failed = Error::new(Kind::User, format!("cannot use {}", text::one_line(place)));
    let failed = match own {
        Some(own) => failed.because(own.one_line()),
        None => failed.because(reason(&error.to_string())),
    };
    match error {
        object_store::Error::PermissionDenied { .. }
        | object_store::Error::Unauthenticated { .. } => failed.hint_text(ACCOUNT),
        object_store::Error::NotFound { .. } => {
            failed.hint_text("the bucket has to be there: it is not made here")
        }
        _ if own.is_some_and(|own| own.kind() == Kind::Config) => failed.hint_text(ACCOUNT),
        _ => failed,
    }
}

/// The error of ours at the bottom of one of the library.
fn own<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(own) = error.downcast_ref() {
            return Some(own);
        }
        next = error.source();
    }
    None
}

/// What a store says in its XML, else what the library says: the rest of the answer is long, and
/// may repeat what was signed.
fn reason(said: &str) -> String {
    let between = |start: &str, end: &str| {
        let (_, rest) = said.split_once(start)?;
        Some(rest.split_once(end)?.0.trim())
    };
    let status = between("status code: ", ":");
    let code = between("<Code>", "</Code>");
    // Others repeat the request on lines of its own.
    let words = between("<Message>", "</Message>").and_then(|words| words.lines().next());
    let known: Vec<&str> = [status, code, words].into_iter().flatten().collect();
    if known.is_empty() { text::one_line(said).into_owned() } else { known.join(": ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_store_says_is_cut_to_what_helps() {
        let said = "The operation lacked the necessary privileges: Error performing PUT \
            http://h/b/k in 1ms - Server returned non-2xx status code: 403 Forbidden: \
            <?xml version=\"1.0\"?>\n<Error><Code>NoEntry</Code><Message>Go away.\nTime:now\
            </Message><StringToSign>long</StringToSign></Error>";
        assert_eq!(reason(said), "403 Forbidden: NoEntry: Go away.");
        assert_eq!(reason("it\nbroke"), text::one_line("it\nbroke"));
    }
}
