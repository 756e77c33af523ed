//! The steps of a launch, from the EHR's button to the join link, apart from HTTP.

mod begin;
mod join;
mod pending;
mod redeem;
mod shared;

pub use begin::{BeginError, begin};
pub use join::{JoinError, join};
pub use redeem::{RedeemError, redeem};
pub use shared::{Shared, alias_hash};

use std::time::Duration;

/// How long a user may take to sign in at the EHR.
const SIGN_IN: Duration = Duration::from_secs(15 * 60);

/// How long a one-time ticket waits for the landing page to redeem it.
const TICKET: Duration = Duration::from_secs(10 * 60);

/// How long the EHR may take to tell its metadata.
const METADATA_DEADLINE: Duration = Duration::from_secs(2);

/// How long the EHR may take to exchange a code.
const TOKEN_DEADLINE: Duration = Duration::from_secs(8);
