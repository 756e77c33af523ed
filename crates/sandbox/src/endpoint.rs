//! The endpoints whose answers a fault script can spoil and whose requests are
//! counted.

use serde::{Deserialize, Serialize};

/// An endpoint that applications call. In TOML and in the journal the name is
/// written in snake case, such as `direct_launch_token`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// Both forms of metadata: [`Self::SmartConfiguration`] and
    /// [`Self::CapabilityStatement`].
    Metadata,
    /// `{fhir}/.well-known/smart-configuration`
    SmartConfiguration,
    /// `{fhir}/metadata`
    CapabilityStatement,
    /// The EHR's public keys, with which an id token is verified.
    Jwks,
    /// The authorize endpoint, which the browser calls.
    Authorize,
    /// The token endpoint.
    Token,
    /// Patient, Encounter and Practitioner.
    Fhir,
    /// `SetExternalConnectionStatus`
    Status,
    /// The call that says a visit has ended.
    EndOfCall,
    /// The call that says how a device check went.
    DeviceTest,
    /// Where Zoom's notifications go.
    ZoomNotification,
    /// Where a backend client asks whether a direct join link is good.
    DirectLaunchToken,
}

impl Endpoint {
    /// Whether a fault or a count of `self` is about requests of `actual`.
    pub(crate) fn covers(self, actual: Self) -> bool {
        self == actual
            || (self == Self::Metadata
                && matches!(actual, Self::SmartConfiguration | Self::CapabilityStatement))
    }

    /// The name in TOML and in the journal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::SmartConfiguration => "smart_configuration",
            Self::CapabilityStatement => "capability_statement",
            Self::Jwks => "jwks",
            Self::Authorize => "authorize",
            Self::Token => "token",
            Self::Fhir => "fhir",
            Self::Status => "status",
            Self::EndOfCall => "end_of_call",
            Self::DeviceTest => "device_test",
            Self::ZoomNotification => "zoom_notification",
            Self::DirectLaunchToken => "direct_launch_token",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Endpoint; 12] = [
        Endpoint::Metadata,
        Endpoint::SmartConfiguration,
        Endpoint::CapabilityStatement,
        Endpoint::Jwks,
        Endpoint::Authorize,
        Endpoint::Token,
        Endpoint::Fhir,
        Endpoint::Status,
        Endpoint::EndOfCall,
        Endpoint::DeviceTest,
        Endpoint::ZoomNotification,
        Endpoint::DirectLaunchToken,
    ];

    #[test]
    fn the_name_is_the_one_in_configuration_and_journal() {
        for endpoint in ALL {
            assert_eq!(serde_json::json!(endpoint), endpoint.as_str());
        }
    }

    #[test]
    fn metadata_covers_both_of_its_forms_and_every_other_endpoint_itself() {
        for endpoint in ALL {
            for actual in ALL {
                let both = [Endpoint::SmartConfiguration, Endpoint::CapabilityStatement];
                let expected = endpoint == actual
                    || (endpoint == Endpoint::Metadata && both.contains(&actual));
                assert_eq!(endpoint.covers(actual), expected);
            }
        }
    }
}
