//! One random number generator for all of the server.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use rand::{CryptoRng, rand_core::UnwrapErr, rngs::SysRng};

/// A random number generator that requests share.
pub struct Random(Mutex<Box<dyn CryptoRng + Send>>);

impl Random {
    /// Shares a generator.
    pub fn new(rng: Box<dyn CryptoRng + Send>) -> Self {
        Self(Mutex::new(rng))
    }

    /// Lends the generator out. `draw` must not wait for anything.
    pub fn with<T>(&self, draw: impl FnOnce(&mut (dyn CryptoRng + Send)) -> T) -> T {
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        draw(&mut **rng)
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random(…)")
    }
}

/// The operating system's generator. It panics where the system has no entropy,
/// because nothing here could go on without.
pub fn system() -> Box<dyn CryptoRng + Send> {
    Box::new(UnwrapErr(SysRng))
}
