//! Who has signed in, as a signed JWT (OpenID Connect Core 1.0 section 2), and
//! the key that signs it.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use vestibule_launch::UnixTime;

use crate::{scope::Scopes, visit::Visit};

/// Seconds.
const LIFETIME: i64 = 5 * 60;

/// The key of id tokens, RSA of 2048 bits, which is made when it is first
/// needed. The library that makes it draws from the system's generator and
/// takes no other. Clones are the same key.
#[derive(Clone, Default)]
pub struct IdTokenKey(Arc<OnceLock<KeyPair>>);

/// Signs id tokens with one key.
pub(crate) struct IdTokenSigner {
    issuer: String,
    fhir_base: String,
    key: IdTokenKey,
}

impl IdTokenSigner {
    /// A signer for an issuer whose users are resources under `fhir_base`.
    pub(crate) fn new(issuer: String, fhir_base: String, key: IdTokenKey) -> Self {
        Self {
            issuer,
            fhir_base,
            key,
        }
    }

    /// An id token for the client `client_id`: `fhirUser` and
    /// `preferred_username` where these scopes were granted.
    pub(crate) fn sign(
        &self,
        client_id: &str,
        visit: Visit,
        scopes: Scopes,
        nonce: Option<&str>,
        now: UnixTime,
    ) -> String {
        let seconds = now.as_millis().div_euclid(1000);
        let mut claims = json!({
            "iss": self.issuer,
            "sub": visit.user_id(),
            "aud": client_id,
            "iat": seconds,
            "exp": seconds + LIFETIME,
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        if scopes.contains("fhirUser") {
            claims["fhirUser"] = format!("{}/{}", self.fhir_base, visit.user()).into();
        }
        if scopes.contains("profile") {
            claims["preferred_username"] = visit.user_name().into();
        }
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": self.key_id() });
        let part = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
        let message = format!("{}.{}", part(&header), part(&claims));
        let key = self.key.pair();
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            message.as_bytes(),
            &mut signature,
        )
        .expect("a key of 2048 bits signs a SHA-256 digest");
        format!("{message}.{}", Base64UrlUnpadded::encode_string(&signature))
    }

    /// The public key as a JWK set.
    pub(crate) fn jwks(&self) -> Value {
        let (modulus, exponent) = self.components();
        json!({ "keys": [{
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.key_id(),
            "n": Base64UrlUnpadded::encode_string(&modulus),
            "e": Base64UrlUnpadded::encode_string(&exponent),
        }]})
    }

    /// Base64 of the SHA-256 of the public key, as Epic makes it.
    fn key_id(&self) -> String {
        let (modulus, exponent) = self.components();
        Base64::encode_string(&Sha256::digest([modulus, exponent].concat()))
    }

    fn components(&self) -> (Vec<u8>, Vec<u8>) {
        let public = self.key.pair().public_key();
        (
            public.modulus().big_endian_without_leading_zero().to_vec(),
            public.exponent().big_endian_without_leading_zero().to_vec(),
        )
    }
}

impl IdTokenKey {
    fn pair(&self) -> &KeyPair {
        self.0.get_or_init(|| {
            KeyPair::generate(KeySize::Rsa2048).expect("the system's generator gives random bytes")
        })
    }
}

impl fmt::Debug for IdTokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdTokenKey").finish_non_exhaustive()
    }
}

impl fmt::Debug for IdTokenSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdTokenSigner")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, jwk::JwkSet};

    use super::*;
    use crate::{appointment::Appointment, visit::Visitor};

    const NOW: UnixTime = UnixTime::from_millis(1_700_000_000_500);

    fn signer() -> IdTokenSigner {
        signer_with(IdTokenKey::default())
    }

    fn signer_with(key: IdTokenKey) -> IdTokenSigner {
        IdTokenSigner::new(
            "http://ehr.example/oauth2".to_owned(),
            "http://ehr.example/api/FHIR/R4".to_owned(),
            key,
        )
    }

    fn token(signer: &IdTokenSigner, scopes: &str, nonce: Option<&str>) -> String {
        let visit = Visit {
            appointment: Appointment::find("1").unwrap(),
            visitor: Visitor::Provider,
        };
        signer.sign("app", visit, Scopes::granted(scopes), nonce, NOW)
    }

    fn claims(signer: &IdTokenSigner, token: &str) -> jsonwebtoken::errors::Result<Value> {
        let keys: JwkSet = serde_json::from_value(signer.jwks()).unwrap();
        let kid = jsonwebtoken::decode_header(token)?.kid.unwrap();
        let key = DecodingKey::from_jwk(keys.find(&kid).unwrap())?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&["app"]);
        validation.validate_exp = false;
        decode::<Value>(token, &key, &validation).map(|token| token.claims)
    }

    #[test]
    fn another_implementation_verifies_the_token_by_the_published_key() {
        let signer = signer();
        let token = token(&signer, "openid fhirUser profile", Some("n-0S6"));
        assert_eq!(
            claims(&signer, &token).unwrap(),
            json!({
                "iss": "http://ehr.example/oauth2",
                "sub": "ePrM2vKd7HtQe9Lw4Xs6ZnQ3",
                "aud": "app",
                "iat": 1_700_000_000,
                "exp": 1_700_000_300,
                "nonce": "n-0S6",
                "fhirUser": "http://ehr.example/api/FHIR/R4/Practitioner/ePrM2vKd7HtQe9Lw4Xs6ZnQ3",
                "preferred_username": "MHALVORSEN",
            })
        );
        let other = self::token(&self::signer(), "openid", None);
        assert!(claims(&signer, &format!("{}x", &token[..token.len() - 1])).is_err());
        assert_ne!(token, other);
    }

    #[test]
    fn signers_with_clones_of_a_key_publish_the_same_one() {
        let key = IdTokenKey::default();
        let keys = signer_with(key.clone()).jwks();
        assert_eq!(keys, signer_with(key).jwks());
        assert_ne!(keys, signer().jwks());
    }

    #[test]
    fn claims_that_were_not_granted_are_left_out() {
        let signer = signer();
        let claims = claims(&signer, &token(&signer, "openid", None)).unwrap();
        for name in ["nonce", "fhirUser", "preferred_username"] {
            assert!(claims.get(name).is_none(), "{name}");
        }
    }
}
