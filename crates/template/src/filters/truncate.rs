//! The filter `truncate`.

use minijinja::{Error, State, Value};

use crate::{
    arguments::{bind, integer},
    error::Fault,
    python,
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
    if value.is_undefined() {
        return Ok(value.clone());
    }
    if value.as_str().is_none() {
        return Err(Fault::operation("truncate takes a text"));
    }
    let text = python::text(state, value)?;
    let end = end.map_or(Ok("...".to_owned()), |end| python::text(state, &end))?;
    let length = integer(length.unwrap_or_else(|| Value::from(255)))?;
    let leeway = integer(
        leeway
            .filter(|leeway| !leeway.is_none())
            .unwrap_or_else(|| Value::from(5)),
    )?;
    let size = |length: i64| {
        usize::try_from(length).map_err(|_| Fault::operation("truncate takes no negative lengths"))
    };
    let (length, leeway) = (size(length)?, size(leeway)?);
    let kept = length
        .checked_sub(end.chars().count())
        .ok_or_else(|| Fault::operation("truncate cannot cut shorter than its end"))?;

    if text.chars().count() <= length.saturating_add(leeway) {
        return Ok(Value::from(text));
    }
    let cut = text
        .char_indices()
        .nth(kept)
        .map_or(text.as_str(), |(index, _)| &text[..index]);
    let cut = match cut.rfind(' ') {
        Some(space) if !kill_words.is_some_and(|kill_words| kill_words.is_true()) => &cut[..space],
        _ => cut,
    };
    Ok(Value::from(format!("{cut}{end}")))
}
