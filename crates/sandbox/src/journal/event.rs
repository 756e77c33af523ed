//! What happened, as data and in words.

use serde::Serialize;
use vestibule_launch::EhrRole;

use crate::{
    client::ClientRole, connection_status::ConnectionStatus, end_of_call::EndOfCall,
    endpoint::Endpoint,
};

/// Something the EHR did or was told. `appointment` is the EHR's own id of it,
/// `reason` a sentence without anything of the request in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    LaunchMade {
        role: EhrRole,
        appointment: &'static str,
        csn: &'static str,
    },
    AuthorizationGranted {
        role: EhrRole,
        appointment: &'static str,
    },
    AuthorizationRefused {
        role: Option<EhrRole>,
        reason: String,
    },
    TokenIssued {
        role: EhrRole,
        appointment: &'static str,
    },
    TokenRefreshed {
        role: EhrRole,
        appointment: &'static str,
    },
    BackendTokenIssued,
    TokenRefused {
        role: Option<ClientRole>,
        reason: String,
    },
    ConnectionStatus {
        #[serde(flatten)]
        told: ConnectionStatus,
        #[serde(skip_serializing_if = "Option::is_none")]
        idempotency_key: Option<String>,
    },
    ConnectionStatusRefused {
        reason: String,
    },
    ZoomNotification {
        #[serde(flatten)]
        told: ConnectionStatus,
    },
    ZoomNotificationRefused {
        reason: String,
    },
    CallEnded {
        #[serde(flatten)]
        call: EndOfCall,
        #[serde(skip_serializing_if = "Option::is_none")]
        idempotency_key: Option<String>,
    },
    CallEndedRefused {
        reason: String,
    },
    DeviceTested {
        #[serde(flatten)]
        call: EndOfCall,
        #[serde(skip_serializing_if = "Option::is_none")]
        idempotency_key: Option<String>,
    },
    DeviceTestRefused {
        reason: String,
    },
    DirectLaunchTokenIssued {
        appointment: Option<&'static str>,
    },
    DirectLaunchTokenRefused {
        /// None where the link names none.
        appointment: Option<&'static str>,
        reason: String,
    },
    /// A request was answered as the fault script says.
    FaultPlayed {
        endpoint: Endpoint,
        fault: String,
    },
}

impl Event {
    /// The event as a sentence.
    pub(crate) fn sentence(&self) -> String {
        let told = |who: &str, told: &ConnectionStatus| {
            format!(
                "{who} says: connection status {} for {} (type {}) in conference {}.",
                told.connection_status, told.external_id, told.external_id_type, told.conference_id
            )
        };
        match self {
            Self::LaunchMade {
                role, appointment, ..
            } => format!(
                "Visit of appointment {appointment} launched by the {}.",
                role.as_str()
            ),
            Self::AuthorizationGranted { role, appointment } => format!(
                "Sign-in granted to the {} application for appointment {appointment}.",
                role.as_str()
            ),
            Self::AuthorizationRefused { role, reason } => {
                let by = role.map_or("an unknown client", EhrRole::as_str);
                format!("Sign-in refused ({by}): {reason}.")
            }
            Self::TokenIssued { role, appointment } => format!(
                "Tokens issued to the {} application for appointment {appointment}.",
                role.as_str()
            ),
            Self::TokenRefreshed { role, appointment } => format!(
                "Access token refreshed for the {} application, appointment {appointment}.",
                role.as_str()
            ),
            Self::BackendTokenIssued => "Access token issued to the backend.".to_owned(),
            Self::TokenRefused { role, reason } => {
                let by = role.map_or("an unknown client", ClientRole::as_str);
                format!("Tokens refused ({by}): {reason}.")
            }
            Self::ConnectionStatus { told: status, .. } => told(&status.vendor_name, status),
            Self::ConnectionStatusRefused { reason } => {
                format!("Connection status refused: {reason}.")
            }
            Self::ZoomNotification { told: status } => {
                told(&format!("{} (notification)", status.vendor_name), status)
            }
            Self::ZoomNotificationRefused { reason } => format!("Notification refused: {reason}."),
            Self::CallEnded { call, .. } => format!(
                "A call has ended ({}, fields: {}).",
                call.method,
                call.fields.len()
            ),
            Self::CallEndedRefused { reason } => format!("End of a call refused: {reason}."),
            Self::DeviceTested { call, .. } => format!(
                "Devices were tested ({}, fields: {}).",
                call.method,
                call.fields.len()
            ),
            Self::DeviceTestRefused { reason } => format!("Device test refused: {reason}."),
            Self::DirectLaunchTokenIssued { appointment } => format!(
                "Direct join link of appointment {} found good.",
                appointment.unwrap_or("unknown")
            ),
            Self::DirectLaunchTokenRefused {
                appointment,
                reason,
            } => format!(
                "Direct join link of appointment {} refused: {reason}.",
                appointment.unwrap_or("unknown")
            ),
            Self::FaultPlayed { endpoint, fault } => {
                format!("A request of {} met the fault {fault}.", endpoint.as_str())
            }
        }
    }

    /// A line in the log, without anything of the request in it.
    pub(super) fn log(&self) {
        match self {
            Self::AuthorizationRefused { role, reason } => {
                tracing::warn!(role = role.map(EhrRole::as_str), reason, "refused");
            }
            Self::TokenRefused { role, reason } => {
                tracing::warn!(role = role.map(ClientRole::as_str), reason, "refused");
            }
            Self::ConnectionStatusRefused { reason }
            | Self::ZoomNotificationRefused { reason }
            | Self::CallEndedRefused { reason }
            | Self::DeviceTestRefused { reason }
            | Self::DirectLaunchTokenRefused { reason, .. } => tracing::warn!(reason, "refused"),
            Self::LaunchMade { role, .. } => tracing::info!(role = role.as_str(), "launch made"),
            Self::AuthorizationGranted { role, .. } => {
                tracing::info!(role = role.as_str(), "authorization granted");
            }
            Self::TokenIssued { role, .. } => {
                tracing::info!(role = role.as_str(), "tokens issued");
            }
            Self::TokenRefreshed { role, .. } => {
                tracing::info!(role = role.as_str(), "access token refreshed");
            }
            Self::BackendTokenIssued => tracing::info!(role = "backend", "tokens issued"),
            Self::ConnectionStatus { .. } => tracing::info!("connection status told"),
            Self::ZoomNotification { .. } => tracing::info!("notification taken"),
            Self::CallEnded { .. } => tracing::info!("end of a call told"),
            Self::DeviceTested { .. } => tracing::info!("device test told"),
            Self::DirectLaunchTokenIssued { .. } => tracing::info!("direct launch token issued"),
            Self::FaultPlayed { endpoint, fault } => {
                tracing::info!(endpoint = endpoint.as_str(), fault, "fault played");
            }
        }
    }
}
