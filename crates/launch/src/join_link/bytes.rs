//! Taking bytes apart. The standard library's way with text, by patterns that are
//! searched for from both ends, would weigh more in the browser than all that reads a
//! link.

/// What stands before and behind the first `separator`; nothing behind where there is none.
pub(super) fn cut(text: &[u8], separator: u8) -> (&[u8], &[u8]) {
    let found = text.iter().position(|byte| *byte == separator);
    let before = found.and_then(|place| text.get(..place));
    let behind = found.and_then(|place| text.get(place + 1..));
    (before.unwrap_or(text), behind.unwrap_or(&[]))
}

/// The place of a word among `words`, which stand between commas; the case does not
/// matter.
pub(super) fn place(mut words: &[u8], word: &[u8]) -> Option<usize> {
    let mut place = 0;
    while !words.is_empty() {
        let (known, others) = cut(words, b',');
        if known.eq_ignore_ascii_case(word) {
            return Some(place);
        }
        words = others;
        place += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_at_the_first_separator() {
        assert_eq!(cut(b"a=b=c", b'='), (&b"a"[..], &b"b=c"[..]));
        assert_eq!(cut(b"=", b'='), (&b""[..], &b""[..]));
        assert_eq!(cut(b"a", b'='), (&b"a"[..], &b""[..]));
    }

    #[test]
    fn a_word_is_found_in_any_case_and_only_as_a_whole() {
        assert_eq!(place(b"host,guest", b"Guest"), Some(1));
        assert_eq!(place(b"host,guest", b"gues"), None);
        assert_eq!(place(b"host,guest", b"host,guest"), None);
        assert_eq!(place(b"host,guest", b""), None);
    }
}
