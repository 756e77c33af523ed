//! Write-backs: what is told to an EHR while a visit runs. Each kind words a status as
//! one HTTP request; `jobs/write_backs.rs` sends it, at least once.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use url::Url;
use vestibule_launch::{DeviceTest, EhrRole, RequestId, UnixTime};
use vestibule_store::WriteBackKind;

use crate::profile::{ProfileDocument, field::FieldError};

mod authentication;
mod connection_status;
pub(crate) mod delivery;
mod device_test;
mod end_of_call;
mod epic;
mod field_table;
pub(crate) mod outbox;
pub(crate) mod telling;
mod zoom;

pub use authentication::{Authentication, AuthenticationDocument};
pub use connection_status::{ConnectionStatus, ConnectionStatusValues, ExternalIdTypes};
pub use device_test::{DeviceTestCall, DeviceTestDocument, DeviceTestValue};
pub use end_of_call::{EndOfCall, EndOfCallDocument, FieldValue};
pub use epic::{EpicConnectionStatus, EpicDocument};
pub use zoom::{ZoomNotification, ZoomNotificationDocument};

/// How long the end of a call waits to be told: who reloads the page, alone in the
/// visit, has not ended it.
pub(crate) const END_OF_CALL_GRACE: Duration = Duration::from_secs(10);

/// Tells an EHR of changes, in its own words.
pub trait WriteBack: Send + Sync {
    /// Of which kind it is; no two of a profile are of the same.
    fn kind(&self) -> WriteBackKind;

    /// Whether the EHR is told of this change at all.
    fn tells(&self, change: StatusChange) -> bool;

    /// The request that tells it, without credentials.
    ///
    /// # Errors
    /// [`CannotTell`]: it would be so at every attempt.
    fn request(&self, status: &Status) -> Result<http::Request<Vec<u8>>, CannotTell>;

    /// What the request is sent with.
    fn authentication(&self) -> &Authentication;
}

/// What is told of a launch. `Debug` shows no identifier of the EHR's.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The launch.
    pub request_id: RequestId,
    /// What happened.
    pub change: StatusChange,
    /// Who launched.
    pub role: EhrRole,
    /// Which appointment.
    pub unique_encounter_id: String,
    /// The EHR's identifier of who launched, where the launch carried one.
    pub external_id: Option<String>,
    /// The EHR's identifier of the conference, where the launch carried one.
    pub conference_id: Option<String>,
    /// When it happened.
    pub at: UnixTime,
    /// How the device check went, where it is that which is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_test: Option<DeviceTest>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusChange {
    /// Who launched is in the visit, or waits to be let in.
    Connected,
    /// Who launched is not there any more.
    Disconnected,
    /// The visit is over.
    CallEnded,
    /// Who launched has checked camera, microphone, speaker and connection.
    DeviceTested,
}

/// Why a status cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotTell {
    /// The launch did not say who launched.
    #[error(
        "the launch carried no identifier of the EHR's user; \
         add one to the EHR's launch record and name it in parameter_map.external_id"
    )]
    NoExternalId,
    /// What is to be sent makes no HTTP request.
    #[error("an identifier of the EHR is too long or holds what a URL cannot")]
    NoRequest,
}

impl Status {
    /// The EHR's identifier of the conference: the appointment's where the launch
    /// carried none of its own.
    pub fn conference_id(&self) -> &str {
        let conference_id = self.conference_id.as_deref();
        conference_id.unwrap_or(&self.unique_encounter_id)
    }
}

impl StatusChange {
    /// The word for it in logs: `connected`, `disconnected`, `call_ended` or
    /// `device_tested`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
            Self::CallEnded => "call_ended",
            Self::DeviceTested => "device_tested",
        }
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Status")
            .field("request_id", &self.request_id)
            .field("change", &self.change)
            .field("role", &self.role)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// The write-backs that a profile asks for: none unless it says so.
///
/// # Errors
/// The first fault that is found, by field.
pub(crate) fn check(document: &ProfileDocument) -> Result<Vec<Box<dyn WriteBack>>, FieldError> {
    let mut write_backs: Vec<Box<dyn WriteBack>> = Vec::new();
    if let Some(table) = &document.write_back {
        let base = document
            .telehealth_integration_oauth2_base_api_url
            .as_deref();
        write_backs.push(Box::new(EpicConnectionStatus::check(table, base)?));
    }
    if let Some(table) = &document.end_of_call {
        write_backs.push(Box::new(EndOfCall::check(table)?));
    }
    if let Some(table) = &document.device_test {
        write_backs.push(Box::new(DeviceTestCall::check(table)?));
    }
    if let Some(table) = document
        .zoom
        .as_ref()
        .and_then(|zoom| zoom.notification.as_ref())
    {
        write_backs.push(Box::new(ZoomNotification::check(table)?));
    }
    Ok(write_backs)
}

/// A GET of `url` with these fields added to its query.
///
/// # Errors
/// [`CannotTell::NoRequest`].
pub fn get(url: &Url, fields: &[(&str, &str)]) -> Result<http::Request<Vec<u8>>, CannotTell> {
    let mut url = url.clone();
    url.query_pairs_mut().extend_pairs(fields);
    http::Request::get(url.as_str())
        .body(Vec::new())
        .map_err(|_| CannotTell::NoRequest)
}
