//! Public keys as EHRs fetch them (RFC 7517, RFC 7518 section 6).

use std::{fmt, str::FromStr};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// The name of a key in a key set (`kid`): 1 to 128 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyId(String);

/// The text cannot name a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key id is 1 to 128 visible ASCII characters")]
pub struct KeyIdInvalid;

/// The public half of an [`AssertionKey`](crate::AssertionKey).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Jwk {
    #[serde(flatten)]
    parameters: Parameters,
    kid: KeyId,
    alg: &'static str,
    #[serde(rename = "use")]
    key_use: &'static str,
}

/// The document to serve as `application/json`, publicly and at a stable
/// https URL. EHRs cache it: Epic up to 29 hours, unless `Cache-Control` says
/// less. To replace a key: publish the new one beside the old one, sign with
/// the new one, and drop the old one five minutes later at the earliest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Jwks {
    keys: Vec<Jwk>,
}

/// Two different keys have the same id, so that an EHR could not tell them apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two different keys have the key id `{0}`; give one of them another")]
pub struct KeyIdTwice(KeyId);

impl KeyId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyId {
    type Err = KeyIdInvalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(KeyIdInvalid)
        }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Jwk {
    pub(crate) fn new(parameters: Parameters, kid: KeyId, alg: &'static str) -> Self {
        Self {
            parameters,
            kid,
            alg,
            key_use: "sig",
        }
    }

    /// The key's name.
    pub fn kid(&self) -> &KeyId {
        &self.kid
    }
}

impl Jwks {
    /// A set of keys, the one to sign with and those that were or will be. A key
    /// that is given twice is listed once.
    pub fn new(keys: impl IntoIterator<Item = Jwk>) -> Result<Self, KeyIdTwice> {
        let mut set: Vec<Jwk> = Vec::new();
        for key in keys {
            match set.iter().find(|other| other.kid == key.kid) {
                None => set.push(key),
                Some(other) if *other == key => {}
                Some(_) => return Err(KeyIdTwice(key.kid)),
            }
        }
        Ok(Self { keys: set })
    }

    /// The keys.
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }
}

/// What is the key itself, in the order of RFC 7638 section 3.2 after `kty`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kty")]
pub(crate) enum Parameters {
    #[serde(rename = "RSA")]
    Rsa { e: String, n: String },
    #[serde(rename = "EC")]
    Ec {
        crv: &'static str,
        x: String,
        y: String,
    },
}

impl Parameters {
    /// From big-endian integers without leading zeros.
    pub(crate) fn rsa(modulus: &[u8], exponent: &[u8]) -> Self {
        Self::Rsa {
            e: Base64UrlUnpadded::encode_string(exponent),
            n: Base64UrlUnpadded::encode_string(modulus),
        }
    }

    /// From an uncompressed point: 4, then 48 bytes each.
    pub(crate) fn p384(point: &[u8]) -> Self {
        let (x, y) = point[1..].split_at(48);
        Self::Ec {
            crv: "P-384",
            x: Base64UrlUnpadded::encode_string(x),
            y: Base64UrlUnpadded::encode_string(y),
        }
    }

    /// The thumbprint of RFC 7638, by which keys are named where nobody names them.
    pub(crate) fn thumbprint(&self) -> KeyId {
        let canonical = match self {
            Self::Rsa { e, n } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
            Self::Ec { crv, x, y } => {
                format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
        };
        KeyId(Base64UrlUnpadded::encode_string(&Sha256::digest(canonical)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_thumbprint_of_rfc_7638() {
        let key = Parameters::Rsa {
            e: "AQAB".to_owned(),
            n: "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw".to_owned(),
        };
        assert_eq!(
            key.thumbprint().as_str(),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
    }

    fn key(byte: u8, kid: &str) -> Jwk {
        let mut point = [byte; 97];
        point[0] = 4;
        Jwk::new(Parameters::p384(&point), kid.parse().unwrap(), "ES384")
    }

    #[test]
    fn a_set_lists_each_key_once() {
        let set = Jwks::new([key(1, "a"), key(2, "b"), key(1, "a")]).unwrap();
        let document = serde_json::to_value(&set).unwrap();
        let coordinate = |byte| Base64UrlUnpadded::encode_string(&[byte; 48]);
        assert_eq!(
            document,
            serde_json::json!({"keys": [
                {"kty": "EC", "crv": "P-384", "x": coordinate(1), "y": coordinate(1), "kid": "a", "alg": "ES384", "use": "sig"},
                {"kty": "EC", "crv": "P-384", "x": coordinate(2), "y": coordinate(2), "kid": "b", "alg": "ES384", "use": "sig"},
            ]})
        );
        let rsa = Jwk::new(
            Parameters::rsa(&[0xff, 0x01], &[1, 0, 1]),
            "r".parse().unwrap(),
            "RS384",
        );
        assert_eq!(
            serde_json::to_value(&rsa).unwrap(),
            serde_json::json!({"kty": "RSA", "n": "_wE", "e": "AQAB", "kid": "r", "alg": "RS384", "use": "sig"})
        );
    }

    #[test]
    fn two_keys_cannot_have_one_id() {
        let twice = Jwks::new([key(1, "a"), key(2, "a")]).unwrap_err();
        assert_eq!(twice, KeyIdTwice("a".parse().unwrap()));
    }

    #[test]
    fn key_ids_are_short_and_visible() {
        for id in ["", "a b", "é", "a\n", &"a".repeat(129)] {
            assert_eq!(id.parse::<KeyId>(), Err(KeyIdInvalid));
        }
        assert_eq!("2026-11/a".parse::<KeyId>().unwrap().as_str(), "2026-11/a");
    }
}
