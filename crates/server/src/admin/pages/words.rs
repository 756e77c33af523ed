//! How states and the like are called on the pages.

use serde::Serialize;
use vestibule_launch::{EhrRole, UnixTime};
use vestibule_store::{
    LaunchProgress, LaunchRow, LaunchState, LaunchStep, Reason, VisitProgress, WriteBackKind,
    WriteBackProgress, WriteBackState,
};

use crate::{launch::SIGN_IN, write_back::StatusChange};

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

/// How far a launch came until `now`.
pub(super) fn of_launch(row: &LaunchRow, now: UnixTime) -> StateWord {
    let joined = row.joined_at.is_some();
    match row.launch.state {
        LaunchState::Started if now >= sign_in_ends(row) => state("not come back", ""),
        LaunchState::Started => state("signing in", "warn"),
        LaunchState::Authorised => state("signed in", "warn"),
        LaunchState::Completed if row.overcome.is_some() => state("joined after a failure", "good"),
        LaunchState::Completed if joined => state("joined", "good"),
        LaunchState::Completed => state("join link given", ""),
        LaunchState::Failed { .. } => state("failed", "fault"),
    }
}

/// Until when the user may come back from the EHR's sign-in.
pub(super) fn sign_in_ends(row: &LaunchRow) -> UnixTime {
    row.launch.created_at + SIGN_IN
}

/// Who launched.
pub(super) fn of_role(role: Option<EhrRole>) -> &'static str {
    role.map_or("not known", EhrRole::as_str)
}

/// The same, for the choice in a form.
pub(super) fn of_launches(progress: LaunchProgress) -> &'static str {
    match progress {
        LaunchProgress::Started => "signing in, or not come back",
        LaunchProgress::Authorised => "signed in",
        LaunchProgress::Completed => "join link given, nobody joined",
        LaunchProgress::Joined => "joined",
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
        WriteBackState::NotNeeded { .. } => state("not needed", ""),
    }
}

/// The same, for the choice in a form.
pub(super) fn of_write_backs(progress: WriteBackProgress) -> &'static str {
    match progress {
        WriteBackProgress::Unsent => "unsent",
        WriteBackProgress::Sent => "sent",
        WriteBackProgress::GivenUp => "given up",
        WriteBackProgress::NotNeeded => "not needed",
    }
}

/// A step of a launch, as a sentence begins.
pub(super) fn of_step(step: LaunchStep) -> &'static str {
    match step {
        LaunchStep::Metadata => "Fetching the EHR's metadata",
        LaunchStep::Token => "Asking the EHR for tokens",
        LaunchStep::LinkCheck => "Asking the EHR whether the link is good",
        LaunchStep::Decrypt => "Opening the encrypted parameters",
        LaunchStep::Templates => "Filling the profile's templates",
    }
}

/// Why an attempt came to nothing.
pub(super) fn of_reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Answered => "refused",
        Reason::Timeout => "no answer in time",
        Reason::Dns => "the EHR's name leads to no address",
        Reason::Tls => "the EHR's certificate cannot be trusted",
        Reason::Unreachable => "no connection, or it broke off",
        Reason::NoExternalId => "not sent: the launch carried no identifier of the user",
        Reason::NoRequest => "not sent: an identifier of the EHR makes no request",
        Reason::SessionEnded => "not sent: the user's session with the EHR has ended",
        Reason::NoAccessToken => "not sent: the EHR gave no access token",
        Reason::ProfileGone => "not sent: the profile has no such write-back any more",
        Reason::Unopened => "not sent: what was stored cannot be opened",
        Reason::Database => "not sent: the database did not answer",
        Reason::VisitGoesOn => "not sent: the visit goes on",
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
pub(super) fn of_kind(kind: Option<WriteBackKind>) -> &'static str {
    match kind {
        Some(WriteBackKind::EpicConnectionStatus) => "connection status",
        Some(WriteBackKind::EndOfCall) => "end of call",
        Some(WriteBackKind::ZoomNotification) => "Zoom notification",
        Some(WriteBackKind::DeviceTest) => "device test",
        None => "of the visit",
    }
}

/// The choices of a role.
pub(super) fn roles() -> [(&'static str, &'static str); 3] {
    let [patient, provider] = [EhrRole::Patient, EhrRole::Provider].map(EhrRole::as_str);
    [("", "any"), (patient, patient), (provider, provider)]
}
