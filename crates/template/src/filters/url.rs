//! The filters `pex_url_encode` and `pex_url_decode`.

use minijinja::{Error, State, Value};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::{arguments::bind, limits, python};

/// Everything but the unreserved characters of RFC 3986 section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// `pex_url_encode`: percent-encodes all but unreserved characters. The result
/// is marked as safe: it means the same in a join link and in HTML.
pub(super) fn encode(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    let text = python::text(state, value)?;
    limits::work(state, text.len().saturating_mul(3))?;
    Ok(Value::from_safe_string(
        utf8_percent_encode(&text, RESERVED).to_string(),
    ))
}

/// `pex_url_decode`: undoes percent-encoding; bytes that are not UTF-8 become U+FFFD.
pub(super) fn decode(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    let text = python::text(state, value)?;
    limits::work(state, text.len())?;
    Ok(Value::from(
        percent_decode_str(&text).decode_utf8_lossy().into_owned(),
    ))
}
