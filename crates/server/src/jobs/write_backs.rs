//! Sends what is to be told to the EHRs. Of one launch in order, each at least once,
//! until the EHR has taken it, has refused it for good, or a day is over.

use std::time::Duration;

use vestibule_store::{NotTold, WriteBack};

use super::queue::{Pace, work_off};
use crate::{
    in_flight::InFlight,
    state::AppState,
    telemetry::WriteBackOutcome,
    write_back::delivery::{self, Delivered},
};

const PACE: Pace = Pace {
    interval: Duration::from_secs(1),
    at_once: 16,
};

/// Most of one profile: where its EHR does not answer, the others' go on.
const OF_PROFILE: u32 = 4;

/// How long a write-back is this server's to send: longer than an attempt may take, by
/// what it takes to record it.
const LEASE: Duration = delivery::ATTEMPT.saturating_add(Duration::from_secs(15));

pub(super) async fn run(state: &AppState, in_flight: &InFlight) {
    let work = |write_back| {
        let state = state.clone();
        async move { send(&state, &write_back).await }
    };
    work_off(PACE, in_flight, |free| due(state, free), work).await;
}

async fn due(state: &AppState, limit: u32) -> Vec<WriteBack> {
    let tools = &state.tools;
    let claiming = tools
        .store
        .claim_write_backs(tools.now(), LEASE, limit, OF_PROFILE);
    let claimed = tools.telemetry.stored("claim_write_backs", claiming);
    claimed.await.unwrap_or_else(|error| {
        tracing::error!(%error, "it cannot be found out what the EHRs are to be told");
        Vec::new()
    })
}

async fn send(state: &AppState, write_back: &WriteBack) {
    let store = &state.tools.store;
    let delivered = delivery::deliver(state, write_back).await;
    let (outcome, status) = match delivered {
        Delivered::Sent { status } => (WriteBackOutcome::Sent, Some(status)),
        Delivered::Not { status, then, .. } => match then {
            NotTold::TryAgain { .. } => (WriteBackOutcome::Later, status),
            NotTold::GiveUp => (WriteBackOutcome::GivenUp, status),
            NotTold::NotNeeded => (WriteBackOutcome::NotNeeded, status),
        },
    };
    state.tools.telemetry.write_back(outcome, status);
    let now = state.tools.now();
    let recorded = match delivered {
        Delivered::Sent { status } => store.write_back_sent(write_back, status, now).await,
        Delivered::Not {
            status,
            reason,
            then,
        } => {
            store
                .write_back_failed(write_back, status, reason, then, now)
                .await
        }
    };
    let request_id = write_back.request_id;
    match recorded {
        Ok(true) => {
            if let Delivered::Sent { .. } = delivered {
                delivery::forget(&state.tools, request_id).await;
            }
        }
        Ok(false) => {
            tracing::warn!(%request_id, "a write-back took too long; it may be sent again");
        }
        Err(error) => {
            tracing::error!(%request_id, %error, "what became of a write-back cannot be recorded");
        }
    }
}
