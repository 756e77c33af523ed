//! Filters of texts.

use minijinja::{Error, State, Value};

#[cfg(feature = "full")]
use crate::limits;
use crate::{
    Letters,
    arguments::{bind, integer, text as text_argument},
    error::Fault,
    escaping,
    operators::is_html,
    python,
};

/// `upper`
pub(super) fn upper(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    let text = python::text(state, value)?;
    let upper = (Letters::of(state).upper)(&text);
    Ok(kept(state, value, upper))
}

/// `lower`
pub(super) fn lower(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    let text = python::text(state, value)?;
    let lower = (Letters::of(state).lower)(&text);
    Ok(kept(state, value, lower))
}

/// `capitalize`
pub(super) fn capitalize(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    let text = python::text(state, value)?;
    let capitalized = python::capitalize(Letters::of(state), &text);
    Ok(kept(state, value, capitalized))
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
    let text = python::text(state, value)?;
    let trimmed = python::strip(&text, characters, true, true);
    Ok(kept(state, value, trimmed.to_owned()))
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
    let is_html = is_html(state);
    let mut text = python::text(state, value)?;
    let mut is_safe = value.is_safe();
    let (old_text, mut new_text) = (python::text(state, &old)?, python::text(state, &new)?);
    if is_html && !is_safe && (old.is_safe() || new.is_safe()) {
        text = escaping::html(&text);
        is_safe = true;
    }
    if is_html && is_safe && !new.is_safe() {
        new_text = escaping::html(&new_text);
    }
    let replaced = python::replace(state, &text, &old_text, &new_text, count)?;
    Ok(if is_html && is_safe {
        Value::from_safe_string(replaced)
    } else {
        Value::from(replaced)
    })
}

/// What was made of a value: in HTML, it needs no escaping where the value needed none.
fn kept(state: &State, value: &Value, text: String) -> Value {
    if value.is_safe() && is_html(state) {
        Value::from_safe_string(text)
    } else {
        Value::from(text)
    }
}

/// `pex_head(n)`: the first `n` characters.
#[cfg(feature = "full")]
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
#[cfg(feature = "full")]
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
#[cfg(feature = "full")]
pub(super) fn length(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    Ok(Value::from(python::text(state, value)?.chars().count()))
}

/// `pex_reverse`
#[cfg(feature = "full")]
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
#[cfg(feature = "full")]
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
#[cfg(feature = "full")]
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

#[cfg(feature = "full")]
fn count(arguments: Vec<Value>) -> Result<usize, Error> {
    let [Some(count)] = bind(arguments, ["length"])? else {
        return Err(Fault::operation("the filter takes a number of characters"));
    };
    usize::try_from(integer(count)?)
        .map_err(|_| Fault::operation("a number of characters cannot be negative"))
}
