//! `str.format`.

use minijinja::{
    Error, State, Value,
    value::{Kwargs, ValueKind},
};

use crate::{
    error::Fault,
    escaping,
    filters::format::checked_width,
    limits,
    operators::is_html,
    python::{self, access, float_format, float_text, number::Number},
};

/// `text.format(…)`: fields such as `{}`, `{0}`, `{name[key]!r:>8}`.
pub(super) fn format(
    state: &mut State,
    pattern: &str,
    is_safe: bool,
    mut positional: Vec<Value>,
) -> Result<Value, Error> {
    let named = match positional.pop_if(|last| last.is_kwargs()) {
        Some(named) => Some(Kwargs::try_from(named)?),
        None => None,
    };
    let mut formatter = Formatter {
        positional,
        named,
        escapes: is_safe && is_html(state),
        numbering: Numbering::Unknown,
    };
    let formatted = formatter.format(state, pattern, 2)?;
    Ok(if is_safe {
        Value::from_safe_string(formatted)
    } else {
        Value::from(formatted)
    })
}

struct Formatter {
    positional: Vec<Value>,
    named: Option<Kwargs>,
    /// Whether what is put into the text is escaped.
    escapes: bool,
    numbering: Numbering,
}

/// Fields are numbered by the pattern or one after the other, not both.
enum Numbering {
    Unknown,
    Automatic(usize),
    Manual,
}

impl Formatter {
    fn format(&mut self, state: &mut State, pattern: &str, depth: usize) -> Result<String, Error> {
        if depth == 0 {
            return Err(Fault::operation("a format has fields too deep in fields"));
        }
        let mut out = String::new();
        let mut rest = pattern;
        while let Some(at) = rest.find(['{', '}']) {
            out.push_str(&rest[..at]);
            let (brace, after) = rest[at..].split_at(1);
            if let Some(after) = after.strip_prefix(brace) {
                out.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return Err(Fault::operation("a format has a } without a {"));
            }
            let (field, after) = field(after)?;
            rest = after;
            let text = self.field(state, field, depth)?;
            limits::work(state, text.len())?;
            out.push_str(&text);
        }
        out.push_str(rest);
        Ok(out)
    }

    fn field(&mut self, state: &mut State, field: &str, depth: usize) -> Result<String, Error> {
        let broken = || Fault::operation("a format has a field that is not understood");
        // The name may have any character in square brackets.
        let mut in_brackets = false;
        let end = field.find(|character| {
            in_brackets = match character {
                '[' => true,
                ']' => false,
                _ => in_brackets,
            };
            !in_brackets && matches!(character, '!' | ':')
        });
        let (name, rest) = field.split_at(end.unwrap_or(field.len()));
        let value = self.value(state, name)?;
        let (value, specification) = match rest.strip_prefix('!') {
            Some(conversion) => {
                let mut characters = conversion.chars();
                let kind = characters.next().ok_or_else(broken)?;
                let text = match kind {
                    's' => python::text(state, &value)?,
                    'r' => python::representation(&value, is_html(state))?,
                    _ => return Err(broken()),
                };
                let after = characters.as_str();
                let specification = match after.strip_prefix(':') {
                    None if !after.is_empty() => return Err(broken()),
                    specification => specification,
                };
                (Value::from(text), specification)
            }
            None => (value, rest.strip_prefix(':')),
        };
        let specification = specification.unwrap_or("");
        let specification = if specification.contains(['{', '}']) {
            self.format(state, specification, depth - 1)?
        } else {
            specification.to_owned()
        };
        if self.escapes && value.is_safe() {
            if !specification.is_empty() {
                return Err(Fault::operation(
                    "a text that is marked as safe has no format of its own",
                ));
            }
            return python::text(state, &value);
        }
        let text = formatted(state, &value, &specification)?;
        if self.escapes {
            return Ok(escaping::html(&text));
        }
        Ok(text)
    }

    /// The argument that a field names.
    fn value(&mut self, state: &mut State, name: &str) -> Result<Value, Error> {
        let wrong = || Fault::operation("a format names an argument that is not given");
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let (first, mut path) = name.split_at(end);
        let is_number = first.bytes().all(|byte| byte.is_ascii_digit());
        let mut value = if is_number {
            let mixed = || Fault::operation("a format numbers some of its fields only");
            let index = match (&mut self.numbering, first) {
                (Numbering::Automatic(next), "") => {
                    *next += 1;
                    *next
                }
                (Numbering::Unknown, "") => {
                    self.numbering = Numbering::Automatic(0);
                    0
                }
                (Numbering::Manual, "") | (Numbering::Automatic(_), _) => return Err(mixed()),
                (_, number) => {
                    self.numbering = Numbering::Manual;
                    number.parse().map_err(|_| wrong())?
                }
            };
            self.positional.get(index).cloned()
        } else {
            self.named
                .as_ref()
                .filter(|named| named.has(first))
                .and_then(|named| named.peek::<Value>(first).ok())
        }
        .ok_or_else(wrong)?;
        while !path.is_empty() {
            let Some(inside) = path.strip_prefix('[') else {
                return Err(Fault::operation(
                    "a format cannot ask for attributes: write [name] for an entry",
                ));
            };
            let (key, after) = inside.split_once(']').ok_or_else(wrong)?;
            if key.is_empty() {
                return Err(wrong());
            }
            let is_number = key.bytes().all(|byte| byte.is_ascii_digit());
            let key = match key.parse::<i64>() {
                Ok(number) if is_number => Value::from(number),
                _ => Value::from(key),
            };
            if value.kind() != ValueKind::Map && key.as_str().is_some() {
                return Err(wrong());
            }
            value = access::item(state, &value, &key)?;
            if value.is_undefined() {
                return Err(wrong());
            }
            path = after;
        }
        Ok(value)
    }
}

/// What stands in braces, which may have braces in it, and what follows.
fn field(text: &str) -> Result<(&str, &str), Error> {
    let mut open = 1;
    for (index, character) in text.char_indices() {
        match character {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Ok((&text[..index], &text[index + 1..]));
        }
    }
    Err(Fault::operation("a format has a { without a }"))
}

/// `format(value, specification)`
fn formatted(state: &mut State, value: &Value, specification: &str) -> Result<String, Error> {
    if specification.is_empty() {
        return python::text(state, value);
    }
    let wrong = || Fault::operation("the format does not fit its arguments");
    let specification = Specification::parse(specification)?;
    let text = match (value.as_str(), Number::of(value)) {
        (Some(text), _) => specification.text(text),
        (None, Some(Number::Float(number))) => specification.float(number),
        (None, Some(Number::Integer(number))) => specification.integer(number),
        (None, None) => None,
    };
    text.ok_or_else(wrong)
}

/// Python's format specification mini-language.
struct Specification {
    fill: char,
    align: Option<char>,
    sign: Option<char>,
    alternate: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

impl Specification {
    fn parse(specification: &str) -> Result<Self, Error> {
        let wrong = || Fault::operation("a format has a specification that is not understood");
        let is_align = |character: char| matches!(character, '<' | '>' | '=' | '^');
        let characters: Vec<char> = specification.chars().collect();
        let at = |place: usize| characters.get(place).copied();
        let mut place = 0;
        let mut fill = None;
        let mut align = None;
        if at(1).is_some_and(is_align) {
            (fill, align, place) = (at(0), at(1), 2);
        } else if at(0).is_some_and(is_align) {
            (align, place) = (at(0), 1);
        }
        let take = |wanted: &[char], place: &mut usize| {
            let found = at(*place).filter(|character| wanted.contains(character));
            *place += usize::from(found.is_some());
            found
        };
        let sign = take(&['+', '-', ' '], &mut place);
        let alternate = take(&['#'], &mut place).is_some();
        if take(&['0'], &mut place).is_some() {
            align = align.or(if fill.is_none() { Some('0') } else { None });
            fill = fill.or(Some('0'));
        }
        let number = |place: &mut usize| {
            let mut digits = String::new();
            while let Some(digit) = at(*place).filter(char::is_ascii_digit) {
                digits.push(digit);
                *place += 1;
            }
            if digits.is_empty() {
                return Ok(None);
            }
            checked_width(digits.parse().unwrap_or(u128::MAX)).map(Some)
        };
        let width = number(&mut place)?.unwrap_or(0);
        let grouping = take(&[',', '_'], &mut place);
        let precision = if take(&['.'], &mut place).is_some() {
            Some(number(&mut place)?.ok_or_else(wrong)?)
        } else {
            None
        };
        let kind = at(place);
        if place + usize::from(kind.is_some()) != characters.len() {
            return Err(wrong());
        }
        Ok(Self {
            fill: fill.unwrap_or(' '),
            align,
            sign,
            alternate,
            width,
            grouping,
            precision,
            kind,
        })
    }

    fn text(&self, text: &str) -> Option<String> {
        let refused = self.sign.is_some()
            || self.alternate
            || self.grouping.is_some()
            || self.align == Some('=')
            || self.kind.is_some_and(|kind| kind != 's');
        if refused {
            return None;
        }
        let cut: String = text
            .chars()
            .take(self.precision.unwrap_or(usize::MAX))
            .collect();
        // A zero before the width fills up, but does not align.
        let align = self.align.filter(|align| *align != '0').unwrap_or('<');
        Some(self.filled("", &cut, align))
    }

    fn integer(&self, number: i128) -> Option<String> {
        let magnitude = number.unsigned_abs();
        let (prefix, digits, group) = match self.kind {
            None | Some('d' | 'n') => ("", magnitude.to_string(), 3),
            Some('b') => ("0b", format!("{magnitude:b}"), 4),
            Some('o') => ("0o", format!("{magnitude:o}"), 4),
            Some('x') => ("0x", format!("{magnitude:x}"), 4),
            Some('X') => ("0X", format!("{magnitude:X}"), 4),
            Some('c') => {
                if self.sign.is_some() || self.alternate || self.grouping.is_some() {
                    return None;
                }
                let character = u32::try_from(number).ok().and_then(char::from_u32)?;
                let align = self
                    .align
                    .map_or('>', |align| if align == '0' { '=' } else { align });
                return self
                    .precision
                    .is_none()
                    .then(|| self.filled("", &character.to_string(), align));
            }
            #[expect(clippy::cast_precision_loss, reason = "what Python does")]
            Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') => return self.float(number as f64),
            Some(_) => return None,
        };
        let comma_is_refused = self.grouping == Some(',') && group == 4;
        let grouping_is_refused = self.grouping.is_some() && self.kind == Some('n');
        if self.precision.is_some() || comma_is_refused || grouping_is_refused {
            return None;
        }
        let prefix = if self.alternate { prefix } else { "" };
        let sign = format!("{}{prefix}", self.sign_text(number < 0));
        Some(self.number(&sign, &digits, "", group))
    }

    fn float(&self, number: f64) -> Option<String> {
        let negative = number.is_sign_negative() && !number.is_nan();
        let upper = matches!(self.kind, Some('E' | 'F' | 'G'));
        let mut text = match self.kind {
            None => match self.precision {
                None => float_text(number.abs()),
                Some(precision) => float_format::general_with_point(number, precision),
            },
            Some('e' | 'E') => float_format::scientific(number, self.precision.unwrap_or(6)),
            Some('f' | 'F') => float_format::fixed(number, self.precision.unwrap_or(6)),
            Some('g' | 'G' | 'n') => {
                float_format::general(number, self.precision.unwrap_or(6), self.alternate)
            }
            Some('%') => {
                let percent = float_format::fixed(number * 100.0, self.precision.unwrap_or(6));
                format!("{percent}%")
            }
            Some(_) => return None,
        };
        if self.grouping.is_some() && self.kind == Some('n') {
            return None;
        }
        if self.alternate && number.is_finite() && !text.contains('.') {
            let end = text.find(['e', '%']).unwrap_or(text.len());
            text.insert(end, '.');
        }
        if upper {
            text.make_ascii_uppercase();
        }
        let end = text
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(text.len());
        let (whole, rest) = text.split_at(end);
        Some(self.number(self.sign_text(negative), whole, rest, 3))
    }

    fn sign_text(&self, negative: bool) -> &'static str {
        match (negative, self.sign) {
            (true, _) => "-",
            (false, Some('+')) => "+",
            (false, Some(' ')) => " ",
            (false, _) => "",
        }
    }

    /// A number of its sign, its digits before the point, and the rest.
    fn number(&self, sign: &str, whole: &str, rest: &str, group: usize) -> String {
        let align = match self.align {
            Some('0') => '=',
            align => align.unwrap_or('>'),
        };
        let mut whole = whole.to_owned();
        if let Some(separator) = self.grouping {
            // Zeros that fill up are grouped too.
            let least = if align == '=' && self.fill == '0' {
                self.width.saturating_sub(sign.len() + rest.len())
            } else {
                0
            };
            whole = grouped(&whole, separator, group, least);
        }
        self.filled(sign, &format!("{whole}{rest}"), align)
    }

    fn filled(&self, sign: &str, text: &str, align: char) -> String {
        let missing = self
            .width
            .saturating_sub(sign.chars().count() + text.chars().count());
        let fill = |count: usize| self.fill.to_string().repeat(count);
        match align {
            '<' => format!("{sign}{text}{}", fill(missing)),
            '^' => {
                let left = missing / 2;
                format!("{}{sign}{text}{}", fill(left), fill(missing - left))
            }
            '=' => format!("{sign}{}{text}", fill(missing)),
            _ => format!("{}{sign}{text}", fill(missing)),
        }
    }
}

/// Digits in groups, filled up with zeros to at least so many characters.
fn grouped(digits: &str, separator: char, group: usize, least: usize) -> String {
    let mut reversed = String::new();
    let mut count = 0;
    let mut digits = digits.chars().rev();
    loop {
        let next = digits.next();
        let filled_up = reversed.len() >= least;
        if next.is_none() && filled_up {
            break;
        }
        if count > 0 && count % group == 0 {
            reversed.push(separator);
        }
        reversed.push(next.unwrap_or('0'));
        count += 1;
    }
    reversed.chars().rev().collect()
}
