//! One-time launch tickets.

use std::{fmt, time::Duration};

use uuid::Uuid;
use vestibule_launch::{EhrRole, RequestId, UnixTime};

use crate::{NewBearer, TicketHash};

/// How long the browser that redeemed a ticket may ask again: a reload, a lost answer.
pub(crate) const REPEAT_WITHIN: Duration = Duration::from_secs(60);

/// A ticket to give out.
#[derive(Clone)]
pub struct NewTicket {
    /// The ticket.
    pub hash: TicketHash,
    /// What it is redeemed for, sealed.
    pub sealed: Vec<u8>,
    /// Until when it can be redeemed.
    pub expires_at: UnixTime,
    /// The bearer token that comes with what it is redeemed for.
    pub bearer: NewBearer,
}

/// How [`crate::Launches::redeem_ticket`] went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redemption {
    /// Redeemed, now or by the same browser within the last 60 seconds.
    Redeemed(Redeemed),
    /// Another browser redeemed it, or this one longer ago.
    Used,
    /// There is no such ticket, or its time is over.
    Unknown,
}

/// What a ticket was redeemed for.
#[derive(Clone, PartialEq, Eq)]
pub struct Redeemed {
    /// The launch.
    pub request_id: RequestId,
    /// Its telehealth profile.
    pub profile: Uuid,
    /// Who launched.
    pub role: EhrRole,
    /// What was sealed.
    pub sealed: Vec<u8>,
}

impl fmt::Debug for NewTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewTicket").finish_non_exhaustive()
    }
}

impl fmt::Debug for Redeemed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redeemed")
            .field("request_id", &self.request_id)
            .field("profile", &self.profile)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}
