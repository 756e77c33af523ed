//! Counting of PINs, so that nobody can try them all.

use std::time::Duration;

use async_trait::async_trait;
use vestibule_launch::UnixTime;

/// Counts attempts at PINs, for all nodes that lead into the same conferences.
///
/// A PIN that cannot be counted is refused: where an answer fails, or takes longer than
/// [`NodeSettings::policy_deadline`](crate::NodeSettings::policy_deadline), nobody comes
/// in with a PIN.
#[async_trait]
pub trait PinAttempts: Send + Sync {
    /// Counts an attempt as failed before its PIN is looked at, unless too many have
    /// failed within the limit's window: of attempts at once, no more than the limit are
    /// made.
    ///
    /// # Errors
    /// [`PinAttemptsUnavailable`] where it cannot be counted now.
    async fn begin(
        &self,
        at: PinTarget<'_>,
        limit: PinLimit,
        now: UnixTime,
    ) -> Result<PinAttempt, PinAttemptsUnavailable>;

    /// Takes back an attempt that began at `began`: its PIN was right.
    ///
    /// # Errors
    /// [`PinAttemptsUnavailable`] where that cannot be done now: it counts as failed until
    /// the window has passed.
    async fn withdraw(
        &self,
        at: PinTarget<'_>,
        began: UnixTime,
    ) -> Result<(), PinAttemptsUnavailable>;
}

/// What a PIN is tried at. It is a way into a conference or a name: not to be shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum PinTarget<'a> {
    /// An alias, in lower case.
    Alias(&'a str),
    /// A conference, whichever alias leads to it.
    Conference {
        /// Its name.
        name: &'a str,
        /// What tells it from others of that name.
        service_tag: &'a str,
    },
}

/// How many wrong PINs there may be within any time of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PinLimit {
    /// How many; at least one.
    pub attempts: usize,
    /// Within which time.
    pub window: Duration,
}

/// Whether a PIN may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinAttempt {
    /// It may, and counts.
    Counted,
    /// Every PIN is refused; this one was not counted.
    Locked {
        /// For how long.
        retry_after: Duration,
    },
}

/// PINs cannot be counted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("PINs cannot be counted now and are refused; try again later")]
pub struct PinAttemptsUnavailable;
