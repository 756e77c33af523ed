//! The filter `truncate`.

use minijinja::{Error, State, Value};

use crate::{
    arguments::{bind, given, integer},
    error::Fault,
    limits,
    operators::concatenate,
};

/// `truncate(length=255, killwords=false, end="...", leeway=5)`: a text that is
/// longer than `length` and `leeway` together is cut to `length` characters, `end` among them.
pub(super) fn truncate(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [length, kill_words, end, leeway] =
        bind(arguments, ["length", "killwords", "end", "leeway"])?;
    let end = end.unwrap_or_else(|| Value::from("..."));
    let size = |argument: Option<Value>, default: i64| {
        integer(argument.unwrap_or_else(|| Value::from(default))).map(i128::from)
    };
    let (length, leeway) = (size(length, 255)?, size(given(leeway), 5)?);
    let end_length = characters(&end)
        .ok_or_else(|| Fault::operation("the end that truncate writes must be a text"))?;
    if length < end_length || leeway < 0 {
        return Err(Fault::operation(
            "truncate cannot cut shorter than the end that it writes",
        ));
    }
    limits::work_on(state, value)?;
    let actual = characters(value).ok_or_else(|| Fault::operation("truncate takes a text"))?;
    if actual <= length + leeway {
        return Ok(value.clone());
    }
    let (Some(text), Some(_)) = (value.as_str(), end.as_str()) else {
        return Err(Fault::operation("truncate takes a text"));
    };
    let kept = usize::try_from(length - end_length).unwrap_or(usize::MAX);
    let cut = text
        .char_indices()
        .nth(kept)
        .map_or(text, |(index, _)| &text[..index]);
    let cut = match cut.rfind(' ') {
        Some(space) if !kill_words.is_some_and(|kill_words| kill_words.is_true()) => &cut[..space],
        _ => cut,
    };
    let cut = if value.is_safe() {
        Value::from_safe_string(cut.to_owned())
    } else {
        Value::from(cut)
    };
    concatenate(state, &cut, &end)
}

/// `len(value)`
fn characters(value: &Value) -> Option<i128> {
    let length = match value.as_str() {
        Some(text) => text.chars().count(),
        None if value.is_undefined() => 0,
        None => value.len()?,
    };
    i128::try_from(length).ok()
}
