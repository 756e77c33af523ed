//! The bearer token of a launch, with which its landing page takes the launch up again
//! and tells of it.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use rand::CryptoRng;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};
use vestibule_launch::RequestId;
use vestibule_store::{Bearer, BearerHash, StoreError};
use zeroize::Zeroizing;

use crate::tools::Tools;

/// 256 bits.
const BYTES: usize = 32;

/// Longest text that is looked at as a bearer token.
const LENGTH: usize = 43;

/// A bearer token: 256 random bits in base64url. Wiped from memory when dropped, never
/// shown by `Debug`.
#[derive(Clone)]
pub struct BearerToken(Zeroizing<String>);

/// There is no such launch, its alias has expired, or the token is another one: the same
/// to whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the launch is over, or belongs to another browser; open the visit from the appointment again"
)]
pub struct NoBearer;

/// Why a bearer token is not taken.
#[derive(Debug, thiserror::Error)]
pub enum BearerError {
    /// It is not one of this launch.
    #[error(transparent)]
    None(#[from] NoBearer),
    /// The store failed.
    #[error("the server cannot get at its database; try again soon")]
    Store(#[from] StoreError),
}

impl BearerToken {
    /// A new token.
    pub(super) fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut bytes = Zeroizing::new([0; BYTES]);
        rng.fill_bytes(bytes.as_mut_slice());
        Self(Zeroizing::new(Base64UrlUnpadded::encode_string(
            bytes.as_slice(),
        )))
    }

    /// The token of an `Authorization` header (RFC 6750 section 2.1); `None` where it
    /// carries none that [`BearerToken`] could be.
    pub fn from_header(header: Option<&http::HeaderValue>) -> Option<Self> {
        let (scheme, token) = header?.to_str().ok()?.split_once(' ')?;
        let token = token.trim_start_matches(' ');
        let is_one = token.len() == LENGTH
            && token
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        (scheme.eq_ignore_ascii_case("bearer") && is_one)
            .then(|| Self(Zeroizing::new(token.to_owned())))
    }

    /// The token itself, for the answer that gives it out.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What the server stores. Without salt or stretching: the token cannot be guessed.
    pub fn hash(&self) -> BearerHash {
        BearerHash::from_bytes(Sha256::digest(self.0.as_bytes()).into())
    }

    fn is_of(&self, bearer: &Bearer) -> Choice {
        self.hash().as_bytes().ct_eq(bearer.hash.as_bytes())
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(…)")
    }
}

/// The launch `request_id`, of which `token` is the bearer token.
///
/// # Errors
/// [`BearerError`].
pub async fn find_bearer(
    tools: &Tools,
    request_id: RequestId,
    token: &BearerToken,
) -> Result<Bearer, BearerError> {
    let finding = tools.store.find_bearer(request_id, tools.now());
    match tools.telemetry.stored("find_bearer", finding).await? {
        Some(bearer) if token.is_of(&bearer).into() => Ok(bearer),
        _ => Err(NoBearer.into()),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::random;

    fn read(header: &str) -> Option<String> {
        let header = HeaderValue::from_str(header).unwrap();
        BearerToken::from_header(Some(&header)).map(|token| token.expose().to_owned())
    }

    #[test]
    fn a_token_is_256_random_bits_and_read_as_it_was_given_out() {
        let mut rng = random::system();
        let token = BearerToken::generate(&mut *rng);
        let bytes = Base64UrlUnpadded::decode_vec(token.expose()).unwrap();
        assert_eq!(bytes.len() * 8, 256);
        let other = BearerToken::generate(&mut *rng);
        assert_ne!(token.expose(), other.expose());
        assert_ne!(token.hash(), other.hash());
        for scheme in ["Bearer", "bearer", "BEARER "] {
            let header = format!("{scheme} {}", token.expose());
            assert_eq!(read(&header).as_deref(), Some(token.expose()));
        }
    }

    #[test]
    fn what_cannot_be_a_token_is_none() {
        let token = "a".repeat(LENGTH);
        assert!(read(&format!("Bearer {token}")).is_some());
        for wrong in [
            String::new(),
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            token.clone(),
            format!("Basic {token}"),
            format!("Bearer {token}a"),
            format!("Bearer {}", &token[1..]),
            format!("Bearer {}=", &token[1..]),
            format!("Bearer {} ", &token[1..]),
        ] {
            assert_eq!(read(&wrong), None, "{wrong:?}");
        }
        assert!(BearerToken::from_header(None).is_none());
    }

    #[test]
    fn debug_shows_no_token() {
        let token = BearerToken::generate(&mut *random::system());
        assert_eq!(format!("{token:?}"), "BearerToken(…)");
    }
}
