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
    let events = tools.store.events_of(request_id).await?;
    let mut joined = events.iter().filter(|it| it.event == Reported::Joined);
    let (Some(first), None) = (joined.next(), joined.next()) else {
        return Ok(());
    };
    if let Some(launch) = tools.store.find_launch(request_id).await?
        && let (Some(profile), Some(role)) = (launch.profile, launch.role)
    {
        let after = first.received_at.since(launch.created_at);
        tools.telemetry.launch_joined(profile, role, after);
    }
    Ok(())
}
