//! The applications that are registered with the EHR.

use secrecy::{ExposeSecret, SecretString};
use subtle::{Choice, ConstantTimeEq};
use url::Url;
use vestibule_launch::EhrRole;

use crate::client_keys::ClientKeys;

/// An application that is launched and signs in for a user.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) role: EhrRole,
    pub(crate) id: String,
    pub(crate) redirect_uri: RedirectUri,
    pub(crate) authentication: Authentication,
}

/// An application that signs in for itself (SMART Backend Services).
#[derive(Debug)]
pub(crate) struct Backend {
    pub(crate) id: String,
    pub(crate) keys: ClientKeys,
}

/// How an application proves who it is (RFC 6749 section 2.1, RFC 7523).
#[derive(Debug)]
pub(crate) enum Authentication {
    Public,
    Secrets(Secrets),
    Keys(ClientKeys),
}

/// The client secret, and a second one while the old is replaced by the new.
#[derive(Debug)]
pub(crate) struct Secrets {
    first: SecretString,
    second: Option<SecretString>,
}

/// A registered redirect URI, compared character by character.
#[derive(Debug)]
pub(crate) struct RedirectUri {
    text: String,
    url: Url,
}

/// The provider's application, the patient's, and perhaps a backend.
#[derive(Debug)]
pub(crate) struct Clients {
    provider: App,
    patient: App,
    backend: Option<Backend>,
}

/// Which of the applications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ClientRole {
    Provider,
    Patient,
    Backend,
}

/// One of the applications.
#[derive(Clone, Copy)]
pub(crate) enum Registered<'a> {
    App(&'a App),
    Backend(&'a Backend),
}

/// Why registrations cannot stand side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClientsFault {
    #[error(
        "register one application with role = \"provider\" and one with role = \"patient\", and at most one with role = \"backend\""
    )]
    NotOneOfEach,
    #[error("give each application a client_id of its own")]
    SameId,
}

/// Why a redirect URI cannot be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an absolute http or https address without a fragment")]
pub(crate) struct RedirectUriFault;

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

impl Secrets {
    pub(crate) fn new(first: SecretString, second: Option<SecretString>) -> Self {
        Self { first, second }
    }

    pub(crate) fn contain(&self, given: &str) -> bool {
        let is = |secret: &SecretString| given.as_bytes().ct_eq(secret.expose_secret().as_bytes());
        let second = self.second.as_ref().map_or(Choice::from(0), is);
        (is(&self.first) | second).into()
    }
}

impl Clients {
    pub(crate) fn new(apps: Vec<App>, backends: Vec<Backend>) -> Result<Self, ClientsFault> {
        let [first, second] = <[App; 2]>::try_from(apps).map_err(|_| ClientsFault::NotOneOfEach)?;
        let (provider, patient) = match (first.role, second.role) {
            (EhrRole::Provider, EhrRole::Patient) => (first, second),
            (EhrRole::Patient, EhrRole::Provider) => (second, first),
            _ => return Err(ClientsFault::NotOneOfEach),
        };
        let mut backends = backends.into_iter();
        let backend = backends.next();
        if backends.next().is_some() {
            return Err(ClientsFault::NotOneOfEach);
        }
        let of_backend = |id: &str| backend.as_ref().is_some_and(|backend| backend.id == id);
        if provider.id == patient.id || of_backend(&provider.id) || of_backend(&patient.id) {
            return Err(ClientsFault::SameId);
        }
        Ok(Self {
            provider,
            patient,
            backend,
        })
    }

    pub(crate) fn app(&self, role: EhrRole) -> &App {
        match role {
            EhrRole::Provider => &self.provider,
            EhrRole::Patient => &self.patient,
        }
    }

    pub(crate) fn apps(&self) -> [&App; 2] {
        [&self.provider, &self.patient]
    }

    pub(crate) fn backend(&self) -> Option<&Backend> {
        self.backend.as_ref()
    }

    /// The application of a launch, by its id.
    pub(crate) fn find_app(&self, id: &str) -> Option<&App> {
        self.apps().into_iter().find(|app| app.id == id)
    }

    pub(crate) fn find(&self, id: &str) -> Option<Registered<'_>> {
        let backend = self.backend.as_ref().filter(|backend| backend.id == id);
        self.find_app(id)
            .map(Registered::App)
            .or(backend.map(Registered::Backend))
    }
}

impl<'a> Registered<'a> {
    pub(crate) fn id(self) -> &'a str {
        match self {
            Self::App(app) => &app.id,
            Self::Backend(backend) => &backend.id,
        }
    }

    pub(crate) fn role(self) -> ClientRole {
        match self {
            Self::App(app) => app.role.into(),
            Self::Backend(_) => ClientRole::Backend,
        }
    }

    /// The keys of an application that authenticates by a signed assertion.
    pub(crate) fn keys(self) -> Option<&'a ClientKeys> {
        match self {
            Self::App(app) => match &app.authentication {
                Authentication::Keys(keys) => Some(keys),
                Authentication::Public | Authentication::Secrets(_) => None,
            },
            Self::Backend(backend) => Some(&backend.keys),
        }
    }
}

impl ClientRole {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Patient => "patient",
            Self::Backend => "backend",
        }
    }
}

impl From<EhrRole> for ClientRole {
    fn from(role: EhrRole) -> Self {
        match role {
            EhrRole::Provider => Self::Provider,
            EhrRole::Patient => Self::Patient,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(role: EhrRole, id: &str) -> App {
        App {
            role,
            id: id.to_owned(),
            redirect_uri: RedirectUri::parse("https://vestibule.example/back").unwrap(),
            authentication: Authentication::Secrets(Secrets::new("hunter2".into(), None)),
        }
    }

    fn backend(id: &str) -> Backend {
        Backend {
            id: id.to_owned(),
            keys: ClientKeys::At(Url::parse("http://127.0.0.1/jwks").unwrap()),
        }
    }

    fn fault(apps: Vec<App>, backends: Vec<Backend>) -> ClientsFault {
        Clients::new(apps, backends).unwrap_err()
    }

    #[test]
    fn there_is_one_application_of_each_role_and_at_most_one_backend() {
        use ClientsFault::{NotOneOfEach, SameId};
        use EhrRole::{Patient, Provider};
        let both = || vec![app(Patient, "p"), app(Provider, "d")];
        let clients = Clients::new(both(), vec![]).unwrap();
        assert_eq!(clients.app(Provider).id, "d");
        assert!(clients.backend().is_none());
        let clients = Clients::new(both(), vec![backend("b")]).unwrap();
        assert_eq!(clients.find("b").unwrap().role(), ClientRole::Backend);
        assert!(clients.find_app("b").is_none());

        let two_providers = vec![app(Provider, "a"), app(Provider, "b")];
        assert_eq!(fault(two_providers, vec![]), NotOneOfEach);
        assert_eq!(fault(vec![app(Provider, "a")], vec![]), NotOneOfEach);
        let two_backends = vec![backend("a"), backend("b")];
        assert_eq!(fault(both(), two_backends), NotOneOfEach);
        let same_id = vec![app(Provider, "a"), app(Patient, "a")];
        assert_eq!(fault(same_id, vec![]), SameId);
        assert_eq!(fault(both(), vec![backend("d")]), SameId);
    }

    #[test]
    fn two_secrets_are_good_while_one_replaces_the_other() {
        let one = Secrets::new("old".into(), None);
        assert!(one.contain("old"));
        assert!(!one.contain("new"));
        assert!(!one.contain(""));
        let both = Secrets::new("new".into(), Some("old".into()));
        assert!(both.contain("old"));
        assert!(both.contain("new"));
        assert!(!both.contain("oldnew"));
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
        assert!(!format!("{:?}", app(EhrRole::Patient, "p")).contains("hunter2"));
    }
}
