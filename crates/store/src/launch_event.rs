//! What landing pages, and now and then the server, report of launches.

use vestibule_launch::{DeviceTest, ErrorName, LaunchEvent, RequestId, TestResult, UnixTime};

use crate::StoreError;

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

    pub(crate) fn error_name(self) -> Option<ErrorName> {
        match self {
            Self::Failed(error_name) => Some(error_name),
            _ => None,
        }
    }

    pub(crate) fn device_test(self) -> Option<DeviceTest> {
        match self {
            Self::DeviceTest(test) => Some(test),
            _ => None,
        }
    }

    /// From a row, of which `text` gives the columns.
    pub(crate) fn stored(
        text: impl Fn(&'static str) -> Result<String, StoreError>,
    ) -> Result<Self, StoreError> {
        let name = text("event")?;
        if name == OTHER_BROWSER {
            return Ok(Self::OtherBrowser);
        }
        let mut known = LaunchEvent::ALL.into_iter();
        let event = known.find(|known| known.as_str() == name);
        Ok(match event.ok_or(StoreError::Damaged("event"))? {
            LaunchEvent::Connecting => Self::Connecting,
            LaunchEvent::Waiting => Self::Waiting,
            LaunchEvent::Joined => Self::Joined,
            LaunchEvent::Left => Self::Left,
            LaunchEvent::Failed => {
                let error_name = text("error_name")?.parse();
                Self::Failed(error_name.map_err(|_| StoreError::Damaged("error_name"))?)
            }
            LaunchEvent::DeviceTest => Self::DeviceTest(stored_device_test(text)?),
        })
    }
}

/// A device check from a row, of which `text` gives the columns.
pub(crate) fn stored_device_test(
    text: impl Fn(&'static str) -> Result<String, StoreError>,
) -> Result<DeviceTest, StoreError> {
    let result = |column| {
        let word = text(column)?;
        let mut known = TestResult::ALL.into_iter();
        let result = known.find(|known| known.as_str() == word);
        result.ok_or(StoreError::Damaged(column))
    };
    Ok(DeviceTest {
        camera: result("camera")?,
        microphone: result("microphone")?,
        speaker: result("speaker")?,
        connection: result("connection")?,
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_read_again_and_what_nobody_wrote_is_damaged() {
        let passed = TestResult::Passed;
        let test = DeviceTest {
            camera: passed,
            microphone: TestResult::Denied,
            speaker: TestResult::Skipped,
            connection: passed,
        };
        let failed = Reported::Failed(ErrorName::HostDidNotJoin);
        for reported in [
            Reported::Connecting,
            Reported::Waiting,
            Reported::Joined,
            Reported::Left,
            failed,
            Reported::DeviceTest(test),
            Reported::OtherBrowser,
        ] {
            let column = |column: &'static str| {
                let name = reported.error_name().map(ErrorName::as_str);
                let test = reported.device_test();
                let text = match column {
                    "event" => Some(reported.as_str()),
                    "error_name" => name,
                    "camera" => test.map(|test| test.camera.as_str()),
                    "microphone" => test.map(|test| test.microphone.as_str()),
                    "speaker" => test.map(|test| test.speaker.as_str()),
                    _ => test.map(|test| test.connection.as_str()),
                };
                text.map(str::to_owned).ok_or(StoreError::Damaged(column))
            };
            assert_eq!(Reported::stored(column).unwrap(), reported);
        }
        let damaged = Reported::stored(|_| Ok("gone".to_owned())).unwrap_err();
        assert!(matches!(damaged, StoreError::Damaged("event")));
    }
}
