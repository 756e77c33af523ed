//! Filters of numbers.

use minijinja::{Error, State, Value, value::ValueKind};

use crate::{
    arguments::{bind, integer},
    error::Fault,
    limits, python,
};

/// `abs`
pub(super) fn abs(_: &mut State, value: &Value, arguments: Vec<Value>) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    match number(value)? {
        Number::Integer(number) => whole(
            number
                .checked_abs()
                .ok_or_else(|| Fault::operation("a number is too large"))?,
        ),
        Number::Float(number) => Ok(Value::from(number.abs())),
    }
}

/// `int(default=0, base=10)`
pub(super) fn int(state: &mut State, value: &Value, arguments: Vec<Value>) -> Result<Value, Error> {
    let [default, base] = bind(arguments, ["default", "base"])?;
    let base = base.map_or(Ok(10), integer)?;
    let parsed = match value.as_str() {
        Some(text) => {
            limits::work(state, text.len())?;
            parse_integer(text, base).or_else(|| parse_float(text).and_then(truncated))
        }
        None if value.is_undefined() => return Err(Fault::undefined()),
        None => match number(value) {
            Ok(Number::Integer(number)) => Some(number),
            Ok(Number::Float(number)) => truncated(number),
            Err(_) => None,
        },
    };
    parsed.map_or_else(|| Ok(default.unwrap_or_else(|| Value::from(0))), whole)
}

/// `float(default=0.0)`
pub(super) fn float(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [default] = bind(arguments, ["default"])?;
    let parsed = match value.as_str() {
        Some(text) => {
            limits::work(state, text.len())?;
            parse_float(text)
        }
        None if value.is_undefined() => return Err(Fault::undefined()),
        None => match number(value) {
            #[expect(clippy::cast_precision_loss, reason = "what float() does")]
            Ok(Number::Integer(number)) => Some(number as f64),
            Ok(Number::Float(number)) => Some(number),
            Err(_) => None,
        },
    };
    Ok(parsed.map_or_else(|| default.unwrap_or_else(|| Value::from(0.0)), Value::from))
}

/// `round(precision=0, method="common")`
pub(super) fn round(_: &mut State, value: &Value, arguments: Vec<Value>) -> Result<Value, Error> {
    let [precision, method] = bind(arguments, ["precision", "method"])?;
    let precision = precision.map_or(Ok(0), integer)?;
    let precision = i32::try_from(precision.clamp(-400, 400)).expect("between -400 and 400");
    let number = number(value)?;
    let method = method.as_ref().map_or(Some("common"), Value::as_str);
    #[expect(clippy::cast_precision_loss, reason = "what Python does")]
    let float = match (&number, method) {
        (Number::Integer(integer), Some("common")) if precision >= 0 => return whole(*integer),
        (Number::Integer(integer), _) => *integer as f64,
        (Number::Float(float), _) => *float,
    };
    let scale = 10_f64.powi(precision);
    let rounded = match method {
        Some("common") => round_half_even(float, precision),
        Some("ceil") => (float * scale).ceil() / scale,
        Some("floor") => (float * scale).floor() / scale,
        _ => {
            return Err(Fault::operation(
                "round knows the methods common, ceil and floor",
            ));
        }
    };
    match number {
        Number::Integer(_) if method == Some("common") => {
            truncated(rounded).map_or_else(|| Ok(Value::from(rounded)), whole)
        }
        _ => Ok(Value::from(rounded)),
    }
}

enum Number {
    Integer(i128),
    Float(f64),
}

fn number(value: &Value) -> Result<Number, Error> {
    match value.kind() {
        ValueKind::Bool => Ok(Number::Integer(i128::from(value.is_true()))),
        ValueKind::Number if value.is_integer() => {
            Ok(Number::Integer(i128::try_from(value.clone())?))
        }
        ValueKind::Number => Ok(Number::Float(f64::try_from(value.clone())?)),
        ValueKind::Undefined => Err(Fault::undefined()),
        _ => Err(Fault::operation("this is not a number")),
    }
}

fn whole(number: i128) -> Result<Value, Error> {
    Ok(i64::try_from(number).map_or_else(|_| Value::from(number), Value::from))
}

/// Towards zero; none where it is no number or too large a number.
fn truncated(number: f64) -> Option<i128> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the range is checked first"
    )]
    (number.abs() < 1e38).then_some(number.trunc() as i128)
}

/// Correct for the exact binary value, ties to even: Python's `round`.
fn round_half_even(number: f64, precision: i32) -> f64 {
    match usize::try_from(precision) {
        // Formatting is exact; beyond 323 places nothing is left to round.
        Ok(places) if number.is_finite() => format!("{number:.*}", places.min(323))
            .parse()
            .expect("a formatted number is a number"),
        Ok(_) => number,
        Err(_) => {
            let scale = 10_f64.powi(precision.saturating_neg());
            let rounded = (number / scale).round_ties_even() * scale;
            if rounded.is_nan() {
                0.0_f64.copysign(number)
            } else {
                rounded
            }
        }
    }
}

/// `int(text, base)`
fn parse_integer(text: &str, base: i64) -> Option<i128> {
    let text = python::strip(text, None, true, true);
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.get(..2).unwrap_or_default().to_ascii_lowercase();
    let prefixed = match lower.as_str() {
        "0x" => Some(16),
        "0o" => Some(8),
        "0b" => Some(2),
        _ => None,
    };
    let (base, digits) = match (base, prefixed) {
        (0, Some(prefixed)) => (prefixed, &digits[2..]),
        (0, None)
            if digits.starts_with('0') && digits.bytes().any(|b| (b'1'..=b'9').contains(&b)) =>
        {
            return None;
        }
        (0, None) => (10, digits),
        (base, Some(prefixed)) if base == i64::from(prefixed) => (prefixed, &digits[2..]),
        (base, _) => (
            u32::try_from(base)
                .ok()
                .filter(|base| (2..=36).contains(base))?,
            digits,
        ),
    };
    let digits = without_underscores(digits)?;
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let number = i128::from_str_radix(&digits, base).ok()?;
    Some(if negative { -number } else { number })
}

/// `float(text)`
fn parse_float(text: &str) -> Option<f64> {
    without_underscores(python::strip(text, None, true, true))?
        .parse()
        .ok()
}

/// Python allows an underscore between two digits.
fn without_underscores(text: &str) -> Option<String> {
    let misplaced = text.starts_with('_') || text.ends_with('_') || text.contains("__");
    (!misplaced).then(|| text.replace('_', ""))
}
