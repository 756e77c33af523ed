//! Random text for aliases and tickets.

use alloc::string::String;

use rand::CryptoRng;
use zeroize::Zeroizing;

/// 32 characters, so that five bits of a random byte choose one without bias:
/// digits and lower-case letters without i, l, o and u, which are misread. All
/// of them stand in an alias and in a URL as they are.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// `LENGTH` random characters: five bits each.
pub(crate) fn random_text<const LENGTH: usize>(
    rng: &mut (impl CryptoRng + ?Sized),
) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; LENGTH]);
    rng.fill_bytes(bytes.as_mut_slice());
    let mut text = Zeroizing::new(String::with_capacity(LENGTH));
    for byte in bytes.iter() {
        text.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    text
}

/// Whether `text` could have come from [`random_text`].
pub(crate) fn is_random_text<const LENGTH: usize>(text: &str) -> bool {
    text.len() == LENGTH && text.bytes().all(is_in_alphabet)
}

/// By hand: searching [`ALPHABET`] weighs more in the browser.
fn is_in_alphabet(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'z') && !matches!(byte, b'i' | b'l' | b'o' | b'u')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_back_is_what_is_drawn() {
        for byte in 0..=u8::MAX {
            assert_eq!(is_in_alphabet(byte), ALPHABET.contains(&byte), "{byte}");
        }
    }

    #[test]
    fn every_character_is_chosen_by_eight_values_of_a_byte() {
        let mut counts = [0; 128];
        for byte in 0..=u8::MAX {
            counts[usize::from(ALPHABET[usize::from(byte % 32)])] += 1;
        }
        assert_eq!(counts.iter().filter(|count| **count == 8).count(), 32);
        assert_eq!(counts.iter().filter(|count| **count == 0).count(), 96);
    }
}
