//! Comparing values, as Python does. Every step is counted: lists can be far longer to
//! compare than they are in memory.

use std::cmp::Ordering;

use minijinja::{Error, State, Value, value::ValueKind};

use super::number::Number;
use crate::{error::Fault, functions::Range, limits};

/// What comparing two values counts.
const STEP_BYTES: usize = 16;

/// `left == right`
pub(crate) fn equal(state: &mut State, left: &Value, right: &Value) -> Result<bool, Error> {
    limits::work(state, STEP_BYTES)?;
    if let (Some(left), Some(right)) = (Number::of(left), Number::of(right)) {
        return Ok(left.compare(right) == Some(Ordering::Equal));
    }
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        limits::work(state, left.len())?;
        return Ok(left == right);
    }
    Ok(match (left.kind(), right.kind()) {
        (ValueKind::Undefined, ValueKind::Undefined) | (ValueKind::None, ValueKind::None) => true,
        (ValueKind::Seq | ValueKind::Iterable, ValueKind::Seq | ValueKind::Iterable) => {
            if kind_of_list(left) != kind_of_list(right) || left.len() != right.len() {
                return Ok(false);
            }
            let pairs = left
                .try_iter()?
                .checked()
                .zip(right.try_iter()?.checked())
                .map(|(left, right)| Ok((left?, right?)));
            for pair in pairs {
                let (left, right): (Value, Value) = pair.map_err(|error: Error| error)?;
                if !equal(state, &left, &right)? {
                    return Ok(false);
                }
            }
            true
        }
        (ValueKind::Map, ValueKind::Map) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for key in left.try_iter()?.checked() {
                let key = key?;
                let (left, right) = (left.get_item(&key)?, right.get_item(&key)?);
                if right.is_undefined() || !equal(state, &left, &right)? {
                    return Ok(false);
                }
            }
            true
        }
        _ => false,
    })
}

/// Which comes first: `<`, `<=`, `>`, `>=`. None where neither does, as with what is
/// not a number; an error where Python has no order.
pub(crate) fn order(
    state: &mut State,
    left: &Value,
    right: &Value,
) -> Result<Option<Ordering>, Error> {
    limits::work(state, STEP_BYTES)?;
    if left.is_undefined() || right.is_undefined() {
        return Err(Fault::undefined());
    }
    if let (Some(left), Some(right)) = (Number::of(left), Number::of(right)) {
        return Ok(left.compare(right));
    }
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        limits::work(state, left.len().min(right.len()))?;
        return Ok(Some(left.cmp(right)));
    }
    let is_list = |value: &Value| value.kind() == ValueKind::Seq && !is_range(value);
    if is_list(left) && is_list(right) && left.is_tuple() == right.is_tuple() {
        for (left, right) in left.try_iter()?.checked().zip(right.try_iter()?.checked()) {
            let (left, right) = (left?, right?);
            if !equal(state, &left, &right)? {
                return order(state, &left, &right);
            }
        }
        return Ok(Some(left.len().cmp(&right.len())));
    }
    Err(Fault::operation(
        "these kinds of values have no order: neither comes first",
    ))
}

/// `needle in haystack`
pub(crate) fn contains(state: &mut State, haystack: &Value, needle: &Value) -> Result<bool, Error> {
    if let Some(text) = haystack.as_str() {
        let needle = needle
            .as_str()
            .ok_or_else(|| Fault::operation("only a text can be looked for in a text"))?;
        limits::work(state, text.len())?;
        return Ok(text.contains(needle));
    }
    if haystack.kind() == ValueKind::Map && !is_hashable(needle) {
        return Err(Fault::operation("a list or dictionary is no key"));
    }
    for item in super::items(haystack)? {
        if equal(state, &item?, needle)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a value can be the key of a dictionary.
pub(crate) fn is_hashable(value: &Value) -> bool {
    match value.kind() {
        ValueKind::Map => false,
        ValueKind::Seq | ValueKind::Iterable => {
            is_range(value)
                || (value.is_tuple()
                    && value.try_iter().is_ok_and(|items| {
                        items
                            .checked()
                            .all(|item| item.is_ok_and(|item| is_hashable(&item)))
                    }))
        }
        _ => true,
    }
}

pub(crate) fn is_range(value: &Value) -> bool {
    value.downcast_object_ref::<Range>().is_some()
}

fn kind_of_list(value: &Value) -> (bool, bool) {
    (value.is_tuple(), is_range(value))
}
