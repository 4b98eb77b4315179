//! Paths that stay where they belong and that any file system takes.

/// The longest part of a path, in bytes.
const PART: usize = 255;

/// The longest path below the destination.
const PATH: usize = 1024;

/// What is put behind a name in `metadata/`.
const JSON: usize = ".json".len();

/// Names that Windows keeps for devices, with or without an extension.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// The path with every part made safe, below whatever it is joined to: `..` leads no higher than
/// to the top. An extension of `ext` bytes may still be put behind it.
pub(super) fn path(wanted: &str, ext: usize) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in wanted.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let last = parts.len().saturating_sub(1);
    let mut clean: Vec<String> = Vec::new();
    for (place, name) in parts.into_iter().enumerate() {
        let name = part(name);
        let room = if place == last { PART - JSON.max(ext) } else { PART };
        clean.push(if name.len() > room { shortened(&name, room) } else { name });
    }
    let whole = clean.join("/");
    match clean.pop() {
        None => "_".to_owned(),
        // So deep that some system would not take it: the folders become a mark.
        Some(last) if whole.len() > PATH => format!("{}/{last}", super::tag(&whole)),
        Some(_) => whole,
    }
}

/// An extension that is one, in a length that leaves room for a name.
pub(super) fn extension(ext: &str) -> String {
    let mut ext: String = ext.chars().map(|c| if c == '/' { '_' } else { safe(c) }).collect();
    truncate(&mut ext, 60);
    // A part of a path does not end so.
    if ext.ends_with(['.', ' ']) && !ext.is_empty() {
        ext.pop();
        ext.push('_');
    }
    ext
}

/// One part of a path.
fn part(name: &str) -> String {
    let mut name: String = name.chars().map(safe).collect();
    if name.ends_with(['.', ' ']) {
        name.pop();
        name.push('_');
    }
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    let is_device = DEVICES.contains(&stem.as_str())
        || ["com", "lpt"].iter().any(|port| {
            stem.strip_prefix(port).is_some_and(|number| {
                let mut digits = number.chars();
                digits.next().is_some_and(|digit| "0123456789¹²³".contains(digit))
                    && digits.next().is_none()
            })
        });
    if is_device {
        name.insert(name.find('.').unwrap_or(name.len()), '_');
    }
    name
}

/// What Windows or a terminal does not take in a name.
fn safe(c: char) -> char {
    match c {
        '<' | '>' | ':' | '"' | '|' | '?' | '*' | '\\' => '_',
        c if c.is_control() => '_',
        // They turn what stands around them, so that a name looks like another one.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '_',
        c => c,
    }
}

/// Cut to so many bytes, with a mark of the whole name and its extension.
fn shortened(name: &str, room: usize) -> String {
    let (stem, ext) = super::split_extension(name);
    let ext = if ext.len() > 32 { "" } else { ext };
    let mark = super::tag(name);
    let mut stem = stem.to_owned();
    truncate(&mut stem, room.saturating_sub(ext.len() + mark.len() + 1));
    format!("{stem}~{mark}{ext}")
}

/// The name with a mark before its extension.
pub(super) fn tagged(path: &str, mark: &str) -> String {
    let (stem, ext) = super::split_extension(path);
    let start = stem.rfind('/').map_or(0, |slash| slash + 1);
    let (folder, stem) = stem.split_at(start);
    let mut stem = stem.to_owned();
    // Room for what may be put behind it, as for a name without a mark.
    truncate(&mut stem, (PART - 64).saturating_sub(ext.len() + mark.len() + 1));
    format!("{folder}{stem}~{mark}{ext}")
}

/// The path as one part.
pub(super) fn flat(path: &str) -> String {
    path.replace('/', "_")
}

fn truncate(text: &mut String, mut length: usize) {
    if text.len() > length {
        while !text.is_char_boundary(length) {
            length -= 1;
        }
        text.truncate(length);
    }
}
