//! What routes share.

use std::{fmt, sync::Arc};

use uuid::Uuid;
use vestibule_launch::RequestId;

use crate::{error_page::Failed, failure::Failure, profile::Profile, tools::Tools};

/// What routes share. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// What launches work with.
    pub tools: Tools,
    /// The telehealth profile.
    pub profile: Arc<Profile>,
}

impl AppState {
    /// The profile that a launch URL names.
    pub fn profile(&self, uuid: &str) -> Option<&Profile> {
        let uuid: Uuid = uuid.parse().ok()?;
        (self.profile.uuid == uuid).then_some(&*self.profile)
    }

    /// A failure of this moment, logged.
    pub fn failed(&self, failure: &impl Failure, request_id: RequestId) -> Failed {
        Failed::new(failure, request_id, self.tools.now())
    }
}

impl fmt::Debug for AppState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppState")
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}
