//! How states and the like are called on the pages.

use serde::Serialize;
use vestibule_launch::EhrRole;
use vestibule_store::{
    Lane, LaunchProgress, LaunchState, VisitProgress, WriteBackProgress, WriteBackState,
};

use crate::write_back::StatusChange;

/// A state, in a word and in a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct StateWord {
    /// The word.
    pub(super) word: &'static str,
    /// `good`, `warn`, `fault` or nothing.
    pub(super) class: &'static str,
}

const fn state(word: &'static str, class: &'static str) -> StateWord {
    StateWord { word, class }
}

/// How far a launch came. `joined` where somebody was in the visit by it.
pub(super) fn of_launch(launch: LaunchState, joined: bool) -> StateWord {
    match launch {
        LaunchState::Started => state("signing in", "warn"),
        LaunchState::Authorised => state("signed in", "warn"),
        LaunchState::Completed if joined => state("joined", "good"),
        LaunchState::Completed => state("join link given", ""),
        LaunchState::Failed { .. } => state("failed", "fault"),
    }
}

/// The same, for the choice in a form.
pub(super) fn of_launches(progress: LaunchProgress) -> &'static str {
    match progress {
        LaunchProgress::Started => "signing in",
        LaunchProgress::Authorised => "signed in",
        LaunchProgress::Completed => "join link given",
        LaunchProgress::Failed => "failed",
    }
}

pub(super) fn of_visit(progress: VisitProgress) -> StateWord {
    match progress {
        VisitProgress::Nobody => state("nobody came", ""),
        VisitProgress::Running => state("active", "good"),
        VisitProgress::Over => state("past", ""),
    }
}

pub(super) fn of_write_back(written: WriteBackState) -> StateWord {
    match written {
        WriteBackState::Unsent { .. } => state("unsent", "warn"),
        WriteBackState::Sent { .. } => state("sent", "good"),
        WriteBackState::GivenUp { .. } => state("given up", "fault"),
    }
}

/// The same, for the choice in a form.
pub(super) fn of_write_backs(progress: WriteBackProgress) -> &'static str {
    match progress {
        WriteBackProgress::Unsent => "unsent",
        WriteBackProgress::Sent => "sent",
        WriteBackProgress::GivenUp => "given up",
    }
}

/// What an EHR is told.
pub(super) fn of_change(change: StatusChange) -> &'static str {
    match change {
        StatusChange::Connected => "connected",
        StatusChange::Disconnected => "disconnected",
        StatusChange::CallEnded => "call ended",
        StatusChange::DeviceTested => "device test",
    }
}

/// The same where it cannot be opened.
pub(super) fn of_lane(lane: Option<Lane>) -> &'static str {
    match lane {
        Some(Lane::EpicConnectionStatus) => "connection status",
        Some(Lane::EndOfCall) => "end of call",
        Some(Lane::ZoomNotification) => "Zoom notification",
        Some(Lane::DeviceTest) => "device test",
        None => "of the visit",
    }
}

/// The choices of a role.
pub(super) fn roles() -> [(&'static str, &'static str); 3] {
    let [patient, provider] = [EhrRole::Patient, EhrRole::Provider].map(EhrRole::as_str);
    [("", "any"), (patient, patient), (provider, provider)]
}
