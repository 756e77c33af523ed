//! What the simulated EHR hands out. It keeps digests only, so that it is written down as it
//! is drawn.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use rand::{CryptoRng, Rng as _, TryCryptoRng, TryRng};
use vestibule_server::random;
use vestibule_test_log::{Class, secret};

/// Launch tokens, codes, access tokens and refresh tokens: each 256 random bits in
/// base64url.
const BYTES: usize = 32;

/// All that was issued so far.
#[derive(Clone, Default)]
pub(crate) struct Issued(Arc<Mutex<Vec<String>>>);

/// The operating system's generator, with somebody who looks on.
struct Watched {
    rng: Box<dyn CryptoRng + Send>,
    issued: Issued,
}

impl Issued {
    /// Randomness for the EHR.
    pub(crate) fn generator(&self) -> Box<dyn CryptoRng + Send> {
        Box::new(Watched {
            rng: random::system(),
            issued: self.clone(),
        })
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl TryRng for Watched {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.rng.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.rng.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.rng.fill_bytes(bytes);
        if bytes.len() == BYTES {
            let token = Base64UrlUnpadded::encode_string(bytes);
            secret(Class::Token, &token);
            self.issued.0.lock().unwrap().push(token);
        }
        Ok(())
    }
}

impl TryCryptoRng for Watched {}
