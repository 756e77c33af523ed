//! An application's key, and the assertions it signs.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use axum::{Router, http::StatusCode, routing::get};
use base64ct::{Base64UrlUnpadded, Encoding};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Ehr, Form, form};

pub(crate) struct Key {
    id: &'static str,
    signing: EncodingKey,
    public: Value,
}

impl Key {
    pub(crate) fn generate(id: &'static str) -> Self {
        let algorithm = &ECDSA_P384_SHA384_FIXED_SIGNING;
        let private = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, private.as_ref()).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(48);
        Self {
            id,
            signing: EncodingKey::from_ec_der(private.as_ref()),
            public: json!({
                "kty": "EC",
                "crv": "P-384",
                "kid": id,
                "use": "sig",
                "alg": "ES384",
                "x": Base64UrlUnpadded::encode_string(x),
                "y": Base64UrlUnpadded::encode_string(y),
            }),
        }
    }

    /// A good assertion of the client `id`; each `jti` is good once.
    pub(crate) fn assertion(&self, ehr: &Ehr, id: &str, jti: &str) -> String {
        let seconds = ehr.now_seconds();
        let mut header = Header::new(Algorithm::ES384);
        header.kid = Some(self.id.to_owned());
        let claims = json!({
            "iss": id,
            "sub": id,
            "aud": format!("{}/oauth2/token", ehr.address),
            "iat": seconds - 5,
            "exp": seconds + 240,
            "jti": jti,
        });
        jsonwebtoken::encode(&header, &claims, &self.signing).unwrap()
    }

    /// A good request of the backend `id`.
    pub(crate) fn backend_form(&self, ehr: &Ehr, id: &str, jti: &str) -> Form {
        form(&[
            ("grant_type", "client_credentials"),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", &self.assertion(ehr, id, jti)),
        ])
    }
}

/// The public parts of these keys, as a JWK set.
pub(crate) fn jwks(keys: &[&Key]) -> String {
    let keys: Vec<_> = keys.iter().map(|key| &key.public).collect();
    json!({ "keys": keys }).to_string()
}

/// Serves this at a JWKS URL for as long as the test lasts.
pub(crate) async fn serve(
    answer: impl Fn() -> (StatusCode, String) + Clone + Send + Sync + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    let router = Router::new().route("/jwks", get(async move || answer()));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// A backend in the configuration, with its keys at an address.
pub(crate) fn backend(url: &str) -> String {
    format!("[[clients]]\nrole = \"backend\"\nclient_id = \"backend-app\"\njwks_url = \"{url}\"\n")
}

/// A backend in the configuration, with this key.
pub(crate) fn backend_with(key: &Key) -> String {
    format!(
        "[[clients]]\nrole = \"backend\"\nclient_id = \"backend-app\"\njwks = '{}'\n",
        jwks(&[key])
    )
}
