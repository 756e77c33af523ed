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
        url.query_pairs_mut().extend_pairs(self.fields());
        url
    }

    /// The form that the browser posts instead, to servers that take it
    /// ([`Metadata::authorize_post`]). Launch tokens can be so long that a URL
    /// with one is refused; a form has no such limit.
    pub fn form<'a>(&'a self, metadata: &'a Metadata) -> AuthorizeForm<'a> {
        AuthorizeForm {
            action: metadata.authorization_endpoint(),
            fields: self.fields(),
        }
    }

    fn fields(&self) -> [(&'static str, &str); 9] {
        [
            ("response_type", "code"),
            ("client_id", self.client_id),
            ("redirect_uri", self.redirect_uri),
            ("scope", self.scope.as_str()),
            ("launch", self.launch),
            ("aud", self.aud),
            ("state", self.state),
            ("code_challenge", self.code_challenge),
            ("code_challenge_method", "S256"),
        ]
    }
}

/// An authorization request as a form (SMART App Launch 2.2, capability
/// `authorize-post`): `application/x-www-form-urlencoded`, each field once.
#[derive(Clone)]
pub struct AuthorizeForm<'a> {
    /// Where the form goes. May have a query, which stays.
    pub action: &'a Url,
    /// Names and values, not encoded: whoever writes HTML escapes them.
    pub fields: [(&'static str, &'a str); 9],
}

impl fmt::Debug for AuthorizeForm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizeForm")
            .field("action", &self.action.as_str())
            .finish_non_exhaustive()
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
    fn the_form_says_the_same_as_the_url() {
        let scope = Scope::default();
        let (request, metadata) = (request(&scope), metadata("https://ehr.example/a?tenant=b"));
        let form = request.form(&metadata);
        assert_eq!(form.action.as_str(), "https://ehr.example/a?tenant=b");
        let mut url = form.action.clone();
        url.query_pairs_mut().extend_pairs(form.fields);
        assert_eq!(url, request.url(&metadata));
    }

    #[test]
    fn debug_shows_neither_launch_nor_state() {
        let scope = Scope::default();
        let (request, metadata) = (request(&scope), metadata("https://ehr.example/a"));
        let shown = format!("{request:?} {:?}", request.form(&metadata));
        assert!(!shown.contains("l&a=u") && !shown.contains("st-ate") && !shown.contains("chal_"));
    }
}
