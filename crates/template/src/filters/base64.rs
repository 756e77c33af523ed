//! The filter `pex_base64`.

use base64ct::{Base64, Encoding as _};
use minijinja::{Error, State, Value};

use crate::{arguments::bind, limits, python};

/// `pex_base64`: the UTF-8 bytes of the text in base64 (RFC 4648 section 4).
pub(super) fn base64(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    let text = python::text(state, value)?;
    limits::work(state, text.len().saturating_mul(2))?;
    Ok(Value::from(Base64::encode_string(text.as_bytes())))
}
