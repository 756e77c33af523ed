//! Values as texts: Python's `str` and `repr`.

use std::fmt::{self, Write};

use minijinja::{Value, value::ValueKind};

use super::float_format::special;
use crate::functions::Range;

/// The most lists in one another that are written.
const MAX_DEPTH: usize = 800;

/// `str(value)`; in HTML, texts inside of lists show that they need no escaping.
pub(crate) fn write(out: &mut dyn Write, value: &Value, in_html: bool) -> fmt::Result {
    match value.as_str() {
        Some(text) => out.write_str(text),
        None if value.is_undefined() => Ok(()),
        None => Writer { out, in_html }.write(value, 0),
    }
}

/// `repr(value)`
#[cfg(feature = "full")]
pub(crate) fn representation(value: &Value, in_html: bool) -> Result<String, fmt::Error> {
    let mut text = String::new();
    let out = &mut text;
    Writer { out, in_html }.write(value, 0)?;
    Ok(text)
}

/// `repr(number)`: as few digits as tell the number from all others.
pub(crate) fn float_text(number: f64) -> String {
    if !number.is_finite() {
        return special(number).to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific
        .split_once('e')
        .expect("the format has an exponent");
    let exponent: i32 = exponent.parse().expect("the format's exponent is a number");
    if !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.unsigned_abs());
    }
    let mut text = number.to_string();
    if !text.contains('.') {
        text.push_str(".0");
    }
    text
}

struct Writer<'a> {
    out: &'a mut dyn Write,
    in_html: bool,
}

impl Writer<'_> {
    fn write(&mut self, value: &Value, depth: usize) -> fmt::Result {
        let out = &mut *self.out;
        if depth > MAX_DEPTH {
            return Err(fmt::Error);
        }
        match value.kind() {
            ValueKind::Undefined => out.write_str("Undefined"),
            ValueKind::None => out.write_str("None"),
            ValueKind::Bool => out.write_str(if value.is_true() { "True" } else { "False" }),
            ValueKind::Number if value.is_integer() => write!(out, "{value}"),
            ValueKind::Number => {
                let number = f64::try_from(value.clone()).map_err(|_| fmt::Error)?;
                out.write_str(&float_text(number))
            }
            ValueKind::String => {
                let text = value.as_str().unwrap_or_default();
                if !(self.in_html && value.is_safe()) {
                    return quote(out, text);
                }
                out.write_str("Markup(")?;
                quote(out, text)?;
                out.write_char(')')
            }
            ValueKind::Seq | ValueKind::Iterable => {
                if let Some(range) = value.downcast_object_ref::<Range>() {
                    return write!(self.out, "{range}");
                }
                let is_tuple = value.is_tuple();
                self.out.write_str(if is_tuple { "(" } else { "[" })?;
                let mut count = 0;
                for item in value.try_iter().map_err(|_| fmt::Error)?.checked() {
                    let item = item.map_err(|_| fmt::Error)?;
                    self.out.write_str(if count > 0 { ", " } else { "" })?;
                    self.write(&item, depth + 1)?;
                    count += 1;
                }
                self.out.write_str(match (is_tuple, count) {
                    (true, 1) => ",)",
                    (true, _) => ")",
                    (false, _) => "]",
                })
            }
            ValueKind::Map => {
                self.out.write_char('{')?;
                let keys = value.try_iter().map_err(|_| fmt::Error)?.checked();
                for (index, key) in keys.enumerate() {
                    let key = key.map_err(|_| fmt::Error)?;
                    let entry = value.get_item(&key).map_err(|_| fmt::Error)?;
                    self.out.write_str(if index > 0 { ", " } else { "" })?;
                    self.write(&key, depth + 1)?;
                    self.out.write_str(": ")?;
                    self.write(&entry, depth + 1)?;
                }
                self.out.write_char('}')
            }
            _ => write!(self.out, "{value}"),
        }
    }
}

/// In single quotation marks unless only these are in the text.
fn quote(out: &mut dyn Write, text: &str) -> fmt::Result {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.write_char(quote)?;
    for character in text.chars() {
        match character {
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            _ if character == quote => {
                out.write_char('\\')?;
                out.write_char(quote)?;
            }
            _ if is_printable(character) => out.write_char(character)?,
            _ => match u32::from(character) {
                code @ ..0x100 => write!(out, "\\x{code:02x}")?,
                code @ 0x100..0x1_0000 => write!(out, "\\u{code:04x}")?,
                code => write!(out, "\\U{code:08x}")?,
            },
        }
    }
    out.write_char(quote)
}

/// `str.isprintable`, as far as the small build has it.
#[cfg(not(feature = "full"))]
fn is_printable(character: char) -> bool {
    !character.is_control() && character != '\u{ad}'
}

/// `str.isprintable`. Rust has the same set of characters for its own texts, but also
/// writes marks as codes, except behind another character.
#[cfg(feature = "full")]
fn is_printable(character: char) -> bool {
    if matches!(character, '\'' | '"' | '\\') {
        return true;
    }
    let mut buffer = [0; 5];
    buffer[0] = b'a';
    let length = character.encode_utf8(&mut buffer[1..]).len();
    let text = std::str::from_utf8(&buffer[..=length]).expect("it was just encoded");
    text.escape_debug().nth(1) == Some(character)
}
