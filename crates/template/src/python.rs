//! Texts as Python sees them, where Rust sees them differently.

pub(crate) mod access;
mod case;
pub(crate) mod compare;
#[cfg(feature = "full")]
pub(crate) mod digits;
pub(crate) mod float_format;
pub(crate) mod number;
mod representation;

use minijinja::{Error, State, Value, value::ValueKind};

pub(crate) use case::{capitalize, is_lower, is_upper, title};
#[cfg(feature = "full")]
pub(crate) use case::{is_title, swapcase};
pub(crate) use representation::write;
#[cfg(feature = "full")]
pub(crate) use representation::{float_text, representation};

use crate::{error::Fault, limits, operators::is_html};

/// The items of a value: Python's `iter()`, which fails for `None` and numbers.
pub(crate) fn items(value: &Value) -> Result<impl Iterator<Item = Result<Value, Error>>, Error> {
    match value.kind() {
        ValueKind::Undefined
        | ValueKind::String
        | ValueKind::Seq
        | ValueKind::Iterable
        | ValueKind::Map => Ok(value.try_iter()?.checked()),
        _ => Err(Fault::operation(
            "this is no list, text or dictionary, so it has no items",
        )),
    }
}

/// The text of a value: Python's `str()`. Counted.
pub(crate) fn text(state: &mut State, value: &Value) -> Result<String, Error> {
    limits::work_on(state, value)?;
    let mut text = String::new();
    write(&mut text, value, is_html(state))?;
    limits::work(state, text.len())?;
    Ok(text)
}

/// `str.isspace` of one character: besides Unicode's white space also the
/// four separators of ASCII.
pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

/// `str.strip`, `lstrip` and `rstrip`: by `characters`, or white space.
pub(crate) fn strip<'a>(
    text: &'a str,
    characters: Option<&str>,
    left: bool,
    right: bool,
) -> &'a str {
    let strips = |character: char| match characters {
        Some(characters) => characters.contains(character),
        None => is_space(character),
    };
    let text = if left {
        text.trim_start_matches(strips)
    } else {
        text
    };
    if right {
        text.trim_end_matches(strips)
    } else {
        text
    }
}

/// `str.replace`, at most `count` times; a negative count is no limit. Counted
/// before it is done.
pub(crate) fn replace(
    state: &mut State,
    text: &str,
    old: &str,
    new: &str,
    count: i64,
) -> Result<String, Error> {
    let limit = usize::try_from(count).unwrap_or(usize::MAX);
    limits::work(state, text.len())?;
    let found = text.matches(old).count().min(limit);
    limits::work(
        state,
        text.len().saturating_add(found.saturating_mul(new.len())),
    )?;
    Ok(text.replacen(old, new, limit))
}

/// `str.split`: at `separator`, or at white space; at most `limit` times, unless negative.
pub(crate) fn split<'a>(text: &'a str, separator: Option<&str>, limit: i64) -> Vec<&'a str> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if let Some(separator) = separator {
        return text.splitn(limit.saturating_add(1), separator).collect();
    }
    let mut parts = Vec::new();
    let mut rest = strip(text, None, true, false);
    while !rest.is_empty() {
        let end = if parts.len() == limit {
            None
        } else {
            rest.find(is_space)
        };
        let Some(end) = end else {
            parts.push(rest);
            break;
        };
        parts.push(&rest[..end]);
        rest = strip(&rest[end..], None, true, false);
    }
    parts
}

/// `str.rsplit`: like [`split`], but from the end.
#[cfg(feature = "full")]
pub(crate) fn rsplit<'a>(text: &'a str, separator: Option<&str>, limit: i64) -> Vec<&'a str> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut parts: Vec<&str> = match separator {
        Some(separator) => text.rsplitn(limit.saturating_add(1), separator).collect(),
        None => {
            let mut parts = Vec::new();
            let mut rest = strip(text, None, false, true);
            while !rest.is_empty() {
                let start = if parts.len() == limit {
                    None
                } else {
                    rest.rfind(is_space)
                };
                let Some(start) = start else {
                    parts.push(rest);
                    break;
                };
                let after = start + rest[start..].chars().next().map_or(1, char::len_utf8);
                parts.push(&rest[after..]);
                rest = strip(&rest[..start], None, false, true);
            }
            parts
        }
    };
    parts.reverse();
    parts
}

/// `str.splitlines`, with the ends of the lines if `ends`.
#[cfg(feature = "full")]
pub(crate) fn split_lines(text: &str, ends: bool) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some(end) = rest.find(is_line_end) else {
            lines.push(rest);
            break;
        };
        let after = if rest[end..].starts_with("\r\n") {
            end + 2
        } else {
            end + rest[end..].chars().next().map_or(1, char::len_utf8)
        };
        lines.push(&rest[..if ends { after } else { end }]);
        rest = &rest[after..];
    }
    lines
}

#[cfg(feature = "full")]
fn is_line_end(character: char) -> bool {
    matches!(
        character,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// The part of a text from one character to another, as a slice has it, and how many
/// characters stand before it. None where the start is behind the end of the text.
pub(crate) fn part(text: &str, start: Option<i64>, end: Option<i64>) -> Option<(&str, usize)> {
    let length = text.chars().count();
    let bound = |bound: i64| {
        if bound < 0 {
            let back = usize::try_from(bound.unsigned_abs()).unwrap_or(usize::MAX);
            length.saturating_sub(back)
        } else {
            usize::try_from(bound).unwrap_or(usize::MAX)
        }
    };
    let start = start.map_or(0, bound);
    let end = end.map_or(length, bound).min(length);
    if start > end {
        return None;
    }
    let byte = |place: usize| {
        text.char_indices()
            .nth(place)
            .map_or(text.len(), |(byte, _)| byte)
    };
    Some((&text[byte(start)..byte(end)], start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Letters;

    const LETTERS: Letters = Letters {
        lower: str::to_lowercase,
        upper: str::to_uppercase,
    };

    #[test]
    fn titles_and_capitals_are_pythons() {
        assert_eq!(
            title(LETTERS, "mary o'brien-SMITH 3rd"),
            "Mary O'Brien-Smith 3Rd"
        );
        assert_eq!(capitalize(LETTERS, "ßTRASSE Ὀδυσσεύς"), "Sstrasse ὀδυσσεύς");
        assert_eq!(capitalize(LETTERS, ""), "");
        assert_eq!(title(LETTERS, "ǆ ǈ ŉ ᾳ ა"), "ǅ ǈ ʼN ᾼ ა");
        assert_eq!(title(LETTERS, "ΟΔΟΣ ΣΑΣ"), "Οδος Σας");
        assert_eq!(capitalize(LETTERS, "ΑΣ"), "Ας");
        assert_eq!(swapcase("Straße ΣΑΣ"), "sTRASSE σας");
    }

    #[test]
    fn splitting_is_pythons() {
        assert_eq!(split("  a  b c ", None, -1), ["a", "b", "c"]);
        assert_eq!(split("  a  b c ", None, 1), ["a", "b c "]);
        assert_eq!(split("  a ", None, 0), ["a "]);
        assert_eq!(split("   ", None, -1), [""; 0]);
        assert_eq!(split("a,,b", Some(","), -1), ["a", "", "b"]);
        assert_eq!(split("a,b,c", Some(","), 1), ["a", "b,c"]);
        assert_eq!(split("", Some(","), -1), [""]);
        assert_eq!(rsplit(" a b  c ", None, 1), [" a b", "c"]);
        assert_eq!(rsplit("a,b,c", Some(","), 1), ["a,b", "c"]);
        assert_eq!(
            split_lines("a\r\nb\rc\n\nd", false),
            ["a", "b", "c", "", "d"]
        );
        assert_eq!(split_lines("a\n", true), ["a\n"]);
    }

    #[test]
    fn stripping_knows_the_separators_of_ascii() {
        assert_eq!(strip("\u{1f} a \u{a0}", None, true, true), "a");
        assert_eq!(strip("xyaxy", Some("yx"), true, false), "axy");
        assert_eq!(strip("xyaxy", Some("yx"), false, true), "xya");
    }
}
