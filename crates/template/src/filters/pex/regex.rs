//! The filters `pex_regex_replace` and `pex_find_first_match`, and the function
//! `pex_regex_search`: with an engine whose time is linear in the text, so without
//! look-around and without back-references in patterns.

use minijinja::{Error, State, Value};
use regex::{Captures, Regex, RegexBuilder};

use crate::{
    arguments::{bind, text},
    error::Fault,
    limits, python,
};

/// The longest pattern, in bytes, and the most memory of a compiled one.
const MAX_PATTERN_BYTES: usize = 512;
const MAX_COMPILED_BYTES: usize = 256 * 1024;
/// The most brackets in one another in a pattern.
const MAX_NESTING: u32 = 20;

/// What compiling a pattern counts, and what searching a byte of text counts.
const COMPILING_BYTES: usize = 64 * 1024;
const SEARCHING_BYTES: usize = 16;

/// `pex_regex_replace(find, replace)`: every match replaced; `\1` is the first group.
pub(super) fn replace(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [Some(find), Some(replacement)] = bind(arguments, ["find", "replace"])? else {
        return Err(Fault::operation(
            "pex_regex_replace takes a pattern and what replaces it",
        ));
    };
    let regex = compiled(state, text(&find)?)?;
    let replacement = Replacement::parse(text(&replacement)?, &regex)?;
    let text = python::text(state, value)?;
    searching(state, &text)?;
    let mut replaced = String::new();
    let (mut searched, mut copied) = (0, 0);
    // As in Python, what matches nothing matches also right after another match.
    while let Some(captures) = (searched <= text.len())
        .then(|| regex.captures_at(&text, searched))
        .flatten()
    {
        let found = captures.get_match();
        replaced.push_str(&text[copied..found.start()]);
        let before = replaced.len();
        replacement.write(&captures, &mut replaced);
        limits::work(state, replaced.len() - before + SEARCHING_BYTES)?;
        copied = found.end();
        searched = if found.is_empty() {
            let next = text[copied..].chars().next().map_or(1, char::len_utf8);
            copied + next
        } else {
            copied
        };
    }
    replaced.push_str(&text[copied..]);
    limits::work(state, replaced.len())?;
    Ok(Value::from(replaced))
}

/// `pex_regex_search(pattern, text)`: the groups of the first match, or nothing.
pub(super) fn search(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [Some(searched)] = bind(arguments, ["text"])? else {
        return Err(Fault::operation(
            "pex_regex_search takes a pattern and a text",
        ));
    };
    let regex = compiled(state, text(value)?)?;
    let searched = python::text(state, &searched)?;
    searching(state, &searched)?;
    let Some(captures) = regex.captures(&searched) else {
        return Ok(Value::UNDEFINED);
    };
    let groups: Vec<Value> = captures
        .iter()
        .skip(1)
        .map(|group| group.map_or_else(|| Value::from(()), |group| Value::from(group.as_str())))
        .collect();
    let groups = Value::from(groups);
    limits::work_on(state, &groups)?;
    Ok(groups)
}

/// `pex_find_first_match(pattern)`: the first text of a list in which the pattern is
/// found, or nothing.
pub(super) fn find_first_match(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [Some(pattern)] = bind(arguments, ["pattern"])? else {
        return Err(Fault::operation("pex_find_first_match takes a pattern"));
    };
    let regex = compiled(state, text(&pattern)?)?;
    for item in python::items(value)? {
        let item = item?;
        let searched = text(&item)?;
        searching(state, searched)?;
        if regex.is_match(searched) {
            return Ok(item);
        }
    }
    Ok(Value::UNDEFINED)
}

fn compiled(state: &mut State, pattern: &str) -> Result<Regex, Error> {
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(Fault::too_much(
            "a regular expression is longer than 512 bytes",
        ));
    }
    limits::work(state, COMPILING_BYTES)?;
    let compiled = RegexBuilder::new(pattern)
        .size_limit(MAX_COMPILED_BYTES)
        .nest_limit(MAX_NESTING)
        .build();
    compiled.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => Fault::too_much("a regular expression repeats too much"),
        _ => Fault::operation(
            "a regular expression cannot be read; it has no look-around and no back-references",
        ),
    })
}

fn searching(state: &mut State, text: &str) -> Result<(), Error> {
    limits::work(state, text.len().saturating_mul(SEARCHING_BYTES))
}

/// What replaces a match.
struct Replacement(Vec<Part>);

enum Part {
    Text(String),
    Group(usize),
}

impl Replacement {
    /// As Python's `re.sub` reads it.
    fn parse(text: &str, regex: &Regex) -> Result<Self, Error> {
        let broken = || Fault::operation("a replacement has a backslash that means nothing");
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, escape)) = rest.split_once('\\') {
            literal.push_str(before);
            let first = escape.chars().next().ok_or_else(broken)?;
            let mut after = &escape[first.len_utf8()..];
            let group = match first {
                '1'..='9' => {
                    let second = after.starts_with(|digit: char| digit.is_ascii_digit());
                    let digits = &escape[..1 + usize::from(second)];
                    after = &escape[digits.len()..];
                    Some(digits)
                }
                'g' => {
                    let (name, follows) = after
                        .strip_prefix('<')
                        .and_then(|name| name.split_once('>'))
                        .ok_or_else(broken)?;
                    after = follows;
                    Some(name)
                }
                'n' => {
                    literal.push('\n');
                    None
                }
                't' => {
                    literal.push('\t');
                    None
                }
                'r' => {
                    literal.push('\r');
                    None
                }
                '\\' => {
                    literal.push('\\');
                    None
                }
                other if other.is_ascii_alphanumeric() => return Err(broken()),
                other => {
                    literal.push('\\');
                    literal.push(other);
                    None
                }
            };
            if let Some(name) = group {
                parts.push(Part::Text(std::mem::take(&mut literal)));
                parts.push(Part::Group(group_index(name, regex)?));
            }
            rest = after;
        }
        literal.push_str(rest);
        parts.push(Part::Text(literal));
        Ok(Self(parts))
    }

    fn write(&self, captures: &Captures<'_>, out: &mut String) {
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Group(index) => {
                    out.push_str(captures.get(*index).map_or("", |group| group.as_str()));
                }
            }
        }
    }
}

fn group_index(name: &str, regex: &Regex) -> Result<usize, Error> {
    let index = match name.parse() {
        Ok(index) => (index < regex.captures_len()).then_some(index),
        Err(_) => regex.capture_names().position(|known| known == Some(name)),
    };
    index.ok_or_else(|| Fault::operation("a replacement names a group that there is not"))
}
