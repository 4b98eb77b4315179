//! The word after `--destination`: a folder or the URL of a bucket.

use std::path::PathBuf;

use viam_contract::{Context, Error, Kind, Result, text};

/// A destination, not opened.
#[derive(Debug, PartialEq)]
pub(super) enum Place {
    /// A folder of this computer.
    Dir(PathBuf),
    /// A bucket, or a container, and what stands before the paths in it.
    Bucket { scheme: Scheme, bucket: String, prefix: String },
}

/// The kinds of object stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    S3,
    Google,
    Azure,
}

impl Place {
    pub(super) fn parse(cx: &Context, word: &str) -> Result<Self> {
        let usage = |words: String| Error::new(Kind::Usage, words);
        if word.is_empty() {
            return Err(usage("the destination is empty".to_owned())
                .hint_text("--destination names a folder or a bucket, as in s3://BUCKET/PREFIX"));
        }
        let is_scheme = |scheme: &str| {
            scheme.len() > 1
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        };
        let Some((scheme, rest)) = word.split_once("://").filter(|(scheme, _)| is_scheme(scheme))
        else {
            return Ok(Self::Dir(cx.cwd.join(word)));
        };
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "file" => return of_file(rest).ok_or_else(|| usage(not_here(word))),
            "s3" | "s3a" => Scheme::S3,
            "gs" => Scheme::Google,
            "az" | "azure" => Scheme::Azure,
            other => {
                let words = format!("{} is no kind of destination", text::quoted(other));
                return Err(usage(words)
                    .hint_text("a destination is a folder, file://, s3://, gs:// or az://"));
            }
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let parts: Vec<&str> = prefix.split('/').filter(|part| !part.is_empty()).collect();
        if bucket.is_empty() || parts.iter().any(|part| matches!(*part, "." | "..")) {
            return Err(usage(format!("{} names no bucket", text::quoted(word)))
                .hint_text("a bucket is named as in s3://BUCKET/PREFIX"));
        }
        Ok(Self::Bucket { scheme, bucket: bucket.to_owned(), prefix: parts.join("/") })
    }
}

/// `file:///path` and `file://localhost/path` (RFC 8089).
fn of_file(rest: &str) -> Option<Place> {
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    path.starts_with('/').then(|| Place::Dir(PathBuf::from(percent_decoded(path))))
}

fn not_here(word: &str) -> String {
    format!("{} is no path of this computer", text::quoted(word))
}

fn percent_decoded(path: &str) -> std::ffi::OsString {
    use std::os::unix::ffi::OsStringExt as _;
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, others @ ..] = rest {
        let digits = others.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte =
            digits.filter(|_| *first == b'%').and_then(|text| u8::from_str_radix(text, 16).ok());
        match byte {
            Some(byte) => {
                bytes.push(byte);
                rest = &others[2..];
            }
            None => {
                bytes.push(*first);
                rest = others;
            }
        }
    }
    std::ffi::OsString::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_urls() {
        assert_eq!(of_file("/a/b%20c%"), Some(Place::Dir("/a/b c%".into())));
        assert_eq!(of_file("localhost/a"), Some(Place::Dir("/a".into())));
        assert_eq!(of_file("elsewhere/a"), None);
    }
}
