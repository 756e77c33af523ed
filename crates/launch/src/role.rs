//! Who somebody is in the EHR, and what they are in the conference.

use serde::{Deserialize, Serialize};

/// Who is launching, as the EHR sees it. It comes from the path of the launch
/// URL, never from the encrypted parameters: those carry no authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EhrRole {
    /// A patient, or somebody who joins for one.
    Patient,
    /// A clinician.
    Provider,
}

impl EhrRole {
    /// What this person is in the conference.
    pub fn conference_role(self) -> Role {
        match self {
            Self::Patient => Role::Guest,
            Self::Provider => Role::Host,
        }
    }

    /// The name used in launch paths: `patient` or `provider`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::Provider => "provider",
        }
    }
}

/// What somebody is in the conference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Opens the conference on joining.
    Host,
    /// Waits until a host has joined.
    Guest,
}

impl Role {
    /// The name used in join links: `host` or `guest`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Guest => "guest",
        }
    }
}
