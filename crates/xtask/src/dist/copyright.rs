//! `copyright`, in Debian's machine-readable form (copyright-format 1.0).

/// The file, from the text of our own MIT licence.
pub(super) fn text(mit: &str) -> String {
    let holder = mit
        .lines()
        .find_map(|line| line.strip_prefix("Copyright (c) "))
        .unwrap_or_default();
    let terms: String = mit
        .lines()
        .skip_while(|line| !line.starts_with("Permission"))
        .map(|line| match line.trim_end() {
            "" => " .\n".to_owned(),
            line => format!(" {line}\n"),
        })
        .collect();
    format!(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\
         Upstream-Name: Vestibule\n\
         Comment: The licences of the crates that the program is made of stand in\n \
         licences.gz beside this file.\n\
         \n\
         Files: *\n\
         Copyright: {holder}\n\
         License: Expat or Apache-2.0\n\
         \n\
         License: Expat\n\
         {terms}\
         \n\
         License: Apache-2.0\n \
         On Debian systems the text of the Apache License 2.0 is in\n \
         /usr/share/common-licenses/Apache-2.0.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_licence_belongs_to_its_field() {
        let mit = include_str!("../../../../LICENSE-MIT");
        let text = text(mit);
        assert!(text.contains("\nCopyright: 2026 "), "{text}");
        assert!(text.contains("\n .\n THE SOFTWARE IS PROVIDED"), "{text}");
        for line in text.lines().filter(|line| !line.is_empty()) {
            assert!(line.starts_with(' ') || line.contains(": "), "{line}");
        }
    }
}
