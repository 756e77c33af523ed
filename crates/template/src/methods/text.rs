//! The methods of texts.

use std::ops::Deref;

#[cfg(feature = "full")]
use minijinja::value::Tuple;
use minijinja::{Error, State, Value};

#[cfg(feature = "full")]
use crate::filters::format::checked_width;
use crate::{
    Letters,
    arguments::{bind, bind_positional, given, integer, required, text as text_argument},
    error::Fault,
    escaping, limits,
    operators::is_html,
    python,
};

/// The text of which a method is called.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    text: &'a str,
    is_safe: bool,
}

impl<'a> Text<'a> {
    pub(super) fn of(value: &'a Value) -> Option<Self> {
        Some(Self {
            text: value.as_str()?,
            is_safe: value.is_safe(),
        })
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.text
    }
}

/// The names of the methods.
pub(super) const NAMES: &[&str] = &[
    "capitalize",
    #[cfg(feature = "full")]
    "center",
    #[cfg(feature = "full")]
    "count",
    "endswith",
    #[cfg(feature = "full")]
    "expandtabs",
    #[cfg(feature = "full")]
    "find",
    #[cfg(feature = "full")]
    "full",
    #[cfg(feature = "full")]
    "format",
    #[cfg(feature = "full")]
    "index",
    #[cfg(feature = "full")]
    "isalnum",
    #[cfg(feature = "full")]
    "isalpha",
    #[cfg(feature = "full")]
    "isascii",
    #[cfg(feature = "full")]
    "isdigit",
    #[cfg(feature = "full")]
    "islower",
    #[cfg(feature = "full")]
    "isspace",
    #[cfg(feature = "full")]
    "istitle",
    #[cfg(feature = "full")]
    "isupper",
    "join",
    #[cfg(feature = "full")]
    "ljust",
    "lower",
    "lstrip",
    #[cfg(feature = "full")]
    "partition",
    #[cfg(feature = "full")]
    "removeprefix",
    #[cfg(feature = "full")]
    "removesuffix",
    "replace",
    #[cfg(feature = "full")]
    "rfind",
    #[cfg(feature = "full")]
    "rindex",
    #[cfg(feature = "full")]
    "rjust",
    #[cfg(feature = "full")]
    "rpartition",
    #[cfg(feature = "full")]
    "rsplit",
    "rstrip",
    "split",
    #[cfg(feature = "full")]
    "splitlines",
    "startswith",
    "strip",
    #[cfg(feature = "full")]
    "swapcase",
    "title",
    "upper",
    #[cfg(feature = "full")]
    "zfill",
];

/// Calls a method of a text. What comes of it is marked as safe if the text is.
pub(super) fn call(
    state: &mut State,
    text: Text<'_>,
    name: &str,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    limits::work(state, text.len())?;
    match name {
        "capitalize" | "lower" | "swapcase" | "title" | "upper" => {
            let [] = bind(arguments, [])?;
            limits::work(state, text.len())?;
            let letters = Letters::of(state);
            Ok(made(
                text,
                match name {
                    "capitalize" => python::capitalize(letters, &text),
                    "lower" => (letters.lower)(&text),
                    #[cfg(feature = "full")]
                    "swapcase" => python::swapcase(&text),
                    "title" => python::title(letters, &text),
                    _ => (letters.upper)(&text),
                },
            ))
        }
        "strip" | "lstrip" | "rstrip" => {
            let [characters] = bind_positional(arguments)?;
            let characters = given(characters);
            let characters = characters.as_ref().map(text_argument).transpose()?;
            let stripped = python::strip(&text, characters, name != "rstrip", name != "lstrip");
            Ok(made(text, stripped))
        }
        "replace" => replace(state, text, arguments),
        "split" | "rsplit" => split(state, text, name, arguments),
        "join" => join(state, text, arguments),
        "startswith" | "endswith" => affixed(text, name, arguments),
        #[cfg(feature = "full")]
        _ => rarer(state, text, name, arguments),
        #[cfg(not(feature = "full"))]
        _ => Err(Fault::operation("the value has no such method")),
    }
}

/// The methods that the error page in the browser does without.
#[cfg(feature = "full")]
fn rarer(
    state: &mut State,
    text: Text<'_>,
    name: &str,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    match name {
        "splitlines" => {
            let [ends] = bind(arguments, ["keepends"])?;
            let ends = ends.is_some_and(|ends| ends.is_true());
            parts(state, text, &python::split_lines(&text, ends))
        }
        "partition" | "rpartition" => partition(text, name, arguments),
        "removeprefix" | "removesuffix" => {
            let [affix] = bind_positional(arguments)?;
            let affix = required(affix)?;
            let affix = text_argument(&affix)?;
            let removed = if name == "removeprefix" {
                text.strip_prefix(affix)
            } else {
                text.strip_suffix(affix)
            };
            Ok(made(text, removed.unwrap_or(text.text)))
        }
        "count" | "find" | "index" | "rfind" | "rindex" => search(text, name, arguments),
        "center" | "ljust" | "rjust" => fill(state, text, name, arguments),
        "zfill" => {
            let [width] = bind_positional(arguments)?;
            let missing = missing(text, required(width)?)?;
            limits::work(state, missing)?;
            let (sign, digits) = match text.strip_prefix(['+', '-']) {
                Some(digits) => text.split_at(text.len() - digits.len()),
                None => ("", text.text),
            };
            Ok(made(text, format!("{sign}{}{digits}", "0".repeat(missing))))
        }
        "expandtabs" => {
            let [size] = bind(arguments, ["tabsize"])?;
            let size = size.map_or(Ok(8), integer)?.max(0);
            let size = checked_width(u128::from(size.unsigned_abs()))?;
            let tabs = text.matches('\t').count();
            limits::work(state, tabs.saturating_mul(size))?;
            Ok(made(text, expand_tabs(&text, size)))
        }
        "format" => super::format::format(state, &text, text.is_safe, arguments),
        _ => {
            let [] = bind(arguments, [])?;
            let all = |is: fn(char) -> bool| !text.is_empty() && text.chars().all(is);
            Ok(Value::from(match name {
                "isalnum" => all(char::is_alphanumeric),
                "isalpha" => all(char::is_alphabetic),
                "isascii" => text.is_ascii(),
                "isdigit" => all(|character| python::digits::decimal(character).is_some()),
                "islower" => python::is_lower(&text),
                "isspace" => all(python::is_space),
                "istitle" => python::is_title(&text),
                "isupper" => python::is_upper(&text),
                _ => return Err(Fault::operation("the value has no such method")),
            }))
        }
    }
}

fn made(text: Text<'_>, made: impl Into<String>) -> Value {
    if text.is_safe {
        Value::from_safe_string(made.into())
    } else {
        Value::from(made.into())
    }
}

fn parts(state: &mut State, text: Text<'_>, parts: &[&str]) -> Result<Value, Error> {
    limits::work(state, parts.len().saturating_mul(16))?;
    Ok(parts.iter().map(|part| made(text, *part)).collect())
}

/// An argument that is put into the text: escaped where the text is marked as safe.
fn put_in(state: &mut State, text: Text<'_>, argument: &Value) -> Result<String, Error> {
    let put = text_argument(argument)?;
    limits::work(state, put.len())?;
    Ok(if text.is_safe && is_html(state) && !argument.is_safe() {
        escaping::html(put)
    } else {
        put.to_owned()
    })
}

fn replace(state: &mut State, text: Text<'_>, arguments: Vec<Value>) -> Result<Value, Error> {
    let [old, new, count] = bind_positional(arguments)?;
    let (old, new) = (required(old)?, required(new)?);
    let old = text_argument(&old)?;
    let new = put_in(state, text, &new)?;
    let count = count.map_or(Ok(-1), integer)?;
    let replaced = python::replace(state, &text, old, &new, count)?;
    Ok(made(text, replaced))
}

fn split(
    state: &mut State,
    text: Text<'_>,
    #[cfg_attr(
        not(feature = "full"),
        expect(unused_variables, reason = "there is no rsplit")
    )]
    name: &str,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [separator, limit] = bind(arguments, ["sep", "maxsplit"])?;
    let separator = given(separator);
    let separator = separator.as_ref().map(text_argument).transpose()?;
    if separator == Some("") {
        return Err(Fault::operation("a text cannot be split at an empty text"));
    }
    let limit = limit.map_or(Ok(-1), integer)?;
    #[cfg(feature = "full")]
    if name == "rsplit" {
        let split = python::rsplit(&text, separator, limit);
        return parts(state, text, &split);
    }
    let split = python::split(&text, separator, limit);
    parts(state, text, &split)
}

#[cfg(feature = "full")]
fn partition(text: Text<'_>, name: &str, arguments: Vec<Value>) -> Result<Value, Error> {
    let [separator] = bind_positional(arguments)?;
    let separator = required(separator)?;
    let separator = text_argument(&separator)?;
    if separator.is_empty() {
        return Err(Fault::operation("a text cannot be split at an empty text"));
    }
    let (found, at_end) = if name == "partition" {
        (text.split_once(separator), false)
    } else {
        (text.rsplit_once(separator), true)
    };
    let three = match found {
        Some((before, after)) => [before, separator, after],
        None if at_end => ["", "", text.text],
        None => [text.text, "", ""],
    };
    let three: Vec<Value> = three.into_iter().map(|part| made(text, part)).collect();
    Ok(Value::from(Tuple::from(three)))
}

fn join(state: &mut State, text: Text<'_>, arguments: Vec<Value>) -> Result<Value, Error> {
    let [items] = bind_positional(arguments)?;
    let escapes = text.is_safe && is_html(state);
    let mut joined = String::new();
    for (index, item) in python::items(&required(items)?)?.enumerate() {
        let item = item?;
        if item.as_str().is_none() && !escapes {
            return Err(Fault::operation(
                "only texts can be joined; write `or \"\"` after what can be missing",
            ));
        }
        let part = python::text(state, &item)?;
        let part = if escapes && !item.is_safe() {
            escaping::html(&part)
        } else {
            part
        };
        limits::work(state, text.len())?;
        if index > 0 {
            joined.push_str(&text);
        }
        joined.push_str(&part);
    }
    Ok(made(text, joined))
}

fn affixed(text: Text<'_>, name: &str, arguments: Vec<Value>) -> Result<Value, Error> {
    let [affix, start, end] = bind_positional(arguments)?;
    let affix = required(affix)?;
    let affixes = if affix.is_tuple() {
        affix.try_iter()?.checked().collect::<Result<_, _>>()?
    } else {
        vec![affix]
    };
    let searched = searched(text, start, end)?;
    for affix in &affixes {
        let affix = text_argument(affix)?;
        let is_there = searched.is_some_and(|(part, _)| match name {
            "startswith" => part.starts_with(affix),
            _ => part.ends_with(affix),
        });
        if is_there {
            return Ok(Value::from(true));
        }
    }
    Ok(Value::from(false))
}

/// The part of the text that is searched, and how many characters are before it.
fn searched<'a>(
    text: Text<'a>,
    start: Option<Value>,
    end: Option<Value>,
) -> Result<Option<(&'a str, usize)>, Error> {
    let bound = |bound: Option<Value>| given(bound).map(integer).transpose();
    Ok(python::part(text.text, bound(start)?, bound(end)?))
}

#[cfg(feature = "full")]
fn search(text: Text<'_>, name: &str, arguments: Vec<Value>) -> Result<Value, Error> {
    let [wanted, start, end] = bind_positional(arguments)?;
    let wanted = required(wanted)?;
    let wanted = text_argument(&wanted)?;
    let searched = searched(text, start, end)?;
    let found = searched.and_then(|(part, before)| {
        if name == "count" {
            return Some(part.matches(wanted).count());
        }
        let byte = if name.starts_with('r') {
            part.rfind(wanted)
        } else {
            part.find(wanted)
        };
        byte.map(|byte| before + part[..byte].chars().count())
    });
    match (found, name) {
        (Some(found), _) => Ok(Value::from(found)),
        (None, "count") => Ok(Value::from(0)),
        (None, "find" | "rfind") => Ok(Value::from(-1)),
        (None, _) => Err(Fault::operation(
            "the text does not have what index looks for",
        )),
    }
}

/// How many characters are missing to a width.
#[cfg(feature = "full")]
fn missing(text: Text<'_>, width: Value) -> Result<usize, Error> {
    let width = usize::try_from(integer(width)?).unwrap_or(0);
    Ok(width.saturating_sub(text.chars().count()))
}

#[cfg(feature = "full")]
fn fill(
    state: &mut State,
    text: Text<'_>,
    name: &str,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [width, character] = bind_positional(arguments)?;
    let missing = missing(text, required(width)?)?;
    let character = character.unwrap_or_else(|| Value::from(" "));
    let character = put_in(state, text, &character)?;
    if character.chars().count() != 1 {
        return Err(Fault::operation("a text is filled up with one character"));
    }
    limits::work(state, missing.saturating_mul(character.len()))?;
    let width = missing + text.chars().count();
    let left = match name {
        "ljust" => 0,
        "rjust" => missing,
        // Python puts the odd one to the left where the width is odd.
        _ => missing / 2 + (missing & width & 1),
    };
    let filled = format!(
        "{}{}{}",
        character.repeat(left),
        text.text,
        character.repeat(missing - left)
    );
    Ok(made(text, filled))
}

#[cfg(feature = "full")]
fn expand_tabs(text: &str, size: usize) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut column = 0;
    for character in text.chars() {
        match character {
            '\t' => {
                if size > 0 {
                    let spaces = size - column % size;
                    expanded.push_str(&" ".repeat(spaces));
                    column += spaces;
                }
            }
            '\n' | '\r' => {
                expanded.push(character);
                column = 0;
            }
            other => {
                expanded.push(other);
                column += 1;
            }
        }
    }
    expanded
}
