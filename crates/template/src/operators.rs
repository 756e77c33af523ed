//! The functions that [`guard`](crate::guard) puts in the place of operators: they do what
//! Python's do, and count it. Their names are no identifiers, so that no template can
//! call or hide them.

use std::cmp::Ordering;

use minijinja::{
    AutoEscape, Environment, Error, State, Value,
    value::{Rest, Tuple, ValueKind},
};

#[cfg(feature = "full")]
use crate::filters::format;
use crate::{
    arithmetic::{self, Operator},
    error::Fault,
    escaping, limits,
    python::{self, access, compare},
};

/// `left + right`
pub(crate) const ADD: &str = "+";
/// `left - right`
pub(crate) const SUBTRACT: &str = "-";
/// `left * right`
pub(crate) const MULTIPLY: &str = "*";
/// `left / right`
pub(crate) const DIVIDE: &str = "/";
/// `left // right`
pub(crate) const FLOOR_DIVIDE: &str = "//";
/// `left % right`
pub(crate) const REMAINDER: &str = "%";
/// `left ** right`
pub(crate) const POWER: &str = "**";
/// `left ~ right`
pub(crate) const CONCATENATE: &str = "~";
/// `-value`
pub(crate) const NEGATE: &str = "0-";
/// `a < b == c`: the operators by name, then the operands.
pub(crate) const COMPARE: &str = "<";
/// `value[item]`
pub(crate) const ITEM: &str = "[0]";
/// `value.name`
pub(crate) const ATTRIBUTE: &str = ".";
/// `value[start:stop:step]`
pub(crate) const SLICE: &str = "[:]";
/// `{key: value}`, from a list of keys and values in turn.
pub(crate) const DICTIONARY: &str = "{}";
/// Counts a value that was just made.
pub(crate) const MADE: &str = "[]";
/// Refuses what cannot be gone through.
pub(crate) const ITERATED: &str = "in";
/// Says what kind of value it is, for the log.
#[cfg(feature = "full")]
pub(crate) const DESCRIBED: &str = "~described";

/// All have one shape, which keeps the browser's module small.
type Function = fn(&mut State<'_, '_>, &[Value]) -> Result<Value, Error>;

const FUNCTIONS: &[(&str, Function)] = &[
    (ADD, |state, operands| {
        let [left, right] = these(operands)?;
        add(state, left, right)
    }),
    (SUBTRACT, |_, operands| {
        let [left, right] = these(operands)?;
        arithmetic::calculate(Operator::Subtract, left, right)
    }),
    (MULTIPLY, |state, operands| {
        let [left, right] = these(operands)?;
        multiply(state, left, right)
    }),
    (DIVIDE, |_, operands| {
        let [left, right] = these(operands)?;
        arithmetic::calculate(Operator::Divide, left, right)
    }),
    (FLOOR_DIVIDE, |_, operands| {
        let [left, right] = these(operands)?;
        arithmetic::calculate(Operator::FloorDivide, left, right)
    }),
    (REMAINDER, |state, operands| {
        let [left, right] = these(operands)?;
        remainder(state, left, right)
    }),
    (POWER, |_, operands| {
        let [left, right] = these(operands)?;
        arithmetic::calculate(Operator::Power, left, right)
    }),
    (CONCATENATE, |state, operands| {
        let [left, right] = these(operands)?;
        concatenate(state, left, right)
    }),
    (NEGATE, |_, operands| {
        let [value] = these(operands)?;
        arithmetic::negated(value)
    }),
    (COMPARE, compare_all),
    (ITEM, |state, operands| {
        let [value, item] = these(operands)?;
        access::item(state, value, item)
    }),
    (ATTRIBUTE, |_, operands| {
        let [value, name] = these(operands)?;
        access::attribute(value, name.as_str().unwrap_or_default())
    }),
    (SLICE, |state, operands| {
        let [value, start, stop, step] = these(operands)?;
        access::slice(state, value, start, stop, step)
    }),
    (DICTIONARY, dictionary),
    (MADE, |state, operands| {
        let [value] = these(operands)?;
        limits::work_on(state, value)?;
        Ok(value.clone())
    }),
    (ITERATED, |_, operands| {
        let [value] = these(operands)?;
        python::items(value).map(drop)?;
        Ok(value.clone())
    }),
    #[cfg(feature = "full")]
    (DESCRIBED, |state, operands| {
        let [value] = these(operands)?;
        described(state, value)
    }),
];

pub(crate) fn register(environment: &mut Environment) {
    for (name, function) in FUNCTIONS {
        environment.add_function(
            *name,
            move |state: &mut State<'_, '_>, operands: Rest<Value>| function(state, &operands),
        );
    }
}

/// The operands: as many as the guard gives.
fn these<const N: usize>(operands: &[Value]) -> Result<&[Value; N], Error> {
    operands
        .try_into()
        .map_err(|_| Fault::operation("an operand is missing"))
}

/// Whether `left operator right`, by the operator's name.
pub(crate) fn holds(
    state: &mut State,
    operator: &str,
    left: &Value,
    right: &Value,
) -> Result<bool, Error> {
    Ok(match operator {
        "==" => compare::equal(state, left, right)?,
        "!=" => !compare::equal(state, left, right)?,
        "in" => compare::contains(state, right, left)?,
        "not in" => !compare::contains(state, right, left)?,
        _ => {
            let order = compare::order(state, left, right)?;
            match operator {
                "<" => order == Some(Ordering::Less),
                "<=" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
                ">" => order == Some(Ordering::Greater),
                _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            }
        }
    })
}

fn compare_all(state: &mut State, operands: &[Value]) -> Result<Value, Error> {
    let Some((operators, operands)) = operands.split_first() else {
        return Ok(Value::from(true));
    };
    let mut pairs = operands.iter().zip(operands.iter().skip(1));
    for operator in operators.try_iter()?.checked() {
        let operator = operator?;
        let (Some(operator), Some((left, right))) = (operator.as_str(), pairs.next()) else {
            break;
        };
        if !holds(state, operator, left, right)? {
            return Ok(Value::from(false));
        }
    }
    Ok(Value::from(true))
}

fn dictionary(state: &mut State, entries: &[Value]) -> Result<Value, Error> {
    let mut pairs: Vec<(Value, Value)> = Vec::with_capacity(entries.len() / 2);
    for pair in entries.chunks_exact(2) {
        if !compare::is_hashable(&pair[0]) {
            return Err(Fault::operation("a list or dictionary is no key"));
        }
        let mut place = None;
        if python::number::Number::of(&pair[0]).is_some() {
            for (index, (key, _)) in pairs.iter().enumerate() {
                if compare::equal(state, key, &pair[0])? {
                    place = Some(index);
                }
            }
        }
        // A key that was there keeps its spelling.
        match place {
            Some(place) => pairs[place].1 = pair[1].clone(),
            None => pairs.push((pair[0].clone(), pair[1].clone())),
        }
    }
    let dictionary = Value::from_pairs(pairs);
    limits::work_on(state, &dictionary)?;
    Ok(dictionary)
}

fn add(state: &mut State, left: &Value, right: &Value) -> Result<Value, Error> {
    if left.as_str().is_some() && right.as_str().is_some() {
        return concatenate(state, left, right);
    }
    if is_list(left) && is_list(right) && left.is_tuple() == right.is_tuple() {
        limits::work_on(state, left)?;
        limits::work_on(state, right)?;
        return items(left, right, 1, 1);
    }
    arithmetic::calculate(Operator::Add, left, right)
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
        let repeated = if text.is_empty() {
            String::new()
        } else {
            text.repeat(times)
        };
        return Ok(if long.is_safe() {
            Value::from_safe_string(repeated)
        } else {
            Value::from(repeated)
        });
    }
    if is_list(long) {
        let times = repetitions(times)?;
        if long.len() == Some(0) {
            return Ok(long.clone());
        }
        // Counted as often as it will be there; stops at the limit.
        for _ in 0..times {
            limits::work_on(state, long)?;
        }
        return items(long, &Value::from(Vec::<Value>::new()), times, 0);
    }
    arithmetic::calculate(Operator::Multiply, long, times)
}

/// Of a text it is Python's old way of formatting.
pub(crate) fn remainder(state: &mut State, left: &Value, right: &Value) -> Result<Value, Error> {
    #[cfg(feature = "full")]
    if left.as_str().is_some() {
        return format::printf(state, left, right);
    }
    #[cfg(not(feature = "full"))]
    let _ = state;
    arithmetic::calculate(Operator::Remainder, left, right)
}

/// Of two texts in HTML of which one is marked as safe, the other is escaped: then both
/// are. Elsewhere, the two are safe together if both are.
pub(crate) fn concatenate(state: &mut State, left: &Value, right: &Value) -> Result<Value, Error> {
    let safe = [left.is_safe(), right.is_safe()];
    let mut text = String::new();
    for (value, is_safe) in [left, right].into_iter().zip(safe) {
        let part = python::text(state, value)?;
        if is_html(state) && safe != [false, false] && !is_safe {
            let escaped = escaping::html(&part);
            limits::work(state, escaped.len())?;
            text.push_str(&escaped);
        } else {
            text.push_str(&part);
        }
    }
    let is_safe = if is_html(state) {
        safe != [false, false]
    } else {
        safe == [true, true]
    };
    Ok(if is_safe {
        Value::from_safe_string(text)
    } else {
        Value::from(text)
    })
}

pub(crate) fn is_html(state: &State) -> bool {
    matches!(state.auto_escape(), AutoEscape::Html)
}

/// The kind of a value, and how much of it there is.
#[cfg(feature = "full")]
fn described(state: &mut State, value: &Value) -> Result<Value, Error> {
    limits::work_on(state, value)?;
    let described = match value.kind() {
        ValueKind::Undefined => "[undefined]".to_owned(),
        ValueKind::None => "[none]".to_owned(),
        ValueKind::Bool => "[boolean]".to_owned(),
        ValueKind::Number => "[number]".to_owned(),
        ValueKind::String => format!(
            "[text of {} characters]",
            value.as_str().map_or(0, |text| text.chars().count())
        ),
        ValueKind::Seq | ValueKind::Iterable => {
            format!("[list of {} items]", value.len().unwrap_or(0))
        }
        ValueKind::Map => format!("[dictionary of {} entries]", value.len().unwrap_or(0)),
        _ => "[value]".to_owned(),
    };
    Ok(Value::from(described))
}

fn is_list(value: &Value) -> bool {
    value.kind() == ValueKind::Seq && !compare::is_range(value)
}

/// How often something is repeated: less than once is not at all, as in Python.
fn repetitions(times: &Value) -> Result<usize, Error> {
    if times.is_undefined() {
        return Err(Fault::undefined());
    }
    let times = python::number::index(times).ok_or_else(|| {
        Fault::operation("texts and lists can be multiplied with whole numbers only")
    })?;
    // More than the work that is allowed is refused anyway.
    Ok(usize::try_from(times.max(0)).unwrap_or(usize::MAX))
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
        Value::from(Tuple::from(items))
    } else {
        Value::from(items)
    })
}
