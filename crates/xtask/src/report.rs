//! How large the landing page is, against its budgets.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::manifest::Group;

/// Bytes of one file, or of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// As it is on the disk.
    pub(crate) raw: usize,
    /// Compressed with gzip.
    pub(crate) gzip: usize,
    /// Compressed with brotli.
    pub(crate) brotli: usize,
}

/// Sizes by path relative to the output folder.
pub(crate) type SizesByFile = BTreeMap<String, Sizes>;

/// The table for people, and what is wrong.
pub(crate) struct Report {
    /// Lines of equal width, a group after the other.
    pub(crate) table: String,
    /// A sentence for each budget that is exceeded, each file that no group
    /// names and each name without a file.
    pub(crate) faults: Vec<String>,
}

impl Report {
    /// Puts files into their groups and compares.
    pub(crate) fn new(groups: &[Group], files: &SizesByFile) -> Self {
        let mut report = Self {
            table: row("", "raw", "gzip", "brotli", ""),
            faults: Vec::new(),
        };
        for group in groups {
            report.add_group(group, files);
        }
        for file in files.keys() {
            if !groups.iter().any(|group| group.contains(file)) {
                report.faults.push(format!(
                    "{file} is in no group; say in wasm-pack.toml when it is downloaded"
                ));
            }
        }
        report
    }

    fn add_group(&mut self, group: &Group, files: &SizesByFile) {
        let members = || files.iter().filter(|(file, _)| group.contains(file));
        let total = members().fold(Sizes::default(), |sum, (_, sizes)| sum.plus(*sizes));
        self.table.push_str(&row(&group.name, "", "", "", ""));
        for (file, sizes) in members() {
            let verdict = self.verdict(file, *sizes, group.brotli_budget_each);
            self.add_row(&format!("  {file}"), *sizes, &verdict);
        }
        let verdict = self.verdict(&group.name, total, group.brotli_budget);
        self.add_row("  together", total, &verdict);
        for entry in group.unmet(files) {
            self.faults.push(format!(
                "{} names {entry}, which does not exist",
                group.name
            ));
        }
    }

    /// What the table says of a size and its budget; a fault where it is exceeded.
    fn verdict(&mut self, name: &str, sizes: Sizes, budget: Option<usize>) -> String {
        match budget {
            None => String::new(),
            Some(budget) if sizes.brotli <= budget => format!("of {budget}, ok"),
            Some(budget) => {
                let excess = sizes.brotli - budget;
                self.faults.push(format!(
                    "{name} is {excess} bytes over its budget of {budget}"
                ));
                format!("of {budget}, OVER")
            }
        }
    }

    fn add_row(&mut self, name: &str, sizes: Sizes, remark: &str) {
        self.table.push_str(&row(
            name,
            &sizes.raw.to_string(),
            &sizes.gzip.to_string(),
            &sizes.brotli.to_string(),
            remark,
        ));
    }
}

impl Sizes {
    fn plus(self, other: Self) -> Self {
        Self {
            raw: self.raw + other.raw,
            gzip: self.gzip + other.gzip,
            brotli: self.brotli + other.brotli,
        }
    }
}

fn row(name: &str, raw: &str, gzip: &str, brotli: &str, remark: &str) -> String {
    let mut line = String::new();
    write!(line, "{name:<32}{raw:>9}{gzip:>9}{brotli:>9} {remark}")
        .expect("writing to a string does not fail");
    line.truncate(line.trim_end().len());
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str, files: &[&str], brotli_budget: Option<usize>) -> Group {
        Group {
            name: name.to_owned(),
            files: files.iter().map(|file| (*file).to_owned()).collect(),
            brotli_budget,
            brotli_budget_each: None,
        }
    }

    fn files(entries: &[(&str, usize)]) -> SizesByFile {
        entries
            .iter()
            .map(|(file, brotli)| {
                let sizes = Sizes {
                    raw: brotli * 4,
                    gzip: brotli * 2,
                    brotli: *brotli,
                };
                ((*file).to_owned(), sizes)
            })
            .collect()
    }

    #[test]
    fn a_group_is_the_sum_of_its_files_and_may_fill_its_budget() {
        let groups = [group("launch", &["boot.js", "app.wasm"], Some(30))];
        let report = Report::new(&groups, &files(&[("boot.js", 10), ("app.wasm", 20)]));
        assert!(report.faults.is_empty(), "{:?}", report.faults);
        let total = report.table.lines().last().unwrap();
        let words: Vec<&str> = total.split_whitespace().collect();
        assert_eq!(words, ["together", "120", "60", "30", "of", "30,", "ok"]);
    }

    #[test]
    fn one_byte_too_many_is_a_fault() {
        let groups = [group("launch", &["boot.js"], Some(9))];
        let report = Report::new(&groups, &files(&[("boot.js", 10)]));
        assert_eq!(report.faults, ["launch is 1 bytes over its budget of 9"]);
        assert!(report.table.contains("OVER"));
    }

    #[test]
    fn a_budget_for_each_file_does_not_hold_for_all_together() {
        let mut locales = group("locales", &["locales/"], None);
        locales.brotli_budget_each = Some(10);
        let files = files(&[("locales/de.json", 10), ("locales/fi.json", 11)]);
        let report = Report::new(&[locales], &files);
        let fault = "locales/fi.json is 1 bytes over its budget of 10";
        assert_eq!(report.faults, [fault]);
    }

    #[test]
    fn a_file_that_nobody_counts_is_a_fault() {
        let groups = [group("launch", &["boot.js"], Some(99))];
        let report = Report::new(&groups, &files(&[("boot.js", 1), ("new.js", 1)]));
        assert_eq!(report.faults.len(), 1);
        assert!(report.faults[0].starts_with("new.js is in no group"));
    }

    #[test]
    fn a_name_without_a_file_is_a_fault() {
        let groups = [group("launch", &["boot.js", "locales/"], Some(99))];
        let report = Report::new(&groups, &files(&[("boot.js", 1)]));
        assert_eq!(
            report.faults,
            ["launch names locales/, which does not exist"]
        );
    }
}
