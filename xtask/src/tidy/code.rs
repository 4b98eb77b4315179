//! Rust as far as the rules need it: without comments and the contents of strings, and which
//! lines are for tests only.

/// A Rust file.
pub(crate) struct Code {
    /// The lines; comments and the contents of strings and characters are blanks.
    lines: Vec<String>,
    /// For each line, whether it stands in an item under `#[cfg(test)]`.
    for_tests: Vec<bool>,
}

impl Code {
    /// Reads a file.
    pub(crate) fn read(text: &str) -> Self {
        let bare = bare(text);
        let for_tests = for_tests(&bare);
        Self { lines: bare.lines().map(str::to_owned).collect(), for_tests }
    }

    /// All lines with their numbers.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines.iter().enumerate().map(|(index, line)| (index + 1, line.as_str()))
    }

    /// Whether a line is for tests only; the first is 1.
    pub(crate) fn is_for_tests(&self, number: usize) -> bool {
        self.for_tests.get(number - 1).copied().unwrap_or(false)
    }

    /// The lines that are not for tests only.
    pub(crate) fn working_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().filter(|(number, _)| !self.is_for_tests(*number))
    }
}

/// Whether a line has these words, not as a part of longer ones.
pub(crate) fn has(line: &str, words: &str) -> bool {
    line.match_indices(words).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + words.len()..].chars().next();
        !before.is_some_and(is_of_a_name) && !after.is_some_and(is_of_a_name)
    })
}

/// Whether a character can stand within a name.
pub(crate) fn is_of_a_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// The text with blanks for comments and for the contents of strings and characters.
fn bare(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut previous = ' ';
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => comment(rest),
            '"' => string(rest),
            'r' | 'b' | 'c' if !is_of_a_name(previous) => prefixed(rest),
            '\'' => character(rest),
            _ => 0,
        };
        let (part, after) = rest.split_at(if length == 0 { c.len_utf8() } else { length });
        if length == 0 {
            out.push(c);
        } else {
            out.extend(part.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        }
        previous = c;
        rest = after;
    }
    out
}

/// The length of a block comment, with those in it.
fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// The length of a string with its quotes.
fn string(text: &str) -> usize {
    let mut escaped = true;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a string that a prefix such as `r#` or `b` opens; 0 where it opens none.
fn prefixed(text: &str) -> usize {
    let prefix = text.find(|c| !matches!(c, 'r' | 'b' | 'c')).unwrap_or(text.len());
    let hashes = text[prefix..].bytes().take_while(|byte| *byte == b'#').count();
    let open = prefix + hashes;
    if prefix > 2 || !text[open..].starts_with('"') {
        return 0;
    }
    if !text[..prefix].contains('r') {
        return if hashes == 0 { open + string(&text[open..]) } else { 0 };
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let body = open + 1;
    text[body..].find(&end).map_or(text.len(), |at| body + at + end.len())
}

/// The length of a character with its quotes; 0 where it is a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => text[3..].find('\'').map_or(0, |at| at + 4),
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 0,
        },
        None => 0,
    }
}

/// For each line of bare text, whether it stands in an item under `#[cfg(test)]`.
fn for_tests(bare: &str) -> Vec<bool> {
    let mut marks = vec![false; bare.lines().count()];
    let mut at = 0;
    while let Some(found) = bare[at..].find("#[cfg(test)]") {
        let start = at + found;
        let end = item_end(bare, start + "#[cfg(test)]".len());
        let first = bare[..start].matches('\n').count();
        let last = bare[..end].matches('\n').count();
        for mark in marks.iter_mut().take(last + 1).skip(first) {
            *mark = true;
        }
        at = end;
    }
    marks
}

/// Where the item ends that starts at `from`: at its `;` or the brace that closes it.
fn item_end(bare: &str, from: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in bare.bytes().enumerate().skip(from) {
        match byte {
            b';' if depth == 0 => return at,
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    bare.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_are_blank() {
        for (text, kept) in [
            ("a // b", "a"),
            ("a /* b /* c */ d */ e", "a e"),
            (r#"f("x \" unsafe", y)"#, "f( , y)"),
            ("r#\"un\"safe\"# x", "x"),
            ("b\"x\" rest br\"\\\" z", "rest z"),
            ("'\"' 'a' '\\'' '\\u{1f}' <'a> &'static x", "<'a> &'static x"),
            ("for x in r { bar }", "for x in r { bar }"),
            ("'é' z", "z"),
        ] {
            let bare = bare(text);
            assert_eq!(bare.split_whitespace().collect::<Vec<_>>().join(" "), kept, "{text}");
        }
        assert_eq!(bare("\"a\nb\"\nc").lines().count(), 3);
    }

    #[test]
    fn items_for_tests_are_marked() {
        let code = Code::read(
            "fn a() {}\n#[cfg(test)]\nmod t {\n  fn b() { }\n}\nfn c() {}\n#[cfg(test)] use x;\ny",
        );
        let working: Vec<usize> = code.working_lines().map(|(number, _)| number).collect();
        assert_eq!(working, [1, 6, 8]);
    }

    #[test]
    fn words_are_whole() {
        assert!(has("std::env::var(x)", "env::var") && !has("env::vars()", "env::var"));
        assert!(has("unsafe {", "unsafe") && !has("unsafe_code", "unsafe"));
    }
}
