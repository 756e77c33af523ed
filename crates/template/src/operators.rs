//! The functions that [`guard`](crate::guard) puts in the place of operators:
//! they do the same and count it. Their names are no identifiers, so that no
//! template can call or hide them.

use minijinja::{Environment, Error, State, Value, value::ValueKind};

use crate::{error::Fault, filters::format, limits, python};

/// `left + right`
pub(crate) const ADD: &str = "+";
/// `left * right`
pub(crate) const MULTIPLY: &str = "*";
/// `left % right`
pub(crate) const REMAINDER: &str = "%";
/// `left ~ right`
pub(crate) const CONCATENATE: &str = "~";
/// Counts a value that was just made.
pub(crate) const MADE: &str = "[]";
/// Refuses what cannot be gone through.
pub(crate) const ITERATED: &str = "in";

pub(crate) fn register(environment: &mut Environment) {
    environment.add_function(ADD, add);
    environment.add_function(MULTIPLY, multiply);
    environment.add_function(REMAINDER, remainder);
    environment.add_function(CONCATENATE, concatenate);
    environment.add_function(MADE, made);
    environment.add_function(ITERATED, iterated);
}

fn made(state: &mut State, value: Value) -> Result<Value, Error> {
    limits::work_on(state, &value)?;
    Ok(value)
}

fn iterated(value: Value) -> Result<Value, Error> {
    python::items(&value).map(drop)?;
    Ok(value)
}

fn add(state: &mut State, left: &Value, right: &Value) -> Result<Value, Error> {
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        limits::work(state, left.len() + right.len())?;
        return Ok(Value::from([left, right].concat()));
    }
    if is_list(left) && is_list(right) && left.is_tuple() == right.is_tuple() {
        limits::work_on(state, left)?;
        limits::work_on(state, right)?;
        return items(left, right, 1, 1);
    }
    match numbers(left, right)? {
        Numbers::Integers(a, b) => integer(a.checked_add(b)),
        Numbers::Floats(a, b) => Ok(Value::from(a + b)),
    }
}

fn multiply(state: &mut State, left: &Value, right: &Value) -> Result<Value, Error> {
    let (long, times) = if left.kind() == ValueKind::String || is_list(left) {
        (left, right)
    } else {
        (right, left)
    };
    if let Some(text) = long.as_str() {
        let times = repetitions(times)?;
        limits::work(state, text.len().saturating_mul(times))?;
        return Ok(Value::from(text.repeat(times)));
    }
    if is_list(long) {
        let times = repetitions(times)?;
        // Counted as often as it will be there; stops at the limit.
        for _ in 0..times {
            limits::work_on(state, long)?;
        }
        return items(long, &Value::from(Vec::<Value>::new()), times, 0);
    }
    match numbers(long, times)? {
        Numbers::Integers(a, b) => integer(a.checked_mul(b)),
        Numbers::Floats(a, b) => Ok(Value::from(a * b)),
    }
}

/// The remainder has the sign of the divisor, as in Python. Of a text it is
/// Python's old way of formatting.
fn remainder(state: &mut State, left: &Value, right: &Value) -> Result<Value, Error> {
    if let Some(pattern) = left.as_str() {
        let arguments = if right.is_tuple() {
            right.try_iter()?.checked().collect::<Result<Vec<_>, _>>()?
        } else {
            vec![right.clone()]
        };
        return format::printf(state, pattern, arguments);
    }
    match numbers(left, right)? {
        Numbers::Integers(_, 0) => Err(Fault::operation("division by zero")),
        Numbers::Integers(a, b) => integer(a.checked_rem(b).map(|rest| {
            if rest != 0 && (rest < 0) != (b < 0) {
                rest + b
            } else {
                rest
            }
        })),
        Numbers::Floats(_, 0.0) => Err(Fault::operation("division by zero")),
        Numbers::Floats(a, b) => {
            let rest = a % b;
            Ok(Value::from(if rest != 0.0 && (rest < 0.0) != (b < 0.0) {
                rest + b
            } else {
                rest
            }))
        }
    }
}

/// Two texts that need no more escaping give a third.
fn concatenate(state: &mut State, left: &Value, right: &Value) -> Result<Value, Error> {
    let text = python::text(state, left)? + &python::text(state, right)?;
    Ok(if left.is_safe() && right.is_safe() {
        Value::from_safe_string(text)
    } else {
        Value::from(text)
    })
}

enum Numbers {
    Integers(i128, i128),
    Floats(f64, f64),
}

fn numbers(left: &Value, right: &Value) -> Result<Numbers, Error> {
    let number = |value: &Value| matches!(value.kind(), ValueKind::Number | ValueKind::Bool);
    if left.is_undefined() || right.is_undefined() {
        return Err(Fault::undefined());
    }
    if !number(left) || !number(right) {
        return Err(Fault::operation(
            "the operator does not fit these kinds of values",
        ));
    }
    if !is_float(left) && !is_float(right) {
        return Ok(Numbers::Integers(
            i128::try_from(left.clone())?,
            i128::try_from(right.clone())?,
        ));
    }
    Ok(Numbers::Floats(
        f64::try_from(left.clone())?,
        f64::try_from(right.clone())?,
    ))
}

fn is_float(value: &Value) -> bool {
    value.is_number() && !value.is_integer()
}

fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

fn integer(result: Option<i128>) -> Result<Value, Error> {
    let result = result.ok_or_else(|| Fault::operation("a number is too large"))?;
    Ok(i64::try_from(result).map_or_else(|_| Value::from(result), Value::from))
}

/// How often something is repeated: less than once is not at all, as in Python.
fn repetitions(times: &Value) -> Result<usize, Error> {
    let times = i64::try_from(times.clone()).map_err(|_| {
        Fault::operation("texts and lists can be multiplied with whole numbers only")
    })?;
    Ok(usize::try_from(times).unwrap_or(0))
}

/// The items of one list and another, each a number of times.
fn items(
    left: &Value,
    right: &Value,
    left_times: usize,
    right_times: usize,
) -> Result<Value, Error> {
    let mut items = Vec::new();
    for (list, times) in [(left, left_times), (right, right_times)] {
        for _ in 0..times {
            for item in list.try_iter()?.checked() {
                items.push(item?);
            }
        }
    }
    Ok(if left.is_tuple() {
        Value::from(minijinja::value::Tuple::from(items))
    } else {
        Value::from(items)
    })
}
