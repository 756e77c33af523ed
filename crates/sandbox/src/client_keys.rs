//! Public keys of applications that authenticate by a signed assertion: a JWK
//! set (RFC 7517), in the configuration or at an address.

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use serde_json::Value;
use url::Url;

/// Longest JWK set, in bytes.
pub(crate) const KEY_SET_MAX: usize = 64 * 1024;
/// Most keys in a set.
const KEYS_MAX: usize = 32;
/// Members that only a private or a symmetric key has (RFC 7518 section 6).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Where the keys of an application are.
#[derive(Clone, Debug)]
pub(crate) enum ClientKeys {
    /// In the configuration.
    Inline(KeySet),
    /// At its JWKS URL, from where they are fetched for every assertion: so a
    /// key counts from when it is published to when it is withdrawn.
    At(Url),
}

/// The keys of a set that can sign an assertion.
#[derive(Clone, Debug)]
pub(crate) struct KeySet(Vec<Key>);

#[derive(Clone, Debug)]
struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

/// Why a JWK set cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeySetFault {
    #[error("the JWK set is longer than 65536 bytes or has more than 32 keys")]
    TooLong,
    #[error("the JWK set is not a JSON object with an array keys")]
    NotAKeySet,
    #[error("the JWK set shows a private or symmetric key: publish the public part only")]
    Private,
    #[error("the JWK set has no RSA key for RS384 and no P-384 key for ES384")]
    Empty,
}

/// Why a set has no key for an assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoKey {
    Unknown,
    Ambiguous,
}

impl KeySet {
    pub(crate) fn parse(json: &[u8]) -> Result<Self, KeySetFault> {
        if json.len() > KEY_SET_MAX {
            return Err(KeySetFault::TooLong);
        }
        let set: Value = serde_json::from_slice(json).map_err(|_| KeySetFault::NotAKeySet)?;
        let keys = set["keys"].as_array().ok_or(KeySetFault::NotAKeySet)?;
        if keys.len() > KEYS_MAX {
            return Err(KeySetFault::TooLong);
        }
        let private = |key: &Value| PRIVATE_MEMBERS.iter().any(|name| key.get(name).is_some());
        if keys.iter().any(private) {
            return Err(KeySetFault::Private);
        }
        let keys: Vec<_> = keys.iter().filter_map(Key::read).collect();
        if keys.is_empty() {
            return Err(KeySetFault::Empty);
        }
        Ok(Self(keys))
    }

    /// The one key with this `kid`, and the algorithm it is for.
    pub(crate) fn find(&self, id: &str) -> Result<(Algorithm, &DecodingKey), NoKey> {
        let mut found = self.0.iter().filter(|key| key.id.as_deref() == Some(id));
        match (found.next(), found.next()) {
            (Some(key), None) => Ok((key.algorithm, &key.key)),
            (Some(_), Some(_)) => Err(NoKey::Ambiguous),
            (None, _) => Err(NoKey::Unknown),
        }
    }
}

impl Key {
    /// None where the key is not for RS384 or ES384 signatures.
    fn read(value: &Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
        let (algorithm, name) = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => (Algorithm::RS384, KeyAlgorithm::RS384),
            AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P384 => {
                (Algorithm::ES384, KeyAlgorithm::ES384)
            }
            _ => return None,
        };
        let common = &jwk.common;
        let signs = common
            .public_key_use
            .as_ref()
            .is_none_or(|usage| *usage == PublicKeyUse::Signature);
        if !signs || common.key_algorithm.is_some_and(|given| given != name) {
            return None;
        }
        Some(Self {
            id: common.key_id.clone(),
            algorithm,
            key: DecodingKey::from_jwk(&jwk).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KEY_ID: &str = "afb27c284f2d93959c18fa0320e32060";

    /// The key of SMART App Launch 2.2, example of an asymmetric launch.
    fn published() -> Value {
        json!({
            "kty": "EC",
            "crv": "P-384",
            "x": "wcE8O55ro6aOuTf5Ty1k_IG4mTcuLiVercHouge1G5Ri-leevhev4uJzlHpi3U8r",
            "y": "mLRgz8Giu6XA_AqG8bywqbygShmd8jowflrdx0KQtM5X4s4aqDeCRfcpexykp3aI",
            "kid": KEY_ID,
            "alg": "ES384",
        })
    }

    fn set(keys: &Value) -> Result<KeySet, KeySetFault> {
        KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
    }

    fn with(name: &str, value: &Value) -> Value {
        let mut key = published();
        key[name] = value.clone();
        key
    }

    #[test]
    fn a_published_key_is_found_by_its_id() {
        let set =
            set(&json!([{ "kty": "OKP", "crv": "Ed25519", "x": "AA" }, published()])).unwrap();
        let (algorithm, _) = set.find(KEY_ID).unwrap();
        assert_eq!(algorithm, Algorithm::ES384);
        assert_eq!(set.find("other").unwrap_err(), NoKey::Unknown);
    }

    #[test]
    fn two_keys_of_one_id_are_ambiguous() {
        let set = set(&json!([published(), published()])).unwrap();
        let found = set.find(KEY_ID);
        assert_eq!(found.unwrap_err(), NoKey::Ambiguous);
    }

    #[test]
    fn a_key_for_something_else_is_no_key() {
        for (name, value) in [
            ("use", json!("enc")),
            ("alg", json!("ES256")),
            ("crv", json!("P-256")),
            ("x", json!("?")),
        ] {
            let outcome = set(&json!([with(name, &value)]));
            assert_eq!(outcome.unwrap_err(), KeySetFault::Empty, "{name}");
        }
    }

    #[test]
    fn a_set_that_shows_a_private_key_is_refused_whole() {
        for name in PRIVATE_MEMBERS {
            let outcome = set(&json!([published(), with(name, &json!("AA"))]));
            assert_eq!(outcome.unwrap_err(), KeySetFault::Private, "{name}");
        }
    }

    #[test]
    fn what_is_no_key_set_is_refused() {
        for text in ["", "[]", "{}", r#"{"keys":{}}"#] {
            let outcome = KeySet::parse(text.as_bytes());
            assert_eq!(outcome.unwrap_err(), KeySetFault::NotAKeySet, "{text}");
        }
        assert_eq!(set(&json!([])).unwrap_err(), KeySetFault::Empty);
        let many = vec![published(); KEYS_MAX + 1];
        assert_eq!(set(&json!(many)).unwrap_err(), KeySetFault::TooLong);
        let long = vec![b' '; KEY_SET_MAX + 1];
        assert_eq!(KeySet::parse(&long).unwrap_err(), KeySetFault::TooLong);
    }
}
