//! What is told of a launch, as its profile asks for.

use vestibule_launch::{DeviceTest, UnixTime};
use vestibule_store::{Launch, NewWriteBack, StoreError};

use super::{Status, StatusChange, outbox};
use crate::{
    profile::Profile,
    session::{self, SessionError},
    tools::Tools,
};

/// What is to be told, and when.
pub(crate) struct News<'a> {
    pub(crate) change: StatusChange,
    pub(crate) device_test: Option<DeviceTest>,
    /// When it happened.
    pub(crate) at: UnixTime,
    /// Tells this change from others of the launch: two with the same are one.
    pub(crate) occasion: &'a [u8],
    /// Not to be told before.
    pub(crate) due_at: UnixTime,
}

/// Words it for the outbox. Nothing where the profile asks for nothing, or where the
/// launch left nothing to tell it by.
pub(crate) async fn tell(
    tools: &Tools,
    profile: &Profile,
    launch: &Launch,
    news: News<'_>,
) -> Result<Vec<NewWriteBack>, StoreError> {
    let request_id = launch.request_id;
    let change = news.change;
    if !profile.write_backs.iter().any(|it| it.tells(change)) {
        return Ok(Vec::new());
    }
    let held = match session::held(tools, request_id).await {
        Ok(held) => held,
        Err(SessionError::Store(error)) => return Err(error),
        Err(error @ SessionError::Sealed(_)) => {
            tracing::error!(%request_id, %error, "a launch cannot be told of");
            None
        }
    };
    let Some(held) = held else {
        tracing::debug!(%request_id, change = change.as_str(), "its session has ended: not told");
        return Ok(Vec::new());
    };
    // Who joins by a launch has a role: only those that never began may have none.
    let Some(role) = launch.role else {
        return Ok(Vec::new());
    };
    let status = Status {
        request_id,
        change,
        role,
        unique_encounter_id: held.unique_encounter_id,
        external_id: held.external_id,
        conference_id: held.conference_id,
        at: news.at,
        device_test: news.device_test,
    };
    Ok(outbox::write_backs(
        tools,
        profile,
        &status,
        news.occasion,
        news.due_at,
    ))
}
