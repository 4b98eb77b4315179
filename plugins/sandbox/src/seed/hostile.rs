//! A machine whose files have every name that has broken an export somewhere: names that fall
//! together, that lead elsewhere, that a file system or a terminal does not bear.

use super::{FileSpec, LocationSpec, MachineSpec, OrganizationSpec, PartSpec, World};

/// `packed once` and the end of the line, gzipped.
const PACKED: &str = "H4sIAAAAAAACAytITM5OTVHIz0tO5QIAXw4ouAwAAAA=";

/// Two bytes as a gzip file begins with, and text.
const LOOKS_PACKED: &str = "H4twbGFpbg==";

/// All were captured at the same time, so that the time in a name tells none from another.
pub(super) fn world() -> World {
    let part = PartSpec { name: "hostile-main".to_owned(), files: files(), ..PartSpec::default() };
    let machine =
        MachineSpec { name: "hostile".to_owned(), parts: vec![part], ..MachineSpec::default() };
    let location =
        LocationSpec { name: "Lab".to_owned(), machines: vec![machine], ..LocationSpec::default() };
    let organization = OrganizationSpec {
        name: "Hostile".to_owned(),
        locations: vec![location],
        ..OrganizationSpec::default()
    };
    World { users: Vec::new(), organizations: vec![organization] }
}

fn files() -> Vec<FileSpec> {
    let long = "\u{e9}".repeat(300) + ".jpg";
    let longest = "x".repeat(251) + ".jpg";
    let names = [
        // They become one where `:` is replaced, or upper and lower case, or two forms of a
        // letter, are the same.
        ("2023-01-01T00:00:00Z_a.jpg", ".jpg"),
        ("a:b.jpg", ".jpg"),
        ("a_b.jpg", ".jpg"),
        ("a.txt", ".txt"),
        ("A.txt", ".txt"),
        ("\u{e9}.jpg", ".jpg"),
        ("e\u{301}.jpg", ".jpg"),
        ("a", ".jpg"),
        ("a.jpg", ".jpg"),
        ("twice.jpg", ".jpg"),
        ("twice.jpg", ".jpg"),
        ("a/b/c.jpg", ".jpg"),
        ("a/./b//c.jpg", ".jpg"),
        // One would have to be a file and a folder.
        ("dir", ""),
        ("dir/x.jpg", ".jpg"),
        ("dir/y/../x.jpg", ".jpg"),
        ("dir2/", ""),
        // They lead elsewhere.
        ("..", ""),
        (".", ""),
        ("...", ""),
        ("../../etc/x", ""),
        ("/etc/passwd", ""),
        ("/home/bob/.viam/capture/cam/2.jpg", ".jpg"),
        ("/home/bob/.viam/capture/cam/../../../../etc/x.jpg", ".jpg"),
        ("..\\..\\x", ""),
        ("C:\\x", ""),
        ("C:/x/y.jpg", ".jpg"),
        ("e", "/../../e"),
        ("~/.ssh/x", ""),
        // Windows does not bear them.
        ("CON.jpg", ".jpg"),
        ("nul", ""),
        ("COM\u{b9}", ""),
        ("com1.json", ".json"),
        ("a. ", ""),
        ("*?<>|\".jpg", ".jpg"),
        // Too long, or nothing at all.
        (&*long, ".jpg"),
        (&*longest, ".jpg"),
        ("", ".jpg"),
        ("", ""),
        // A terminal or a shell takes them for something else.
        ("line\nbreak.jpg", ".jpg"),
        ("tab\tbell\u{7}.jpg", ".jpg"),
        ("\u{1b}[31mred\u{1b}[0m.jpg", ".jpg"),
        ("turned\u{202e}gpj.exe", ".exe"),
        ("zero\u{0}byte.jpg", ".jpg"),
        ("-rf", ""),
        ("--help.jpg", ".jpg"),
        ("$(touch x).jpg", ".jpg"),
        (" leading.jpg", ".jpg"),
        // Packed by its name, and not; and the other way round.
        ("plain.gz", ".gz"),
    ];
    let file = |(number, (name, ext)): (usize, &(&str, &str))| FileSpec {
        name: (*name).to_owned(),
        ext: (*ext).to_owned(),
        text: format!("hostile file {}\n", number + 1),
        ..FileSpec::default()
    };
    let mut files: Vec<FileSpec> = names.iter().enumerate().map(file).collect();
    for (name, ext, bytes) in [("x.txt.gz", ".gz", PACKED), ("y.txt", ".txt", LOOKS_PACKED)] {
        files.push(FileSpec {
            name: name.to_owned(),
            ext: ext.to_owned(),
            base64: Some(bytes.to_owned()),
            ..FileSpec::default()
        });
    }
    files
}
