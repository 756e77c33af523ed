//! What operators do with numbers, as in Python.

use minijinja::{Error, Value};

use crate::{
    error::Fault,
    python::number::{Number, too_large, whole},
};

/// The operators of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
}

/// `left operator right`
pub(crate) fn calculate(operator: Operator, left: &Value, right: &Value) -> Result<Value, Error> {
    match (Number::required(left)?, Number::required(right)?) {
        (Number::Integer(left), Number::Integer(right)) => integers(operator, left, right),
        (left, right) => floats(operator, left.to_float(), right.to_float()).map(Value::from),
    }
}

/// `-value`
pub(crate) fn negated(value: &Value) -> Result<Value, Error> {
    match Number::required(value)? {
        Number::Integer(number) => whole(number.checked_neg()),
        Number::Float(number) => Ok(Value::from(-number)),
    }
}

fn integers(operator: Operator, left: i128, right: i128) -> Result<Value, Error> {
    let divides = matches!(
        operator,
        Operator::Divide | Operator::FloorDivide | Operator::Remainder
    );
    if divides && right == 0 {
        return Err(division_by_zero());
    }
    match operator {
        Operator::Add => whole(left.checked_add(right)),
        Operator::Subtract => whole(left.checked_sub(right)),
        Operator::Multiply => whole(left.checked_mul(right)),
        Operator::Divide => {
            #[expect(clippy::cast_precision_loss, reason = "what Python does")]
            let quotient = left as f64 / right as f64;
            Ok(Value::from(quotient))
        }
        Operator::FloorDivide => whole(left.checked_div(right).and_then(|quotient| {
            let is_exact = left % right == 0;
            if is_exact || (left < 0) == (right < 0) {
                Some(quotient)
            } else {
                quotient.checked_sub(1)
            }
        })),
        Operator::Remainder => {
            let rest = left.checked_rem(right).unwrap_or(0);
            let is_other_sign = rest != 0 && (rest < 0) != (right < 0);
            whole(Some(if is_other_sign { rest + right } else { rest }))
        }
        Operator::Power if right < 0 => {
            let (left, right) = (Number::Integer(left), Number::Integer(right));
            floats(operator, left.to_float(), right.to_float()).map(Value::from)
        }
        Operator::Power => match (left, u32::try_from(right)) {
            (0 | 1, _) => whole(Some(if right == 0 { 1 } else { left })),
            (-1, _) => whole(Some(if right % 2 == 0 { 1 } else { -1 })),
            (left, Ok(right)) => whole(left.checked_pow(right)),
            _ => Err(too_large()),
        },
    }
}

fn floats(operator: Operator, left: f64, right: f64) -> Result<f64, Error> {
    let divides = matches!(
        operator,
        Operator::Divide | Operator::FloorDivide | Operator::Remainder
    );
    if divides && right == 0.0 {
        return Err(division_by_zero());
    }
    Ok(match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide => left / right,
        Operator::FloorDivide => floor_division(left, right).0,
        Operator::Remainder => floor_division(left, right).1,
        #[cfg(feature = "full")]
        Operator::Power => return power(left, right),
        #[cfg(not(feature = "full"))]
        Operator::Power => return Err(Fault::operation("powers are not available here")),
    })
}

/// Quotient, rounded down, and remainder, which has the sign of the divisor.
fn floor_division(left: f64, right: f64) -> (f64, f64) {
    let mut rest = left % right;
    let mut quotient = (left - rest) / right;
    if rest == 0.0 {
        rest = 0.0_f64.copysign(right);
    } else if (rest < 0.0) != (right < 0.0) {
        rest += right;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return (0.0_f64.copysign(left / right), rest);
    }
    let floor = quotient.floor();
    let is_next = quotient - floor > 0.5;
    (if is_next { floor + 1.0 } else { floor }, rest)
}

#[cfg(feature = "full")]
fn power(left: f64, right: f64) -> Result<f64, Error> {
    if left == 0.0 && right < 0.0 {
        return Err(division_by_zero());
    }
    let power = left.powf(right);
    if left.is_finite() && right.is_finite() {
        if power.is_nan() {
            return Err(Fault::operation(
                "a negative number has no power that is a fraction",
            ));
        }
        if power.is_infinite() {
            return Err(too_large());
        }
    }
    Ok(power)
}

fn division_by_zero() -> Error {
    Fault::operation("division by zero")
}
