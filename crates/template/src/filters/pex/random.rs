//! The function `pex_random_pin`.

use minijinja::{Error, State, Value};

use super::ambient;
use crate::{
    arguments::{bind, integer},
    error::Fault,
    limits,
};

/// The most digits: no PIN is longer.
const MAX_DIGITS: usize = 64;

/// `pex_random_pin(length)`: that many random digits, each as likely as the others.
pub(super) fn random_pin(
    state: &mut State,
    value: &Value,
    arguments: Vec<Value>,
) -> Result<Value, Error> {
    let mut all = vec![value.clone()];
    all.retain(|value| !value.is_undefined());
    all.extend(arguments);
    let [Some(length)] = bind(all, ["length"])? else {
        return Err(Fault::operation("pex_random_pin takes a number of digits"));
    };
    let length = usize::try_from(integer(length)?)
        .ok()
        .filter(|length| (1..=MAX_DIGITS).contains(length))
        .ok_or_else(|| Fault::operation("pex_random_pin makes 1 to 64 digits"))?;
    let mut digits = String::with_capacity(length);
    while digits.len() < length {
        limits::work(state, 64)?;
        let bytes: [u8; 64] = ambient::random(state)?;
        // Of 256 values the last 6 would make some digits likelier.
        let fair = bytes.iter().filter(|byte| **byte < 250);
        digits.extend(
            fair.map(|byte| char::from(b'0' + byte % 10))
                .take(length - digits.len()),
        );
    }
    Ok(Value::from(digits))
}
