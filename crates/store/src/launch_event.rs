//! What landing pages report of their launches.

use vestibule_launch::{DeviceTest, ErrorName, RequestId, UnixTime};

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
