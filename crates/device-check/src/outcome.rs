//! What a check has shown, in the words of the launch API.

/// The result of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It works.
    Passed,
    /// It is there and does not work.
    Failed,
    /// The person, the system or the page around has not allowed it.
    Denied,
    /// There is no such device.
    Missing,
    /// It was not checked.
    Skipped,
}

/// The steps, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Camera.
    Camera,
    /// Microphone.
    Microphone,
    /// Speaker or headphones.
    Speaker,
    /// The way to the conferencing node.
    Connection,
}

/// All steps in their order.
pub const KINDS: [Kind; 4] = [
    Kind::Camera,
    Kind::Microphone,
    Kind::Speaker,
    Kind::Connection,
];

/// The results of all steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceTest([Outcome; 4]);

impl Outcome {
    /// The launch API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Denied => "denied",
            Self::Missing => "missing",
            Self::Skipped => "skipped",
        }
    }

    /// The key of the text that says it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Passed => "devices.passed",
            Self::Failed => "devices.failed",
            Self::Denied => "devices.denied",
            Self::Missing => "devices.missing",
            Self::Skipped => "devices.skipped",
        }
    }
}

impl Kind {
    /// The launch API's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Microphone => "microphone",
            Self::Speaker => "speaker",
            Self::Connection => "connection",
        }
    }

    /// The key of its heading.
    pub fn text(self) -> &'static str {
        match self {
            Self::Camera => "devices.camera",
            Self::Microphone => "devices.microphone",
            Self::Speaker => "devices.speaker",
            Self::Connection => "devices.connection",
        }
    }
}

impl DeviceTest {
    /// Nothing checked yet.
    pub const NOTHING: Self = Self([Outcome::Skipped; 4]);

    /// Takes down the result of a step; a later one replaces an earlier one.
    pub fn set(&mut self, kind: Kind, outcome: Outcome) {
        self.0[kind as usize] = outcome;
    }

    /// The result of a step.
    pub fn of(&self, kind: Kind) -> Outcome {
        self.0[kind as usize]
    }

    /// The key of the closing text: all works, something does not, or something
    /// was not checked.
    pub fn summary(&self) -> &'static str {
        let fine = |outcome: &Outcome| matches!(outcome, Outcome::Passed | Outcome::Skipped);
        if self.0 == [Outcome::Passed; 4] {
            "devices.all_passed"
        } else if self.0.iter().all(fine) {
            "devices.some_skipped"
        } else {
            "devices.some_failed"
        }
    }
}

/// The result of a microphone that was on when the person went on: whether it
/// was heard, and whether it was silent long enough to be told so.
pub fn microphone(heard: bool, found_silent: bool) -> Outcome {
    match (heard, found_silent) {
        (true, _) => Outcome::Passed,
        (false, true) => Outcome::Failed,
        (false, false) => Outcome::Skipped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_checked_counts_as_skipped() {
        for kind in KINDS {
            assert_eq!(DeviceTest::NOTHING.of(kind), Outcome::Skipped);
        }
    }

    #[test]
    fn the_closing_text_tells_a_fault_from_a_skipped_step() {
        let mut test = DeviceTest::NOTHING;
        assert_eq!(test.summary(), "devices.some_skipped");
        test.set(Kind::Speaker, Outcome::Denied);
        assert_eq!(test.summary(), "devices.some_failed");
        for kind in KINDS {
            test.set(kind, Outcome::Passed);
        }
        assert_eq!(test.summary(), "devices.all_passed");
    }

    #[test]
    fn each_result_is_kept_for_its_own_step() {
        let mut test = DeviceTest::NOTHING;
        test.set(Kind::Microphone, Outcome::Missing);
        let words = KINDS.map(|kind| (kind.as_str(), test.of(kind).as_str()));
        assert_eq!(
            words,
            [
                ("camera", "skipped"),
                ("microphone", "missing"),
                ("speaker", "skipped"),
                ("connection", "skipped"),
            ]
        );
    }

    #[test]
    fn a_microphone_left_before_anybody_spoke_is_not_called_broken() {
        assert_eq!(microphone(false, false), Outcome::Skipped);
        assert_eq!(microphone(false, true), Outcome::Failed);
        assert_eq!(microphone(true, true), Outcome::Passed);
    }
}
