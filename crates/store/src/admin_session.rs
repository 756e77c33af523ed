//! What the server remembers of an administrator who has signed in.

use std::{fmt, time::Duration};

use vestibule_launch::UnixTime;

/// How exactly it is known when a session was last used: a page is no write.
pub(crate) const EXACT: Duration = Duration::from_secs(60);

/// A signed-in administrator's browser. `Debug` does not show the credential's hash.
#[derive(Clone, PartialEq, Eq)]
pub struct AdminSession {
    /// The administrator's name.
    pub administrator: String,
    /// Who that is at the provider that vouches for the administrator, by subject and
    /// issuer; `None` of those of the configuration.
    pub identity: Option<String>,
    /// The administrator's role at sign-in.
    pub role: String,
    /// Whether the role saw names at sign-in.
    pub may_see_names: bool,
    /// SHA-256 of what the administrator signed in by: with another password the session
    /// is over.
    pub credential: [u8; 32],
    /// When the session began.
    pub created_at: UnixTime,
    /// When it was last used, to about a minute.
    pub used_at: UnixTime,
    /// When it is over, whether or not it is used.
    pub expires_at: UnixTime,
}

impl fmt::Debug for AdminSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminSession")
            .field("administrator", &self.administrator)
            .field("role", &self.role)
            .field("may_see_names", &self.may_see_names)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
