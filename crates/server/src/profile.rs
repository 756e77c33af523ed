//! Telehealth profiles: how one EHR launches visits of one organisation.

use std::{fmt, sync::OnceLock, time::Duration};

use url::Url;
use uuid::Uuid;
use vestibule_launch::{EhrRole, crypto::KeyCheckValue};
use vestibule_smart::{ClientCredentials, Scope};
use vestibule_template::{Template, contexts::TelehealthIntegration};

use crate::{backend::Backend, dialect::Dialect, direct_link::DirectLinks, write_back::WriteBack};

mod change;
mod check;
pub mod database;
mod difference;
mod document;
pub mod export;
pub(crate) mod field;
mod file;
pub mod folder;
pub mod import;
pub mod json;
mod overlap;
mod registry;
mod reloaded;
mod remark;
mod replacing;
mod sample;
pub mod sealed;
mod set;
mod surroundings;
mod templates;
#[cfg(test)]
mod tests;

pub use change::ChangeError;
pub use database::{KeptProfile, ProfileDatabase};
pub(crate) use difference::changed_fields;
pub use document::{PreviousSecrets, ProfileDocument, SecretName, TokenResponseMap};
pub use file::{ProfileError, ProfileFile};
pub use overlap::Overlap;
pub use registry::{Entry, Kept, Registry, RegistryError};
pub use remark::{Faults, Remark};
pub use replacing::complete;
pub use sample::Sample;
pub use set::{ProfileConflict, ProfileSet, Profiles};
pub use templates::{JoinLinkValues, RenderError};

/// A telehealth profile, checked: every template parses and holds what it must,
/// every URL is one, the key fits its algorithm.
pub struct Profile {
    /// `integration_uuid`, which launch URLs name.
    pub uuid: Uuid,
    /// What templates see of the profile.
    pub integration: TelehealthIntegration,
    /// How the EHR words a launch.
    pub dialect: Box<dyn Dialect>,
    /// How the EHR signs users in, where it does.
    pub sign_in: Option<SignIn>,
    /// This server as an application of its own at the EHR, where it is one.
    pub backend: Option<Backend>,
    /// The links that need no sign-in, where there is a backend application.
    pub direct_links: Option<DirectLinks>,
    /// What the EHR calls launch information in its token response.
    pub token_response_map: TokenResponseMap,
    /// What the EHR is told while a visit runs.
    pub write_backs: Vec<Box<dyn WriteBack>>,
    /// How long an alias leads to its conference.
    pub launch_validity: Duration,
    /// The language of the landing page where link and browser name none.
    pub language: Option<String>,
    /// Whether error pages show more for the help desk.
    pub show_debug_information: bool,
    service_name: templates::Field,
    error_page: Template,
    patient: templates::RoleTemplates,
    provider: templates::RoleTemplates,
    warnings: Vec<Remark>,
    surroundings: OnceLock<surroundings::Source>,
    key_check_value: OnceLock<Option<KeyCheckValue>>,
}

/// How an EHR signs users in: SMART on FHIR.
pub struct SignIn {
    /// What is asked of the EHR.
    pub scope: Scope,
    /// Base of the EHR's OAuth2 endpoints.
    pub oauth2_base: Url,
    /// Whether the browser is to post the authorization request, however short it is,
    /// where the EHR says that it takes it.
    pub authorize_by_post: bool,
    allowed_iss: AllowedIssuers,
    patient: Application,
    provider: Application,
}

/// An application registered with an EHR.
pub struct Application {
    /// What it proves itself with.
    pub credentials: Overlap<ClientCredentials>,
    /// Where the EHR returns to, as registered.
    pub redirect_uri: String,
}

/// The EHRs that may launch.
enum AllowedIssuers {
    /// Everything under this URL.
    Under(Url),
    /// These, with or without a slash at the end.
    These(Vec<Url>),
}

impl Profile {
    /// What is not wrong but seldom meant.
    pub fn warnings(&self) -> &[Remark] {
        &self.warnings
    }

    /// [`Dialect::key_check_value`], which takes tens of milliseconds once.
    pub fn key_check_value(&self) -> Option<KeyCheckValue> {
        *self
            .key_check_value
            .get_or_init(|| self.dialect.key_check_value())
    }

    fn templates(&self, role: EhrRole) -> &templates::RoleTemplates {
        match role {
            EhrRole::Patient => &self.patient,
            EhrRole::Provider => &self.provider,
        }
    }
}

impl SignIn {
    /// Whether the EHR returns over a secure connection: always, but on one machine.
    pub fn returns_securely(&self) -> bool {
        let applications = [&self.patient, &self.provider];
        applications
            .iter()
            .all(|application| application.redirect_uri.starts_with("https:"))
    }

    /// The application of this role.
    pub fn application(&self, role: EhrRole) -> &Application {
        match role {
            EhrRole::Patient => &self.patient,
            EhrRole::Provider => &self.provider,
        }
    }

    /// Whether an EHR's FHIR base URL may launch.
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

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application")
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}

/// Whether `path` is `base` or goes on from it at a slash.
fn is_under(path: &str, base: &str) -> bool {
    path.strip_prefix(base.trim_end_matches('/'))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
