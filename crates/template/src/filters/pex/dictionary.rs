//! The filters `pex_update` and `pex_to_json`.

use std::fmt::Write as _;

use minijinja::{Error, State, Value, value::ValueKind};

use crate::{arguments::bind, error::Fault, limits, python};

/// `pex_update(other)`: a copy of the dictionary with the entries of another.
pub(super) fn update(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [Some(other)] = bind(arguments, ["other"])? else {
        return Err(Fault::operation("pex_update takes a dictionary"));
    };
    let mut entries = Vec::new();
    for dictionary in [value, &other] {
        if dictionary.kind() != ValueKind::Map {
            return Err(Fault::operation("pex_update takes dictionaries"));
        }
        limits::work_on(state, dictionary)?;
        for key in dictionary.try_iter()?.checked() {
            let key = key?;
            let entry = dictionary.get_item(&key)?;
            entries.push((key, entry));
        }
    }
    // An entry that was there keeps its place.
    Ok(Value::from_pairs(entries))
}

/// `pex_to_json`: spelt as by Python's `json.dumps`.
pub(super) fn to_json(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    let mut json = String::new();
    write_json(state, &mut json, value)?;
    Ok(Value::from(json))
}

fn write_json(state: &mut State, json: &mut String, value: &Value) -> Result<(), Error> {
    let start = json.len();
    match value.kind() {
        ValueKind::None => json.push_str("null"),
        ValueKind::Bool => json.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => {
            let text = python::text(state, value)?;
            json.push_str(match text.as_str() {
                "inf" => "Infinity",
                "-inf" => "-Infinity",
                "nan" => "NaN",
                number => number,
            });
        }
        ValueKind::String => write_text(json, value.as_str().unwrap_or_default()),
        ValueKind::Seq | ValueKind::Iterable => {
            json.push('[');
            for (index, item) in value.try_iter()?.checked().enumerate() {
                json.push_str(if index > 0 { ", " } else { "" });
                write_json(state, json, &item?)?;
            }
            json.push(']');
        }
        ValueKind::Map => {
            json.push('{');
            for (index, key) in value.try_iter()?.checked().enumerate() {
                let key = key?;
                json.push_str(if index > 0 { ", " } else { "" });
                match key.kind() {
                    ValueKind::String => write_json(state, json, &key)?,
                    ValueKind::None | ValueKind::Bool | ValueKind::Number => {
                        json.push('"');
                        write_json(state, json, &key)?;
                        json.push('"');
                    }
                    _ => return Err(Fault::operation("a key of this kind has no JSON")),
                }
                json.push_str(": ");
                write_json(state, json, &value.get_item(&key)?)?;
            }
            json.push('}');
        }
        ValueKind::Undefined => return Err(Fault::undefined()),
        _ => return Err(Fault::operation("a value of this kind has no JSON")),
    }
    limits::work(state, json.len() - start)
}

/// In ASCII, with escapes.
fn write_text(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            ' '..='\u{7e}' => json.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(json, "\\u{unit:04x}").expect("a String takes what is written");
                }
            }
        }
    }
    json.push('"');
}
