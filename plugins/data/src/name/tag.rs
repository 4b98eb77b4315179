//! A short mark of an id, the same one each time.

use std::fmt::Write as _;

use ring::digest::{SHA256, digest as hash};

/// Twelve hexadecimal digits.
pub(crate) fn tag(id: &str) -> String {
    let mut digits = digest(id);
    digits.truncate(12);
    digits
}

/// All of them.
pub(crate) fn digest(id: &str) -> String {
    let mut digits = String::with_capacity(64);
    for byte in hash(&SHA256, id.as_bytes()).as_ref() {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}
