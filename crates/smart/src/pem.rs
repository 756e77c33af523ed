//! Textual encodings of keys (RFC 7468), read so that no copy of a key stays in
//! memory.

use base64ct::{Base64, Encoding as _};
use zeroize::Zeroizing;

/// What stands between two boundaries.
pub(crate) struct Section<'a> {
    /// Such as `PRIVATE KEY`.
    pub(crate) label: &'a str,
    pub(crate) der: Zeroizing<Vec<u8>>,
}

/// A boundary without its counterpart, or something other than base64 between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// All sections. Text around them is skipped, as RFC 7468 section 2 wishes, and
/// so is white space at the ends of lines, which comes with indented configuration.
pub(crate) fn sections(text: &str) -> Result<Vec<Section<'_>>, Malformed> {
    let mut sections = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if let Some(label) = boundary(line, "BEGIN") {
            let der = content(label, &mut lines, text.len())?;
            sections.push(Section { label, der });
        }
    }
    Ok(sections)
}

/// The base64 up to the end of the section, decoded. `room` is enough for it:
/// growing would leave copies behind.
fn content<'a>(
    label: &str,
    lines: &mut impl Iterator<Item = &'a str>,
    room: usize,
) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let mut base64 = Zeroizing::new(String::with_capacity(room));
    for line in lines {
        if boundary(line, "END") == Some(label) {
            return Base64::decode_vec(&base64)
                .map(Zeroizing::new)
                .map_err(|_| Malformed);
        }
        base64.push_str(line);
    }
    Err(Malformed)
}

fn boundary<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    line.strip_prefix("-----")?
        .strip_prefix(word)?
        .strip_prefix(' ')?
        .strip_suffix("-----")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(&str, Vec<u8>)>, Malformed> {
        Ok(sections(text)?
            .into_iter()
            .map(|section| (section.label, section.der.to_vec()))
            .collect())
    }

    #[test]
    fn sections_are_found_in_whatever_stands_around_them() {
        let text = "Subject: x\n-----BEGIN A B-----\nAQID\nBA==\n-----END A B-----\n\
             and\r\n  -----BEGIN C-----\r\n  AQ==\r\n  -----END C-----";
        assert_eq!(
            read(text),
            Ok(vec![("A B", vec![1, 2, 3, 4]), ("C", vec![1])])
        );
        assert_eq!(read(""), Ok(vec![]));
        assert_eq!(read("-----END A-----"), Ok(vec![]));
        assert_eq!(
            read("-----BEGIN A-----\n-----END A-----"),
            Ok(vec![("A", vec![])])
        );
    }

    #[test]
    fn a_section_that_does_not_end_or_is_not_base64_is_malformed() {
        for text in [
            "-----BEGIN A-----",
            "-----BEGIN A-----\nAQID\n-----END B-----",
            "-----BEGIN A-----\nAQID\n-----BEGIN A-----\nAQID\n-----END A-----",
            "-----BEGIN A-----\nAQ\n-----END A-----",
            "-----BEGIN A-----\nAQ ID\n-----END A-----",
            "-----BEGIN A-----\nAQ_-\n-----END A-----",
            "-----BEGIN A-----\nProc-Type: 4\n\nAQID\n-----END A-----",
        ] {
            assert_eq!(read(text), Err(Malformed), "{text}");
        }
    }
}
