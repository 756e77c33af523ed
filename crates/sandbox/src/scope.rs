//! What an application may do (RFC 6749 section 3.3, SMART App Launch 2.2).

use std::fmt;

/// All that can be granted, in the order in which it is written.
pub(crate) const SCOPES: [&str; 7] = [
    "launch",
    "openid",
    "fhirUser",
    "profile",
    "online_access",
    "patient/Patient.read",
    "patient/Encounter.read",
];

/// Some of [`SCOPES`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scopes([bool; SCOPES.len()]);

impl Scopes {
    /// What is granted of a request; the rest of it is ignored, as by real EHRs.
    pub(crate) fn granted(requested: &str) -> Self {
        Self(SCOPES.map(|scope| requested.split(' ').any(|asked| asked == scope)))
    }

    pub(crate) fn contains(self, scope: &str) -> bool {
        SCOPES
            .iter()
            .zip(self.0)
            .any(|(known, granted)| granted && *known == scope)
    }

    /// Whether all that is asked for was granted before.
    pub(crate) fn cover(self, requested: &str) -> bool {
        requested.split(' ').all(|scope| self.contains(scope))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let granted = SCOPES.iter().zip(self.0).filter(|(_, granted)| *granted);
        for (index, (scope, _)) in granted.enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{scope}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_granted_and_the_rest_ignored() {
        let scopes = Scopes::granted("offline_access openid launch Openid");
        assert_eq!(scopes.to_string(), "launch openid");
        assert!(scopes.contains("openid"));
        assert!(!scopes.contains("profile"));
        assert!(!scopes.contains("offline_access"));
        assert_eq!(Scopes::default().to_string(), "");
    }

    #[test]
    fn less_is_covered_and_more_is_not() {
        let scopes = Scopes::granted("launch openid");
        assert!(scopes.cover("openid"));
        assert!(scopes.cover("openid launch"));
        assert!(!scopes.cover("launch fhirUser"));
        assert!(!scopes.cover(""));
    }
}
