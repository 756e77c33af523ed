//! In which forms the EHR says where its endpoints are.

use serde::Deserialize;

/// Older EHRs have no SMART configuration, newer ones need no CapabilityStatement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum MetadataForms {
    #[default]
    Both,
    SmartConfiguration,
    CapabilityStatement,
    Neither,
}

impl MetadataForms {
    pub(crate) fn smart_configuration(self) -> bool {
        matches!(self, Self::Both | Self::SmartConfiguration)
    }

    pub(crate) fn capability_statement(self) -> bool {
        matches!(self, Self::Both | Self::CapabilityStatement)
    }
}
