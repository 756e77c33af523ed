//! The authorization request (SMART App Launch 2.2 section 2.0.9.2).

use std::fmt;

use url::Url;

use crate::{Metadata, Scope};

/// Asks the EHR to sign the user in. Texts are sent as they are: EHRs compare
/// redirect URI and audience byte for byte, and a parsed URL would have changed
/// some bytes already.
#[derive(Clone)]
pub struct AuthorizeRequest<'a> {
    /// The client id that the EHR gave to this application.
    pub client_id: &'a str,
    /// Where the EHR sends the browser afterwards, exactly as registered.
    pub redirect_uri: &'a str,
    /// What is asked for.
    pub scope: &'a Scope,
    /// The one-time `launch` value of the launch URL.
    pub launch: &'a str,
    /// The FHIR base URL: the `iss` of the launch URL, unchanged.
    pub aud: &'a str,
    /// Comes back in the redirect: at least 122 unguessable bits. Epic's
    /// servers limit the whole URL, so it should be short.
    pub state: &'a str,
    /// The S256 challenge of this launch's [`Verifier`](crate::Verifier).
    pub code_challenge: &'a str,
}

impl AuthorizeRequest<'_> {
    /// The URL to redirect the browser to. A query that the endpoint has
    /// already stays in place (RFC 6749 section 3.1).
    pub fn url(&self, metadata: &Metadata) -> Url {
        let mut url = metadata.authorization_endpoint().clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", self.client_id)
            .append_pair("redirect_uri", self.redirect_uri)
            .append_pair("scope", self.scope.as_str())
            .append_pair("launch", self.launch)
            .append_pair("aud", self.aud)
            .append_pair("state", self.state)
            .append_pair("code_challenge", self.code_challenge)
            .append_pair("code_challenge_method", "S256");
        url
    }
}

impl fmt::Debug for AuthorizeRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizeRequest")
            .field("client_id", &self.client_id)
            .field("redirect_uri", &self.redirect_uri)
            .field("scope", &self.scope)
            .field("aud", &self.aud)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use http::Response;

    use super::*;

    fn metadata(authorize: &str) -> Metadata {
        let body = format!(
            r#"{{"authorization_endpoint":"{authorize}","token_endpoint":"https://ehr.example/t"}}"#
        );
        Metadata::from_response(&Response::new(body.into_bytes())).unwrap()
    }

    fn request(scope: &Scope) -> AuthorizeRequest<'_> {
        AuthorizeRequest {
            client_id: "client",
            redirect_uri: "https://v.example/api/telehealth/v1/patient/oauth2authorized/12daaebc",
            scope,
            launch: "l&a=u+n c/h",
            aud: "https://ehr.example/fhir/R4",
            state: "st-ate",
            code_challenge: "chal_lenge",
        }
    }

    #[test]
    fn every_parameter_is_sent_once_and_survives_encoding() {
        let scope = Scope::default();
        let url = request(&scope).url(&metadata("https://ehr.example/authorize"));
        let sent: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let expected = [
            ("response_type", "code"),
            ("client_id", "client"),
            (
                "redirect_uri",
                "https://v.example/api/telehealth/v1/patient/oauth2authorized/12daaebc",
            ),
            ("scope", "launch openid fhirUser"),
            ("launch", "l&a=u+n c/h"),
            ("aud", "https://ehr.example/fhir/R4"),
            ("state", "st-ate"),
            ("code_challenge", "chal_lenge"),
            ("code_challenge_method", "S256"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(sent, expected);
    }

    #[test]
    fn the_endpoints_own_query_stays() {
        let scope = Scope::default();
        let url = request(&scope).url(&metadata("https://ehr.example/authorize?tenant=a%2Fb"));
        assert!(
            url.as_str()
                .starts_with("https://ehr.example/authorize?tenant=a%2Fb&response_type=code&")
        );
        let names: BTreeMap<_, _> = url.query_pairs().collect();
        assert_eq!(names.len(), 10);
    }

    #[test]
    fn debug_shows_neither_launch_nor_state() {
        let scope = Scope::default();
        let shown = format!("{:?}", request(&scope));
        assert!(!shown.contains("l&a=u") && !shown.contains("st-ate") && !shown.contains("chal_"));
    }
}
