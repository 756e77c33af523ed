//! A telehealth profile as it is written down: under the field names of Pexip
//! Infinity's management API (`telehealth_profile`), with some fields of our own.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use vestibule_launch::{
    ParameterMap, PlusSign,
    crypto::{Algorithm, InitializationVector, KeyType},
};

use crate::{
    dialect::ZoomDocument,
    direct_link::DirectLinksDocument,
    write_back::{DeviceTestDocument, EndOfCallDocument, EpicDocument},
};

mod previous;
mod token_response_map;

pub use previous::PreviousSecrets;
pub use token_response_map::TokenResponseMap;

/// The field that holds a secret; `previous.` and others stand for tables.
pub type SecretName = &'static str;

/// The fields of a telehealth profile, unchecked. `Debug` does not show secrets, and
/// what is serialised leaves them out: [`ProfileDocument::secrets`] has them. `None`
/// stands for the field's default.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileDocument {
    /// What the profile is called, and by default its providers.
    #[serde(default)]
    pub name: String,
    /// For administrators and templates.
    #[serde(default)]
    pub description: String,
    /// `integration_uuid`, which launch URLs name.
    #[serde(default)]
    pub uuid: Uuid,
    /// Domain of the one-time aliases.
    #[serde(default)]
    pub telehealth_call_domain: String,
    /// Where browsers find the landing page.
    #[serde(default)]
    pub infinity_webapp_server_base_url: String,
    /// Base URL of the EHR.
    pub telehealth_integration_base_url: Option<String>,
    /// Base URL of the EHR's OAuth2 endpoints.
    pub telehealth_integration_oauth2_base_api_url: Option<String>,
    /// Where the EHR returns patients to.
    pub patient_oauth2_redirect_url: Option<String>,
    /// Where the EHR returns providers to.
    pub provider_oauth2_redirect_url: Option<String>,
    /// The patients' application at the EHR.
    pub epic_patient_app_client_id: Option<String>,
    /// The providers' application at the EHR.
    pub epic_provider_app_client_id: Option<String>,
    /// Secret of the patients' application; without one it is a public client.
    #[serde(skip_serializing)]
    pub epic_patient_app_client_secret: Option<SecretString>,
    /// Secret of the providers' application; without one it is a public client.
    #[serde(skip_serializing)]
    pub epic_provider_app_client_secret: Option<SecretString>,
    /// The key of the encrypted launch parameters.
    #[serde(skip_serializing)]
    pub epic_encryption_key: Option<SecretString>,
    /// What the key is given as.
    #[serde(default)]
    pub epic_encryption_key_type: KeyType,
    /// What the key is for.
    #[serde(default)]
    pub epic_encryption_algorithm: Algorithm,
    /// Alias of patients.
    pub patient_alias_template: Option<String>,
    /// Alias of providers.
    pub provider_alias_template: Option<String>,
    /// Display name of patients.
    pub patient_display_name_template: Option<String>,
    /// Display name of providers.
    pub provider_display_name_template: Option<String>,
    /// Join link of patients.
    pub patient_web_join_link_template: Option<String>,
    /// Join link of providers.
    pub provider_web_join_link_template: Option<String>,
    /// Name of the conference.
    pub service_name_template: Option<String>,
    /// The error page.
    pub launch_error_web_template: Option<String>,
    /// The backend application at the EHR, for direct join links.
    pub epic_backend_oauth2_app_client_id: Option<String>,
    /// The EHR's token endpoint for the backend application.
    pub epic_backend_oauth2_app_token_endpoint_url: Option<String>,
    /// The private key of the backend application, in PEM.
    #[serde(skip_serializing)]
    pub epic_backend_oauth2_app_private_key: Option<SecretString>,

    // Not in the management API.
    /// Name of the encrypted parameter in launch URLs: `data`.
    pub encrypted_parameter_name: Option<String>,
    /// Where the initialisation vector is.
    #[serde(default)]
    pub initialization_vector: InitializationVector,
    /// What `+` means in the decrypted parameters.
    #[serde(default)]
    pub plus_sign: PlusSign,
    /// The EHRs that may launch: all under `telehealth_integration_oauth2_base_api_url`.
    pub allowed_iss: Option<Vec<String>>,
    /// How long a launch's alias leads to its conference: 60.
    pub launch_validity_minutes: Option<u64>,
    /// What is asked of the EHR: `launch openid fhirUser`.
    pub scope: Option<String>,
    /// Whether browsers post the authorization request, however short it is, where the
    /// EHR says that it takes it.
    #[serde(default)]
    pub authorize_by_post: bool,
    /// Whether error pages show more for the help desk.
    #[serde(default)]
    pub show_debug_information: bool,
    /// The language of the landing page where link and browser name none: a primary tag
    /// (BCP 47), such as `es`.
    pub language: Option<String>,
    /// Whether several patients meet in one encounter.
    #[serde(default)]
    pub group_visits: bool,
    /// How long a secret that the admin API replaces stays valid: 60.
    pub secret_overlap_minutes: Option<u64>,
    /// What the EHR calls the decrypted parameters.
    #[serde(default)]
    pub parameter_map: ParameterMap,
    /// What the EHR calls launch information in its token response.
    #[serde(default)]
    pub token_response_map: TokenResponseMap,
    /// How the EHR is told who is connected; without it, it is not.
    pub write_back: Option<EpicDocument>,
    /// The call that says that a visit is over; without it, there is none.
    pub end_of_call: Option<EndOfCallDocument>,
    /// The call that says how a device check went; without it, there is none.
    pub device_test: Option<DeviceTestDocument>,
    /// How the EHR is asked whether a direct join link is good.
    pub direct_links: Option<DirectLinksDocument>,
    /// Zoom's video visit URLs in the place of Epic's launches.
    pub zoom: Option<ZoomDocument>,
    /// Secrets that were replaced and are valid still.
    pub previous: Option<PreviousSecrets>,
}

impl ProfileDocument {
    /// The secrets that it has, by name.
    pub fn secrets(&self) -> BTreeMap<SecretName, SecretString> {
        let mut copy = self.clone();
        let named = copy.secrets_mut().into_iter();
        named
            .filter_map(|(name, secret)| Some((name, secret.take()?)))
            .collect()
    }

    /// Every field that holds a secret, whether or not it does now. A field that is
    /// missing here would be lost when the profile is stored.
    pub(crate) fn secrets_mut(&mut self) -> Vec<(SecretName, &mut Option<SecretString>)> {
        let mut secrets = vec![
            ("epic_encryption_key", &mut self.epic_encryption_key),
            (
                "epic_patient_app_client_secret",
                &mut self.epic_patient_app_client_secret,
            ),
            (
                "epic_provider_app_client_secret",
                &mut self.epic_provider_app_client_secret,
            ),
            (
                "epic_backend_oauth2_app_private_key",
                &mut self.epic_backend_oauth2_app_private_key,
            ),
        ];
        if let Some(table) = &mut self.write_back
            && let Some(password) = table.authentication.password_mut()
        {
            secrets.push(("write_back.authentication.password", password));
        }
        if let Some(table) = &mut self.end_of_call
            && let Some(password) = table.authentication.password_mut()
        {
            secrets.push(("end_of_call.authentication.password", password));
        }
        if let Some(table) = &mut self.device_test
            && let Some(password) = table.authentication.password_mut()
        {
            secrets.push(("device_test.authentication.password", password));
        }
        secrets.extend(self.zoom.iter_mut().flat_map(ZoomDocument::secrets_mut));
        secrets.extend(
            self.previous
                .iter_mut()
                .flat_map(PreviousSecrets::secrets_mut),
        );
        secrets
    }
}
