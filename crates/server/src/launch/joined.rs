//! How long after the EHR's button somebody is in the visit.

use vestibule_launch::RequestId;
use vestibule_store::{Reported, StoreError};

use crate::tools::Tools;

/// Counts a launch of which it is stored that it has joined, the first time. Who reloads
/// the page joins again.
pub(crate) async fn count_joined(tools: &Tools, request_id: RequestId) {
    if let Err(error) = count(tools, request_id).await {
        tracing::error!(%request_id, %error, "a launch that joined is not counted");
    }
}

async fn count(tools: &Tools, request_id: RequestId) -> Result<(), StoreError> {
    let Tools {
        store, telemetry, ..
    } = tools;
    let finding = store.events_of(request_id);
    let events = telemetry.stored("events_of", finding).await?;
    let mut joined = events.iter().filter(|it| it.event == Reported::Joined);
    let (Some(first), None) = (joined.next(), joined.next()) else {
        return Ok(());
    };
    let finding = store.find_launch(request_id);
    if let Some(launch) = telemetry.stored("find_launch", finding).await?
        && let (Some(profile), Some(role)) = (launch.profile, launch.role)
    {
        let after = first.received_at.since(launch.created_at);
        telemetry.launch_joined(profile, role, after);
    }
    Ok(())
}
