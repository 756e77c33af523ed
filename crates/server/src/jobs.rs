//! What the server does by itself, beside answering requests: a file each. Every job
//! runs until the server ends.

mod audit;
mod profiles;
mod purge;
mod queue;
mod renew;
mod write_backs;

use std::time::Duration;

use crate::{in_flight::InFlight, profile::Registry, state::AppState};

pub(crate) use profiles::Hangups;

/// Runs all of them, for ever. `audit_kept` is how long the audit log is kept:
/// where nobody says so, this server forgets none of it, which others may have to keep longer.
pub(crate) async fn run(
    state: &AppState,
    registry: &Registry,
    in_flight: &InFlight,
    audit_kept: Option<Duration>,
    hangups: Hangups,
) {
    tokio::join!(
        profiles::run(registry, hangups),
        async {
            if let Some(keep) = audit_kept {
                audit::run(&state.tools, keep).await;
            }
        },
        of_launches(state, in_flight),
    );
}

/// Runs those that work on launches, for ever.
pub async fn of_launches(state: &AppState, in_flight: &InFlight) {
    tokio::join!(
        purge::run(&state.tools, state.launch_rules.keep.duration()),
        renew::run(state, in_flight),
        write_backs::run(state, in_flight),
    );
}
