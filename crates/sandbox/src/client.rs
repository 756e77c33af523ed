//! The two applications that are registered with the EHR.

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use url::Url;
use vestibule_launch::EhrRole;
use zeroize::Zeroizing;

use crate::{
    basic::BasicCredentials,
    parameters::{Parameters, Repeated},
};

/// An application registered with the EHR.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) role: EhrRole,
    pub(crate) id: String,
    pub(crate) redirect_uri: RedirectUri,
    pub(crate) kind: ClientKind,
}

/// Whether the application can keep a secret (RFC 6749 section 2.1).
#[derive(Debug)]
pub(crate) enum ClientKind {
    Public,
    Confidential(SecretString),
}

/// A registered redirect URI, compared character by character.
#[derive(Debug)]
pub(crate) struct RedirectUri {
    text: String,
    url: Url,
}

/// The provider's application and the patient's.
#[derive(Debug)]
pub(crate) struct Clients {
    provider: Client,
    patient: Client,
}

/// Why two registrations cannot stand side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClientsFault {
    #[error("register one application with role = \"provider\" and one with role = \"patient\"")]
    NotOneOfEach,
    #[error("give each application a client_id of its own")]
    SameId,
}

/// Why a redirect URI cannot be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an absolute http or https address without a fragment")]
pub(crate) struct RedirectUriFault;

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
    #[error("client_id names another client than the Authorization header")]
    TwoClients,
}

impl RedirectUri {
    pub(crate) fn parse(text: &str) -> Result<Self, RedirectUriFault> {
        let url = Url::parse(text).map_err(|_| RedirectUriFault)?;
        if !matches!(url.scheme(), "http" | "https") || text.contains('#') {
            return Err(RedirectUriFault);
        }
        Ok(Self {
            text: text.to_owned(),
            url,
        })
    }

    pub(crate) fn is(&self, given: &str) -> bool {
        self.text == given
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }
}

impl Clients {
    pub(crate) fn new(clients: Vec<Client>) -> Result<Self, ClientsFault> {
        let [first, second] =
            <[Client; 2]>::try_from(clients).map_err(|_| ClientsFault::NotOneOfEach)?;
        if first.id == second.id {
            return Err(ClientsFault::SameId);
        }
        match (first.role, second.role) {
            (EhrRole::Provider, EhrRole::Patient) => Ok(Self {
                provider: first,
                patient: second,
            }),
            (EhrRole::Patient, EhrRole::Provider) => Ok(Self {
                provider: second,
                patient: first,
            }),
            _ => Err(ClientsFault::NotOneOfEach),
        }
    }

    pub(crate) fn of(&self, role: EhrRole) -> &Client {
        match role {
            EhrRole::Provider => &self.provider,
            EhrRole::Patient => &self.patient,
        }
    }

    pub(crate) fn both(&self) -> [&Client; 2] {
        [&self.provider, &self.patient]
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Client> {
        self.both().into_iter().find(|client| client.id == id)
    }

    /// Recognises who calls the token endpoint (RFC 6749 section 2.3.1).
    pub(crate) fn authenticate(
        &self,
        authorization: Option<&str>,
        parameters: &Parameters,
    ) -> Result<&Client, ClientFault> {
        let named = parameters.get("client_id")?;
        if parameters.get("client_secret")?.is_some() {
            return Err(ClientFault::SecretInBody);
        }
        let Some(authorization) = authorization else {
            let client = self
                .find(named.ok_or(ClientFault::Missing)?)
                .ok_or(ClientFault::Unknown)?;
            return match client.kind {
                ClientKind::Public => Ok(client),
                ClientKind::Confidential(_) => Err(ClientFault::SecretNeeded),
            };
        };

        let credentials = BasicCredentials::parse(authorization).ok_or(ClientFault::NotBasic)?;
        let id = form_decoded(credentials.user());
        let client = self.find(&id).ok_or(ClientFault::Unknown)?;
        let ClientKind::Confidential(secret) = &client.kind else {
            return Err(ClientFault::SecretOfPublicClient);
        };
        let given = form_decoded(credentials.password());
        if !bool::from(given.as_bytes().ct_eq(secret.expose_secret().as_bytes())) {
            return Err(ClientFault::WrongSecret);
        }
        if named.is_some_and(|named| named != client.id) {
            return Err(ClientFault::TwoClients);
        }
        Ok(client)
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

    use super::*;

    const PROVIDER_ID: &str = "d45049c3-3441-40ef-ab4d-b9cd86a17225";

    fn client(role: EhrRole, id: &str, secret: Option<&str>) -> Client {
        Client {
            role,
            id: id.to_owned(),
            redirect_uri: RedirectUri::parse("https://vestibule.example/back").unwrap(),
            kind: secret.map_or(ClientKind::Public, |secret| {
                ClientKind::Confidential(secret.into())
            }),
        }
    }

    fn clients() -> Clients {
        Clients::new(vec![
            client(EhrRole::Patient, "patient-app", None),
            client(
                EhrRole::Provider,
                PROVIDER_ID,
                Some("this-is-the-secret-2/7"),
            ),
        ])
        .unwrap()
    }

    fn outcome(authorization: Option<&str>, body: &str) -> Result<EhrRole, ClientFault> {
        clients()
            .authenticate(authorization, &Parameters::parse(body.as_bytes()).unwrap())
            .map(|client| client.role)
    }

    #[test]
    fn the_example_of_epics_guide_is_recognised() {
        let header = "Basic ZDQ1MDQ5YzMtMzQ0MS00MGVmLWFiNGQtYjljZDg2YTE3MjI1OnRoaXMtaXMtdGhlLXNlY3JldC0yJTJGNw==";
        assert_eq!(outcome(Some(header), ""), Ok(EhrRole::Provider));
        assert_eq!(
            outcome(Some(header), &format!("client_id={PROVIDER_ID}")),
            Ok(EhrRole::Provider)
        );
        assert_eq!(
            outcome(Some(header), "client_id=patient-app"),
            Err(ClientFault::TwoClients)
        );
    }

    #[test]
    fn a_secret_is_form_decoded_so_a_bare_plus_is_a_space() {
        let clients = Clients::new(vec![
            client(EhrRole::Provider, "app", Some("one two+3")),
            client(EhrRole::Patient, "patient-app", None),
        ])
        .unwrap();
        let body = Parameters::parse(b"").unwrap();
        let role_of = |credentials: &str| {
            let header = format!("Basic {}", Base64::encode_string(credentials.as_bytes()));
            clients
                .authenticate(Some(&header), &body)
                .map(|client| client.role)
        };
        assert_eq!(role_of("app:one+two%2B3"), Ok(EhrRole::Provider));
        assert_eq!(role_of("app:one+two+3"), Err(ClientFault::WrongSecret));
    }

    #[test]
    fn a_public_client_is_recognised_by_its_id() {
        assert_eq!(outcome(None, "client_id=patient-app"), Ok(EhrRole::Patient));
    }

    #[test]
    fn a_confidential_client_is_not_recognised_by_its_id_alone() {
        assert_eq!(
            outcome(None, &format!("client_id={PROVIDER_ID}")),
            Err(ClientFault::SecretNeeded)
        );
    }

    #[test]
    fn there_is_one_client_of_each_role() {
        let two_providers = Clients::new(vec![
            client(EhrRole::Provider, "a", None),
            client(EhrRole::Provider, "b", None),
        ]);
        assert_eq!(two_providers.unwrap_err(), ClientsFault::NotOneOfEach);
        let alone = Clients::new(vec![client(EhrRole::Provider, "a", None)]);
        assert_eq!(alone.unwrap_err(), ClientsFault::NotOneOfEach);
        let same_id = Clients::new(vec![
            client(EhrRole::Provider, "a", None),
            client(EhrRole::Patient, "a", None),
        ]);
        assert_eq!(same_id.unwrap_err(), ClientsFault::SameId);
    }

    #[test]
    fn a_redirect_uri_is_absolute_and_without_fragment() {
        assert!(RedirectUri::parse("https://vestibule.example/back").is_ok());
        for text in [
            "/back",
            "ftp://vestibule.example/",
            "https://vestibule.example/#x",
        ] {
            assert!(RedirectUri::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn debug_output_does_not_show_the_secret() {
        let clients = clients();
        assert!(!format!("{clients:?}").contains("this-is-the-secret"));
    }
}
