//! Renews the EHR's tokens of launches whose visit may still run.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, Semaphore},
    time::MissedTickBehavior,
};
use vestibule_store::Session;

use crate::{in_flight::InFlight, session, state::AppState};

/// How often it is looked for tokens that are due, where nothing else happens.
const INTERVAL: Duration = Duration::from_secs(5);

/// Most renewals under way at a time.
const AT_ONCE: usize = 20;

pub(super) async fn run(state: &AppState, in_flight: &InFlight) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let places = Arc::new(Semaphore::new(AT_ONCE));
    // A server that was down may have many to catch up with.
    let one_is_done = Arc::new(Notify::new());
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = one_is_done.notified() => {}
        }
        for session in due(state, places.available_permits()).await {
            let place = Arc::clone(&places).acquire_owned().await;
            // A server that ends lets it finish: the EHR may have made the old refresh
            // token useless, and the new one is still on its way.
            let one = in_flight.more();
            let (state, done) = (state.clone(), Arc::clone(&one_is_done));
            tokio::spawn(async move {
                renew(&state, &session).await;
                drop((one, place));
                done.notify_one();
            });
        }
    }
}

async fn due(state: &AppState, free: usize) -> Vec<Session> {
    let limit = u32::try_from(free).unwrap_or(u32::MAX);
    if limit == 0 {
        return Vec::new();
    }
    let tools = &state.tools;
    let claimed = tools
        .store
        .claim_renewals(tools.now(), session::LEASE, limit)
        .await;
    claimed.unwrap_or_else(|error| {
        tracing::error!(%error, "it cannot be found out which tokens are due");
        Vec::new()
    })
}

async fn renew(state: &AppState, session: &Session) {
    let profile = state.profiles.now().find(session.profile);
    session::renew_or_put_off(&state.tools, profile.as_deref(), session).await;
}
