//! Python's methods of texts, lists and dictionaries: those that leave the value as it is.

#[cfg(feature = "full")]
mod format;
mod text;

use minijinja::{Error, ErrorKind, State, Value, value::ValueKind};

use crate::{
    arguments::{bind, bind_positional, integer, required},
    error::Fault,
    limits,
    python::{
        self,
        access::entry,
        compare::{equal, is_hashable, is_range},
    },
};

const DICTIONARY: &[&str] = &["copy", "get", "items", "keys", "values"];
const LIST: &[&str] = &["copy", "count", "index"];

/// Whether there is a method of this name at all.
pub(crate) fn exists(name: &str) -> bool {
    text::NAMES.contains(&name) || DICTIONARY.contains(&name) || LIST.contains(&name)
}

/// Whether the value has a method of this name.
pub(crate) fn has(value: &Value, name: &str) -> bool {
    match value.kind() {
        ValueKind::String => text::NAMES.contains(&name),
        ValueKind::Map => DICTIONARY.contains(&name),
        ValueKind::Seq => {
            LIST.contains(&name) && (name != "copy" || !(value.is_tuple() || is_range(value)))
        }
        _ => false,
    }
}

/// The engine calls this for every method that it does not have itself.
pub(crate) fn call(
    state: &mut State,
    value: &Value,
    method: &str,
    arguments: &[Value],
) -> Result<Value, Error> {
    if value.is_undefined() {
        return Err(Fault::undefined());
    }
    if !has(value, method) {
        return Err(Error::from(ErrorKind::UnknownMethod));
    }
    let arguments = arguments.to_vec();
    for argument in &arguments {
        if argument.kind() == ValueKind::String {
            limits::work_on(state, argument)?;
        }
    }
    if let Some(text) = text::Text::of(value) {
        return text::call(state, text, method, arguments);
    }
    if value.kind() == ValueKind::Map {
        return dictionary_method(state, value, method, arguments);
    }
    list_method(state, value, method, arguments)
}

fn dictionary_method(
    state: &mut State,
    value: &Value,
    method: &str,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    if method == "get" {
        let [key, default] = bind_positional(arguments)?;
        let key = required(key)?;
        if !is_hashable(&key) {
            return Err(Fault::operation("a list or dictionary is no key"));
        }
        let found = entry(state, value, &key)?;
        return Ok(found.or(default).unwrap_or_else(|| Value::from(())));
    }
    let [] = bind(arguments, [])?;
    if method == "copy" {
        return Ok(value.clone());
    }
    let mut parts = Vec::new();
    for key in value.try_iter()?.checked() {
        let key = key?;
        let entry = value.get_item(&key)?;
        parts.push(match method {
            "keys" => key,
            "values" => entry,
            _ => Value::from(minijinja::value::Tuple::from(vec![key, entry])),
        });
    }
    let parts = Value::from(parts);
    limits::work_on(state, &parts)?;
    Ok(parts)
}

fn list_method(
    state: &mut State,
    value: &Value,
    method: &str,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    if method == "copy" {
        let [] = bind(arguments, [])?;
        return Ok(value.clone());
    }
    let [wanted, start, end] = bind_positional(arguments)?;
    let wanted = required(wanted)?;
    if start.is_some() && (method == "count" || is_range(value)) {
        return Err(Fault::operation("the method takes one value"));
    }
    let length = value.len().and_then(|length| i64::try_from(length).ok());
    let length = length.unwrap_or(0);
    let bound = |bound: Option<Value>, default: i64| -> Result<i64, Error> {
        let Some(bound) = bound else {
            return Ok(default);
        };
        let bound = integer(bound)?;
        Ok(if bound < 0 {
            bound.saturating_add(length).max(0)
        } else {
            bound
        })
    };
    let (start, end) = (bound(start, 0)?, bound(end, length)?);
    let mut count = 0;
    for (place, item) in (0..).zip(python::items(value)?) {
        if (start..end).contains(&place) && equal(state, &item?, &wanted)? {
            if method == "index" {
                return Ok(Value::from(place));
            }
            count += 1;
        }
    }
    if method == "index" {
        return Err(Fault::operation(
            "the list does not have what index looks for",
        ));
    }
    Ok(Value::from(count))
}
