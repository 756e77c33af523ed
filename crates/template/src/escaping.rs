//! How values are written into the output.

use std::{borrow::Cow, fmt};

use minijinja::{AutoEscape, Error, Output, State, Value, value::serializing_for_value};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Serialize, Serializer};

use crate::{limits, operators::is_html, python};

/// How what `{{ }}` writes is made safe for the place it is written to. The
/// text of the template itself is never changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escaping {
    /// Not at all: aliases, display names, service names.
    None,
    /// For HTML: the error page.
    Html,
    /// For a part of a URL, as JavaScript's `encodeURIComponent` does: join links. A
    /// name such as `&pin=1&role=host` stays a name. What is encoded already
    /// (`pex_url_encode`) and [`Verbatim`] values are written as they are.
    JoinLink,
}

/// A text that is written as it is in a join link, such as the base URL: never
/// for what a patient, a provider or the EHR can choose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verbatim(pub String);

impl Serialize for Verbatim {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializing_for_value() {
            Value::from_safe_string(self.0.clone()).serialize(serializer)
        } else {
            self.0.serialize(serializer)
        }
    }
}

const JOIN_LINK: &str = "join link";

/// What `encodeURIComponent` of ECMA-262 section 19.2.6.4 encodes.
const URI_COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

impl Escaping {
    /// The engine's word for it.
    pub(crate) fn to_engine(self) -> AutoEscape {
        match self {
            Self::None => AutoEscape::None,
            Self::Html => AutoEscape::Html,
            Self::JoinLink => AutoEscape::Custom(JOIN_LINK.into()),
        }
    }
}

/// The engine's formatter: writes one value, counted and escaped.
pub(crate) fn write_value(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    let text = match value.as_str() {
        Some(text) => Cow::Borrowed(text),
        None => Cow::Owned(bounded_text(state, value)?),
    };
    limits::output(state, text.len())?;
    if value.is_safe() {
        return Ok(out.write_str(&text)?);
    }
    let escaped = match state.auto_escape() {
        AutoEscape::None => return Ok(out.write_str(&text)?),
        AutoEscape::Html => html(&text),
        // The only other kind that `Escaping` knows, and the strictest.
        _ => utf8_percent_encode(&text, URI_COMPONENT).to_string(),
    };
    limits::output(state, escaped.len() - text.len())?;
    Ok(out.write_str(&escaped)?)
}

/// Escaped for HTML text and quoted attributes, spelt as Python's MarkupSafe does.
pub(crate) fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\'' => escaped.push_str("&#39;"),
            '"' => escaped.push_str("&#34;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The text of `value`, which stops growing where the output would be too long:
/// a list can be far longer in text than in memory.
fn bounded_text(state: &mut State, value: &Value) -> Result<String, Error> {
    let mut bounded = Bounded {
        text: String::new(),
        left: limits::output_left(state),
    };
    match python::write(&mut bounded, value, is_html(state)) {
        Ok(()) => Ok(bounded.text),
        Err(fmt::Error) => Err(limits::output_spent()),
    }
}

struct Bounded {
    text: String,
    left: usize,
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.left = self.left.checked_sub(text.len()).ok_or(fmt::Error)?;
        self.text.push_str(text);
        Ok(())
    }
}
