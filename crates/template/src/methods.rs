//! Methods of Python's texts and dictionaries, as far as the documented
//! templates and their like call them.

use minijinja::{Error, ErrorKind, State, Value, value::ValueKind};

use crate::{
    arguments::{bind, integer, text},
    error::Fault,
    limits, python,
};

/// The engine calls this for every method that it does not have itself.
pub(crate) fn call(
    state: &mut State,
    value: &Value,
    method: &str,
    arguments: &[Value],
) -> Result<Value, Error> {
    let arguments = arguments.to_vec();
    for argument in arguments
        .iter()
        .filter(|argument| argument.kind() == ValueKind::String)
    {
        limits::work_on(state, argument)?;
    }
    match (value.kind(), value.as_str()) {
        (_, Some(value)) => text_method(state, value, method, arguments),
        (ValueKind::Map, _) => map_method(value, method, arguments),
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

fn text_method(
    state: &mut State,
    value: &str,
    method: &str,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    limits::work(state, value.len())?;
    Ok(match method {
        "upper" | "lower" | "title" | "capitalize" => {
            let [] = bind(arguments, [])?;
            limits::work(state, value.len())?;
            Value::from(match method {
                "upper" => value.to_uppercase(),
                "lower" => value.to_lowercase(),
                "title" => python::title(value),
                _ => python::capitalize(value),
            })
        }
        "strip" | "lstrip" | "rstrip" => {
            let [characters] = bind(arguments, ["chars"])?;
            let characters = characters
                .as_ref()
                .filter(|value| !value.is_none())
                .map(text)
                .transpose()?;
            Value::from(python::strip(
                value,
                characters,
                method != "rstrip",
                method != "lstrip",
            ))
        }
        "replace" => {
            let [old, new, count] = bind(arguments, ["old", "new", "count"])?;
            let (old, new) = (required(old)?, required(new)?);
            let count = count.map_or(Ok(-1), integer)?;
            Value::from(python::replace(
                state,
                value,
                text(&old)?,
                text(&new)?,
                count,
            )?)
        }
        "split" => {
            let [separator, limit] = bind(arguments, ["sep", "maxsplit"])?;
            let separator = separator
                .as_ref()
                .filter(|value| !value.is_none())
                .map(text)
                .transpose()?;
            if separator == Some("") {
                return Err(Fault::operation("a text cannot be split at an empty text"));
            }
            let parts = Value::from_iter(python::split(
                value,
                separator,
                limit.map_or(Ok(-1), integer)?,
            ));
            limits::work_on(state, &parts)?;
            parts
        }
        "join" => {
            let [items] = bind(arguments, ["iterable"])?;
            let mut joined = String::new();
            for (index, item) in python::items(&required(items)?)?.enumerate() {
                let item = item?;
                let Some(item) = item.as_str() else {
                    return Err(Fault::operation(
                        "only texts can be joined; write `or \"\"` after what can be missing",
                    ));
                };
                limits::work(state, value.len() + item.len())?;
                if index > 0 {
                    joined.push_str(value);
                }
                joined.push_str(item);
            }
            Value::from(joined)
        }
        "startswith" => Value::from(
            affixes(arguments)?
                .iter()
                .any(|affix| value.starts_with(affix)),
        ),
        "endswith" => Value::from(
            affixes(arguments)?
                .iter()
                .any(|affix| value.ends_with(affix)),
        ),
        _ => return Err(Error::from(ErrorKind::UnknownMethod)),
    })
}

fn map_method(value: &Value, method: &str, arguments: Vec<Value>) -> Result<Value, Error> {
    match method {
        "get" => {
            let [key, default] = bind(arguments, ["key", "default"])?;
            let found = value.get_item(&required(key)?)?;
            Ok(if found.is_undefined() {
                default.unwrap_or_else(|| Value::from(()))
            } else {
                found
            })
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

/// The text, or one of the texts of a tuple, that something starts or ends with.
fn affixes(arguments: Vec<Value>) -> Result<Vec<String>, Error> {
    let [affix] = bind(arguments, ["affix"])?;
    let affix = required(affix)?;
    if affix.is_tuple() {
        affix
            .try_iter()?
            .checked()
            .map(|affix| Ok(text(&affix?)?.to_owned()))
            .collect()
    } else {
        Ok(vec![text(&affix)?.to_owned()])
    }
}

fn required(argument: Option<Value>) -> Result<Value, Error> {
    argument.ok_or_else(|| Fault::operation("an argument is missing"))
}
