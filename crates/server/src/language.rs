//! The language in which a page speaks to the browser that asked for it.

use axum::http::{HeaderMap, header};

/// The languages of the pages, by primary tag (BCP 47).
pub(crate) const SPOKEN: [&str; 8] = ["en", "es", "fr", "de", "zh", "vi", "tl", "ar"];

/// Most languages of one header that are looked at.
const MOST: usize = 32;

/// The primary tag of the first language in `Accept-Language` that pages speak; `None`
/// where they speak none of them. The order is that of the weights, and that of the
/// header among equals (RFC 9110 section 12.5.4).
pub fn preferred(headers: &HeaderMap) -> Option<&'static str> {
    let values = headers.get_all(header::ACCEPT_LANGUAGE).iter();
    let values = values.filter_map(|value| value.to_str().ok());
    let mut wanted: Vec<_> = values
        .flat_map(|value| value.split(','))
        .take(MOST)
        .filter_map(range)
        .collect();
    // Stable, so that equals keep their order.
    wanted.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    wanted.into_iter().find_map(|(tag, _)| spoken(tag))
}

/// A language range and its weight in thousandths; `None` of one that is not wanted or
/// cannot be read.
fn range(text: &str) -> Option<(&str, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let tag = parts.next()?;
    let mut weight = 1000;
    for parameter in parts {
        let (name, value) = parameter.split_once('=')?;
        if name.trim_end().eq_ignore_ascii_case("q") {
            weight = thousandths(value.trim_start())?;
        }
    }
    (weight > 0).then_some((tag, weight))
}

/// `0`, `1`, or either with up to three decimals, and 1 at most.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = decimals.bytes().all(|byte| byte.is_ascii_digit());
    if !matches!(whole, "0" | "1") || decimals.len() > 3 || !digits {
        return None;
    }
    let weight: u16 = format!("{whole}{decimals:0<3}").parse().ok()?;
    (weight <= 1000).then_some(weight)
}

/// The primary tag of a language that pages speak, given by any tag of it.
pub(crate) fn spoken(tag: &str) -> Option<&'static str> {
    let primary = tag.split('-').next()?;
    // Filipino has a tag of its own; the pages call it Tagalog.
    let primary = if primary.eq_ignore_ascii_case("fil") {
        "tl"
    } else {
        primary
    };
    SPOKEN
        .into_iter()
        .find(|spoken| spoken.eq_ignore_ascii_case(primary))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::ACCEPT_LANGUAGE, value.parse().unwrap());
        }
        preferred(&headers)
    }

    #[test]
    fn the_weightiest_language_that_pages_speak_is_taken() {
        for (values, expected) in [
            (&["es-US,es;q=0.9,en;q=0.8"][..], Some("es")),
            (&["en;q=0.5, fr;q=0.7"], Some("fr")),
            (&["da, en-GB;q=0.8, en;q=0.7"], Some("en")),
            (&["de;q=0.5, es;q=0.5"], Some("de")),
            (&["ZH-hant-TW"], Some("zh")),
            (&["fil-PH"], Some("tl")),
            (&["da", "ar;q=0.1"], Some("ar")),
            (&["en;q=0, vi;q=0.001"], Some("vi")),
            (&["en ; q = 0.2 , vi ; Q=0.3"], Some("vi")),
        ] {
            assert_eq!(of(values), expected, "{values:?}");
        }
    }

    #[test]
    fn what_is_not_spoken_or_not_understood_says_nothing() {
        for values in [
            &[][..],
            &[""],
            &["*"],
            &["da, sv;q=0.5"],
            &["en;q=0"],
            &["en;q=2"],
            &["en;q=1.001"],
            &["en;q=0.1234"],
            &["en;q=-1", "de;q", "es;q=0x1", "fr;q=.5"],
            &["eng", "e", "-en", "zhx"],
        ] {
            assert_eq!(of(values), None, "{values:?}");
        }
        let long = "da,".repeat(40) + "en";
        assert_eq!(of(&[&long]), None, "after {MOST}");
    }
}
