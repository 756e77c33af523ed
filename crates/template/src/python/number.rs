//! Numbers as Python has them: whole ones, which booleans are too, and floats.

use std::cmp::Ordering;

use minijinja::{Error, Value, value::ValueKind};

use crate::error::Fault;

/// A number. Whole ones end at 127 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    /// The number that a value is; none of another kind.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value.kind() {
            ValueKind::Bool => Some(Self::Integer(i128::from(value.is_true()))),
            ValueKind::Number if value.is_integer() => {
                i128::try_from(value.clone()).ok().map(Self::Integer)
            }
            ValueKind::Number => f64::try_from(value.clone()).ok().map(Self::Float),
            _ => None,
        }
    }

    /// The number that a value must be.
    pub(crate) fn required(value: &Value) -> Result<Self, Error> {
        if value.is_undefined() {
            return Err(Fault::undefined());
        }
        Self::of(value)
            .ok_or_else(|| Fault::operation("the operator does not fit these kinds of values"))
    }

    #[expect(clippy::cast_precision_loss, reason = "what Python does")]
    pub(crate) fn to_float(self) -> f64 {
        match self {
            Self::Integer(number) => number as f64,
            Self::Float(number) => number,
        }
    }

    /// Which is larger; none where one is not a number.
    pub(crate) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => Some(left.cmp(&right)),
            (Self::Float(left), Self::Float(right)) => left.partial_cmp(&right),
            (Self::Float(left), Self::Integer(right)) => {
                integer_to_float(right, left).map(Ordering::reverse)
            }
            (Self::Integer(left), Self::Float(right)) => integer_to_float(left, right),
        }
    }
}

/// A whole number, or a boolean as one: what Python takes for an index.
pub(crate) fn index(value: &Value) -> Option<i128> {
    match Number::of(value) {
        Some(Number::Integer(number)) => Some(number),
        _ => None,
    }
}

/// A whole number as a value.
pub(crate) fn whole(number: Option<i128>) -> Result<Value, Error> {
    let number = number.ok_or_else(too_large)?;
    Ok(i64::try_from(number).map_or_else(|_| Value::from(number), Value::from))
}

pub(crate) fn too_large() -> Error {
    Fault::operation("a number is too large")
}

/// Towards zero; none where it is no number or too large a number.
pub(crate) fn truncated(number: f64) -> Option<i128> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the range is checked first"
    )]
    (number.abs() < 1.7e38).then_some(number.trunc() as i128)
}

fn integer_to_float(integer: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    let Some(whole) = truncated(float) else {
        // Larger than every whole number here.
        return Some(if float > 0.0 {
            Ordering::Less
        } else {
            Ordering::Greater
        });
    };
    let rest = 0.0_f64.partial_cmp(&float.fract())?;
    Some(integer.cmp(&whole).then(rest))
}
