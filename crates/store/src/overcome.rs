//! A failure after which somebody joined all the same is none any more. Both databases take
//! the same statements.

use vestibule_launch::{RequestId, UnixTime};

use crate::AliasHash;

/// By which launch somebody joined.
pub(crate) enum Joined {
    /// The landing page says so.
    Launch(RequestId),
    /// Somebody dialled its alias, at a time by the node's clock. What the node tells may
    /// come late: who was there before the failure has not overcome it.
    Alias(AliasHash, UnixTime),
}

/// Only the landing page says that a launch failed that had completed.
macro_rules! overcome {
    ($which:literal) => {
        concat!(
            "UPDATE launches
             SET state = 'completed', overcome = error_name, error_name = NULL, failed_at = NULL
             WHERE request_id = ",
            $which,
            " AND state = 'failed' AND completed_at IS NOT NULL"
        )
    };
}

/// By its request id.
pub(crate) const OVERCOME: &str = overcome!("$1");
/// By its alias, and the time at which somebody was there.
pub(crate) const OVERCOME_BY_ALIAS: &str = concat!(
    overcome!("(SELECT request_id FROM aliases WHERE alias_hash = $1)"),
    " AND failed_at < $2"
);
