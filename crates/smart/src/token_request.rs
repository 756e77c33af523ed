//! Requests to the token endpoint (RFC 6749 sections 4.1.3, 4.4.2 and 6).

use http::{HeaderValue, Method, Request, header};
use secrecy::{ExposeSecret as _, SecretString};
use url::form_urlencoded;

use crate::{
    ClientCredentials, SystemScope, TokenEndpoint, Verifier, client_assertion::ASSERTION_TYPE,
};

/// Asks for tokens.
#[derive(Clone, Debug)]
pub enum TokenRequest {
    /// Exchanges the code of a [`Callback`](crate::Callback), once.
    AuthorizationCode {
        /// The code.
        code: SecretString,
        /// The redirect URI of the authorization request, unchanged.
        redirect_uri: String,
        /// The verifier whose challenge was in the authorization request.
        verifier: Verifier,
    },
    /// Renews an access token.
    RefreshToken {
        /// The refresh token of an earlier answer.
        refresh_token: SecretString,
    },
    /// Signs this client itself in, without a user (SMART App Launch 2.2,
    /// "Backend Services").
    ClientCredentials {
        /// What is asked for. SMART demands it; Epic goes by the client's registration.
        scope: Option<SystemScope>,
    },
}

impl TokenRequest {
    /// The form POST to the token endpoint, of [`Metadata`](crate::Metadata) or
    /// a profile, for a client without a private key; for any,
    /// [`Client::request`](crate::Client::request). It carries secrets: not to be logged.
    pub fn into_request(
        self,
        endpoint: &impl AsRef<TokenEndpoint>,
        credentials: &ClientCredentials,
    ) -> Request<Vec<u8>> {
        let mut form = self.form();
        if let ClientCredentials::Public { client_id } = credentials {
            form.append_pair("client_id", client_id);
        }
        let mut request = post(endpoint.as_ref(), form);
        if let Some(authorization) = credentials.authorization() {
            request
                .headers_mut()
                .insert(header::AUTHORIZATION, authorization);
        }
        request
    }

    /// The same for a client that proves itself by `assertion` (RFC 7521 section 4.2).
    pub(crate) fn into_asserted_request(
        self,
        endpoint: &TokenEndpoint,
        assertion: &SecretString,
    ) -> Request<Vec<u8>> {
        let mut form = self.form();
        form.append_pair("client_assertion_type", ASSERTION_TYPE)
            .append_pair("client_assertion", assertion.expose_secret());
        post(endpoint, form)
    }

    fn form(&self) -> Form {
        let mut form = form_urlencoded::Serializer::new(String::new());
        match self {
            Self::AuthorizationCode {
                code,
                redirect_uri,
                verifier,
            } => {
                form.append_pair("grant_type", "authorization_code")
                    .append_pair("code", code.expose_secret())
                    .append_pair("redirect_uri", redirect_uri)
                    .append_pair("code_verifier", verifier.expose());
            }
            Self::RefreshToken { refresh_token } => {
                form.append_pair("grant_type", "refresh_token")
                    .append_pair("refresh_token", refresh_token.expose_secret());
            }
            Self::ClientCredentials { scope } => {
                form.append_pair("grant_type", "client_credentials");
                if let Some(scope) = scope {
                    form.append_pair("scope", scope.as_str());
                }
            }
        }
        form
    }
}

type Form = form_urlencoded::Serializer<'static, String>;

fn post(endpoint: &TokenEndpoint, mut form: Form) -> Request<Vec<u8>> {
    let mut request = Request::new(form.finish().into_bytes());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = endpoint.uri().clone();
    let headers = request.headers_mut();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    request
}

#[cfg(test)]
mod tests {
    use http::Response;

    use super::*;
    use crate::Metadata;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn metadata() -> Metadata {
        let body = r#"{"authorization_endpoint":"https://ehr.example/a","token_endpoint":"https://ehr.example/t?x=1"}"#;
        Metadata::from_response(&Response::new(body.into())).unwrap()
    }

    fn exchange() -> TokenRequest {
        TokenRequest::AuthorizationCode {
            code: "c0de&x=+/".into(),
            redirect_uri: "https://v.example/back".to_owned(),
            verifier: Verifier::from_exposed(VERIFIER).unwrap(),
        }
    }

    fn form(request: &Request<Vec<u8>>) -> Vec<(String, String)> {
        form_urlencoded::parse(request.body())
            .into_owned()
            .collect()
    }

    fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    #[test]
    fn a_public_client_exchanges_its_code_with_the_verifier_and_its_id() {
        let public = ClientCredentials::Public {
            client_id: "client".to_owned(),
        };
        let request = exchange().into_request(&metadata(), &public);
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.uri(), "https://ehr.example/t?x=1");
        assert_eq!(
            request.headers()["content-type"],
            "application/x-www-form-urlencoded"
        );
        assert_eq!(request.headers()["accept"], "application/json");
        assert!(!request.headers().contains_key("authorization"));
        assert_eq!(
            form(&request),
            pairs([
                ("grant_type", "authorization_code"),
                ("code", "c0de&x=+/"),
                ("redirect_uri", "https://v.example/back"),
                ("code_verifier", VERIFIER),
                ("client_id", "client"),
            ])
        );
    }

    #[test]
    fn a_client_with_a_secret_sends_its_id_in_the_header_only() {
        let basic = ClientCredentials::Basic {
            client_id: "client".to_owned(),
            client_secret: "secret".into(),
        };
        let refresh = TokenRequest::RefreshToken {
            refresh_token: "r3fresh".into(),
        };
        let request = refresh.into_request(&metadata(), &basic);
        assert_eq!(
            request.headers()["authorization"],
            "Basic Y2xpZW50OnNlY3JldA=="
        );
        assert_eq!(
            form(&request),
            pairs([
                ("grant_type", "refresh_token"),
                ("refresh_token", "r3fresh")
            ])
        );
    }

    #[test]
    fn a_backend_client_asks_for_its_own_tokens() {
        let basic = ClientCredentials::Basic {
            client_id: "client".to_owned(),
            client_secret: "secret".into(),
        };
        let endpoint: TokenEndpoint = "https://ehr.example/backend".parse().unwrap();
        let scope = Some("system/Appointment.rs system/Patient.r".parse().unwrap());
        let request = TokenRequest::ClientCredentials { scope }.into_request(&endpoint, &basic);
        assert_eq!(request.uri(), "https://ehr.example/backend");
        assert_eq!(
            form(&request),
            pairs([
                ("grant_type", "client_credentials"),
                ("scope", "system/Appointment.rs system/Patient.r"),
            ])
        );
        let request =
            TokenRequest::ClientCredentials { scope: None }.into_request(&endpoint, &basic);
        assert_eq!(
            form(&request),
            pairs([("grant_type", "client_credentials")])
        );
    }

    #[test]
    fn debug_shows_no_secret() {
        let refresh = TokenRequest::RefreshToken {
            refresh_token: "r3fresh".into(),
        };
        let shown = format!("{:?} {refresh:?}", exchange());
        assert!(!shown.contains("c0de") && !shown.contains(VERIFIER) && !shown.contains("r3fresh"));
    }
}
