//! Sends what is to be told to the EHRs. Of one launch in order, each at least once,
//! until the EHR has taken it, has refused it for good, or a day is over.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, Semaphore},
    time::MissedTickBehavior,
};
use vestibule_store::WriteBack;

use crate::{
    in_flight::InFlight,
    state::AppState,
    write_back::delivery::{self, Delivered},
};

/// How often it is looked for something to send, where nothing else happens.
const INTERVAL: Duration = Duration::from_secs(1);

/// Most write-backs under way at a time.
const AT_ONCE: usize = 16;

/// Most of one profile: where its EHR does not answer, the others' go on.
const OF_PROFILE: u32 = 4;

/// How long a write-back is this server's to send: longer than an attempt may take, by
/// what it takes to record it.
const LEASE: Duration = delivery::ATTEMPT.saturating_add(Duration::from_secs(15));

pub(super) async fn run(state: &AppState, in_flight: &InFlight) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let places = Arc::new(Semaphore::new(AT_ONCE));
    // The next one of a launch can go as soon as the one before it has.
    let one_is_done = Arc::new(Notify::new());
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = one_is_done.notified() => {}
        }
        for write_back in due(state, places.available_permits()).await {
            let place = Arc::clone(&places).acquire_owned().await;
            // A server that ends lets it finish.
            let one = in_flight.more();
            let (state, done) = (state.clone(), Arc::clone(&one_is_done));
            tokio::spawn(async move {
                send(&state, &write_back).await;
                drop((one, place));
                done.notify_one();
            });
        }
    }
}

async fn due(state: &AppState, free: usize) -> Vec<WriteBack> {
    let limit = u32::try_from(free).unwrap_or(u32::MAX);
    if limit == 0 {
        return Vec::new();
    }
    let tools = &state.tools;
    let claimed = tools
        .store
        .claim_write_backs(tools.now(), LEASE, limit, OF_PROFILE)
        .await;
    claimed.unwrap_or_else(|error| {
        tracing::error!(%error, "it cannot be found out what the EHRs are to be told");
        Vec::new()
    })
}

async fn send(state: &AppState, write_back: &WriteBack) {
    let store = &state.tools.store;
    let delivered = delivery::deliver(state, write_back).await;
    let now = state.tools.now();
    let recorded = match delivered {
        Delivered::Sent { status } => store.write_back_sent(write_back, status, now).await,
        Delivered::Later { status, at } => {
            store
                .write_back_failed(write_back, status, Some(at), now)
                .await
        }
        Delivered::Never { status } => store.write_back_failed(write_back, status, None, now).await,
    };
    let request_id = write_back.request_id;
    match recorded {
        Ok(true) => {}
        Ok(false) => {
            tracing::warn!(%request_id, "a write-back took too long; it may be sent again");
        }
        Err(error) => {
            tracing::error!(%request_id, %error, "what became of a write-back cannot be recorded");
        }
    }
}
