//! The body of a successful answer of the token endpoint.

use std::fmt;

use rand::CryptoRng;
use serde::Serialize;
use serde_json::{Map, Value};
use vestibule_launch::UnixTime;

use super::{AuthorizationServer, Grant, GrantId, Holder};
use crate::{opaque::Opaque, visit::Visit};

/// With the fields and types of Epic's.
#[derive(Serialize)]
pub(crate) struct TokenAnswer {
    access_token: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: u32,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id_token: Option<String>,
    #[serde(flatten)]
    context: Option<Context>,
    /// What an integration record adds.
    #[serde(flatten)]
    extra: Map<String, Value>,
}

/// What the application is told of the visit.
#[derive(Serialize)]
struct Context {
    #[serde(skip_serializing_if = "Option::is_none")]
    patient: Option<&'static str>,
    /// The patient's id in the older interface.
    #[serde(
        rename = "__epic.dstu2.patient",
        skip_serializing_if = "Option::is_none"
    )]
    dstu2_patient: Option<&'static str>,
    encounter: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'static str>,
    #[serde(rename = "loginDepartment", skip_serializing_if = "Option::is_none")]
    login_department: Option<&'static str>,
    appointment: &'static str,
    /// Epic sends the word, not the Boolean.
    need_patient_banner: &'static str,
    smart_style_url: String,
}

impl AuthorizationServer {
    /// A new access token of the grant, and the context that goes with it.
    pub(super) fn answer(
        &mut self,
        id: GrantId,
        grant: Grant,
        now: UnixTime,
        rng: &mut dyn CryptoRng,
    ) -> TokenAnswer {
        TokenAnswer {
            context: Some(self.context(grant.visit)),
            extra: self.policy.extra.of(grant.visit),
            ..self.bare_answer(Holder::Grant(id), grant.scopes.to_string(), now, rng)
        }
    }

    /// A new access token without context.
    pub(super) fn bare_answer(
        &mut self,
        holder: Holder,
        scope: String,
        now: UnixTime,
        rng: &mut dyn CryptoRng,
    ) -> TokenAnswer {
        let access_token = Opaque::generate(rng);
        let expires = now + self.policy.access_token_lifetime();
        self.access_tokens
            .insert(access_token.digest(), holder, expires, now);
        TokenAnswer {
            access_token: access_token.as_str().to_owned(),
            token_type: "bearer",
            expires_in: self.policy.access_token_seconds,
            scope,
            state: None,
            refresh_token: None,
            id_token: None,
            context: None,
            extra: Map::new(),
        }
    }

    fn context(&self, visit: Visit) -> Context {
        let appointment = visit.appointment;
        let department = appointment.department.as_ref();
        Context {
            patient: visit.patient().map(|patient| patient.fhir_id),
            dstu2_patient: visit.patient().map(|patient| patient.dstu2_id),
            encounter: appointment.fhir_encounter,
            location: department.map(|department| department.fhir_location),
            login_department: department.map(|department| department.id),
            appointment: appointment.fhir_appointment,
            need_patient_banner: "false",
            smart_style_url: self.smart_style_url.clone(),
        }
    }
}

impl fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenAnswer")
            .field("expires_in", &self.expires_in)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
