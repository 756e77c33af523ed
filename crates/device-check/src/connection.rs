//! What measurements say about a connection.

use alloc::vec::Vec;

use crate::outcome::Outcome;

/// Above this median round trip people talk over each other, in milliseconds.
const SLOW_ROUND_TRIP: f64 = 400.0;
/// Below this a small picture with sound does not get through, in kbit/s.
const NARROW: f64 = 500.0;

/// What was measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measurement {
    /// Round trips to the node in milliseconds; none where no answer came in time.
    pub round_trips: Vec<Option<f64>>,
    /// Throughput in kbit/s, where it could be measured.
    pub throughput: Option<f64>,
    /// What the browser offers for media; none where it has no WebRTC.
    pub candidates: Option<Candidates>,
}

/// The kinds of ICE candidates (RFC 8445) that were gathered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Addresses of this device.
    pub host: bool,
    /// Addresses that a STUN or TURN server has seen or lent.
    pub beyond: bool,
    /// Whether there was a server to ask.
    pub asked: bool,
}

/// How good the connection is, and what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Good.
    Good,
    /// Weak: long round trips or little throughput.
    Slow,
    /// Weak: some requests were not answered.
    Unstable,
    /// Weak: media may have to go by a relay.
    Restricted,
    /// The node does not answer.
    Unreachable,
    /// There is no way for media.
    Blocked,
}

impl Candidates {
    /// Takes in one candidate by its type.
    pub fn add(&mut self, kind: &str) {
        match kind {
            "host" => self.host = true,
            "srflx" | "prflx" | "relay" => self.beyond = true,
            _ => {}
        }
    }
}

impl Measurement {
    /// The shortest round trip, where there was any.
    pub fn fastest(&self) -> Option<f64> {
        self.round_trips
            .iter()
            .flatten()
            .copied()
            .min_by(f64::total_cmp)
    }

    /// Judges it. The gravest finding counts.
    pub fn verdict(&self) -> Verdict {
        let answered = self.round_trips.iter().flatten().count();
        if answered == 0 {
            return Verdict::Unreachable;
        }
        let Some(candidates) = self.candidates else {
            return Verdict::Blocked;
        };
        if !candidates.host && !candidates.beyond {
            return Verdict::Blocked;
        }
        if candidates.asked && !candidates.beyond {
            return Verdict::Restricted;
        }
        if answered < self.round_trips.len() {
            return Verdict::Unstable;
        }
        let quick = |trip: &&f64| **trip <= SLOW_ROUND_TRIP;
        // As many on either side of the median as there are.
        let median_is_slow =
            self.round_trips.iter().flatten().filter(quick).count() <= answered / 2;
        if median_is_slow || self.throughput.is_some_and(|rate| rate < NARROW) {
            Verdict::Slow
        } else {
            Verdict::Good
        }
    }
}

impl Verdict {
    /// The key of the sentence that says it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Good => "devices.connection.good",
            Self::Slow => "devices.connection.slow",
            Self::Unstable => "devices.connection.unstable",
            Self::Restricted => "devices.connection.restricted",
            Self::Unreachable => "devices.connection.unreachable",
            Self::Blocked => "devices.connection.blocked",
        }
    }

    /// What it means for the result: a weak connection has not passed.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::Good => Outcome::Passed,
            _ => Outcome::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn measurement() -> Measurement {
        Measurement {
            round_trips: vec![Some(40.0), Some(60.0), Some(50.0)],
            throughput: Some(5000.0),
            candidates: Some(Candidates {
                host: true,
                beyond: true,
                asked: true,
            }),
        }
    }

    #[test]
    fn a_quick_wide_open_way_is_good() {
        assert_eq!(measurement().verdict(), Verdict::Good);
    }

    #[test]
    fn one_slow_answer_does_not_make_a_connection_weak_but_most_of_them_do() {
        let mut measured = measurement();
        measured.round_trips = vec![Some(40.0), Some(2000.0), Some(50.0)];
        assert_eq!(measured.verdict(), Verdict::Good);
        measured.round_trips = vec![Some(40.0), Some(2000.0), Some(500.0)];
        assert_eq!(measured.verdict(), Verdict::Slow);
    }

    #[test]
    fn a_narrow_way_is_weak_and_an_unmeasured_one_is_not() {
        let mut measured = measurement();
        measured.throughput = Some(200.0);
        assert_eq!(measured.verdict(), Verdict::Slow);
        measured.throughput = None;
        assert_eq!(measured.verdict(), Verdict::Good);
    }

    #[test]
    fn answers_that_are_lost_make_it_unstable_and_none_at_all_unreachable() {
        let mut measured = measurement();
        measured.round_trips = vec![Some(40.0), None, Some(50.0)];
        assert_eq!(measured.verdict(), Verdict::Unstable);
        measured.round_trips = vec![None, None];
        assert_eq!(measured.verdict(), Verdict::Unreachable);
    }

    #[test]
    fn without_any_candidate_media_is_blocked() {
        let mut measured = measurement();
        measured.candidates = Some(Candidates::default());
        assert_eq!(measured.verdict(), Verdict::Blocked);
        measured.candidates = None;
        assert_eq!(measured.verdict(), Verdict::Blocked);
    }

    #[test]
    fn local_candidates_suffice_only_where_no_server_was_asked() {
        let mut candidates = Candidates {
            asked: true,
            ..Candidates::default()
        };
        candidates.add("host");
        let mut measured = measurement();
        measured.candidates = Some(candidates);
        assert_eq!(measured.verdict(), Verdict::Restricted);
        candidates.asked = false;
        measured.candidates = Some(candidates);
        assert_eq!(measured.verdict(), Verdict::Good);
        candidates.asked = true;
        candidates.add("srflx");
        measured.candidates = Some(candidates);
        assert_eq!(measured.verdict(), Verdict::Good);
    }

    #[test]
    fn only_a_good_connection_has_passed() {
        assert_eq!(Verdict::Good.outcome(), Outcome::Passed);
        assert_eq!(Verdict::Slow.outcome(), Outcome::Failed);
        assert_eq!(Verdict::Blocked.outcome(), Outcome::Failed);
    }
}
