//! Filters of lists, texts and dictionaries as sequences, and of missing values.

use minijinja::{Error, State, Value, value::ValueKind};

use crate::{arguments::bind, error::Fault, functions, limits, python};

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
    let separator = separator.map_or(Ok(String::new()), |separator| {
        python::text(state, &separator)
    })?;
    let attribute = attribute.filter(|attribute| !attribute.is_none());
    if value.is_undefined() {
        return Ok(Value::from(""));
    }
    let mut joined = String::new();
    let mut safe = separator.is_empty();
    for (index, item) in python::items(value)?.enumerate() {
        let mut item = item?;
        if let Some(attribute) = &attribute {
            item = item.get_item(attribute)?;
        }
        safe &= item.is_safe();
        limits::work(state, separator.len())?;
        if index > 0 {
            joined.push_str(&separator);
        }
        joined.push_str(&python::text(state, &item)?);
    }
    Ok(if safe {
        Value::from_safe_string(joined)
    } else {
        Value::from(joined)
    })
}

/// `range`: the function of that name, as a filter.
pub(super) fn range(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    if value.kind() != ValueKind::Number {
        return Err(Fault::operation("range takes one to three whole numbers"));
    }
    let mut all = vec![value.clone()];
    all.extend(arguments);
    functions::range(state, all)
}
