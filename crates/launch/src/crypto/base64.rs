//! Base64 as it comes out of launch URLs.

use alloc::{string::String, vec::Vec};

use base64ct::{Base64Unpadded, Encoding};
use zeroize::Zeroizing;

/// The text is not base64, even read with tolerance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotBase64;

/// Mends what form decoding, too often or too rarely, does to the characters of
/// base64 on the way here: a `+` that was taken for a form's space, escapes (`%2B`,
/// `%2F`, `%3D`) that were written twice. Leaves everything else as it is.
pub(super) fn mend(text: &str) -> Zeroizing<String> {
    // The result is never longer, so it stays in one place and is wiped whole.
    let mut mended = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let (means, length) = match (character, rest.get(..3)) {
            (' ', _) => ('+', 1),
            (_, Some("%2B" | "%2b")) => ('+', 3),
            (_, Some("%2F" | "%2f")) => ('/', 3),
            (_, Some("%3D" | "%3d")) => ('=', 3),
            (other, _) => (other, other.len_utf8()),
        };
        mended.push(means);
        rest = &rest[length..];
    }
    mended
}

/// Decodes standard base64 (RFC 4648 section 4) that was mended, with its padding or
/// without. Every other character is refused.
pub(super) fn decode(mended: &str) -> Result<Vec<u8>, NotBase64> {
    let unpadded = mended.strip_suffix('=').unwrap_or(mended);
    let unpadded = unpadded.strip_suffix('=').unwrap_or(unpadded);
    Base64Unpadded::decode_vec(unpadded).map_err(|_| NotBase64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode_tolerantly(text: &str) -> Result<Vec<u8>, NotBase64> {
        decode(&mend(text))
    }

    /// 80 bytes, from Zoom's article on the launch URLs of EMRs:
    /// as it is, and as its URL carries it.
    const PLAIN: &str = "FW3QZV5fKIT9KiGH4eEhPZIvJzLy9UIbRWE9AzkDy48o6gIzhOrfmR3LRaaVeadRUczKlxeQNJT8/3ZaS8arH+fL/iYdRs4zrGiOWxD78eA=";
    const ESCAPED: &str = "FW3QZV5fKIT9KiGH4eEhPZIvJzLy9UIbRWE9AzkDy48o6gIzhOrfmR3LRaaVeadRUczKlxeQNJT8%2F3ZaS8arH%2BfL%2FiYdRs4zrGiOWxD78eA%3D";

    #[test]
    fn what_happens_to_base64_on_the_way_is_mended() {
        let expected = decode_tolerantly(PLAIN).unwrap();
        assert_eq!(expected.len(), 80);
        for text in [
            ESCAPED,
            &ESCAPED
                .replace("%2B", "%2b")
                .replace("%2F", "%2f")
                .replace("%3D", "%3d"),
            &PLAIN.replace('+', " "),
            PLAIN.trim_end_matches('='),
        ] {
            assert_eq!(decode_tolerantly(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn the_escaped_form_is_the_component_encoding_of_the_plain_one() {
        assert_eq!(crate::encode_component(PLAIN), ESCAPED);
    }

    #[test]
    fn other_characters_are_refused() {
        for text in [
            "AAAA\n", "AA-_", "AA%", "AA%2", "AA%20", "AA%41", "A", "AAAAA", "A=AA", "AA===",
            "====", "ÄAAA", "AA.A", "AAAA\0",
        ] {
            assert_eq!(decode_tolerantly(text), Err(NotBase64), "{text:?}");
        }
        assert_eq!(decode_tolerantly(""), Ok(vec![]));
        assert_eq!(decode_tolerantly("AA"), Ok(vec![0]));
    }
}
