//! The filter `pex_to_uuid` and the function `pex_uuid4`.

use base64ct::{Base64Unpadded, Encoding as _};
use minijinja::{Error, State, Value};

use super::ambient;
use crate::{arguments::bind, error::Fault, python};

/// The longest text that can be 16 bytes in base64.
const MAX_BASE64_BYTES: usize = 24;

/// `pex_uuid4()`: a random UUID (RFC 9562 section 5.4).
pub(super) fn uuid4(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    if !value.is_undefined() {
        return Err(Fault::operation("pex_uuid4 takes nothing"));
    }
    let mut bytes: [u8; 16] = ambient::random(state)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Ok(Value::from(written(bytes)))
}

/// `pex_to_uuid`: 16 bytes in base64 (RFC 4648 sections 4 and 5) as a UUID.
pub(super) fn to_uuid(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    let text = python::text(state, value)?;
    let wrong = || Fault::operation("pex_to_uuid takes 16 bytes in base64");
    if text.len() > MAX_BASE64_BYTES {
        return Err(wrong());
    }
    let standard = text
        .trim_end_matches('=')
        .replace('-', "+")
        .replace('_', "/");
    let mut bytes = [0; 16];
    match Base64Unpadded::decode(&standard, &mut bytes) {
        Ok(decoded) if decoded.len() == 16 => Ok(Value::from(written(bytes))),
        _ => Err(wrong()),
    }
}

fn written(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}
