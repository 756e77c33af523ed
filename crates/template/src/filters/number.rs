//! Filters of numbers.

use minijinja::{Error, State, Value};

use crate::{
    arguments::{bind, integer},
    arithmetic::{Operator, calculate},
    error::Fault,
    limits,
    python::{
        self, digits,
        number::{Number, index, too_large, truncated, whole},
    },
};

/// `abs`
pub(super) fn abs(_: &mut State, value: &Value, arguments: Vec<Value>) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    match Number::required(value)? {
        Number::Integer(number) => whole(number.checked_abs()),
        Number::Float(number) => Ok(Value::from(number.abs())),
    }
}

/// `int(default=0, base=10)`
pub(super) fn int(state: &mut State, value: &Value, arguments: Vec<Value>) -> Result<Value, Error> {
    let [default, base] = bind(arguments, ["default", "base"])?;
    let parsed = if let Some(text) = value.as_str() {
        limits::work(state, text.len())?;
        // A base that is none counts as a text that is no number.
        let base = base.as_ref().map_or(Some(10), index);
        match base.and_then(|base| parse_integer(text, base)) {
            Some(number) => Some(number?),
            None => parse_float(text).and_then(truncated),
        }
    } else if value.is_undefined() {
        return Err(Fault::undefined());
    } else {
        match Number::of(value) {
            Some(Number::Integer(number)) => Some(number),
            Some(Number::Float(number)) if number.is_nan() => None,
            Some(Number::Float(number)) => Some(truncated(number).ok_or_else(too_large)?),
            None => None,
        }
    };
    match parsed {
        Some(number) => whole(Some(number)),
        None => Ok(default.unwrap_or_else(|| Value::from(0))),
    }
}

/// `float(default=0.0)`
pub(super) fn float(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [default] = bind(arguments, ["default"])?;
    let parsed = if let Some(text) = value.as_str() {
        limits::work(state, text.len())?;
        parse_float(text)
    } else if value.is_undefined() {
        return Err(Fault::undefined());
    } else {
        Number::of(value).map(Number::to_float)
    };
    Ok(parsed.map_or_else(|| default.unwrap_or_else(|| Value::from(0.0)), Value::from))
}

/// `round(precision=0, method="common")`
pub(super) fn round(_: &mut State, value: &Value, arguments: Vec<Value>) -> Result<Value, Error> {
    let [precision, method] = bind(arguments, ["precision", "method"])?;
    let method = method.as_ref().map_or(Some("common"), Value::as_str);
    let number = Number::required(value)?;
    match method {
        Some("common") => match (precision, number) {
            (Some(precision), Number::Float(number)) if precision.is_none() => {
                whole(truncated(number.round_ties_even()))
            }
            (Some(precision), Number::Integer(number)) if precision.is_none() => {
                whole(Some(number))
            }
            (precision, number) => {
                let precision = precision.map_or(Ok(0), integer)?;
                match number {
                    Number::Integer(number) => round_integer(number, precision),
                    Number::Float(number) => Ok(Value::from(round_float(number, precision))),
                }
            }
        },
        Some(method @ ("ceil" | "floor")) => {
            let precision = precision.unwrap_or_else(|| Value::from(0));
            let scale = calculate(Operator::Power, &Value::from(10), &precision)?;
            let scaled = calculate(Operator::Multiply, value, &scale)?;
            let rounded = match Number::required(&scaled)? {
                Number::Integer(number) => Some(number),
                Number::Float(number) if method == "ceil" => truncated(number.ceil()),
                Number::Float(number) => truncated(number.floor()),
            };
            calculate(Operator::Divide, &whole(rounded)?, &scale)
        }
        _ => Err(Fault::operation(
            "round knows the methods common, ceil and floor",
        )),
    }
}

/// To a multiple of a power of ten where the precision is negative; ties to even.
fn round_integer(number: i128, precision: i64) -> Result<Value, Error> {
    if precision >= 0 {
        return whole(Some(number));
    }
    let scale = u32::try_from(precision.unsigned_abs())
        .ok()
        .and_then(|places| 10_i128.checked_pow(places));
    let Some(scale) = scale else {
        return Ok(Value::from(0));
    };
    let rest = number.rem_euclid(scale);
    let below = number.checked_sub(rest).ok_or_else(too_large)?;
    let is_odd = (below / scale) % 2 != 0;
    let up = rest > scale - rest || (rest == scale - rest && is_odd);
    whole(if up {
        below.checked_add(scale)
    } else {
        Some(below)
    })
}

/// Correct for the exact binary value, ties to even: Python's `round`.
fn round_float(number: f64, precision: i64) -> f64 {
    if !number.is_finite() {
        return number;
    }
    match usize::try_from(precision) {
        // Formatting is exact; beyond 323 places nothing is left to round.
        Ok(places) => format!("{number:.*}", places.min(323))
            .parse()
            .expect("a formatted number is a number"),
        Err(_) => {
            let places = precision.unsigned_abs();
            if places > 309 {
                return 0.0_f64.copysign(number);
            }
            round_before_point(number, usize::try_from(places).expect("it is at most 309"))
        }
    }
}

/// Rounds the last `places` digits before the point away, on the exact decimal digits.
fn round_before_point(number: f64, places: usize) -> f64 {
    // The exact value: a float has at most 1074 places behind the point.
    let exact = format!("{:.1074}", number.abs());
    let (digits, fraction) = exact.split_once('.').expect("the format has a point");
    let digits = format!(
        "{}{digits}",
        "0".repeat((places + 1).saturating_sub(digits.len()))
    );
    let (kept, cut) = digits.split_at(digits.len() - places);
    let half = format!("5{}", "0".repeat(places - 1));
    let is_above = cut > half.as_str() || (cut == half && fraction.bytes().any(|b| b != b'0'));
    let last = kept.as_bytes().last().copied().unwrap_or(b'0');
    let is_tie_up = cut == half && (last - b'0') % 2 == 1;
    let mut kept: Vec<u8> = kept.bytes().collect();
    if is_above || is_tie_up {
        let mut place = kept.len();
        loop {
            if place == 0 {
                kept.insert(0, b'1');
                break;
            }
            place -= 1;
            if kept[place] == b'9' {
                kept[place] = b'0';
            } else {
                kept[place] += 1;
                break;
            }
        }
    }
    let kept = String::from_utf8(kept).expect("they are digits");
    let rounded: f64 = format!("{kept}e{places}")
        .parse()
        .expect("digits and an exponent are a number");
    rounded.copysign(number)
}

/// `int(text, base)`: none where that fails, an error where the number is too large.
fn parse_integer(text: &str, base: i128) -> Option<Result<i128, Error>> {
    let text = digits::in_ascii(python::strip(text, None, true, true));
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, &*text),
    };
    let lower = digits.get(..2).unwrap_or_default().to_ascii_lowercase();
    let prefixed: Option<u32> = match lower.as_str() {
        "0x" => Some(16),
        "0o" => Some(8),
        "0b" => Some(2),
        _ => None,
    };
    let after_prefix = |digits: &str| {
        let digits = &digits[2..];
        digits.strip_prefix('_').unwrap_or(digits).to_owned()
    };
    let (base, digits) = match (base, prefixed) {
        (0, Some(prefixed)) => (prefixed, after_prefix(digits)),
        (0, None)
            if digits.starts_with('0') && digits.bytes().any(|b| (b'1'..=b'9').contains(&b)) =>
        {
            return None;
        }
        (0, None) => (10, digits.to_owned()),
        (base, Some(prefixed)) if base == i128::from(prefixed) => (prefixed, after_prefix(digits)),
        (base, _) => (
            u32::try_from(base)
                .ok()
                .filter(|base| (2..=36).contains(base))?,
            digits.to_owned(),
        ),
    };
    let digits = without_underscores(&digits, |byte| byte.is_ascii_alphanumeric())?;
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(base)) {
        return None;
    }
    let number = i128::from_str_radix(&digits, base).map_err(|_| too_large());
    Some(number.map(|number| if negative { -number } else { number }))
}

/// `float(text)`
fn parse_float(text: &str) -> Option<f64> {
    let text = digits::in_ascii(python::strip(text, None, true, true));
    without_underscores(&text, |byte| byte.is_ascii_digit())?
        .parse()
        .ok()
}

/// Python allows an underscore between two digits.
fn without_underscores(text: &str, is_digit: impl Fn(u8) -> bool) -> Option<String> {
    let bytes = text.as_bytes();
    let is_digit = |index: Option<usize>| {
        index
            .and_then(|index| bytes.get(index))
            .is_some_and(|byte| is_digit(*byte))
    };
    let misplaced = bytes.iter().enumerate().any(|(index, byte)| {
        *byte == b'_' && !(is_digit(index.checked_sub(1)) && is_digit(Some(index + 1)))
    });
    (!misplaced).then(|| text.replace('_', ""))
}
