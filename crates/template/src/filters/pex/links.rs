//! The filters `pex_safelinks_decode` and `pex_urldefense_decode`: links that mail
//! filters have rewritten, as they were.

use base64ct::{Base64Unpadded, Encoding as _};
use minijinja::{Error, State, Value};
use percent_encoding::percent_decode_str;

use crate::{arguments::bind, limits, python};

/// `pex_safelinks_decode`: a text in which every link of Microsoft's Safe Links is the
/// link that it stands for.
pub(super) fn safelinks_decode(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    let text = python::text(state, value)?;
    limits::work(state, text.len())?;
    Ok(Value::from(with_links(&text, safe_link)))
}

/// `pex_urldefense_decode`: the same for Proofpoint's URL Defense, versions 1 to 3.
pub(super) fn urldefense_decode(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    let text = python::text(state, value)?;
    limits::work(state, text.len())?;
    Ok(Value::from(with_links(&text, defended)))
}

/// The text with each of its links decoded, where it can be.
fn with_links(text: &str, decoded: fn(&str) -> Option<String>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("https://") {
        let (before, link) = rest.split_at(start);
        let ends = |character: char| character.is_whitespace() || "<>\"'".contains(character);
        let (link, after) = link.split_at(link.find(ends).unwrap_or(link.len()));
        result.push_str(before);
        match decoded(link) {
            Some(decoded) => result.push_str(&decoded),
            None => result.push_str(link),
        }
        rest = after;
    }
    result.push_str(rest);
    result
}

/// `https://nam01.safelinks.protection.outlook.com/?url=…&data=…`
fn safe_link(link: &str) -> Option<String> {
    let (host, path) = link.strip_prefix("https://")?.split_once('/')?;
    if !host.ends_with(".safelinks.protection.outlook.com") {
        return None;
    }
    decoded(parameter(path, "url")?)
}

fn defended(link: &str) -> Option<String> {
    let (host, path) = link.strip_prefix("https://")?.split_once('/')?;
    if host != "urldefense.proofpoint.com" && host != "urldefense.com" && host != "urldefense.us" {
        return None;
    }
    let (version, path) = path.split_once('/')?;
    match version {
        "v1" => decoded(parameter(path, "u")?),
        "v2" => decoded(&parameter(path, "u")?.replace('-', "%").replace('_', "/")),
        "v3" => third_version(path),
        _ => None,
    }
}

/// `__https://example.com/*__;4oCm!!…$`: what URL Defense took out of the link, in base64
/// after the semicolon, goes where `*` stands for one character and `**` with a letter
/// for more.
fn third_version(path: &str) -> Option<String> {
    let (link, taken) = path.strip_prefix("__")?.rsplit_once("__;")?;
    let (taken, _) = taken.split_once('!')?;
    let standard = taken
        .trim_end_matches('=')
        .replace('-', "+")
        .replace('_', "/");
    let taken = String::from_utf8(Base64Unpadded::decode_vec(&standard).ok()?).ok()?;
    let mut taken = taken.chars();
    let link = decoded(link)?;
    let link = match link.split_once(":/") {
        Some((scheme, rest)) if !rest.starts_with('/') => format!("{scheme}://{rest}"),
        _ => link,
    };
    let mut whole = String::with_capacity(link.len());
    let mut characters = link.chars();
    while let Some(character) = characters.next() {
        if character != '*' {
            whole.push(character);
            continue;
        }
        let mut ahead = characters.clone();
        let count = match ahead.next() {
            Some('*') => {
                let count = run_length(ahead.next()?)?;
                characters = ahead;
                count
            }
            _ => 1,
        };
        for _ in 0..count {
            whole.push(taken.next()?);
        }
    }
    Some(whole)
}

/// `A` is 2, and on through the alphabet of base64.
fn run_length(letter: char) -> Option<usize> {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    LETTERS.find(letter).map(|index| index + 2)
}

/// The value of a parameter in the query of what follows the host.
fn parameter<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let query = path.split_once('?')?.1.split('#').next()?;
    query
        .split("&amp;")
        .flat_map(|part| part.split('&'))
        .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name))
        .map(|(_, value)| value)
}

fn decoded(text: &str) -> Option<String> {
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    Some(decoded.into_owned())
}
