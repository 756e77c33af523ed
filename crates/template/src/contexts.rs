//! The variables of each kind of template, as Pexip Infinity documents them.
//! What is `None` is not defined in the template: it renders as nothing, and
//! `x or ""` and `{% if x %}` work as for any empty value.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::Verbatim;

/// What a template can say of the profile.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TelehealthIntegration {
    /// Domain of the aliases.
    pub telehealth_call_domain: String,
    /// Name of the profile, by default also the display name of providers.
    pub name: String,
    /// Description of the profile.
    pub description: String,
    /// UUID of the profile.
    pub integration_uuid: String,
    /// Base URL of the web app, with or without slash at its end; templates see it without.
    #[serde(serialize_with = "base_url")]
    pub infinity_webapp_server_base_url: String,
}

/// What the EHR says of the appointment.
#[derive(Clone, Default, Serialize)]
pub struct LaunchInformation {
    /// First name of the patient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fname: Option<String>,
    /// Middle name of the patient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mname: Option<String>,
    /// Last name of the patient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lname: Option<String>,
    /// Department of the encounter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encfacnpiname: Option<String>,
}

/// For alias templates.
#[derive(Clone, Serialize)]
pub struct AliasContext {
    /// The one-time alias of this launch.
    pub base_telehealth_alias: String,
    /// The profile.
    pub telehealth_integration: TelehealthIntegration,
    /// The launch.
    pub telehealth_request_id: String,
    /// The appointment.
    pub unique_encounter_id: String,
}

/// For display name templates.
#[derive(Clone, Serialize)]
pub struct DisplayNameContext {
    /// The appointment's details.
    pub launch_information: LaunchInformation,
    /// The profile.
    pub telehealth_integration: TelehealthIntegration,
    /// The launch.
    pub telehealth_request_id: String,
    /// The appointment.
    pub unique_encounter_id: String,
}

/// For join link templates, with [`Escaping::JoinLink`](crate::Escaping::JoinLink).
#[derive(Clone, Serialize)]
pub struct JoinLinkContext {
    /// The rendered alias.
    pub telehealth_alias: String,
    /// The host PIN, for providers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    /// The rendered display name.
    pub display_name: String,
    /// The one-time ticket that stands for PIN and name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_ticket: Option<String>,
    /// The profile.
    pub telehealth_integration: TelehealthIntegration,
    /// The launch.
    pub telehealth_request_id: String,
    /// The appointment.
    pub unique_encounter_id: String,
}

/// For service name templates.
#[derive(Clone, Serialize)]
pub struct ServiceNameContext {
    /// The appointment's details.
    pub launch_information: LaunchInformation,
    /// The profile.
    pub telehealth_integration: TelehealthIntegration,
    /// The appointment.
    pub unique_encounter_id: String,
}

/// For error page templates, with [`Escaping::Html`](crate::Escaping::Html).
#[derive(Clone, Debug, Serialize)]
pub struct ErrorPageContext {
    /// The public name of the error.
    pub error_name: String,
    /// The launch.
    pub telehealth_request_id: String,
    /// When it went wrong: RFC 3339, UTC.
    pub utc_time: String,
    /// The user's language, where it is known: a primary language subtag (BCP 47) such as
    /// `es`, also with more after a hyphen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// More for the help desk, where the profile allows it to be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detailed_debug_information: Option<String>,
}

impl fmt::Debug for LaunchInformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaunchInformation").finish_non_exhaustive()
    }
}

impl fmt::Debug for AliasContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AliasContext")
            .field("telehealth_request_id", &self.telehealth_request_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DisplayNameContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DisplayNameContext")
            .field("telehealth_request_id", &self.telehealth_request_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for JoinLinkContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinLinkContext")
            .field("telehealth_request_id", &self.telehealth_request_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ServiceNameContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceNameContext").finish_non_exhaustive()
    }
}

/// Without its slash, of which the templates write one; as it is in a join link.
fn base_url<S: Serializer>(url: &str, serializer: S) -> Result<S::Ok, S::Error> {
    Verbatim(url.trim_end_matches('/').to_owned()).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stands wherever something must not be shown.
    const SECRET: &str = "secret-7f3a";

    fn secret() -> String {
        SECRET.to_owned()
    }

    fn launch_information() -> LaunchInformation {
        LaunchInformation {
            fname: Some(secret()),
            mname: Some(secret()),
            lname: Some(secret()),
            encfacnpiname: Some(secret()),
        }
    }

    #[test]
    fn debug_shows_the_launch_and_nothing_of_the_visit() {
        let telehealth_integration = TelehealthIntegration::default();
        let telehealth_request_id = "request-1".to_owned();
        let alias = AliasContext {
            base_telehealth_alias: secret(),
            telehealth_integration: telehealth_integration.clone(),
            telehealth_request_id: telehealth_request_id.clone(),
            unique_encounter_id: secret(),
        };
        let display_name = DisplayNameContext {
            launch_information: launch_information(),
            telehealth_integration: telehealth_integration.clone(),
            telehealth_request_id: telehealth_request_id.clone(),
            unique_encounter_id: secret(),
        };
        let join_link = JoinLinkContext {
            telehealth_alias: secret(),
            pin: Some(secret()),
            display_name: secret(),
            launch_ticket: Some(secret()),
            telehealth_integration: telehealth_integration.clone(),
            telehealth_request_id,
            unique_encounter_id: secret(),
        };
        for shown in [
            format!("{alias:?}"),
            format!("{display_name:?}"),
            format!("{join_link:?}"),
        ] {
            assert!(shown.contains("request-1"), "{shown}");
            assert!(!shown.contains(SECRET), "{shown}");
        }
        let service_name = ServiceNameContext {
            launch_information: launch_information(),
            telehealth_integration,
            unique_encounter_id: secret(),
        };
        let shown = format!("{service_name:?} {:?}", launch_information());
        assert_eq!(shown, "ServiceNameContext { .. } LaunchInformation { .. }");
    }
}
