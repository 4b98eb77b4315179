//! The network names of a part, and what names things may have.

use tonic::Status;

/// The names of a part.
pub(crate) struct PartNames {
    pub(crate) dns_name: String,
    pub(crate) fqdn: String,
    pub(crate) local_fqdn: String,
}

/// Makes them from its name and the id of its location.
pub(crate) fn of_part(name: &str, location: &str) -> PartNames {
    let dns_name = label(name);
    let place: String = label(location).replace('-', "").chars().take(10).collect();
    PartNames {
        fqdn: format!("{dns_name}.{place}.sandbox.invalid"),
        local_fqdn: format!("{dns_name}.{place}.local.sandbox.invalid"),
        dns_name,
    }
}

fn label(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    name.chars().map(plain).collect()
}

/// Refuses a name that is empty, too long or has control characters.
pub(crate) fn check(what: &str, name: &str) -> Result<(), Status> {
    if name.trim().is_empty() {
        return Err(Status::invalid_argument(format!("the name of a {what} must not be empty")));
    }
    if name.chars().count() > 200 || name.chars().any(char::is_control) {
        return Err(Status::invalid_argument(format!(
            "the name of a {what} has at most 200 characters and no control characters"
        )));
    }
    Ok(())
}

/// Refuses a public namespace that is no label.
pub(crate) fn check_namespace(name: &str) -> Result<(), Status> {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.is_empty() && name.len() <= 60 && name.chars().all(fine) && !name.starts_with('-') {
        return Ok(());
    }
    Err(Status::invalid_argument(
        "a public namespace is made of lower-case letters, digits and dashes",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_part_are_host_names() {
        let names = of_part("My Part", "6d1f3f0e-9a51-4c55");
        assert_eq!(names.fqdn, "my-part.6d1f3f0e9a.sandbox.invalid");
        assert_eq!(names.local_fqdn, "my-part.6d1f3f0e9a.local.sandbox.invalid");
    }

    #[test]
    fn impossible_names_are_refused() {
        for name in ["", " ", "a\nb", &"x".repeat(201)] {
            assert!(check("machine", name).is_err(), "{name:?}");
        }
        for name in ["", "Upper", "a b", "-a", "ü"] {
            assert!(check_namespace(name).is_err(), "{name:?}");
        }
        assert!(check("machine", "Ä 1").is_ok() && check_namespace("my-namespace").is_ok());
    }
}
