//! Undoing percent-encoding.

use alloc::string::String;

use zeroize::Zeroizing;

/// Decodes percent escapes; of the other bytes a `+` becomes `plus`. What is no escape
/// stays as it is, what is no UTF-8 becomes U+FFFD.
pub(super) fn decode(mut text: &[u8], plus: u8) -> Zeroizing<String> {
    // Room for all of it, so that nothing is left behind where it grows.
    let mut decoded = Zeroizing::new(String::with_capacity(text.len()));
    while let Some(character) = next_character(&mut text, plus) {
        decoded.push(character);
    }
    decoded
}

/// Takes one character off, as the UTF-8 decoder of the Encoding Standard, section 8.1.1,
/// does. The standard library's, which looks for all that is valid first, weighs twice
/// as much.
fn next_character(text: &mut &[u8], plus: u8) -> Option<char> {
    let first = next_byte(text, plus)?;
    let (mut lowest, mut highest) = match first {
        0xE0 => (0xA0, 0xBF),
        0xED => (0x80, 0x9F),
        0xF0 => (0x90, 0xBF),
        0xF4 => (0x80, 0x8F),
        _ => CONTINUATION,
    };
    let (continued, bits) = match first {
        0..=0x7F => (0, first),
        0xC2..=0xDF => (1, first & 0x1F),
        0xE0..=0xEF => (2, first & 0xF),
        0xF0..=0xF4 => (3, first & 7),
        _ => return Some(char::REPLACEMENT_CHARACTER),
    };
    let mut bits = u32::from(bits);
    for _ in 0..continued {
        let mut behind = *text;
        match next_byte(&mut behind, plus) {
            Some(byte) if lowest <= byte && byte <= highest => {
                bits = bits << 6 | u32::from(byte & 0x3F);
            }
            _ => return Some(char::REPLACEMENT_CHARACTER),
        }
        *text = behind;
        (lowest, highest) = CONTINUATION;
    }
    char::from_u32(bits)
}

/// Between which two the bytes of a character after its first lie, but for some second
/// ones.
const CONTINUATION: (u8, u8) = (0x80, 0xBF);

/// Takes one byte off, decoded.
fn next_byte(text: &mut &[u8], plus: u8) -> Option<u8> {
    let (byte, behind) = text.split_first()?;
    *text = behind;
    if let b'+' = byte {
        return Some(plus);
    }
    if let b'%' = byte
        && let [high, low, behind @ ..] = behind
        && let (Some(high), Some(low)) = (digit(*high), digit(*low))
    {
        *text = behind;
        return Some(high << 4 | low);
    }
    Some(*byte)
}

/// The value of a hexadecimal digit.
fn digit(character: u8) -> Option<u8> {
    let digit = char::from(character).to_digit(16)?;
    u8::try_from(digit).ok()
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn escapes_are_decoded_as_percent_encoding_does(text in "([a-z%+é]|%[0-9A-Fa-f]{2}){0,24}") {
            let judge = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            prop_assert_eq!((*decode(text.as_bytes(), b'+')).clone(), judge(&text));
            let spaced = text.replace('+', " ");
            prop_assert_eq!((*decode(text.as_bytes(), b' ')).clone(), judge(&spaced));
        }

        #[test]
        fn utf_8_is_decoded_as_the_standard_library_does(
            bytes in prop::collection::vec(
                prop_oneof![
                    any::<u8>(),
                    prop::sample::select(&b"\xC2\xE0\xED\xEF\xF0\xF4\x80\x8F\x90\x9F\xA0\xBF"[..]),
                ],
                0..24,
            ),
            text: String,
        ) {
            let bytes = [&bytes, text.as_bytes(), &bytes].concat();
            let escaped: String = bytes.iter().map(|byte| format!("%{byte:02x}")).collect();
            let decoded = decode(escaped.as_bytes(), b'+');
            prop_assert_eq!(decoded.as_str(), String::from_utf8_lossy(&bytes));
        }
    }
}
