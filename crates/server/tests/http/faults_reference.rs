//! The table of what can go wrong, held against the tests and the error names.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use vestibule_launch::ErrorName;
use vestibule_server::error_reference;

const ROWS: usize = 35;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The cells of each row of the table.
fn table() -> Vec<Vec<String>> {
    let text = fs::read_to_string(workspace().join("docs/topics/faults.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| "));
    let rows = rows.map(|row| row.trim_end_matches(" |").split(" | "));
    let rows = rows.map(|cells| cells.map(str::to_owned).collect::<Vec<_>>());
    rows.filter(|row| row[0] != "row").collect()
}

/// The Rust files below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_row_of_the_table_has_tests_under_its_number() {
    let mut files = Vec::new();
    for folder in ["crates/server/tests", "crates/store/tests", "tests"] {
        sources(&workspace().join(folder), &mut files);
    }
    let mut tested = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        let names = text.split("fn row_").skip(1);
        tested.extend(names.filter_map(|name| name.get(..2)?.parse::<usize>().ok()));
    }
    assert_eq!(tested, (1..=ROWS).collect());
    let rows = table();
    let numbers = rows.iter().map(|row| row[0].parse::<usize>().unwrap());
    let numbers: Vec<_> = numbers.collect();
    assert_eq!(numbers, (1..=ROWS).collect::<Vec<_>>());
}

#[test]
fn every_error_name_in_the_table_is_one_and_has_its_status() {
    for row in table() {
        let shown = &row[2];
        // A status, and in backticks the names that come with it.
        let mut status = None;
        for (index, part) in shown.split('`').enumerate() {
            if index % 2 == 0 {
                let digits = part.split(|it: char| !it.is_ascii_digit());
                status = digits
                    .filter_map(|it| it.parse().ok())
                    .next_back()
                    .or(status);
                continue;
            }
            if part == "Retry-After" {
                continue;
            }
            let mut all = ErrorName::ALL.iter();
            let name = all.find(|name| error_reference::shown(**name).to_string() == part);
            let name = name.unwrap_or_else(|| panic!("row {}: {part} is no error name", row[0]));
            let known = error_reference::entry(*name).statuses;
            let fits = status.is_none_or(|status: u16| known.contains(&status));
            assert!(fits, "row {}: {part} does not come with {status:?}", row[0]);
        }
    }
}
