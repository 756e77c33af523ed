//! The function `pex_debug_log`.

use minijinja::{Error, State, Value};

use super::ambient;
use crate::{error::Fault, limits, python};

/// The longest message, in bytes.
const MAX_MESSAGE_BYTES: usize = 1024;

/// `pex_debug_log(message, ...)`: writes to the log, and nothing into the text. Values are
/// described only, since they can be of a patient.
pub(super) fn debug_log(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let mut parts = vec![python::text(state, value)?];
    for argument in arguments {
        if argument.is_kwargs() {
            return Err(Fault::operation("pex_debug_log takes no named arguments"));
        }
        parts.push(python::text(state, &argument)?);
    }
    let message = parts.join(" ,");
    limits::work(state, message.len())?;
    let mut end = message.len().min(MAX_MESSAGE_BYTES);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    ambient::log(state, &message[..end]);
    Ok(Value::from(""))
}
