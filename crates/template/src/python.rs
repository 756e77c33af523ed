//! Texts as Python sees them, where Rust sees them differently.

use std::fmt::Write as _;

use minijinja::{Error, State, Value};

use crate::{error::Fault, limits};

/// The items of a value: Python's `iter()`, which fails for `None`.
pub(crate) fn items(value: &Value) -> Result<impl Iterator<Item = Result<Value, Error>>, Error> {
    if value.is_none() {
        return Err(Fault::operation("none has no items"));
    }
    Ok(value.try_iter()?.checked())
}

/// The text of a value: Python's `str()`. Counted.
pub(crate) fn text(state: &mut State, value: &Value) -> Result<String, Error> {
    limits::work_on(state, value)?;
    let mut text = String::new();
    match value.as_str() {
        Some(value) => text.push_str(value),
        None => write!(text, "{value}")?,
    }
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

/// `str.capitalize`
pub(crate) fn capitalize(text: &str) -> String {
    let mut rest = text.chars();
    let mut capitalized = String::with_capacity(text.len());
    if let Some(first) = rest.next() {
        // Of a letter that becomes two ("ß"), only the first is a capital.
        let mut upper = first.to_uppercase();
        capitalized.extend(upper.next());
        capitalized.extend(upper.flat_map(char::to_lowercase));
    }
    capitalized.push_str(&rest.as_str().to_lowercase());
    capitalized
}

/// `str.title`
pub(crate) fn title(text: &str) -> String {
    let mut titled = String::with_capacity(text.len());
    let mut in_word = false;
    for character in text.chars() {
        if in_word {
            titled.extend(character.to_lowercase());
        } else {
            let mut upper = character.to_uppercase();
            titled.extend(upper.next());
            titled.extend(upper.flat_map(char::to_lowercase));
        }
        in_word = character.is_uppercase() || character.is_lowercase();
    }
    titled
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
            parts.push(strip(rest, None, false, true));
            break;
        };
        parts.push(&rest[..end]);
        rest = strip(&rest[end..], None, true, false);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_and_capitals_are_pythons() {
        assert_eq!(title("mary o'brien-SMITH 3rd"), "Mary O'Brien-Smith 3Rd");
        assert_eq!(capitalize("ßTRASSE Ὀδυσσεύς"), "Sstrasse ὀδυσσεύς");
        assert_eq!(capitalize(""), "");
    }

    #[test]
    fn splitting_is_pythons() {
        assert_eq!(split("  a  b c ", None, -1), ["a", "b", "c"]);
        assert_eq!(split("  a  b c ", None, 1), ["a", "b c"]);
        assert_eq!(split("  a ", None, 0), ["a"]);
        assert_eq!(split("   ", None, -1), [""; 0]);
        assert_eq!(split("a,,b", Some(","), -1), ["a", "", "b"]);
        assert_eq!(split("a,b,c", Some(","), 1), ["a", "b,c"]);
        assert_eq!(split("", Some(","), -1), [""]);
    }

    #[test]
    fn stripping_knows_the_separators_of_ascii() {
        assert_eq!(strip("\u{1f} a \u{a0}", None, true, true), "a");
        assert_eq!(strip("xyaxy", Some("yx"), true, false), "axy");
        assert_eq!(strip("xyaxy", Some("yx"), false, true), "xya");
    }
}
