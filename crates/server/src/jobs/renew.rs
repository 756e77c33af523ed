//! Renews the EHR's tokens of launches whose visit may still run.

use std::time::Duration;

use vestibule_store::Session;

use super::queue::{Pace, work_off};
use crate::{in_flight::InFlight, session, state::AppState};

const PACE: Pace = Pace {
    interval: Duration::from_secs(5),
    at_once: 20,
};

/// A renewal is let finish where the server ends: the EHR may have made the old refresh
/// token useless, and the new one is still on its way.
pub(super) async fn run(state: &AppState, in_flight: &InFlight) {
    let work = |session| {
        let state = state.clone();
        async move { renew(&state, &session).await }
    };
    work_off(PACE, in_flight, |free| due(state, free), work).await;
}

async fn due(state: &AppState, limit: u32) -> Vec<Session> {
    let tools = &state.tools;
    let claiming = tools
        .store
        .claim_renewals(tools.now(), session::LEASE, limit);
    let claimed = tools.telemetry.stored("claim_renewals", claiming);
    claimed.await.unwrap_or_else(|error| {
        tracing::error!(%error, "it cannot be found out which tokens are due");
        Vec::new()
    })
}

async fn renew(state: &AppState, session: &Session) {
    let profile = state.profiles.now().find(session.profile);
    session::renew_or_put_off(&state.tools, profile.as_deref(), session).await;
}
