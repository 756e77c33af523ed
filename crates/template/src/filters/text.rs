//! Filters of texts.

use minijinja::{Error, State, Value};

use crate::{
    arguments::{bind, integer, text as text_argument},
    error::Fault,
    limits, python,
};

/// `upper`
pub(super) fn upper(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    Ok(Value::from(python::text(state, value)?.to_uppercase()))
}

/// `lower`
pub(super) fn lower(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    Ok(Value::from(python::text(state, value)?.to_lowercase()))
}

/// `capitalize`
pub(super) fn capitalize(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    Ok(Value::from(python::capitalize(&python::text(
        state, value,
    )?)))
}

/// `trim(chars=none)`
pub(super) fn trim(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [characters] = bind(arguments, ["chars"])?;
    let characters = characters
        .as_ref()
        .filter(|value| !value.is_none())
        .map(text_argument)
        .transpose()?;
    Ok(Value::from(python::strip(
        &python::text(state, value)?,
        characters,
        true,
        true,
    )))
}

/// `replace(old, new, count=none)`
pub(super) fn replace(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [Some(old), Some(new), count] = bind(arguments, ["old", "new", "count"])? else {
        return Err(Fault::operation("replace takes an old and a new text"));
    };
    let count = count
        .filter(|count| !count.is_none())
        .map_or(Ok(-1), integer)?;
    let value = python::text(state, value)?;
    let (old, new) = (python::text(state, &old)?, python::text(state, &new)?);
    Ok(Value::from(python::replace(
        state, &value, &old, &new, count,
    )?))
}

/// `pex_head(n)`: the first `n` characters.
pub(super) fn head(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let count = count(arguments)?;
    let text = python::text(state, value)?;
    Ok(Value::from(text.chars().take(count).collect::<String>()))
}

/// `pex_tail(n)`: the last `n` characters.
pub(super) fn tail(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let count = count(arguments)?;
    let text = python::text(state, value)?;
    let start = text
        .char_indices()
        .rev()
        .take(count)
        .last()
        .map_or(text.len(), |(start, _)| start);
    Ok(Value::from(&text[start..]))
}

/// `pex_strlen`: the number of characters.
pub(super) fn length(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    Ok(Value::from(python::text(state, value)?.chars().count()))
}

/// `pex_reverse`
pub(super) fn reverse(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    Ok(Value::from(
        python::text(state, value)?
            .chars()
            .rev()
            .collect::<String>(),
    ))
}

/// `pex_clean_phone_number`: keeps digits and `+`.
pub(super) fn clean_phone_number(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    let text = python::text(state, value)?;
    Ok(Value::from(
        text.chars()
            .filter(|c| c.is_ascii_digit() || *c == '+')
            .collect::<String>(),
    ))
}

/// `pex_require_min_length(n)`: the text, or an error where it is shorter.
pub(super) fn require_min_length(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let count = count(arguments)?;
    let text = python::text(state, value)?;
    if text.chars().count() < count {
        return Err(Fault::operation(
            "a text is shorter than pex_require_min_length asks for",
        ));
    }
    limits::work(state, text.len())?;
    Ok(Value::from(text))
}

fn count(arguments: Vec<Value>) -> Result<usize, Error> {
    let [Some(count)] = bind(arguments, ["length"])? else {
        return Err(Fault::operation("the filter takes a number of characters"));
    };
    usize::try_from(integer(count)?)
        .map_err(|_| Fault::operation("a number of characters cannot be negative"))
}
