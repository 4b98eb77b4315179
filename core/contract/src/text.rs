//! Text from a server, made safe for a line or for a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// One line of it: control characters are shown as `\n`, `\t`, `\u{1b}`, so that a name can
/// neither end a line of a listing nor speak to the terminal. JSON output has the exact text.
#[must_use]
pub fn one_line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_control) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_control(c) {
            let _ = write!(shown, "{}", c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// The same text without what a terminal would obey: every control character but newline and tab.
#[must_use]
pub fn for_terminal(text: &str) -> Cow<'_, str> {
    let keep = |c: char| c == '\n' || c == '\t' || !is_control(c);
    if text.chars().all(keep) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(|c| keep(*c)).collect())
}

/// C0, DEL and C1, and the marks that reorder what stands around them.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Go's `%q` of a string that a server or a user gave: double quotes, backslash escapes.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 2);
    shown.push('"');
    for c in text.chars() {
        match c {
            '"' => shown.push_str("\\\""),
            '\\' => shown.push_str("\\\\"),
            c if is_control(c) => {
                let _ = write!(shown, "{}", c.escape_default());
            }
            c => shown.push(c),
        }
    }
    shown.push('"');
    shown
}

/// The names closest to `word`, best first, for "did you mean".
#[must_use]
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let limit = 1 + word.chars().count() / 3;
    let mut found: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|name| {
            let mut distance = edit_distance(word, name);
            if word.len() >= 3 && name.starts_with(word) {
                distance = distance.min(1);
            }
            (distance <= limit).then_some((distance, name))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.truncate(3);
    found.into_iter().map(|(_, name)| name).collect()
}

/// Optimal string alignment distance: insert, delete, replace, swap of neighbours.
fn edit_distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(64).collect();
    let b: Vec<char> = b.chars().take(64).collect();
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut best =
                (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_shows_what_would_break_the_line() {
        assert_eq!(one_line("plain é"), "plain é");
        assert_eq!(one_line("a\nb\t\u{1b}[2J\u{9b}"), "a\\nb\\t\\u{1b}[2J\\u{9b}");
    }

    #[test]
    fn a_terminal_gets_no_escape_sequence() {
        assert_eq!(for_terminal("a\u{1b}]0;x\u{7}b\n\tc"), "a]0;xb\n\tc");
    }

    #[test]
    fn quoting_is_that_of_the_existing_program() {
        assert_eq!(quoted("me@x.com"), "\"me@x.com\"");
        assert_eq!(quoted("a\"b\\c"), "\"a\\\"b\\\\c\"");
    }

    #[test]
    fn near_names_are_found() {
        let names = ["organizations", "locations", "login", "logout", "robots"];
        assert_eq!(nearest("organisations", names), ["organizations"]);
        assert_eq!(nearest("lgoin", names), ["login"]);
        assert_eq!(nearest("org", names), ["organizations"]);
        assert!(nearest("zzzzzz", names).is_empty());
    }
}
