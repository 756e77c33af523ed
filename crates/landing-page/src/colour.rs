//! Colours, and how well one can be read on another.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A colour without transparency, in sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Colour {
    /// Red, green and blue.
    pub channels: [u8; 3],
}

/// Why a text is no colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a colour as # and six hexadecimal digits, such as \"#0b5c6b\"")]
pub struct ColourError;

impl Colour {
    /// White.
    pub const WHITE: Self = Self::new(255, 255, 255);
    /// Black.
    pub const BLACK: Self = Self::new(0, 0, 0);

    /// A colour of these channels.
    pub const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self {
            channels: [red, green, blue],
        }
    }

    /// The relative luminance of WCAG 2.2, from 0 for black to 1 for white.
    pub fn luminance(self) -> f64 {
        let [red, green, blue] = self.channels.map(|channel| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 {
                share / 12.92
            } else {
                ((share + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The contrast ratio of WCAG 2.2, from 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// This colour with `share` 255ths of another in it.
    pub fn mixed(self, other: Self, share: u8) -> Self {
        let share = u32::from(share);
        let mut channels = self.channels;
        for (channel, other) in channels.iter_mut().zip(other.channels) {
            let sum = u32::from(*channel) * (255 - share) + u32::from(other) * share;
            *channel = u8::try_from((sum + 127) / 255).unwrap_or(u8::MAX);
        }
        Self { channels }
    }

    /// The nearest to this colour, on the way to `end`, that has this contrast to every
    /// background; `end` where none has.
    pub fn towards(self, end: Self, contrast: f64, backgrounds: &[Self]) -> Self {
        (0..=u8::MAX)
            .map(|share| self.mixed(end, share))
            .find(|mixed| {
                let is_read = |background: &Self| mixed.contrast(*background) >= contrast;
                backgrounds.iter().all(is_read)
            })
            .unwrap_or(end)
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.channels;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl FromStr for Colour {
    type Err = ColourError;

    fn from_str(text: &str) -> Result<Self, ColourError> {
        let digits = text.strip_prefix('#').ok_or(ColourError)?;
        if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(ColourError);
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| ColourError)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self::new(red, green, blue))
    }
}

impl TryFrom<String> for Colour {
    type Error = ColourError;

    fn try_from(text: String) -> Result<Self, ColourError> {
        text.parse()
    }
}

impl From<Colour> for String {
    fn from(colour: Colour) -> Self {
        colour.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(text: &str) -> Colour {
        text.parse().unwrap()
    }

    #[test]
    fn a_colour_is_written_with_six_digits() {
        assert_eq!(colour("#0B5c6b").to_string(), "#0b5c6b");
        for text in [
            "", "#fff", "0b5c6b", "#0b5c6", "#0b5c6b0", "#0b5c6g", "#+b5c6b", "red", "#ééé",
        ] {
            assert_eq!(text.parse::<Colour>(), Err(ColourError), "{text}");
        }
    }

    /// As published: WebAIM's contrast checker and WCAG's own examples.
    #[test]
    fn contrast_is_that_of_wcag() {
        for (one, other, ratio) in [
            ("#ffffff", "#000000", 21.0),
            ("#777777", "#ffffff", 4.48),
            ("#767676", "#ffffff", 4.54),
            ("#ff0000", "#ffffff", 4.0),
            ("#4990e2", "#ffffff", 3.30),
            ("#4a4a4a", "#ffffff", 8.86),
        ] {
            let found = colour(one).contrast(colour(other));
            assert!((found - ratio).abs() < 0.005, "{one} on {other}: {found}");
            assert!((found - colour(other).contrast(colour(one))).abs() < 1e-9);
        }
    }

    #[test]
    fn mixing_ends_at_either_colour() {
        let accent = colour("#0b5c6b");
        assert_eq!(accent.mixed(Colour::WHITE, 0), accent);
        assert_eq!(accent.mixed(Colour::WHITE, 255), Colour::WHITE);
        assert_eq!(Colour::BLACK.mixed(Colour::WHITE, 128), colour("#808080"));
    }

    #[test]
    fn a_colour_that_can_be_read_stays_as_it_is() {
        let accent = colour("#0b5c6b");
        assert_eq!(accent.towards(Colour::BLACK, 4.5, &[Colour::WHITE]), accent);
        let pale = colour("#ffee00").towards(Colour::BLACK, 4.5, &[Colour::WHITE]);
        assert!(pale.contrast(Colour::WHITE) >= 4.5);
        assert!(pale.contrast(Colour::WHITE) < 4.7, "no darker than needed");
    }
}
