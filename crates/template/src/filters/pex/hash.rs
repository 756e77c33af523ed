//! The filters `pex_md5` and `pex_hash`.

use md5::Md5;
use minijinja::{Error, State, Value};
use sha2::{Digest as _, Sha256};

use crate::{arguments::bind, limits, python};

/// `pex_md5`: the MD5 of the UTF-8 bytes, in hexadecimal. For names, not for secrets.
pub(super) fn md5(state: &mut State, value: &Value, arguments: Vec<Value>) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    let text = python::text(state, value)?;
    limits::work(state, text.len())?;
    let digest = Md5::digest(text);
    let hexadecimal: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Value::from(hexadecimal))
}

/// `pex_hash`: a number that is the same for the same text. Which one is not published;
/// here it is the first 8 bytes of the text's SHA-256, in decimal.
pub(super) fn hash(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let [] = bind(arguments, [])?;
    let text = python::text(state, value)?;
    limits::work(state, text.len())?;
    let number = Sha256::digest(text)
        .iter()
        .take(8)
        .fold(0, |number: u64, byte| (number << 8) | u64::from(*byte));
    Ok(Value::from(number))
}
