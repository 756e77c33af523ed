//! The steps of a launch, from the EHR's button to the join link, apart from HTTP.

mod bearer;
mod begin;
mod browser;
mod complete;
mod direct;
mod join;
mod joined;
mod metadata;
mod pending;
mod redeem;
mod repeats;
mod resume;
mod shared;
mod sign_in;
pub(crate) mod token_fields;
mod trail;
mod turned_away;

pub use bearer::{BearerError, BearerToken, NoBearer, find_bearer};
pub use begin::{BeginError, Next, begin};
pub use browser::Browser;
pub(crate) use browser::{forget, remember, remember_briefly};
pub use complete::CompleteError;
pub use direct::{DirectLinkError, direct_links, join_directly};
pub use join::{JoinError, Return, join};
pub(crate) use joined::count_joined;
pub use metadata::{MetadataCache, MetadataFetchError, Whereabouts};
pub(crate) use redeem::is_browser_key;
pub use redeem::{RedeemError, redeem};
pub use repeats::{RepeatError, Repeats};
pub use resume::{ResumeError, resume};
pub use shared::{Shared, alias_hash};
pub use sign_in::SignInRequest;
pub use token_fields::EncounterMismatch;
pub use trail::Trail;
pub use turned_away::{TurnedAway, TurnedAwayLaunch};

use std::time::Duration;

/// How long a user may take to sign in at the EHR.
pub(crate) const SIGN_IN: Duration = Duration::from_secs(15 * 60);

/// How long a one-time ticket waits for the landing page to redeem it.
const TICKET: Duration = Duration::from_secs(10 * 60);
