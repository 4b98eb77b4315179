//! Reports of users and the tests that show that they are answered.
//!
//! The table has a line a report, `ID<TAB>WHAT`; a test of report A11 is called `a11_…`, one of
//! several `b9_b10_…`.

use std::collections::BTreeMap;

use super::code::{Code, is_of_a_name};
use super::{Finding, Tree};

const TABLE: &str = "tests/reports.tsv";

pub(super) fn check(tree: &Tree, found: &mut Vec<Finding>) {
    let Some(table) = tree.file(TABLE) else {
        found.push(Finding::new(TABLE, 1, "the table of reports is missing"));
        return;
    };
    let mut listed: BTreeMap<String, usize> = BTreeMap::new();
    for (number, line) in table.lines() {
        let id = line.split('\t').next().unwrap_or_default().to_lowercase();
        let what = line.split_once('\t').map_or("", |(_, what)| what.trim());
        if !is_id(&id) || what.is_empty() {
            found.push(Finding::new(
                TABLE,
                number,
                "a line is an id such as A11, a tab, and words",
            ));
        } else if listed.insert(id, number).is_some() {
            found.push(Finding::new(TABLE, number, "this id is there twice"));
        }
    }
    let mut tested: Vec<String> = Vec::new();
    for (file, code) in tree.rust() {
        for (number, name) in tests(code) {
            for id in name.split('_').take_while(|part| is_id(part)) {
                if !listed.contains_key(id) {
                    let id = id.to_uppercase();
                    let words =
                        format!("{id} is not in {TABLE}; add it, or name the test otherwise");
                    found.push(Finding::new(&file.path, number, words));
                }
                tested.push(id.to_owned());
            }
        }
    }
    for (id, number) in listed {
        if !tested.contains(&id) {
            let words = format!("no test is called `{id}_…`: write it");
            found.push(Finding::new(TABLE, number, words));
        }
    }
}

fn is_id(word: &str) -> bool {
    let digits = word.strip_prefix(['a', 'b']).unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The names of the functions that an attribute makes tests.
fn tests(code: &Code) -> Vec<(usize, &str)> {
    let mut names = Vec::new();
    let mut is_test = false;
    for (number, line) in code.lines() {
        let line = line.trim_start();
        if line.starts_with("#[") {
            is_test |=
                line.starts_with("#[test]") || line.contains("::test]") || line.contains("::test(");
        }
        if let Some((before, rest)) = line.split_once("fn ") {
            if is_test && !before.ends_with(is_of_a_name) {
                let end = rest.find(|c| !is_of_a_name(c)).unwrap_or(rest.len());
                names.push((number, &rest[..end]));
            }
            is_test = false;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn the_table_and_the_tests_agree() {
        let tests = "#[test]\nfn a11_whoami() {}\nfn b64_encode() {}\n#[tokio::test(flavor = \"x\")]\n\
            #[ignore]\nasync fn b9_b10_bad_files() {}\n#[test]\nfn a99_unknown() {}\n#[test]\nfn about() {}\n";
        let table = "A11\twhoami\nB9\tx\nB10\ty\nB11\tno test\nb12\t\nA11\tagain\n";
        let files = [(TABLE, table), ("tests/e2e/x.rs", tests)];
        let places = [("tests/e2e/x.rs", 8), (TABLE, 4), (TABLE, 5), (TABLE, 6)];
        assert_eq!(found(check, &files), places.map(|(path, line)| (path.to_owned(), line)));
        assert_eq!(found(check, &[]), [(TABLE.to_owned(), 1)]);
    }
}
