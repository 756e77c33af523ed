//! Items, attributes and slices.

use minijinja::{
    Error, State, Value,
    value::{Tuple, ValueKind},
};

use super::{
    compare::{equal, is_hashable, is_range},
    number::{self, Number},
};
use crate::{error::Fault, functions::Range, limits, methods};

/// What Python's numbers have.
const NUMBER_ATTRIBUTES: [&str; 4] = ["denominator", "imag", "numerator", "real"];

/// `value.name`: Python's attributes first, then the items of a dictionary.
pub(crate) fn attribute(value: &Value, name: &str) -> Result<Value, Error> {
    if value.is_undefined() {
        return Err(Fault::undefined());
    }
    if methods::has(value, name) {
        return Err(Fault::operation(
            "this is a method: write parentheses after its name",
        ));
    }
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable | ValueKind::String => Ok(Value::UNDEFINED),
        ValueKind::Number | ValueKind::Bool if NUMBER_ATTRIBUTES.contains(&name) => {
            Err(Fault::operation("the parts of a number are not available"))
        }
        _ => value.get_attr(name),
    }
}

/// `value[item]`: the items of a list, text or dictionary first, then attributes.
pub(crate) fn item(state: &mut State, value: &Value, item: &Value) -> Result<Value, Error> {
    if value.is_undefined() {
        return Err(Fault::undefined());
    }
    if let (Some(text), Some(index)) = (value.as_str(), number::index(item)) {
        limits::work(state, text.len())?;
        let found = place(index, text.chars().count()).and_then(|place| text.chars().nth(place));
        return Ok(match found {
            Some(found) if value.is_safe() => Value::from_safe_string(found.to_string()),
            Some(found) => Value::from(found),
            None => Value::UNDEFINED,
        });
    }
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            if let (Some(index), Some(length)) = (number::index(item), value.len()) {
                return match place(index, length) {
                    Some(place) => value.get_item_by_index(place),
                    None => Ok(Value::UNDEFINED),
                };
            }
        }
        ValueKind::Map if is_hashable(item) => {
            return entry(state, value, item).map(|found| found.unwrap_or(Value::UNDEFINED));
        }
        _ => {}
    }
    match item.as_str() {
        Some(name) if value.kind() != ValueKind::Map => attribute(value, name),
        _ => Ok(Value::UNDEFINED),
    }
}

/// The entry of a dictionary. As keys, `1`, `1.0` and `true` are the same.
pub(crate) fn entry(
    state: &mut State,
    dictionary: &Value,
    key: &Value,
) -> Result<Option<Value>, Error> {
    if Number::of(key).is_none() {
        let found = dictionary.get_item(key)?;
        return Ok((!found.is_undefined()).then_some(found));
    }
    for known in dictionary.try_iter()?.checked() {
        let known = known?;
        if equal(state, &known, key)? {
            return dictionary.get_item(&known).map(Some);
        }
    }
    Ok(None)
}

/// `value[start:stop:step]`, where missing bounds are `none`.
pub(crate) fn slice(
    state: &mut State,
    value: &Value,
    start: &Value,
    stop: &Value,
    step: &Value,
) -> Result<Value, Error> {
    if value.is_undefined() {
        return Err(Fault::undefined());
    }
    limits::work_on(state, value)?;
    if let Some(text) = value.as_str() {
        let characters: Vec<char> = text.chars().collect();
        limits::work(state, text.len().saturating_mul(4))?;
        let places = places(start, stop, step, characters.len())?;
        let part: String = places.iter().map(|place| characters[place]).collect();
        return Ok(if value.is_safe() {
            Value::from_safe_string(part)
        } else {
            Value::from(part)
        });
    }
    let length = match value.kind() {
        ValueKind::Seq => value.len(),
        _ => None,
    };
    let length = length.ok_or_else(|| Fault::operation("only texts and lists have slices"))?;
    let places = places(start, stop, step, length)?;
    if is_range(value)
        && let Some(whole) = value.downcast_object_ref::<Range>()
    {
        return Ok(Value::from_object(whole.part(&places)));
    }
    let items: Vec<Value> = value.try_iter()?.checked().collect::<Result<_, _>>()?;
    let part: Vec<Value> = places.iter().map(|place| items[place].clone()).collect();
    Ok(if value.is_tuple() {
        Value::from(Tuple::from(part))
    } else {
        Value::from(part)
    })
}

/// The places that a slice takes.
pub(crate) struct Places {
    pub(crate) start: i128,
    pub(crate) step: i128,
    pub(crate) count: i128,
}

impl Places {
    fn iter(&self) -> impl Iterator<Item = usize> {
        let (start, step) = (self.start, self.step);
        (0..self.count).map(move |index| {
            usize::try_from(start + index * step).expect("a slice stays within the length")
        })
    }
}

fn places(start: &Value, stop: &Value, step: &Value, length: usize) -> Result<Places, Error> {
    let length = i128::try_from(length).expect("it is in memory");
    let bound = |bound: &Value| {
        if bound.is_none() {
            return Ok(None);
        }
        number::index(bound)
            .map(Some)
            .ok_or_else(|| Fault::operation("the bounds of a slice must be whole numbers or none"))
    };
    let (start, stop, step) = (bound(start)?, bound(stop)?, bound(step)?.unwrap_or(1));
    if step == 0 {
        return Err(Fault::operation("a slice cannot go in steps of 0"));
    }
    let (lowest, highest) = if step > 0 {
        (0, length)
    } else {
        (-1, length - 1)
    };
    let within = |bound: Option<i128>, default: i128| match bound {
        None => default,
        Some(bound) if bound < 0 => bound.saturating_add(length).max(lowest),
        Some(bound) => bound.min(highest),
    };
    let (first, last) = if step > 0 {
        (lowest, highest)
    } else {
        (highest, lowest)
    };
    let (start, stop) = (within(start, first), within(stop, last));
    let distance = if step > 0 { stop - start } else { start - stop };
    let size = i128::try_from(step.unsigned_abs()).unwrap_or(i128::MAX);
    let count = if distance > 0 {
        (distance - 1) / size + 1
    } else {
        0
    };
    Ok(Places { start, step, count })
}

/// The place of an index that may count from the end.
fn place(index: i128, length: usize) -> Option<usize> {
    let length = i128::try_from(length).ok()?;
    let index = if index < 0 {
        index.saturating_add(length)
    } else {
        index
    };
    (0..length)
        .contains(&index)
        .then(|| usize::try_from(index).ok())
        .flatten()
}
