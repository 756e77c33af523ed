//! The PIN that makes somebody a host.

use alloc::{borrow::ToOwned, string::String};
use core::fmt;

use rand::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::trim::trim;

/// How many digits a PIN may have, a terminal `#` not counted.
const DIGITS: core::ops::RangeInclusive<usize> = 4..=20;

/// Digits of a host PIN that Vestibule makes.
const GENERATED_DIGITS: usize = 8;

/// A host or guest PIN as Pexip Infinity knows it: 4 to 20 digits, then at most
/// one `#`. Wiped from memory when dropped, compared in constant time, never
/// shown by `Debug`.
#[derive(Clone)]
pub struct Pin(Zeroizing<String>);

impl Pin {
    /// Reads a PIN as a user types it or a link carries it; white space around it
    /// is dropped.
    ///
    /// # Errors
    /// Where the text is not a PIN. The error does not repeat it.
    pub fn parse(text: &str) -> Result<Self, PinError> {
        let text = trim(text);
        let digits = match text.as_bytes() {
            [digits @ .., b'#'] | digits => digits,
        };
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(PinError::NotDigits);
        }
        if !DIGITS.contains(&digits.len()) {
            return Err(PinError::Length);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// A new host PIN: eight digits, all 100,000,000 equally likely.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut pin = Zeroizing::new(String::with_capacity(GENERATED_DIGITS));
        let mut byte = Zeroizing::new([0]);
        while pin.len() < GENERATED_DIGITS {
            rng.fill_bytes(byte.as_mut_slice());
            if let Some(digit) = digit_of(byte[0]) {
                pin.push(digit);
            }
        }
        Self(pin)
    }

    /// The PIN itself, for the `pin` header, the policy answer and the join link.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether both are the same PIN. Takes equally long for every PIN of the same
    /// length.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

/// Equality is [`Pin::matches`].
impl PartialEq for Pin {
    fn eq(&self, other: &Self) -> bool {
        self.matches(other)
    }
}

impl Eq for Pin {}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(…)")
    }
}

/// Why a text is not a PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// It holds something else than digits.
    #[error("a PIN holds digits only, and at most one # at the end")]
    NotDigits,
    /// It is too short or too long.
    #[error("a PIN has 4 to 20 digits")]
    Length,
}

/// The digit that a random byte chooses. The six values above 249 choose none:
/// with them, digits 0 to 5 would come up more often.
fn digit_of(byte: u8) -> Option<char> {
    (byte < 250).then(|| char::from(b'0' + byte % 10))
}

#[cfg(test)]
mod tests {
    use core::convert::Infallible;

    use proptest::prelude::*;
    use rand::{SeedableRng, TryCryptoRng, TryRng, rngs::ChaCha20Rng};

    use super::*;

    /// Gives these bytes, one after the other, for ever.
    struct Bytes<'a>(core::iter::Cycle<core::slice::Iter<'a, u8>>);

    impl TryRng for Bytes<'_> {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            let mut bytes = [0; 4];
            self.try_fill_bytes(&mut bytes)?;
            Ok(u32::from_le_bytes(bytes))
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            let mut bytes = [0; 8];
            self.try_fill_bytes(&mut bytes)?;
            Ok(u64::from_le_bytes(bytes))
        }

        fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), Infallible> {
            for (to, from) in destination.iter_mut().zip(&mut self.0) {
                *to = *from;
            }
            Ok(())
        }
    }

    impl TryCryptoRng for Bytes<'_> {}

    #[test]
    fn every_digit_is_chosen_by_25_values_of_a_byte() {
        let mut counts = [0; 10];
        for digit in (0..=u8::MAX).filter_map(digit_of) {
            counts[digit.to_digit(10).unwrap() as usize] += 1;
        }
        assert_eq!(counts, [25; 10]);
    }

    #[test]
    fn a_generated_pin_has_eight_digits_and_keeps_leading_zeros() {
        let mut rng = Bytes(
            [255, 0, 10, 250, 247, 3, 5, 251, 100, 9, 249]
                .iter()
                .cycle(),
        );
        assert_eq!(Pin::generate(&mut rng).expose(), "00735099");
    }

    #[test]
    fn generated_pins_spread_evenly_over_every_place() {
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        let mut counts = [[0_u32; 10]; GENERATED_DIGITS];
        for _ in 0..20_000 {
            let pin = Pin::generate(&mut rng);
            for (place, digit) in counts.iter_mut().zip(pin.expose().bytes()) {
                place[usize::from(digit - b'0')] += 1;
            }
        }
        for place in counts {
            let chi_square: f64 = place
                .iter()
                .map(|count| (f64::from(*count) - 2_000.0).powi(2) / 2_000.0)
                .sum();
            // One sound generator in a million goes beyond 45 with nine degrees of freedom.
            assert!(chi_square < 45.0, "chi-square {chi_square}");
        }
    }

    #[test]
    fn pins_are_read_with_white_space_around_and_one_hash_at_the_end() {
        for (text, pin) in [
            ("1234", "1234"),
            (" 12345678\n", "12345678"),
            ("1111#", "1111#"),
            ("12345678901234567890#", "12345678901234567890#"),
        ] {
            assert_eq!(Pin::parse(text).unwrap().expose(), pin);
        }
        for text in ["", "123", "#", "123#", "123456789012345678901"] {
            assert_eq!(Pin::parse(text), Err(PinError::Length), "{text}");
        }
        for text in [
            "12 34",
            "1234##",
            "#1234",
            "12a4",
            "１２３４",
            "-1234",
            "none",
        ] {
            assert_eq!(Pin::parse(text), Err(PinError::NotDigits), "{text}");
        }
    }

    #[test]
    fn only_the_same_pin_matches() {
        let pin = |text| Pin::parse(text).unwrap();
        assert!(pin("12345678").matches(&pin("12345678")));
        assert!(!pin("12345678").matches(&pin("12345679")));
        assert!(!pin("1234").matches(&pin("1234#")));
        assert!(!pin("1234").matches(&pin("12345")));
    }

    proptest! {
        #[test]
        fn debug_never_shows_a_pin(digits in "[0-9]{4,20}#?") {
            let pin = Pin::parse(&digits).unwrap();
            let shown = format!("{pin:?}");
            prop_assert!(!shown.contains(&digits));
        }
    }
}
