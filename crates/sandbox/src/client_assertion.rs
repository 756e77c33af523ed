//! `private_key_jwt`: an application proves who it is by a signed assertion
//! (RFC 7523, SMART App Launch 2.2 "Client authentication: asymmetric", and
//! Epic's rules for `jti` and lifetimes).

use jsonwebtoken::{Algorithm, Header, Validation, dangerous::insecure_decode, decode};
use serde_json::{Map, Value};
use vestibule_launch::UnixTime;

use crate::client_keys::{KeySet, NoKey};

/// The only `client_assertion_type`.
pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Longest time from `iat`, and from now, to `exp`, in seconds.
const LIFETIME_MAX: i64 = 5 * 60;
/// Longest `jti`, in bytes: what Epic takes.
const JTI_MAX: usize = 151;

/// An assertion of which nothing is verified yet.
pub(crate) struct ClientAssertion<'a> {
    text: &'a str,
    header: Header,
    claims: Map<String, Value>,
}

/// What a verified assertion says beside who it is of.
pub(crate) struct Verified {
    pub(crate) jti: String,
    pub(crate) expires: UnixTime,
}

/// Why an assertion is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AssertionFault {
    #[error("client_assertion is not a signed JWT")]
    Malformed,
    #[error("the header of client_assertion must have typ JWT")]
    Type,
    #[error("the header of client_assertion has crit, of which nothing is understood")]
    Critical,
    #[error("the header of client_assertion has no kid")]
    KeyIdMissing,
    #[error("no registered key has the kid of client_assertion")]
    KeyUnknown,
    #[error("more than one registered key has the kid of client_assertion")]
    KeyAmbiguous,
    #[error("alg must be the one of the key: RS384 or ES384")]
    Algorithm,
    #[error("the signature of client_assertion is wrong")]
    Signature,
    #[error("iss and sub of client_assertion must both be the client_id")]
    Issuer,
    #[error("aud of client_assertion must be the address of the token endpoint, as a string")]
    Audience,
    #[error("exp, iat and nbf of client_assertion must be whole seconds, and exp must be there")]
    Times,
    #[error("client_assertion has expired")]
    Expired,
    #[error("exp of client_assertion is more than five minutes ahead or after iat")]
    LivesTooLong,
    #[error("iat or nbf of client_assertion is in the future")]
    FromTheFuture,
    #[error("jti of client_assertion must be a string of 1 to 151 bytes")]
    Identifier,
    #[error("the jti of client_assertion was used before")]
    Replayed,
}

impl<'a> ClientAssertion<'a> {
    /// Reads an assertion without believing it.
    pub(crate) fn read(text: &'a str) -> Result<Self, AssertionFault> {
        let read = insecure_decode(text).map_err(|_| AssertionFault::Malformed)?;
        Ok(Self {
            text,
            header: read.header,
            claims: read.claims,
        })
    }

    /// Whose assertion it claims to be.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.string("iss")
    }

    /// Verifies that the assertion is of the client `id`, for `audience`, good
    /// `now`, and signed by one of `keys`. Whether its `jti` was used before is
    /// for the caller to say.
    pub(crate) fn verify(
        &self,
        id: &str,
        audience: &str,
        keys: &KeySet,
        now: UnixTime,
    ) -> Result<Verified, AssertionFault> {
        if self.header.typ.as_deref() != Some("JWT") {
            return Err(AssertionFault::Type);
        }
        if self.header.crit.is_some() {
            return Err(AssertionFault::Critical);
        }
        let key_id = self.header.kid.as_deref();
        let (algorithm, key) = keys
            .find(key_id.ok_or(AssertionFault::KeyIdMissing)?)
            .map_err(|fault| match fault {
                NoKey::Unknown => AssertionFault::KeyUnknown,
                NoKey::Ambiguous => AssertionFault::KeyAmbiguous,
            })?;
        if self.header.alg != algorithm {
            return Err(AssertionFault::Algorithm);
        }
        decode::<Map<String, Value>>(self.text, key, &signature_only(algorithm))
            .map_err(|_| AssertionFault::Signature)?;

        if self.issuer() != Some(id) || self.string("sub") != Some(id) {
            return Err(AssertionFault::Issuer);
        }
        if self.string("aud") != Some(audience) {
            return Err(AssertionFault::Audience);
        }
        let expires = self.expires(now)?;
        let jti = self
            .string("jti")
            .filter(|jti| (1..=JTI_MAX).contains(&jti.len()))
            .ok_or(AssertionFault::Identifier)?;
        Ok(Verified {
            jti: jti.to_owned(),
            expires,
        })
    }

    fn expires(&self, now: UnixTime) -> Result<UnixTime, AssertionFault> {
        let time = |name| {
            self.claims
                .get(name)
                .map(|value| value.as_i64().ok_or(AssertionFault::Times))
                .transpose()
        };
        let (exp, iat, nbf) = (time("exp")?, time("iat")?, time("nbf")?);
        let exp = exp.ok_or(AssertionFault::Times)?;
        let seconds = now.as_millis().div_euclid(1000);
        if exp <= seconds {
            return Err(AssertionFault::Expired);
        }
        if iat.max(nbf).is_some_and(|time| time > seconds) {
            return Err(AssertionFault::FromTheFuture);
        }
        let begin = iat.unwrap_or(seconds).min(seconds);
        if exp.saturating_sub(begin) > LIFETIME_MAX {
            return Err(AssertionFault::LivesTooLong);
        }
        Ok(UnixTime::from_millis(exp.saturating_mul(1000)))
    }

    fn string(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }
}

/// The claims are judged here, by the clock that was passed in.
fn signature_only(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        rand::SystemRandom,
        signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
    };
    use base64ct::{Base64UrlUnpadded, Encoding};
    use jsonwebtoken::EncodingKey;
    use serde_json::json;

    use super::*;

    const NOW: UnixTime = UnixTime::from_millis(1_700_000_000_999);
    const SECONDS: i64 = 1_700_000_000;
    const AUDIENCE: &str = "http://127.0.0.1:7081/oauth2/token";

    /// An application with a key of its own.
    struct App {
        signing: EncodingKey,
        keys: KeySet,
    }

    impl App {
        fn new() -> Self {
            let algorithm = &ECDSA_P384_SHA384_FIXED_SIGNING;
            let private = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, private.as_ref()).unwrap();
            let (x, y) = pair.public_key().as_ref()[1..].split_at(48);
            let set = json!({ "keys": [{
                "kty": "EC",
                "crv": "P-384",
                "kid": "k1",
                "x": Base64UrlUnpadded::encode_string(x),
                "y": Base64UrlUnpadded::encode_string(y),
            }]});
            Self {
                signing: EncodingKey::from_ec_der(private.as_ref()),
                keys: KeySet::parse(set.to_string().as_bytes()).unwrap(),
            }
        }

        fn outcome(&self, header: &Header, claims: &Value) -> Result<Verified, AssertionFault> {
            let text = jsonwebtoken::encode(header, claims, &self.signing).unwrap();
            ClientAssertion::read(&text)?.verify("app", AUDIENCE, &self.keys, NOW)
        }

        fn fault(&self, header: &Header, claims: &Value) -> AssertionFault {
            self.outcome(header, claims).err().unwrap()
        }
    }

    fn header() -> Header {
        let mut header = Header::new(Algorithm::ES384);
        header.kid = Some("k1".to_owned());
        header
    }

    fn claims() -> Value {
        json!({
            "iss": "app",
            "sub": "app",
            "aud": AUDIENCE,
            "exp": SECONDS + 300,
            "iat": SECONDS,
            "jti": "j1",
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    /// SMART App Launch 2.2, example of an asymmetric launch.
    #[test]
    fn the_published_assertion_is_accepted_until_it_expires() {
        let text = "eyJ0eXAiOiJKV1QiLCJraWQiOiJhZmIyN2MyODRmMmQ5Mzk1OWMxOGZhMDMyMGUzMjA2MCIsImFsZyI6IkVTMzg0In0.eyJpc3MiOiJkZW1vX2FwcF93aGF0ZXZlciIsInN1YiI6ImRlbW9fYXBwX3doYXRldmVyIiwiYXVkIjoiaHR0cHM6Ly9zbWFydC5hcmdvLnJ1bi92L3I0L3NpbS9leUp0SWpvaU1TSXNJbXNpT2lJeElpd2lhU0k2SWpFaUxDSnFJam9pTVNJc0ltSWlPaUk0TjJFek16bGtNQzA0WTJGbExUUXhPR1V0T0Rsak55MDROalV4WlRaaFlXSXpZellpZlEvYXV0aC90b2tlbiIsImp0aSI6ImQ4MDJiZDcyY2ZlYTA2MzVhM2EyN2IwODE3YjgxZTQxZTBmNzQzMzE4MTg4OTM4YjAxMmMyMDM2NmJkZmU4YTEiLCJleHAiOjE2MzM1MzIxMzR9.eHUtXmppOLIMAfBM4mFpcgJ90bDNYWQpkm7--yRS2LY5HoXwr3FpqHMTrjhK60r5kgYGFg6v9IQaUFKFpn1N2Eyty62JWxvGXRlgEDbdX9wAAr8TeWnsAT_2orfpn6wz";
        let keys = KeySet::parse(
            json!({ "keys": [{
                "kty": "EC",
                "crv": "P-384",
                "x": "wcE8O55ro6aOuTf5Ty1k_IG4mTcuLiVercHouge1G5Ri-leevhev4uJzlHpi3U8r",
                "y": "mLRgz8Giu6XA_AqG8bywqbygShmd8jowflrdx0KQtM5X4s4aqDeCRfcpexykp3aI",
                "kid": "afb27c284f2d93959c18fa0320e32060",
                "alg": "ES384",
            }]})
            .to_string()
            .as_bytes(),
        )
        .unwrap();
        let audience = "https://smart.argo.run/v/r4/sim/eyJtIjoiMSIsImsiOiIxIiwiaSI6IjEiLCJqIjoiMSIsImIiOiI4N2EzMzlkMC04Y2FlLTQxOGUtODljNy04NjUxZTZhYWIzYzYifQ/auth/token";
        let assertion = ClientAssertion::read(text).unwrap();
        let id = assertion.issuer().unwrap();
        assert_eq!(id, "demo_app_whatever");
        let at = |seconds: i64| {
            let now = UnixTime::from_millis(seconds * 1000);
            assertion.verify(id, audience, &keys, now)
        };
        let good = at(1_633_532_133).unwrap();
        assert_eq!(good.expires.as_millis(), 1_633_532_134_000);
        assert_eq!(
            good.jti,
            "d802bd72cfea0635a3a27b0817b81e41e0f743318188938b012c20366bdfe8a1"
        );
        assert!(at(1_633_531_834).is_ok(), "five minutes ahead");
        assert_eq!(at(1_633_531_833).err(), Some(AssertionFault::LivesTooLong));
        assert_eq!(at(1_633_532_134).err(), Some(AssertionFault::Expired));
    }

    #[test]
    fn a_good_assertion_is_accepted() {
        let app = App::new();
        let good = app.outcome(&header(), &claims()).unwrap();
        assert_eq!(good.jti, "j1");
        assert_eq!(good.expires.as_millis(), (SECONDS + 300) * 1000);
    }

    #[test]
    fn a_claim_that_is_missing_or_wrong_is_named() {
        use AssertionFault::{
            Audience, Expired, FromTheFuture, Identifier, Issuer, LivesTooLong, Times,
        };
        let app = App::new();
        for (name, value, fault) in [
            ("iss", json!("other"), Issuer),
            ("sub", json!("other"), Issuer),
            ("sub", json!(null), Issuer),
            (
                "aud",
                json!("http://127.0.0.1:7081/oauth2/token/"),
                Audience,
            ),
            ("aud", json!([AUDIENCE]), Audience),
            ("aud", json!(null), Audience),
            ("exp", json!(null), Times),
            ("exp", json!("1700000100"), Times),
            ("exp", json!(1_700_000_100.5), Times),
            ("exp", json!(SECONDS), Expired),
            ("exp", json!(SECONDS + 301), LivesTooLong),
            ("exp", json!(i64::MAX), LivesTooLong),
            ("iat", json!(SECONDS + 1), FromTheFuture),
            ("iat", json!(SECONDS - 1), LivesTooLong),
            ("nbf", json!(SECONDS + 1), FromTheFuture),
            ("jti", json!(null), Identifier),
            ("jti", json!(""), Identifier),
            ("jti", json!(7), Identifier),
            ("jti", json!("j".repeat(152)), Identifier),
        ] {
            let mut claims = with(name, value.clone());
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            }
            assert_eq!(app.fault(&header(), &claims), fault, "{name} {value}");
        }
        let longest = with("jti", json!("j".repeat(151)));
        assert!(app.outcome(&header(), &longest).is_ok());
    }

    #[test]
    fn a_header_that_is_wrong_is_refused() {
        let app = App::new();
        let mut wrong = header();
        wrong.typ = None;
        assert_eq!(app.fault(&wrong, &claims()), AssertionFault::Type);
        let mut wrong = header();
        wrong.crit = Some(vec!["exp".to_owned()]);
        assert_eq!(app.fault(&wrong, &claims()), AssertionFault::Critical);
        let mut wrong = header();
        wrong.kid = None;
        assert_eq!(app.fault(&wrong, &claims()), AssertionFault::KeyIdMissing);
        let mut wrong = header();
        wrong.kid = Some("k2".to_owned());
        assert_eq!(app.fault(&wrong, &claims()), AssertionFault::KeyUnknown);
    }

    #[test]
    fn the_algorithm_is_that_of_the_key_whatever_the_header_says() {
        let app = App::new();
        let mut hmac = Header::new(Algorithm::HS384);
        hmac.kid = Some("k1".to_owned());
        let secret = EncodingKey::from_secret(b"whatever");
        let text = jsonwebtoken::encode(&hmac, &claims(), &secret).unwrap();
        let outcome = ClientAssertion::read(&text)
            .unwrap()
            .verify("app", AUDIENCE, &app.keys, NOW);
        assert_eq!(outcome.err(), Some(AssertionFault::Algorithm));

        let part = |value: Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
        let none = json!({ "alg": "none", "typ": "JWT", "kid": "k1" });
        let text = format!("{}.{}.", part(none), part(claims()));
        let read = ClientAssertion::read(&text);
        assert_eq!(read.err(), Some(AssertionFault::Malformed));
    }

    #[test]
    fn a_signature_of_another_key_or_over_other_claims_is_refused() {
        let (app, other) = (App::new(), App::new());
        let sign = |app: &App, claims: &Value| {
            jsonwebtoken::encode(&header(), claims, &app.signing).unwrap()
        };
        let theirs = sign(&other, &claims());
        let ours = sign(&app, &claims());
        let (signed, signature) = ours.rsplit_once('.').unwrap();
        let (head, _) = signed.split_once('.').unwrap();
        let (_, body) = theirs.rsplit_once('.').unwrap();
        let replaced = sign(&app, &with("jti", json!("j2")));
        let replaced = replaced.split('.').nth(1).unwrap();
        for text in [
            theirs.clone(),
            format!("{signed}.{body}"),
            format!("{signed}."),
            format!("{head}.{replaced}.{signature}"),
        ] {
            let outcome = ClientAssertion::read(&text)
                .unwrap()
                .verify("app", AUDIENCE, &app.keys, NOW);
            assert_eq!(outcome.err(), Some(AssertionFault::Signature), "{text}");
        }
    }

    #[test]
    fn what_is_no_jwt_is_refused() {
        for text in ["", "a", "a.b", "a.b.c", "a.b.c.d", "e30.e30.", "..."] {
            let read = ClientAssertion::read(text);
            assert_eq!(read.err(), Some(AssertionFault::Malformed), "{text}");
        }
    }
}
