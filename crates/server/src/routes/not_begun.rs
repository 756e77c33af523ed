//! A launch whose error page names a request id that the store knows nothing of.

use vestibule_launch::{EhrRole, RequestId};

use super::caller::Caller;
use crate::{
    failure::Failure,
    in_flight::InFlight,
    launch::{Trail, TurnedAwayLaunch},
    profile::Profile,
    state::AppState,
};

/// A launch that did not begin, as a route knows it.
pub(super) struct NotBegun<'a> {
    /// That of the error page.
    pub(super) request_id: RequestId,
    /// Who asked.
    pub(super) caller: &'a Caller,
    /// The profile, where there is one.
    pub(super) profile: Option<&'a Profile>,
    /// Who launches, where that is known.
    pub(super) role: Option<EhrRole>,
    /// How far it came.
    pub(super) trail: &'a Trail,
}

impl NotBegun<'_> {
    /// Stores it as failed with `error`, while the page is on its way.
    pub(super) fn store(&self, state: &AppState, error: &impl Failure, in_flight: &InFlight) {
        let (_, error_name) = error.answer();
        let launch = TurnedAwayLaunch {
            request_id: self.request_id,
            source: self.caller.source,
            profile: self.profile.map(|profile| profile.uuid),
            role: self.role,
            error_name,
        };
        let tools = &state.tools;
        let under_way = in_flight.more();
        tools
            .turned_away
            .store(tools, launch, self.trail, under_way);
    }
}
