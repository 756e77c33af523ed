//! What a filter asks of the surroundings of its rendering.

use std::time::Duration;

use minijinja::{Error, State};

use crate::{error::Fault, surroundings::Surroundings};

/// The time.
pub(super) fn now(state: &State) -> Result<Duration, Error> {
    Surroundings::of(state)
        .and_then(|surroundings| surroundings.now)
        .ok_or_else(|| Fault::unavailable("pex_now has no clock here"))
}

/// Random bytes.
pub(super) fn random<const N: usize>(state: &State) -> Result<[u8; N], Error> {
    let random = Surroundings::of(state)
        .and_then(|surroundings| surroundings.random.clone())
        .ok_or_else(|| Fault::unavailable("there is no randomness here"))?;
    let mut bytes = [0; N];
    random(&mut bytes);
    Ok(bytes)
}

/// Writes to the log, where there is one.
pub(super) fn log(state: &State, message: &str) {
    if let Some(log) = Surroundings::of(state).and_then(|surroundings| surroundings.log.clone()) {
        log(message);
    }
}
