//! The filter `format`, and the operator `%` of texts.

use minijinja::{
    Error, State, Value,
    value::{Kwargs, Tuple, ValueKind},
};

use crate::{
    error::Fault,
    escaping, limits,
    operators::is_html,
    python::{
        self, access, float_format,
        number::{Number, index, truncated},
    },
};

/// The widest field and the most decimal places.
pub(crate) const MAX_WIDTH: usize = 4_096;

/// `format(...)`: the text is a pattern such as `%s: %05.2f`.
pub(super) fn format(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let pattern = python::text(state, value)?;
    let named = arguments.iter().any(Value::is_kwargs);
    if named && arguments.len() > 1 {
        return Err(Fault::operation(
            "format takes arguments by position or by name, not both",
        ));
    }
    let arguments = match arguments.first() {
        Some(named_ones) if named => {
            let named_ones = Kwargs::try_from(named_ones.clone())?;
            let mut entries = Vec::new();
            for name in named_ones.args() {
                entries.push((name.to_owned(), named_ones.peek::<Value>(name)?));
            }
            if entries.is_empty() {
                Value::from(Tuple::from(Vec::<Value>::new()))
            } else {
                Value::from_pairs(entries)
            }
        }
        _ => Value::from(Tuple::from(arguments)),
    };
    formatted(state, &pattern, value.is_safe(), &arguments)
}

/// `pattern % arguments`
pub(crate) fn printf(
    state: &mut State,
    pattern: &Value,
    arguments: &Value,
) -> Result<Value, Error> {
    let text = python::text(state, pattern)?;
    formatted(state, &text, pattern.is_safe(), arguments)
}

fn formatted(
    state: &mut State,
    pattern: &str,
    is_safe: bool,
    arguments: &Value,
) -> Result<Value, Error> {
    limits::work_on(state, arguments)?;
    let mut given = Given::new(arguments)?;
    let mut formatted = String::new();
    let mut rest = pattern;
    while let Some((before, field)) = rest.split_once('%') {
        formatted.push_str(before);
        let (field, after) = Field::parse(field, state, &mut given)?;
        rest = after;
        if field.conversion == '%' {
            formatted.push('%');
            continue;
        }
        let argument = given.next()?;
        let text = field.format(state, &argument, is_safe && is_html(state))?;
        limits::work(state, text.len())?;
        formatted.push_str(&text);
    }
    formatted.push_str(rest);
    if given.is_left() {
        return Err(Fault::operation("a format has fewer fields than arguments"));
    }
    Ok(if is_safe {
        Value::from_safe_string(formatted)
    } else {
        Value::from(formatted)
    })
}

/// The arguments of a format.
struct Given<'a> {
    all: &'a Value,
    positional: Vec<Value>,
    next: usize,
}

impl<'a> Given<'a> {
    fn new(all: &'a Value) -> Result<Self, Error> {
        let positional = if all.is_tuple() {
            all.try_iter()?.checked().collect::<Result<_, _>>()?
        } else {
            vec![all.clone()]
        };
        Ok(Self {
            all,
            positional,
            next: 0,
        })
    }

    fn next(&mut self) -> Result<Value, Error> {
        let argument = self.positional.get(self.next).cloned();
        self.next += 1;
        argument.ok_or_else(|| Fault::operation("a format has more fields than arguments"))
    }

    /// Makes the entry of this name the only argument.
    fn choose(&mut self, state: &mut State, name: &str) -> Result<(), Error> {
        if self.all.kind() != ValueKind::Map {
            return Err(Fault::operation(
                "a format with names needs arguments by name",
            ));
        }
        let value = access::entry(state, self.all, &Value::from(name))?
            .ok_or_else(|| Fault::operation("a format names an argument that is not given"))?;
        self.positional = vec![value];
        self.next = 0;
        Ok(())
    }

    /// Whether an argument is left over that must not be. What has items may be.
    fn is_left(&self) -> bool {
        let may_be = match self.all.kind() {
            ValueKind::Map | ValueKind::Undefined => true,
            ValueKind::Seq => !self.all.is_tuple(),
            _ => false,
        };
        !may_be && self.next < self.positional.len()
    }
}

/// One field of a pattern, such as `%(name)-5.2s`.
#[derive(Default)]
struct Field {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zeros: bool,
    width: usize,
    precision: Option<usize>,
    conversion: char,
}

impl Field {
    /// Reads what stands after a `%`; also gives the rest of the pattern.
    fn parse<'p>(
        mut field: &'p str,
        state: &mut State,
        given: &mut Given<'_>,
    ) -> Result<(Self, &'p str), Error> {
        let broken = || Fault::operation("a format ends in the middle");
        let mut parsed = Self::default();
        if let Some(named) = field.strip_prefix('(') {
            let (name, after) = bracketed(named).ok_or_else(broken)?;
            given.choose(state, name)?;
            field = after;
        }
        loop {
            match field.chars().next() {
                Some('-') => parsed.left = true,
                Some('+') => parsed.plus = true,
                Some(' ') => parsed.space = true,
                Some('#') => parsed.alternate = true,
                Some('0') => parsed.zeros = true,
                _ => break,
            }
            field = &field[1..];
        }
        if let Some(after) = field.strip_prefix('*') {
            let width = size(&given.next()?)?;
            parsed.left |= width < 0;
            parsed.width = checked_width(width.unsigned_abs())?;
            field = after;
        } else {
            (parsed.width, field) = number(field)?;
        }
        if let Some(after) = field.strip_prefix('.') {
            let precision;
            if let Some(after) = after.strip_prefix('*') {
                precision = checked_width(size(&given.next()?)?.max(0).unsigned_abs())?;
                field = after;
            } else {
                (precision, field) = number(after)?;
            }
            parsed.precision = Some(precision);
        }
        field = field.strip_prefix(['h', 'l', 'L']).unwrap_or(field);
        let mut after = field.chars();
        parsed.conversion = after.next().ok_or_else(broken)?;
        Ok((parsed, after.as_str()))
    }

    fn format(&self, state: &mut State, argument: &Value, escapes: bool) -> Result<String, Error> {
        let wrong = || Fault::operation("the format does not fit its arguments");
        match self.conversion {
            's' | 'r' | 'a' => {
                let text = match self.conversion {
                    's' => python::text(state, argument)?,
                    'r' => python::representation(argument, is_html(state))?,
                    _ => ascii(&python::representation(argument, is_html(state))?),
                };
                let text = if escapes && !(self.conversion == 's' && argument.is_safe()) {
                    escaping::html(&text)
                } else {
                    text
                };
                Ok(self.padded(&text))
            }
            'c' => {
                let character = match argument.as_str() {
                    Some(text) => {
                        let mut characters = text.chars();
                        let first = characters.next().ok_or_else(wrong)?;
                        if characters.next().is_some() {
                            return Err(wrong());
                        }
                        first
                    }
                    None => index(argument)
                        .and_then(|code| u32::try_from(code).ok())
                        .and_then(char::from_u32)
                        .ok_or_else(wrong)?,
                };
                Ok(self.filled(&character.to_string()))
            }
            'd' | 'i' | 'u' => {
                let number = match Number::of(argument).ok_or_else(wrong)? {
                    Number::Float(number) => truncated(number).ok_or_else(wrong)?,
                    Number::Integer(number) => number,
                };
                Ok(self.number(
                    number < 0,
                    "",
                    &self.digits(&number.unsigned_abs().to_string()),
                ))
            }
            'x' | 'X' | 'o' => {
                let number = index(argument).ok_or_else(wrong)?;
                let magnitude = number.unsigned_abs();
                let (prefix, digits) = match self.conversion {
                    'x' => ("0x", format!("{magnitude:x}")),
                    'X' => ("0X", format!("{magnitude:X}")),
                    _ => ("0o", format!("{magnitude:o}")),
                };
                let prefix = if self.alternate { prefix } else { "" };
                Ok(self.number(number < 0, prefix, &self.digits(&digits)))
            }
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
                let number = Number::of(argument).ok_or_else(wrong)?.to_float();
                let precision = self.precision.unwrap_or(6);
                let mut text = match self.conversion.to_ascii_lowercase() {
                    'e' => float_format::scientific(number, precision),
                    'f' => float_format::fixed(number, precision),
                    _ => float_format::general(number, precision, self.alternate),
                };
                if self.alternate && number.is_finite() && !text.contains('.') {
                    let end = text.find('e').unwrap_or(text.len());
                    text.insert(end, '.');
                }
                if self.conversion.is_ascii_uppercase() {
                    text.make_ascii_uppercase();
                }
                let negative = number.is_sign_negative() && !number.is_nan();
                Ok(self.number(negative, "", &text))
            }
            _ => Err(Fault::operation(
                "a format has a letter that it does not know",
            )),
        }
    }

    /// A text, cut to the precision and filled up to the width, in characters.
    fn padded(&self, text: &str) -> String {
        let text: String = text
            .chars()
            .take(self.precision.unwrap_or(usize::MAX))
            .collect();
        self.filled(&text)
    }

    fn filled(&self, text: &str) -> String {
        let fill = " ".repeat(self.width.saturating_sub(text.chars().count()));
        if self.left {
            format!("{text}{fill}")
        } else {
            format!("{fill}{text}")
        }
    }

    /// At least as many digits as the precision says.
    fn digits(&self, digits: &str) -> String {
        let zeros = self.precision.unwrap_or(0).saturating_sub(digits.len());
        "0".repeat(zeros) + digits
    }

    fn number(&self, negative: bool, prefix: &str, digits: &str) -> String {
        let sign = if negative {
            "-"
        } else if self.plus {
            "+"
        } else if self.space {
            " "
        } else {
            ""
        };
        let length = sign.len() + prefix.len() + digits.len();
        if self.zeros && !self.left {
            let zeros = "0".repeat(self.width.saturating_sub(length));
            return format!("{sign}{prefix}{zeros}{digits}");
        }
        self.filled(&format!("{sign}{prefix}{digits}"))
    }
}

/// What stands in brackets, which may have brackets in it, and what follows.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let mut open = 1;
    for (index, character) in text.char_indices() {
        match character {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some((&text[..index], &text[index + 1..]));
        }
    }
    None
}

fn number(text: &str) -> Result<(usize, &str), Error> {
    let end = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, after) = text.split_at(end);
    if digits.is_empty() {
        return Ok((0, after));
    }
    let number = digits.parse().unwrap_or(u128::MAX);
    Ok((checked_width(number)?, after))
}

fn size(value: &Value) -> Result<i128, Error> {
    index(value).ok_or_else(|| Fault::operation("a width in a format must be a whole number"))
}

/// Refuses too large numbers for width and precision.
pub(crate) fn checked_width(number: u128) -> Result<usize, Error> {
    usize::try_from(number)
        .ok()
        .filter(|number| *number <= MAX_WIDTH)
        .ok_or_else(|| Fault::too_much("a format asks for too wide a field"))
}

/// With escapes for what is not ASCII: Python's `ascii`.
fn ascii(text: &str) -> String {
    let mut ascii = String::with_capacity(text.len());
    for character in text.chars() {
        match u32::from(character) {
            ..0x80 => ascii.push(character),
            code @ 0x80..0x100 => ascii.push_str(&format!("\\x{code:02x}")),
            code @ 0x100..0x1_0000 => ascii.push_str(&format!("\\u{code:04x}")),
            code => ascii.push_str(&format!("\\U{code:08x}")),
        }
    }
    ascii
}
