//! Filters of lists, texts and dictionaries as sequences, and of missing values.

use minijinja::{Error, State, Value};

#[cfg(feature = "full")]
use crate::functions;
use crate::{
    arguments::{bind, given},
    error::Fault,
    escaping, limits,
    operators::is_html,
    python::{self, access},
};

/// `default(default_value="", boolean=false)`
pub(super) fn default(_: &mut State, value: &Value, arguments: Vec<Value>) -> Result<Value, Error> {
    let [default, boolean] = bind(arguments, ["default_value", "boolean"])?;
    let missing = value.is_undefined()
        || (boolean.is_some_and(|boolean| boolean.is_true()) && !value.is_true());
    Ok(if missing {
        default.unwrap_or_else(|| Value::from(""))
    } else {
        value.clone()
    })
}

/// `first`
pub(super) fn first(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    if let Some(text) = value.as_str() {
        return Ok(text.chars().next().map_or(Value::UNDEFINED, Value::from));
    }
    limits::work(state, 1)?;
    python::items(value)?.next().unwrap_or(Ok(Value::UNDEFINED))
}

/// `last`
pub(super) fn last(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    if let Some(text) = value.as_str() {
        return Ok(text
            .chars()
            .next_back()
            .map_or(Value::UNDEFINED, Value::from));
    }
    limits::work_on(state, value)?;
    python::items(value)?.last().unwrap_or(Ok(Value::UNDEFINED))
}

/// `length`
pub(super) fn length(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    limits::work_on(state, value)?;
    if value.is_undefined() {
        return Ok(Value::from(0));
    }
    value
        .len()
        .map(Value::from)
        .ok_or_else(|| Fault::operation("this has no length"))
}

/// `join(d="", attribute=none)`
pub(super) fn join(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [separator, attribute] = bind(arguments, ["d", "attribute"])?;
    let separator = separator.unwrap_or_else(|| Value::from(""));
    let attribute = given(attribute);
    let mut items = Vec::new();
    for item in python::items(value)? {
        limits::work(state, 16)?;
        let item = item?;
        items.push(match &attribute {
            Some(attribute) => of_path(state, item, attribute)?,
            None => item,
        });
    }
    // As in Jinja2: in HTML, one item that is safe has the separator escaped, and a
    // separator that is safe has the items escaped.
    let is_html = is_html(state);
    let separator_is_safe = separator.is_safe() || separator.as_str() == Some("");
    let is_safe = if is_html {
        separator.is_safe() || items.iter().any(Value::is_safe)
    } else {
        separator_is_safe && items.iter().all(Value::is_safe)
    };
    let part = |state: &mut State, value: &Value| {
        let text = python::text(state, value)?;
        Ok::<_, Error>(if is_html && is_safe && !value.is_safe() {
            escaping::html(&text)
        } else {
            text
        })
    };
    let separator = part(state, &separator)?;
    let mut joined = String::new();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            limits::work(state, separator.len())?;
            joined.push_str(&separator);
        }
        joined.push_str(&part(state, item)?);
    }
    limits::work(state, joined.len())?;
    Ok(if is_safe {
        Value::from_safe_string(joined)
    } else {
        Value::from(joined)
    })
}

/// The item that a path such as `a.b.0` leads to.
fn of_path(state: &mut State, mut value: Value, path: &Value) -> Result<Value, Error> {
    let Some(path) = path.as_str() else {
        return access::item(state, &value, path);
    };
    for part in path.split('.') {
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let part = match part.parse::<i64>() {
            Ok(number) if is_number => Value::from(number),
            _ => Value::from(part),
        };
        value = access::item(state, &value, &part)?;
    }
    Ok(value)
}

/// `range`: the function of that name, as a filter.
#[cfg(feature = "full")]
pub(super) fn range(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let mut all = vec![value.clone()];
    all.extend(arguments);
    functions::range(state, all)
}
