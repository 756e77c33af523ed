//! This client, as a profile knows it.

use http::Request;
use rand::CryptoRng;
use vestibule_launch::UnixTime;

use crate::{AssertionKey, ClientCredentials, TokenEndpoint, TokenRequest};

/// The client's identity and whatever it proves it with.
#[derive(Clone, Debug)]
pub enum Client {
    /// A public client, or one with a secret.
    Credentials(ClientCredentials),
    /// A client with a private key (`private_key_jwt`): sends a fresh
    /// [assertion](AssertionKey::assertion) with every request.
    PrivateKey {
        /// The client id that the EHR gave out.
        client_id: String,
        /// The key whose public half the EHR fetches or was given.
        key: AssertionKey,
    },
}

impl Client {
    /// The client id.
    pub fn client_id(&self) -> &str {
        match self {
            Self::Credentials(credentials) => credentials.client_id(),
            Self::PrivateKey { client_id, .. } => client_id,
        }
    }

    /// The form POST by which this client asks for tokens, to be sent at once:
    /// an assertion in it is good for four minutes from `now`, and for one use.
    /// It carries secrets: not to be logged.
    pub fn request(
        &self,
        request: TokenRequest,
        endpoint: &impl AsRef<TokenEndpoint>,
        now: UnixTime,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Request<Vec<u8>> {
        match self {
            Self::Credentials(credentials) => request.into_request(endpoint, credentials),
            Self::PrivateKey { client_id, key } => {
                let endpoint = endpoint.as_ref();
                let assertion = key.assertion(client_id, endpoint, now, rng);
                request.into_asserted_request(endpoint, &assertion)
            }
        }
    }
}

impl From<ClientCredentials> for Client {
    fn from(credentials: ClientCredentials) -> Self {
        Self::Credentials(credentials)
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::ChaCha20Rng};
    use url::form_urlencoded;

    use super::*;
    use crate::{KeyKind, client_assertion::ASSERTION_TYPE};

    fn request(client: &Client) -> Request<Vec<u8>> {
        let endpoint: TokenEndpoint = "https://ehr.example/token".parse().unwrap();
        let request = TokenRequest::ClientCredentials { scope: None };
        let now = UnixTime::from_millis(1_800_000_000_000);
        client.request(
            request,
            &endpoint,
            now,
            &mut ChaCha20Rng::from_seed([7; 32]),
        )
    }

    fn form(request: &Request<Vec<u8>>) -> Vec<(String, String)> {
        form_urlencoded::parse(request.body())
            .into_owned()
            .collect()
    }

    #[test]
    fn a_client_with_a_key_sends_an_assertion_and_neither_header_nor_id() {
        let client = Client::PrivateKey {
            client_id: "backend".to_owned(),
            key: AssertionKey::generate(KeyKind::P384).unwrap(),
        };
        assert_eq!(client.client_id(), "backend");
        let request = request(&client);
        assert_eq!(request.uri(), "https://ehr.example/token");
        assert!(!request.headers().contains_key("authorization"));
        let form = form(&request);
        assert_eq!(
            form[0],
            ("grant_type".to_owned(), "client_credentials".to_owned())
        );
        assert_eq!(
            form[1],
            (
                "client_assertion_type".to_owned(),
                ASSERTION_TYPE.to_owned()
            )
        );
        assert_eq!(form[2].0, "client_assertion");
        assert_eq!(form[2].1.split('.').count(), 3);
        assert_eq!(form.len(), 3);
    }

    #[test]
    fn a_client_with_a_secret_is_asked_no_time() {
        let client = Client::from(ClientCredentials::Basic {
            client_id: "client".to_owned(),
            client_secret: "s3cret".into(),
        });
        assert_eq!(client.client_id(), "client");
        let request = request(&client);
        assert!(request.headers()["authorization"].is_sensitive());
        assert_eq!(form(&request).len(), 1);
    }

    #[test]
    fn debug_shows_neither_key_nor_secret() {
        let key = AssertionKey::generate(KeyKind::P384).unwrap();
        let pem = key.to_pem();
        let secret = pem.lines().nth(1).unwrap();
        let client = Client::PrivateKey {
            client_id: "client".to_owned(),
            key,
        };
        let shown = format!("{client:?}");
        assert!(shown.contains("client") && !shown.contains(&secret[..16]));
    }
}
