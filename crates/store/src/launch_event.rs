//! What landing pages, and now and then the server, report of launches.

use vestibule_launch::{DeviceTest, ErrorName, LaunchEvent, RequestId, UnixTime};

/// An event to record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewLaunchEvent {
    /// The launch.
    pub request_id: RequestId,
    /// What happened.
    pub event: Reported,
    /// When, by the browser's clock, where it says so.
    pub browser_time: Option<UnixTime>,
}

/// What happened, with what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reported {
    /// The page asks the conferencing node for a token.
    Connecting,
    /// It waits for the host, or to be let in.
    Waiting,
    /// The user is in the visit.
    Joined,
    /// The user has left.
    Left,
    /// The launch has failed. The first failure of a launch is recorded on it too.
    Failed(ErrorName),
    /// The device check is over.
    DeviceTest(DeviceTest),
    /// Another browser than that in which the launch began came back from the EHR's
    /// sign-in, and was sent away. The server says so, no landing page.
    OtherBrowser,
}

/// The word for [`Reported::OtherBrowser`] in the store; the others have theirs from
/// [`LaunchEvent`].
pub(crate) const OTHER_BROWSER: &str = "other_browser";

impl Reported {
    /// The word in the store.
    pub(crate) const fn as_str(self) -> &'static str {
        let event = match self {
            Self::Connecting => LaunchEvent::Connecting,
            Self::Waiting => LaunchEvent::Waiting,
            Self::Joined => LaunchEvent::Joined,
            Self::Left => LaunchEvent::Left,
            Self::Failed(_) => LaunchEvent::Failed,
            Self::DeviceTest(_) => LaunchEvent::DeviceTest,
            Self::OtherBrowser => return OTHER_BROWSER,
        };
        event.as_str()
    }
}

/// An event as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaunchEventRecord {
    /// Which of the launch's events it is: from 1, as they arrived.
    pub number: u32,
    /// What happened.
    pub event: Reported,
    /// When it arrived.
    pub received_at: UnixTime,
    /// When it happened, by the browser's clock.
    pub browser_time: Option<UnixTime>,
}

/// How [`crate::LaunchEvents::record_event`] went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is stored.
    Now,
    /// The launch has as many events as it may; nothing was stored.
    TooMany,
    /// There is no such launch.
    NoLaunch,
}
