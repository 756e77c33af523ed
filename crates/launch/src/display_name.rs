//! The name that other participants see.

use alloc::string::String;
use core::fmt;

use crate::trim::{is_white_space, next};

/// Longest display name in characters. Pexip Infinity's status pages hold 1000;
/// nobody's name needs them, and a roster cannot show them.
const LONGEST: usize = 200;

/// A display name: 1 to 200 characters, at least one of them visible, no white
/// space around it and single spaces within. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    /// Reads a name: every run of white space becomes one space; control characters
    /// and the format characters with which a name could pose as another one
    /// (embeddings, overrides and isolates of text direction, zero-width spaces) are
    /// removed. Joiners and direction marks stay: names are written with them.
    ///
    /// # Errors
    /// Where nothing visible is left, or more than 200 characters are.
    pub fn parse(text: &str) -> Result<Self, DisplayNameError> {
        let mut name = String::new();
        let mut characters = 0;
        let mut visible = false;
        let mut space = false;
        let mut rest = text.chars();
        while let Some(character) = next(&mut rest) {
            if is_white_space(character) {
                space = characters > 0;
                continue;
            }
            if is_removed(character) {
                continue;
            }
            if space {
                name.push(' ');
                characters += 1;
                space = false;
            }
            name.push(character);
            characters += 1;
            visible |= !is_invisible(character);
            if characters > LONGEST {
                return Err(DisplayNameError::TooLong);
            }
        }
        if !visible {
            return Err(DisplayNameError::Empty);
        }
        Ok(Self(name))
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DisplayName(…)")
    }
}

/// Why a text is not a display name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DisplayNameError {
    /// Nothing visible is left.
    #[error("a display name needs at least one visible character")]
    Empty,
    /// It is too long.
    #[error("a display name has at most 200 characters")]
    TooLong,
}

fn is_removed(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200B}' | '\u{2060}' | '\u{FEFF}'
        )
}

/// Joiners and direction marks, which show nothing by themselves.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200C}'..='\u{200F}' | '\u{061C}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn white_space_is_trimmed_and_collapsed() {
        for (text, name) in [
            ("Beverley P Spinder", "Beverley P Spinder"),
            ("  Beverley   Spinder ", "Beverley Spinder"),
            ("Kai\u{A0}\tOosman\r\nPicardo", "Kai Oosman Picardo"),
            ("Zoë 陳 محمد", "Zoë 陳 محمد"),
            ("Kai \u{202E} Picardo", "Kai Picardo"),
        ] {
            assert_eq!(DisplayName::parse(text).unwrap().as_str(), name);
        }
    }

    #[test]
    fn controls_and_direction_overrides_are_removed_and_joiners_kept() {
        let name = DisplayName::parse("a\u{0}b\u{202E}c\u{2066}d\u{7F}e\u{FEFF}f").unwrap();
        assert_eq!(name.as_str(), "abcdef");
        let name = DisplayName::parse("می\u{200C}خواهم").unwrap();
        assert_eq!(name.as_str(), "می\u{200C}خواهم");
    }

    #[test]
    fn a_name_with_nothing_to_see_is_refused() {
        for text in [
            "",
            "  ",
            "\n",
            "\u{202E}",
            "\u{200B}\u{FEFF}",
            "\u{200D} \u{200E}",
        ] {
            assert_eq!(DisplayName::parse(text), Err(DisplayNameError::Empty));
        }
    }

    #[test]
    fn names_have_at_most_200_characters() {
        assert!(DisplayName::parse(&"é".repeat(200)).is_ok());
        assert!(DisplayName::parse(&format!("{}  a", "é".repeat(198))).is_ok());
        assert_eq!(
            DisplayName::parse(&"é".repeat(201)),
            Err(DisplayNameError::TooLong)
        );
    }

    proptest! {
        #[test]
        fn reading_a_name_again_changes_nothing(text in any::<String>()) {
            if let Ok(name) = DisplayName::parse(&text) {
                prop_assert_eq!(DisplayName::parse(name.as_str()).unwrap(), name);
            }
        }

        #[test]
        fn debug_never_shows_a_name(text in "[A-Z][a-z]{12,40}") {
            let name = DisplayName::parse(&text).unwrap();
            let shown = format!("{name:?}");
            prop_assert!(!shown.contains(&text));
        }
    }
}
