//! The replacement of a routing rule: what Python's `re` module takes as one.

use regex::{Captures, Regex};

/// A replacement, checked against its expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Replacement(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// What the group matched; nothing where it took no part.
    Group(usize),
}

impl Replacement {
    /// Reads `\1` to `\99`, `\g<1>`, `\g<name>` and `\\`; everything else stands for
    /// itself.
    ///
    /// # Errors
    /// What is wrong, in words that go on from the name of the field.
    pub(super) fn parse(text: &str, expression: &Regex) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('\\') {
            plain.push_str(before);
            if let Some(after) = after.strip_prefix('\\') {
                plain.push('\\');
                rest = after;
                continue;
            }
            let (group, after) = reference(after, expression)?;
            if group >= expression.captures_len() {
                return Err(format!("names group {group}, which match_string has not"));
            }
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Group(group));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn expand(&self, captures: &Captures<'_>) -> String {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => text,
            Part::Group(group) => captures.get(*group).map_or("", |found| found.as_str()),
        });
        parts.collect()
    }
}

/// The group that what follows a backslash names, and the rest.
fn reference<'a>(text: &'a str, expression: &Regex) -> Result<(usize, &'a str), String> {
    if let Some(named) = text.strip_prefix("g<") {
        let (name, rest) = named
            .split_once('>')
            .ok_or("has \\g< without a > after it")?;
        let group = match name.parse() {
            Ok(number) if name.bytes().all(|byte| byte.is_ascii_digit()) => Some(number),
            _ => expression
                .capture_names()
                .position(|known| known == Some(name)),
        };
        let group =
            group.ok_or_else(|| format!("names group {name}, which match_string has not"))?;
        return Ok((group, rest));
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).take(3).count();
    let octal = digits == 3
        && text
            .bytes()
            .take(3)
            .all(|byte| (b'0'..=b'7').contains(&byte));
    if digits == 0 || text.starts_with('0') || octal {
        return Err(
            "has a backslash that no group from \\1 to \\99, \\g<…> or backslash follows"
                .to_owned(),
        );
    }
    let (number, rest) = text.split_at(digits.min(2));
    let group = number.parse().expect("one or two digits are a number");
    Ok((group, rest))
}
