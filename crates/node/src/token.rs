//! Tokens: what a participant shows with each request after the first.

use std::fmt;

use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};
use base64ct::{Base64UrlUnpadded, Encoding};
use rand::CryptoRng;
use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::refusal::Refusal;

const RANDOM_BYTES: usize = 32;

/// Longer than any token, and short enough to hash without a thought.
const LONGEST: usize = 256;

/// A token on its way to a client: 256 random bits in base64url, an alphabet
/// that needs no escaping in the query of an event stream's address.
pub(crate) struct Token(Zeroizing<String>);

impl Token {
    pub(crate) fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut bytes = Zeroizing::new([0; RANDOM_BYTES]);
        rng.fill_bytes(bytes.as_mut_slice());
        Self(Zeroizing::new(Base64UrlUnpadded::encode_string(
            bytes.as_slice(),
        )))
    }

    pub(crate) fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// What the node keeps of a token: its SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TokenHash([u8; 32]);

impl TokenHash {
    pub(crate) fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// From the `token` header or else the query: browsers can set no header on an
/// `EventSource` or a beacon.
impl<S: Send + Sync> FromRequestParts<S> for TokenHash {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        #[derive(Deserialize)]
        struct InQuery {
            token: String,
        }
        let token = match parts.headers.get("token") {
            Some(header) => header
                .to_str()
                .ok()
                .map(|token| Zeroizing::new(token.trim().to_owned())),
            None => Query::<InQuery>::from_request_parts(parts, state)
                .await
                .ok()
                .map(|Query(InQuery { token })| Zeroizing::new(token)),
        };
        token
            .filter(|token| token.len() <= LONGEST)
            .map(|token| Self::of(&token))
            .ok_or(Refusal::InvalidToken)
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::ChaCha20Rng};

    use super::*;

    #[test]
    fn a_token_is_base64url_of_256_bits_and_never_the_same_twice() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let (first, second) = (Token::generate(&mut rng), Token::generate(&mut rng));
        assert_ne!(*first.0, *second.0);
        assert_eq!(first.0.len(), 43);
        let alphabet = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        assert!(first.0.chars().all(alphabet), "{}", *first.0);
    }

    #[test]
    fn debug_shows_neither_token_nor_hash() {
        let token = Token::generate(&mut ChaCha20Rng::from_seed([1; 32]));
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert_eq!(format!("{:?}", token.hash()), "TokenHash(…)");
    }
}
