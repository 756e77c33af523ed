//! White space around what users type and links carry.

use core::str::Chars;

/// The text without the white space around it. As `str::trim` does it, but read from the
/// front only, as display names are: from both ends weighs more in the browser.
pub(crate) fn trim(text: &str) -> &str {
    let mut start = None;
    let mut end = 0;
    let mut rest = text.chars();
    let mut place = 0;
    while let Some(character) = next(&mut rest) {
        let behind = text.len() - rest.as_str().len();
        if !is_white_space(character) {
            start.get_or_insert(place);
            end = behind;
        }
        place = behind;
    }
    text.get(start.unwrap_or(end)..end).unwrap_or("")
}

/// As `char::is_whitespace`, without its table. Unicode's property `White_Space` has not
/// changed since version 6.3.
pub(crate) fn is_white_space(character: char) -> bool {
    matches!(
        character,
        '\t'..='\r'
            | ' '
            | '\u{85}'
            | '\u{A0}'
            | '\u{1680}'
            | '\u{2000}'..='\u{200A}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{202F}'
            | '\u{205F}'
            | '\u{3000}'
    )
}

/// The next character. One function for all: the compiler would repeat it wherever text
/// is read.
#[inline(never)]
pub(crate) fn next(characters: &mut Chars<'_>) -> Option<char> {
    characters.next()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn white_space_is_what_the_standard_library_takes_for_it() {
        for character in '\0'..=char::MAX {
            let expected = character.is_whitespace();
            assert_eq!(is_white_space(character), expected, "{character:?}");
        }
    }

    proptest! {
        #[test]
        fn white_space_is_trimmed_as_the_standard_library_does(
            text in "[ \\t\\u{A0}\\u{3000}]{0,3}(\\PC{0,3}[ \\n\\u{2028}]{0,2}){0,4}",
        ) {
            prop_assert_eq!(trim(&text), text.trim());
        }
    }
}
