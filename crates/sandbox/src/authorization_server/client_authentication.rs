//! Who calls the token endpoint (RFC 6749 section 2.3.1, RFC 7523).

use vestibule_launch::UnixTime;
use zeroize::Zeroizing;

use super::AuthorizationServer;
use crate::{
    basic::BasicCredentials,
    client::{Authentication, ClientRole, Registered},
    client_assertion::{ASSERTION_TYPE, AssertionFault, ClientAssertion},
    client_keys::{ClientKeys, KeySet},
    key_fetch::KeyFetchFault,
    opaque::Digest,
    parameters::{Parameters, Repeated},
};

/// The key set that was fetched for a request, where the client has one at an
/// address.
pub(crate) type FetchedKeys = Option<Result<KeySet, KeyFetchFault>>;

/// Why a client was not recognised at the token endpoint: `invalid_client`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClientFault {
    #[error(transparent)]
    Repeated(#[from] Repeated),
    #[error("send the client id and secret by HTTP Basic, or client_id for a public client")]
    Missing,
    #[error("the Authorization header is not well-formed Basic")]
    NotBasic,
    #[error("the client is unknown")]
    Unknown,
    #[error("the client secret is wrong")]
    WrongSecret,
    #[error("a confidential client authenticates by HTTP Basic")]
    SecretNeeded,
    #[error("a public client sends client_id and no secret")]
    SecretOfPublicClient,
    #[error("client_secret is not accepted in the body: use HTTP Basic")]
    SecretInBody,
    #[error("client_id names another client than the client authentication")]
    TwoClients,
    #[error("the client authenticates by a signed client_assertion (private_key_jwt)")]
    AssertionNeeded,
    #[error("the client has no registered keys for a client_assertion")]
    NoKeys,
    #[error("use either HTTP Basic or client_assertion")]
    TwoMethods,
    #[error("client_assertion_type must be urn:ietf:params:oauth:client-assertion-type:jwt-bearer")]
    AssertionType,
    #[error(transparent)]
    Assertion(#[from] AssertionFault),
    #[error(transparent)]
    Keys(#[from] KeyFetchFault),
}

impl AuthorizationServer {
    /// Where the keys are that have to be fetched before [`Self::authenticate`].
    pub(crate) fn keys_needed(&self, parameters: &Parameters) -> Option<url::Url> {
        let assertion = parameters.get("client_assertion").ok()??;
        let assertion = ClientAssertion::read(assertion).ok()?;
        match self.clients.find(assertion.issuer()?)?.keys()? {
            ClientKeys::At(url) => Some(url.clone()),
            ClientKeys::Inline(_) => None,
        }
    }

    /// Recognises a client, and uses up its assertion.
    pub(super) fn authenticate(
        &mut self,
        authorization: Option<&str>,
        parameters: &Parameters,
        fetched: FetchedKeys,
        now: UnixTime,
    ) -> Result<ClientRole, ClientFault> {
        if parameters.get("client_secret")?.is_some() {
            return Err(ClientFault::SecretInBody);
        }
        let assertion = parameters.get("client_assertion")?;
        match (authorization, assertion) {
            (None, None) => self.public(parameters),
            (Some(header), None) => self.by_secret(header, parameters),
            (None, Some(assertion)) => self.by_assertion(assertion, parameters, fetched, now),
            (Some(_), Some(_)) => Err(ClientFault::TwoMethods),
        }
    }

    fn public(&self, parameters: &Parameters) -> Result<ClientRole, ClientFault> {
        let id = parameters.get("client_id")?.ok_or(ClientFault::Missing)?;
        let client = self.clients.find(id).ok_or(ClientFault::Unknown)?;
        match client {
            Registered::App(app) => match app.authentication {
                Authentication::Public => Ok(client.role()),
                Authentication::Secrets(_) => Err(ClientFault::SecretNeeded),
                Authentication::Keys(_) => Err(ClientFault::AssertionNeeded),
            },
            Registered::Backend(_) => Err(ClientFault::AssertionNeeded),
        }
    }

    fn by_secret(&self, header: &str, parameters: &Parameters) -> Result<ClientRole, ClientFault> {
        let credentials = BasicCredentials::parse(header).ok_or(ClientFault::NotBasic)?;
        let id = form_decoded(credentials.user());
        let client = self.clients.find(&id).ok_or(ClientFault::Unknown)?;
        let secrets = match client {
            Registered::App(app) => match &app.authentication {
                Authentication::Secrets(secrets) => secrets,
                Authentication::Public => return Err(ClientFault::SecretOfPublicClient),
                Authentication::Keys(_) => return Err(ClientFault::AssertionNeeded),
            },
            Registered::Backend(_) => return Err(ClientFault::AssertionNeeded),
        };
        if !secrets.contain(&form_decoded(credentials.password())) {
            return Err(ClientFault::WrongSecret);
        }
        is_named(client, parameters)?;
        Ok(client.role())
    }

    fn by_assertion(
        &mut self,
        assertion: &str,
        parameters: &Parameters,
        fetched: FetchedKeys,
        now: UnixTime,
    ) -> Result<ClientRole, ClientFault> {
        if parameters.get("client_assertion_type")? != Some(ASSERTION_TYPE) {
            return Err(ClientFault::AssertionType);
        }
        let assertion = ClientAssertion::read(assertion)?;
        let id = assertion.issuer().ok_or(AssertionFault::Issuer)?;
        let client = self.clients.find(id).ok_or(ClientFault::Unknown)?;
        is_named(client, parameters)?;
        let fetched = fetched.transpose()?;
        let keys = match client.keys().ok_or(ClientFault::NoKeys)? {
            ClientKeys::Inline(keys) => keys,
            ClientKeys::At(_) => fetched.as_ref().ok_or(KeyFetchFault::Unreachable)?,
        };
        let verified = assertion.verify(id, &self.token_url, keys, now)?;

        let used = Digest::of(&format!("{id}\n{}", verified.jti));
        if self.used_assertions.get(&used, now).is_some() {
            return Err(AssertionFault::Replayed.into());
        }
        let role = client.role();
        self.used_assertions.insert(used, (), verified.expires, now);
        Ok(role)
    }
}

/// A `client_id` beside other authentication must be the same.
fn is_named(client: Registered<'_>, parameters: &Parameters) -> Result<(), ClientFault> {
    match parameters.get("client_id")? {
        Some(named) if named != client.id() => Err(ClientFault::TwoClients),
        _ => Ok(()),
    }
}

/// Undoes the form encoding of client id and secret (RFC 6749 appendix B).
fn form_decoded(text: &str) -> Zeroizing<String> {
    let spaced = Zeroizing::new(text.replace('+', " "));
    let decoded = percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy();
    Zeroizing::new(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64, Encoding};
    use serde_json::Map;
    use vestibule_launch::EhrRole;

    use super::*;
    use crate::{
        client::{App, Clients, RedirectUri, Secrets},
        id_token::IdTokenKey,
        token_policy::{ExtraFields, TokenPolicy},
    };

    const PROVIDER_ID: &str = "d45049c3-3441-40ef-ab4d-b9cd86a17225";
    /// Of Epic's guide: the id above and `this-is-the-secret-2/7`.
    const EXAMPLE: &str = "Basic ZDQ1MDQ5YzMtMzQ0MS00MGVmLWFiNGQtYjljZDg2YTE3MjI1OnRoaXMtaXMtdGhlLXNlY3JldC0yJTJGNw==";

    fn server(secret: &str) -> AuthorizationServer {
        let app = |role, id: &str, authentication| App {
            role,
            id: id.to_owned(),
            redirect_uri: RedirectUri::parse("https://vestibule.example/back").unwrap(),
            authentication,
        };
        let secret = Authentication::Secrets(Secrets::new(secret.into(), None));
        let apps = vec![
            app(EhrRole::Provider, PROVIDER_ID, secret),
            app(EhrRole::Patient, "patient-app", Authentication::Public),
        ];
        let policy = TokenPolicy {
            access_token_seconds: 3600,
            rolling_refresh: false,
            extra: ExtraFields::new(Map::new()).unwrap(),
        };
        let clients = Clients::new(apps, vec![]).unwrap();
        AuthorizationServer::new(
            clients,
            policy,
            "http://127.0.0.1:7081",
            IdTokenKey::default(),
        )
    }

    fn outcome_of(
        server: &mut AuthorizationServer,
        authorization: Option<&str>,
        body: &str,
    ) -> Result<ClientRole, ClientFault> {
        let body = Parameters::parse(body.as_bytes()).unwrap();
        server.authenticate(authorization, &body, None, UnixTime::from_millis(0))
    }

    fn outcome(authorization: Option<&str>, body: &str) -> Result<ClientRole, ClientFault> {
        outcome_of(&mut server("this-is-the-secret-2/7"), authorization, body)
    }

    #[test]
    fn the_example_of_epics_guide_is_recognised() {
        assert_eq!(outcome(Some(EXAMPLE), ""), Ok(ClientRole::Provider));
        let named = format!("client_id={PROVIDER_ID}");
        assert_eq!(outcome(Some(EXAMPLE), &named), Ok(ClientRole::Provider));
        assert_eq!(
            outcome(Some(EXAMPLE), "client_id=patient-app"),
            Err(ClientFault::TwoClients)
        );
    }

    #[test]
    fn a_secret_is_form_decoded_so_a_bare_plus_is_a_space() {
        let mut server = server("one two+3");
        let mut role_of = |secret: &str| {
            let credentials = format!("{PROVIDER_ID}:{secret}");
            let header = format!("Basic {}", Base64::encode_string(credentials.as_bytes()));
            outcome_of(&mut server, Some(&header), "")
        };
        assert_eq!(role_of("one+two%2B3"), Ok(ClientRole::Provider));
        assert_eq!(role_of("one+two+3"), Err(ClientFault::WrongSecret));
    }

    #[test]
    fn a_public_client_is_recognised_by_its_id_and_a_confidential_one_is_not() {
        assert_eq!(
            outcome(None, "client_id=patient-app"),
            Ok(ClientRole::Patient)
        );
        assert_eq!(
            outcome(None, &format!("client_id={PROVIDER_ID}")),
            Err(ClientFault::SecretNeeded)
        );
    }

    #[test]
    fn an_assertion_does_not_stand_beside_a_secret_or_for_a_client_without_keys() {
        let body = format!("client_assertion_type={ASSERTION_TYPE}&client_assertion=");
        // {"alg":"ES384","typ":"JWT","kid":"k"}.{"iss":"patient-app"}
        let assertion =
            "eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCIsImtpZCI6ImsifQ.eyJpc3MiOiJwYXRpZW50LWFwcCJ9.AA";
        let body = format!("{body}{assertion}");
        assert_eq!(outcome(Some(EXAMPLE), &body), Err(ClientFault::TwoMethods));
        assert_eq!(outcome(None, &body), Err(ClientFault::NoKeys));
        let untyped = format!("client_assertion={assertion}");
        assert_eq!(outcome(None, &untyped), Err(ClientFault::AssertionType));
    }
}
