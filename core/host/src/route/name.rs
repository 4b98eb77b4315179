//! What may be a command word.

/// Whether a word can name a plugin: `[a-z][a-z0-9]*(-[a-z0-9]+)*`, at most 64 bytes.
#[must_use]
pub fn is_command_name(word: &str) -> bool {
    word.len() <= 64
        && word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.split('-').all(|part| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

/// Whether `viam-<word>` is one of Viam's own programs, which lie on users' PATHs: copies of
/// this program under the names it is downloaded by, the machine server and its agent.
#[must_use]
pub fn is_own_program(word: &str) -> bool {
    if matches!(word, "server" | "agent") {
        return true;
    }
    let known = [
        "cli", "stable", "latest", "linux", "darwin", "windows", "amd64", "arm64", "x86", "64",
        "aarch64", "armv7l",
    ];
    word.split('-').all(|part| known.contains(&part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "hello", "a1-b2", "my-long-name"] {
            assert!(is_command_name(good), "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", "-a", "a-", "a--b", "A", "1a", "a_b", "a/b", "..", "é", &long] {
            assert!(!is_command_name(bad), "{bad}");
        }
    }

    #[test]
    fn viams_own_programs_are_no_plugins() {
        for own in ["amd64", "arm64", "cli", "server", "agent", "cli-stable-linux-amd64"] {
            assert!(is_own_program(own), "{own}");
        }
        for other in ["hello", "cli-tools", "servers", "linux-box"] {
            assert!(!is_own_program(other), "{other}");
        }
    }
}
