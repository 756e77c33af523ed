//! PyJWT verifies assertions of both algorithms against the key set that is
//! published.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::{rand_core::UnwrapErr, rngs::SysRng};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use vestibule_launch::UnixTime;
use vestibule_python_judge::Judge;
use vestibule_smart::{AssertionKey, Jwks, KeyKind, TokenEndpoint};

/// PyJWT and cryptography, which verifies for it.
const JUDGE: Judge<'static> = Judge {
    program: concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pyjwt/judge.py"),
    packages: &["pyjwt==2.15.1", "cryptography==50.0.2"],
    environments: env!("CARGO_TARGET_TMPDIR"),
};
const AUDIENCE: &str = "https://EHR.example:443/oauth2/token?tenant=1";

#[test]
fn pyjwt_verifies_assertions_of_both_algorithms_against_the_published_keys() {
    let keys = [KeyKind::Rsa2048, KeyKind::Rsa3072, KeyKind::P384]
        .map(|kind| AssertionKey::generate(kind).expect("a key can be made"));
    let [rsa, named, curve] = &keys;
    let named = named
        .clone()
        .with_kid("next/2026".parse().expect("a key id"));
    let keys = [rsa.clone(), named, curve.clone()];
    let assertions = keys.each_ref().map(|key| assertion(key, AUDIENCE, now()));
    let judged = judge(&keys, &assertions);
    for (key, judged) in keys.iter().zip(&judged) {
        assert_eq!(
            judged["header"],
            json!({"alg": key.algorithm().as_str(), "kid": key.kid().as_str(), "typ": "JWT"})
        );
        let claims = &judged["claims"];
        assert_eq!(
            (&claims["iss"], &claims["sub"]),
            (&"client".into(), &"client".into())
        );
        assert_eq!(claims["aud"], AUDIENCE);
    }
    let ids = [0, 1, 2].map(|index: usize| judged[index]["claims"]["jti"].as_str());
    assert!(ids[0].is_some() && ids[0] != ids[1] && ids[1] != ids[2]);
}

#[test]
fn pyjwt_refuses_what_was_changed_is_old_or_is_for_somebody_else() {
    let keys = [KeyKind::Rsa2048, KeyKind::P384]
        .map(|kind| AssertionKey::generate(kind).expect("a key can be made"));
    for key in &keys {
        let good = assertion(key, AUDIENCE, now());
        let (signed, signature) = good.rsplit_once('.').expect("three parts");
        let (header, _) = signed.split_once('.').expect("three parts");
        let (other, _) = assertion(key, AUDIENCE, now())
            .rsplit_once('.')
            .map(|(signed, signature)| (signed.to_owned(), signature.to_owned()))
            .expect("three parts");
        let claims = other.split_once('.').expect("three parts").1.to_owned();
        let assertions = [
            good.clone(),
            format!("{header}.{claims}.{signature}"),
            assertion(key, "https://ehr.example/oauth2/token", now()),
            assertion(key, AUDIENCE, now() - Duration::from_secs(241)),
            assertion(key, AUDIENCE, now() + Duration::from_secs(3600)),
        ];
        let judged = judge(&keys, &assertions);
        assert_eq!(judged[0]["claims"]["aud"], AUDIENCE);
        assert_eq!(judged[1], json!({"error": "InvalidSignatureError"}));
        assert_eq!(judged[2], json!({"error": "InvalidAudienceError"}));
        assert_eq!(judged[3], json!({"error": "ExpiredSignatureError"}));
        assert_eq!(judged[4], json!({"error": "ImmatureSignatureError"}));
    }
}

fn assertion(key: &AssertionKey, audience: &str, now: UnixTime) -> String {
    let endpoint: TokenEndpoint = audience.parse().expect("a token endpoint");
    key.assertion("client", &endpoint, now, &mut UnwrapErr(SysRng))
        .expose_secret()
        .to_owned()
}

fn judge(keys: &[AssertionKey], assertions: &[String]) -> Vec<Value> {
    let jwks = Jwks::new(keys.iter().map(AssertionKey::public_jwk)).expect("keys of their own");
    let case = json!({"jwks": jwks, "assertions": assertions, "audience": AUDIENCE});
    JUDGE.judge(&case)
}

#[expect(
    clippy::disallowed_methods,
    reason = "PyJWT goes by the machine's clock"
)]
fn now() -> UnixTime {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is after 1970");
    UnixTime::from_millis(0) + since_epoch
}
