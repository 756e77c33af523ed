//! Client assertions: `private_key_jwt` (RFC 7523 sections 2.2 and 3; SMART App
//! Launch 2.2, "Client Authentication: Asymmetric").

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use rand::CryptoRng;
use secrecy::SecretString;
use serde::Serialize;
use vestibule_launch::UnixTime;

use crate::{AssertionKey, TokenEndpoint};

/// The value of `client_assertion_type`.
pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far `iat` lies back, so that an EHR whose clock is a little late does not
/// find it in the future.
const BACKDATED: Duration = Duration::from_secs(5);
/// How long an assertion is good. EHRs allow five minutes, counted by their own
/// clock; the rest is for a clock here that is a little early.
const LIFE: Duration = Duration::from_secs(4 * 60);

#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    typ: &'a str,
    kid: &'a str,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    jti: String,
    iat: i64,
    exp: i64,
}

impl AssertionKey {
    /// A signed assertion that the holder of this key is the client `client_id`,
    /// for one request to `endpoint`: servers refuse a second one. Secret while
    /// it is good, from five seconds before `now` to four minutes after.
    pub fn assertion(
        &self,
        client_id: &str,
        endpoint: &TokenEndpoint,
        now: UnixTime,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> SecretString {
        let mut id = [0; 24];
        rng.fill_bytes(&mut id);
        let header = Header {
            alg: self.algorithm().as_str(),
            typ: "JWT",
            kid: self.kid().as_str(),
        };
        let claims = Claims {
            iss: client_id,
            sub: client_id,
            aud: endpoint.as_str(),
            jti: Base64UrlUnpadded::encode_string(&id),
            iat: seconds(now - BACKDATED),
            exp: seconds(now + LIFE),
        };
        let signed = format!("{}.{}", encoded(&header), encoded(&claims));
        let signature = Base64UrlUnpadded::encode_string(&self.sign(signed.as_bytes()));
        format!("{signed}.{signature}").into()
    }
}

fn encoded(part: &impl Serialize) -> String {
    let json = serde_json::to_vec(part).expect("texts and numbers are JSON");
    Base64UrlUnpadded::encode_string(&json)
}

/// Whole seconds since the Unix epoch, rounded down.
fn seconds(time: UnixTime) -> i64 {
    time.as_millis().div_euclid(1000)
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::ChaCha20Rng};
    use secrecy::ExposeSecret as _;
    use serde_json::Value;

    use super::*;
    use crate::KeyKind;

    const NOW: UnixTime = UnixTime::from_millis(1_800_000_000_999);

    fn parts(assertion: &SecretString) -> [Value; 2] {
        let mut parts = assertion.expose_secret().split('.').map(|part| {
            let bytes = Base64UrlUnpadded::decode_vec(part).unwrap();
            serde_json::from_slice(&bytes).unwrap_or_default()
        });
        [parts.next().unwrap(), parts.next().unwrap()]
    }

    #[test]
    fn an_assertion_says_who_where_and_when_for_less_than_five_minutes() {
        let key = AssertionKey::generate(KeyKind::P384)
            .unwrap()
            .with_kid("2026/a".parse().unwrap());
        let endpoint = "https://EHR.example:443/token".parse().unwrap();
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        let assertion = key.assertion("client \"1\"", &endpoint, NOW, &mut rng);
        let [header, claims] = parts(&assertion);
        assert_eq!(
            header,
            serde_json::json!({"alg": "ES384", "typ": "JWT", "kid": "2026/a"})
        );
        assert_eq!(
            (&claims["iss"], &claims["sub"]),
            (&"client \"1\"".into(), &"client \"1\"".into())
        );
        assert_eq!(claims["aud"], "https://EHR.example:443/token");
        assert_eq!(claims["iat"], 1_799_999_995);
        assert_eq!(claims["exp"], 1_800_000_240);
        let id = claims["jti"].as_str().unwrap();
        assert_eq!(id.len(), 32);
        let [_, again] = parts(&key.assertion("client \"1\"", &endpoint, NOW, &mut rng));
        assert_ne!(again["jti"], claims["jti"]);
    }

    #[test]
    fn odd_times_and_ids_make_an_assertion_all_the_same() {
        let key = AssertionKey::generate(KeyKind::P384).unwrap();
        let endpoint = "https://ehr.example/token".parse().unwrap();
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        for time in [i64::MIN, -1, i64::MAX] {
            let now = UnixTime::from_millis(time);
            let [_, claims] = parts(&key.assertion("é\0\n", &endpoint, now, &mut rng));
            assert!(claims["iat"].as_i64() <= claims["exp"].as_i64());
            assert_eq!(claims["iss"], "é\0\n");
        }
    }

    #[test]
    fn debug_does_not_show_the_assertion() {
        let key = AssertionKey::generate(KeyKind::P384).unwrap();
        let endpoint = "https://ehr.example/token".parse().unwrap();
        let assertion = key.assertion("c", &endpoint, NOW, &mut ChaCha20Rng::from_seed([7; 32]));
        assert!(!format!("{assertion:?}").contains("ey"));
    }
}
