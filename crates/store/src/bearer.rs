//! Bearer tokens, with which a landing page speaks for its launch.

use std::fmt;

use uuid::Uuid;
use vestibule_launch::{EhrRole, RequestId, UnixTime};

use crate::{AppointmentId, BearerHash, BrowserHash};

/// A bearer token to give out, with the launch's ticket.
#[derive(Clone)]
pub struct NewBearer {
    /// The token.
    pub hash: BearerHash,
    /// What the ticket is redeemed for, sealed, for as long as the launch's alias lives.
    pub sealed: Vec<u8>,
}

/// A bearer token that was given out, of a launch whose alias lives.
#[derive(Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The launch.
    pub request_id: RequestId,
    /// Its telehealth profile.
    pub profile: Uuid,
    /// Who launched.
    pub role: EhrRole,
    /// Where the launch leads.
    pub appointment: AppointmentId,
    /// The token, to be compared in constant time.
    pub hash: BearerHash,
    /// The browser that redeemed the ticket.
    pub browser: BrowserHash,
    /// What was sealed.
    pub sealed: Vec<u8>,
    /// When the launch began.
    pub launched_at: UnixTime,
    /// Until when the alias, and with it the token, is good.
    pub expires_at: UnixTime,
}

impl fmt::Debug for NewBearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewBearer").finish_non_exhaustive()
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearer")
            .field("request_id", &self.request_id)
            .field("profile", &self.profile)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}
