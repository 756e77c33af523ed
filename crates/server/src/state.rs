//! What routes share.

use std::{fmt, sync::Arc};

use uuid::Uuid;
use vestibule_launch::RequestId;
use vestibule_store::FailureSource;

use crate::{
    error_page::Failed,
    failure::Failure,
    launch_rules::LaunchRules,
    profile::{Profile, Profiles},
    tools::Tools,
};

/// What routes share. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// What launches work with.
    pub tools: Tools,
    /// The telehealth profiles.
    pub profiles: Arc<Profiles>,
    /// What is asked of every launch.
    pub launch_rules: Arc<LaunchRules>,
}

impl AppState {
    /// The profile that a launch URL names.
    pub fn profile(&self, uuid: &str) -> Option<Arc<Profile>> {
        let uuid: Uuid = uuid.parse().ok()?;
        self.profiles.now().find(uuid)
    }

    /// A failure of this moment, counted and logged.
    pub fn failed(&self, failure: &impl Failure, request_id: RequestId) -> Failed {
        let telemetry = &self.tools.telemetry;
        let failed = Failed::new(failure, request_id, &self.tools);
        telemetry.launch_failed(FailureSource::Server, failed.error_name);
        if failed.status.is_server_error() || telemetry.may_log_refusal() {
            failed.log(failure);
        }
        failed
    }
}

impl fmt::Debug for AppState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppState")
            .field("profiles", &self.profiles)
            .finish_non_exhaustive()
    }
}
