//! The filter `striptags`.

use minijinja::{Error, State, Value};

use crate::{arguments::bind, python};

/// `striptags`: takes comments and tags out, makes white space single and
/// character references characters. Of named references, those of XML and
/// `&nbsp;` are known; the others stay as they are.
pub(super) fn strip_tags(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    let text = python::text(state, value)?;
    let text = without(&text, "<!--", "-->");
    let text = without(&text, "<", ">");
    let text = python::split(&text, None, -1).join(" ");
    Ok(Value::from(unescaped(&text)))
}

/// The text without what stands from `start` to `end`; an open end ends the search.
fn without(text: &str, start: &str, end: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once(start) {
        let Some((_, after)) = inside.split_once(end) else {
            break;
        };
        kept.push_str(before);
        rest = after;
    }
    kept.push_str(rest);
    kept
}

fn unescaped(text: &str) -> String {
    let mut unescaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, reference)) = rest.split_once('&') {
        unescaped.push_str(before);
        // The longest name known has 4 characters, the longest number 8.
        let end = reference.bytes().take(10).position(|byte| byte == b';');
        match end.and_then(|end| Some((character(&reference[..end])?, end))) {
            Some((character, end)) => {
                unescaped.push(character);
                rest = &reference[end + 1..];
            }
            None => {
                unescaped.push('&');
                rest = reference;
            }
        }
    }
    unescaped.push_str(rest);
    unescaped
}

fn character(reference: &str) -> Option<char> {
    let number = match reference {
        "amp" => return Some('&'),
        "apos" => return Some('\''),
        "gt" => return Some('>'),
        "lt" => return Some('<'),
        "nbsp" => return Some('\u{a0}'),
        "quot" => return Some('"'),
        _ => reference.strip_prefix('#')?,
    };
    let (digits, base) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    if !digits.chars().all(|digit| digit.is_digit(base)) {
        return None;
    }
    u32::from_str_radix(digits, base)
        .ok()
        .filter(|code| *code >= 0x20)
        .and_then(char::from_u32)
}
