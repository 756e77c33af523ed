//! The scopes that a launch or a backend client asks for.

use std::{fmt, str::FromStr};

/// Space-separated scopes (RFC 6749 section 3.3) with `launch` among them,
/// without which an EHR ignores the launch context (SMART App Launch 2.2,
/// "Scopes and Launch Context"). At most 1024 characters.
///
/// The default asks for the launch context (patient, encounter, appointment) and for who signed in
/// (`openid fhirUser`), and for no clinical data. Servers other than Epic may
/// want `online_access` added before they issue a refresh token; Epic decides
/// that by the client's registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(String);

/// Space-separated scopes (RFC 6749 section 3.3) of a client without a user,
/// such as `system/Appointment.rs` (SMART App Launch 2.2, "Backend Services").
/// At least one, at most 1024 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemScope(String);

/// The text cannot be the scopes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeInvalid {
    /// `launch` is not among the scopes.
    #[error("the scopes must contain `launch`")]
    LaunchMissing,
    /// There is no scope at all.
    #[error("there is no scope")]
    Empty,
    /// Longer than 1024 characters.
    #[error("the scopes are longer than 1024 characters")]
    TooLong,
    /// A character that RFC 6749 section 3.3 does not allow.
    #[error("a scope holds a character other than printable ASCII without quotes and backslashes")]
    Character,
}

impl Scope {
    /// The scopes, separated by single spaces.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Scope {
    fn default() -> Self {
        Self("launch openid fhirUser".to_owned())
    }
}

impl FromStr for Scope {
    type Err = ScopeInvalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let scopes = scopes(text)?;
        if !scopes.contains(&"launch") {
            return Err(ScopeInvalid::LaunchMissing);
        }
        Ok(Self(scopes.join(" ")))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl SystemScope {
    /// The scopes, separated by single spaces.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SystemScope {
    type Err = ScopeInvalid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let scopes = scopes(text)?;
        if scopes.is_empty() {
            return Err(ScopeInvalid::Empty);
        }
        Ok(Self(scopes.join(" ")))
    }
}

impl fmt::Display for SystemScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn scopes(text: &str) -> Result<Vec<&str>, ScopeInvalid> {
    if text.len() > 1024 {
        return Err(ScopeInvalid::TooLong);
    }
    let scopes: Vec<&str> = text.split(' ').filter(|scope| !scope.is_empty()).collect();
    let allowed = |byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    if scopes.iter().all(|scope| scope.bytes().all(allowed)) {
        Ok(scopes)
    } else {
        Err(ScopeInvalid::Character)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_itself_a_valid_scope() {
        assert_eq!(Scope::default().as_str().parse(), Ok(Scope::default()));
    }

    #[test]
    fn launch_must_be_a_scope_of_its_own() {
        assert_eq!(
            "launch/patient openid".parse::<Scope>(),
            Err(ScopeInvalid::LaunchMissing)
        );
        assert_eq!("".parse::<Scope>(), Err(ScopeInvalid::LaunchMissing));
        assert_eq!(
            "openid  launch ".parse::<Scope>().unwrap().as_str(),
            "openid launch"
        );
    }

    #[test]
    fn odd_characters_and_lengths_are_refused() {
        assert_eq!(
            "launch \"x\"".parse::<Scope>(),
            Err(ScopeInvalid::Character)
        );
        assert_eq!(
            "launch\nopenid".parse::<Scope>(),
            Err(ScopeInvalid::Character)
        );
        let long = format!("launch {}", "x".repeat(1024));
        assert_eq!(long.parse::<Scope>(), Err(ScopeInvalid::TooLong));
    }

    #[test]
    fn a_backend_needs_no_launch_but_some_scope() {
        assert_eq!(
            " system/*.rs  openid"
                .parse::<SystemScope>()
                .unwrap()
                .as_str(),
            "system/*.rs openid"
        );
        assert_eq!(" ".parse::<SystemScope>(), Err(ScopeInvalid::Empty));
        assert_eq!("a\tb".parse::<SystemScope>(), Err(ScopeInvalid::Character));
    }
}
