//! The filter `striptags`.

use std::borrow::Cow;

use minijinja::{Error, State, Value};

use crate::{arguments::bind, limits, python};

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
    let text = without_tags(&text);
    let text = python::split(&text, None, -1).join(" ");
    limits::work(state, text.len())?;
    Ok(Value::from(unescaped(&text)))
}

/// The text up to the first comment or tag that does not end, without those before.
fn without_tags(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once('<') {
        let after = match inside.strip_prefix("!--") {
            Some(comment) => comment.split_once("-->"),
            None => inside.split_once('>'),
        };
        let Some((_, after)) = after else {
            break;
        };
        kept.push_str(before);
        rest = after;
    }
    kept.push_str(rest);
    kept
}

/// `html.unescape`
fn unescaped(text: &str) -> String {
    let mut unescaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, reference)) = rest.split_once('&') {
        unescaped.push_str(before);
        let found = match reference.strip_prefix('#') {
            Some(number) => of_number(number).map(|(text, length)| (text, length + 1)),
            None => of_name(reference).map(|(text, length)| (Cow::Borrowed(text), length)),
        };
        match found {
            Some((text, length)) => {
                unescaped.push_str(&text);
                rest = &reference[length..];
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

/// What a name stands for, and its length. Old names need no semicolon.
fn of_name(reference: &str) -> Option<(&'static str, usize)> {
    const NAMES: [(&str, &str); 10] = [
        ("amp;", "&"),
        ("apos;", "'"),
        ("gt;", ">"),
        ("lt;", "<"),
        ("nbsp;", "\u{a0}"),
        ("quot;", "\""),
        ("AMP;", "&"),
        ("GT;", ">"),
        ("LT;", "<"),
        ("QUOT;", "\""),
    ];
    NAMES.into_iter().find_map(|(name, text)| {
        let bare = name.trim_end_matches(';');
        if reference.starts_with(name) {
            return Some((text, name.len()));
        }
        (bare != "apos" && reference.starts_with(bare)).then_some((text, bare.len()))
    })
}

/// What a number stands for, and its length with the semicolon.
fn of_number(reference: &str) -> Option<(Cow<'static, str>, usize)> {
    let (digits, base) = match reference.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (reference, 10),
    };
    let count = digits
        .bytes()
        .take_while(|byte| char::from(*byte).is_digit(base))
        .count();
    if count == 0 {
        return None;
    }
    let semicolon = usize::from(digits[count..].starts_with(';'));
    let length = reference.len() - digits.len() + count + semicolon;
    let code = u32::from_str_radix(&digits[..count], base).unwrap_or(u32::MAX);
    Some((character(code), length))
}

/// The character of a number, as HTML has it: that of Windows-1252 where Unicode has
/// a control character, none where there is none.
fn character(code: u32) -> Cow<'static, str> {
    const WINDOWS_1252: [u32; 32] = [
        0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039,
        0x152, 0x8d, 0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
        0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178,
    ];
    let code = match code {
        0 | 0xd800..=0xdfff | 0x11_0000.. => 0xfffd,
        0x80..=0x9f => WINDOWS_1252[(code - 0x80) as usize],
        0xd => 0xd,
        // `html.unescape` leaves nothing of these.
        0x1..=0x8 | 0xb | 0xe..=0x1f | 0x7f | 0xfdd0..=0xfdef => return "".into(),
        code if code & 0xfffe == 0xfffe => return "".into(),
        code => code,
    };
    char::from_u32(code).map_or("".into(), |character| character.to_string().into())
}
