//! The accent colour in either theme, and Pexip's palette of it.

use crate::Colour;

/// What the accent stands on in the light theme: page and card of `landing.css`.
pub const LIGHT_BACKGROUNDS: [Colour; 2] =
    [Colour::new(0xf3, 0xf6, 0xf7), Colour::new(0xff, 0xff, 0xff)];

/// The same in the dark theme.
pub const DARK_BACKGROUNDS: [Colour; 2] =
    [Colour::new(0x0e, 0x19, 0x1c), Colour::new(0x17, 0x26, 0x2a)];

/// What WCAG 2.2 wants of text (1.4.3, level AA).
const READABLE: f64 = 4.5;

/// How much of the end there is in the accent under the pointer, in 255ths.
const STRONGER: u8 = 56;

/// How much of the background there is in a tint, in 255ths.
const SOFTER: u8 = 224;

/// The accent as one theme shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Of buttons and links: at least 4.5:1 to every background.
    pub accent: Colour,
    /// Of the same under the pointer: no less contrast.
    pub strong: Colour,
    /// A tint of the card, on which the stronger accent has at least 4.5:1.
    pub soft: Colour,
    /// Of text on the accent: black or white, at least 4.5:1.
    pub on_accent: Colour,
}

/// The light theme and the dark one. What cannot be read is darkened or lightened just
/// as far as needed.
pub fn themes(accent: Colour) -> [Theme; 2] {
    [
        theme(accent, Colour::BLACK, LIGHT_BACKGROUNDS),
        theme(accent, Colour::WHITE, DARK_BACKGROUNDS),
    ]
}

fn theme(accent: Colour, end: Colour, backgrounds: [Colour; 2]) -> Theme {
    let [_, card] = backgrounds;
    let accent = accent.towards(end, READABLE, &backgrounds);
    let white = accent.contrast(Colour::WHITE) >= accent.contrast(Colour::BLACK);
    Theme {
        accent,
        strong: accent.mixed(end, STRONGER),
        soft: accent.mixed(card, SOFTER),
        on_accent: if white { Colour::WHITE } else { Colour::BLACK },
    }
}

/// Eleven steps from near white to near black with the colour in the middle, as
/// `colorPalette` of Pexip's third web app wants them.
pub fn palette(base: Colour) -> [Colour; 11] {
    let light = |share| base.mixed(Colour::WHITE, share);
    let dark = |share| base.mixed(Colour::BLACK, share);
    [
        light(232),
        light(181),
        light(128),
        light(76),
        light(36),
        base,
        dark(38),
        dark(74),
        dark(110),
        dark(146),
        dark(184),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(accent: Colour) {
        let [light, dark] = themes(accent);
        for (theme, backgrounds) in [(light, LIGHT_BACKGROUNDS), (dark, DARK_BACKGROUNDS)] {
            for background in backgrounds {
                assert!(
                    theme.accent.contrast(background) >= 4.5,
                    "{accent}: {theme:?}"
                );
                assert!(
                    theme.strong.contrast(background) >= 4.5,
                    "{accent}: {theme:?}"
                );
            }
            assert!(
                theme.on_accent.contrast(theme.accent) >= 4.5,
                "{accent}: {theme:?}"
            );
            assert!(
                theme.strong.contrast(theme.soft) >= 4.5,
                "{accent}: {theme:?}"
            );
            assert!(
                theme.on_accent.contrast(theme.strong) >= 4.5,
                "{accent}: {theme:?}"
            );
        }
    }

    #[test]
    fn every_colour_can_be_read_in_both_themes() {
        let steps = || (0..=255).step_by(15);
        for red in steps() {
            for green in steps() {
                for blue in steps() {
                    check(Colour::new(red, green, blue));
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_colour_can_be_read_in_both_themes(channels: [u8; 3]) {
            check(Colour { channels });
        }

        #[test]
        fn a_palette_goes_from_light_to_dark(channels: [u8; 3]) {
            let palette = palette(Colour { channels });
            let is_ordered = palette
                .windows(2)
                .all(|pair| pair[0].luminance() >= pair[1].luminance());
            assert!(is_ordered, "{palette:?}");
            assert_eq!(palette[5], Colour { channels });
        }
    }

    /// The backgrounds that the style sheet declares, theme by theme.
    #[test]
    fn the_backgrounds_are_those_of_the_style_sheet() {
        let css = include_str!("../../../www/css/landing.css");
        let (light, dark) = css.split_once("prefers-color-scheme: dark").unwrap();
        for (css, [page, card]) in [(light, LIGHT_BACKGROUNDS), (dark, DARK_BACKGROUNDS)] {
            for (name, colour) in [("--page", page), ("--card", card)] {
                let (_, rest) = css.split_once(&format!("{name}:")).unwrap();
                let (value, _) = rest.split_once(';').unwrap();
                assert_eq!(expanded(value.trim()), colour.to_string(), "{name}");
            }
        }
    }

    /// `#fff` as `#ffffff`.
    fn expanded(value: &str) -> String {
        match value.strip_prefix('#') {
            Some(short) if short.len() == 3 => {
                let double = short.chars().flat_map(|digit| [digit, digit]);
                format!("#{}", double.collect::<String>())
            }
            _ => value.to_ascii_lowercase(),
        }
    }
}
