//! Telehealth profiles: how one EHR launches visits of one organisation.

use std::{fmt, time::Duration};

use url::{Host, Url};
use uuid::Uuid;
use vestibule_launch::{
    EhrRole,
    crypto::{KeyCheckValue, KeyType},
};
use vestibule_smart::{ClientCredentials, Scope};
use vestibule_template::{Template, contexts::TelehealthIntegration};

use crate::dialect::Epic;

mod file;
mod templates;

pub use file::ProfileError;
pub use templates::{JoinLinkValues, RenderError};

/// A telehealth profile, checked: every template parses and holds what it must,
/// every URL is one, the key fits its algorithm.
pub struct Profile {
    /// `integration_uuid`, which launch URLs name.
    pub uuid: Uuid,
    /// What templates see of the profile.
    pub integration: TelehealthIntegration,
    /// How the EHR words a launch.
    pub dialect: Epic,
    /// What is asked of the EHR.
    pub scope: Scope,
    /// How long an alias leads to its conference.
    pub launch_validity: Duration,
    /// Whether error pages show more for the help desk.
    pub show_debug_information: bool,
    key_type: KeyType,
    service_name: templates::Field,
    error_page: Template,
    allowed_iss: AllowedIssuers,
    patient: RoleProfile,
    provider: RoleProfile,
}

/// What differs between patients and providers.
pub struct RoleProfile {
    /// The registered application.
    pub credentials: ClientCredentials,
    /// Where the EHR returns to, as registered.
    pub redirect_uri: String,
    templates: templates::RoleTemplates,
}

/// The EHRs that may launch.
enum AllowedIssuers {
    /// Everything under this URL.
    Under(Url),
    /// These, with or without a slash at the end.
    These(Vec<Url>),
}

impl Profile {
    /// What holds for this role.
    pub fn role(&self, role: EhrRole) -> &RoleProfile {
        match role {
            EhrRole::Patient => &self.patient,
            EhrRole::Provider => &self.provider,
        }
    }

    /// The key check value of the encryption key. None of a password: its value would
    /// let a reader of the log try passwords. Takes tens of milliseconds.
    pub fn key_check_value(&self) -> Option<KeyCheckValue> {
        match self.key_type {
            KeyType::Base64Key => Some(KeyCheckValue::of(self.dialect.cipher.key())),
            KeyType::Password => None,
        }
    }

    /// Whether an EHR's FHIR base URL may launch with this profile.
    pub fn allows(&self, iss: &Url) -> bool {
        if iss.query().is_some() || iss.fragment().is_some() {
            return false;
        }
        match &self.allowed_iss {
            AllowedIssuers::Under(base) => {
                iss.origin() == base.origin() && is_under(iss.path(), base.path())
            }
            AllowedIssuers::These(allowed) => allowed.iter().any(|url| {
                iss.origin() == url.origin()
                    && iss.path().trim_end_matches('/') == url.path().trim_end_matches('/')
            }),
        }
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("uuid", &self.uuid)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RoleProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoleProfile")
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}

/// Whether `path` is `base` or goes on from it at a slash.
fn is_under(path: &str, base: &str) -> bool {
    path.strip_prefix(base.trim_end_matches('/'))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether requests to `url` are protected on their way: https, or loopback.
fn is_protected(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Domain(name))) => name == "localhost",
        ("http", Some(Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    }
}
