//! The identifier of one launch.

use core::{fmt, str::FromStr};

use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `telehealth_request_id`: identifies one attempt to join a visit. It may be
/// shown and logged; it gives access to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(Uuid);

impl RequestId {
    /// A new identifier: a version 4 UUID (RFC 9562 section 5.4).
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self::from_random_bytes(bytes)
    }

    /// A new identifier made of these random bytes, for callers that have no
    /// generator to pass.
    pub fn from_random_bytes(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// The 16 bytes of the UUID.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The identifier with these 16 bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for RequestId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::ChaCha20Rng};

    use super::*;

    #[test]
    fn a_new_identifier_is_a_random_uuid_and_is_read_back() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let id = RequestId::generate(&mut rng);
        let text = id.to_string();
        assert_eq!((text.len(), &text[14..15]), (36, "4"));
        assert_eq!(text.parse::<RequestId>().unwrap(), id);
        assert_eq!(RequestId::from_bytes(*id.as_bytes()), id);
        assert_eq!(serde_json::to_value(id).unwrap(), text);
        assert_ne!(RequestId::generate(&mut rng), id);
        assert!("no uuid".parse::<RequestId>().is_err());
    }
}
