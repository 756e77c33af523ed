//! What the landing page reports of a launch: its own story, for the help desk, and
//! the result of the device check.

use serde::{Deserialize, Serialize};

/// What happened on the landing page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaunchEvent {
    /// It asks the conferencing node for a token.
    Connecting,
    /// It waits for the host, or to be let in.
    Waiting,
    /// The user is in the visit.
    Joined,
    /// The user has left.
    Left,
    /// The launch has failed.
    Failed,
    /// The device check is over.
    DeviceTest,
}

/// How each part of a device check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceTest {
    /// The camera.
    pub camera: TestResult,
    /// The microphone.
    pub microphone: TestResult,
    /// The speaker, by the user's own word.
    pub speaker: TestResult,
    /// The connection to the conferencing node.
    pub connection: TestResult,
}

/// How one part of a device check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestResult {
    /// It works.
    Passed,
    /// It does not work.
    Failed,
    /// The user, the browser or the system did not allow it.
    Denied,
    /// There is no such device.
    Missing,
    /// It was not tried.
    Skipped,
}

impl LaunchEvent {
    /// Every event, in the order in which they usually happen.
    pub const ALL: [Self; 6] = [
        Self::DeviceTest,
        Self::Connecting,
        Self::Waiting,
        Self::Joined,
        Self::Left,
        Self::Failed,
    ];

    /// The word in JSON and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Waiting => "waiting",
            Self::Joined => "joined",
            Self::Left => "left",
            Self::Failed => "failed",
            Self::DeviceTest => "device_test",
        }
    }
}

impl DeviceTest {
    /// The whole in one word: `failed` where anything keeps the user from a visit,
    /// `skipped` where nothing was tried, and otherwise `passed`.
    pub fn overall(&self) -> TestResult {
        let parts = [self.camera, self.microphone, self.speaker, self.connection];
        let stops = |part| {
            matches!(
                part,
                TestResult::Failed | TestResult::Denied | TestResult::Missing
            )
        };
        if parts.iter().copied().any(stops) {
            TestResult::Failed
        } else if parts.contains(&TestResult::Passed) {
            TestResult::Passed
        } else {
            TestResult::Skipped
        }
    }
}

impl TestResult {
    /// Every result.
    pub const ALL: [Self; 5] = [
        Self::Passed,
        Self::Failed,
        Self::Denied,
        Self::Missing,
        Self::Skipped,
    ];

    /// The word in JSON and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Denied => "denied",
            Self::Missing => "missing",
            Self::Skipped => "skipped",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_the_one_in_json() {
        for event in LaunchEvent::ALL {
            assert_eq!(serde_json::json!(event), event.as_str());
        }
        for result in TestResult::ALL {
            assert_eq!(serde_json::json!(result), result.as_str());
        }
    }

    #[test]
    fn whatever_keeps_the_user_from_a_visit_fails_the_whole() {
        let test = |camera, microphone| DeviceTest {
            camera,
            microphone,
            speaker: TestResult::Skipped,
            connection: TestResult::Skipped,
        };
        use TestResult::{Denied, Failed, Missing, Passed, Skipped};
        for (camera, microphone, overall) in [
            (Passed, Passed, Passed),
            (Passed, Skipped, Passed),
            (Skipped, Skipped, Skipped),
            (Passed, Failed, Failed),
            (Denied, Passed, Failed),
            (Skipped, Missing, Failed),
        ] {
            assert_eq!(test(camera, microphone).overall(), overall);
        }
    }
}
