//! The step of the connection: measures the way to the node and what the
//! browser offers for media, and says what that means.

use crate::{
    check::Check,
    connection::{Candidates, Measurement},
    event::{Event, Press, Stop},
    outcome::{Kind, Outcome},
};

/// What a node answers without a token (Pexip client API).
const STATUS: &str = "/api/client/v2/status";
/// Round trips that are measured.
const ROUND_TRIPS: usize = 5;
/// Deadline of each, in milliseconds.
const DEADLINE: u32 = 3000;
/// Deadline of the sample whose throughput is measured, in milliseconds: at 500 kbit/s,
/// 500 KB come just in time.
const SAMPLE_DEADLINE: u32 = 8000;
/// How long candidates are gathered, in milliseconds.
const GATHERING: u32 = 4000;

/// Why there is no measurement.
enum End {
    /// This step was skipped.
    Skipped,
    /// The check has ended.
    Stopped,
}

/// Ends a request that is under way, and the gathering, when it is dropped.
struct Ended<'a>(&'a Check);

/// Goes through the step.
pub(crate) async fn run(check: &Check) -> Result<Outcome, Stop> {
    let browser = &check.browser;
    loop {
        browser.clear();
        browser.text("devices.connection.measuring", "device-busy");
        browser.buttons("", &[(Press::Skip, "devices.skip", true)]);
        browser.show(Kind::Connection, None);
        browser.announce("devices.connection.measuring");

        let verdict = match measure(check).await {
            Ok(measurement) => measurement.verdict(),
            Err(End::Skipped) => return Ok(Outcome::Skipped),
            Err(End::Stopped) => return Err(Stop),
        };

        let outcome = verdict.outcome();
        let passed = outcome == Outcome::Passed;
        browser.clear();
        browser.notice(verdict.text(), if passed { "" } else { "fault" });
        let retry = (Press::Retry, "devices.retry", true);
        browser.buttons("", &[(Press::Continue, "devices.continue", false), retry]);
        check.found(Kind::Connection, outcome);
        check.focus_notice();
        loop {
            match check.events.next().await? {
                Event::Pressed(Press::Continue) => return Ok(outcome),
                Event::Pressed(Press::Retry) => break,
                _ => {}
            }
        }
        check.focus_heading(Kind::Connection);
    }
}

async fn measure(check: &Check) -> Result<Measurement, End> {
    let browser = &check.browser;
    let _ended = Ended(check);
    let mut measurement = Measurement::default();
    let mut status = browser.option("node").unwrap_or_default();
    status.push_str(STATUS);
    for _ in 0..ROUND_TRIPS {
        let trip = get(check, &status, DEADLINE).await?;
        measurement.round_trips.push(trip);
        if measurement.round_trips.ends_with(&[None, None]) {
            break;
        }
    }
    if let Some(sample) = browser.option("sample")
        && let Some(fastest) = measurement.fastest()
    {
        measurement.throughput = match get(check, &sample, SAMPLE_DEADLINE).await? {
            None => Some(0.0),
            Some(time) => {
                let bytes = browser.bytes();
                // Bits in a millisecond are kbit in a second.
                (bytes >= 0.0).then(|| bytes * 8.0 / (time - fastest).max(1.0))
            }
        };
    }
    measurement.candidates = gather(check).await?;
    Ok(measurement)
}

/// Fetches and reads to the end; the time that it took, none where that fails or
/// takes too long.
async fn get(check: &Check, url: &str, deadline: u32) -> Result<Option<f64>, End> {
    let id = check.attempt();
    check.browser.get(id, url, deadline);
    loop {
        match next(check).await? {
            Event::Answered(of, time) if of == id => return Ok(time),
            _ => {}
        }
    }
}

/// Gathers ICE candidates, until there is one of each kind or it takes too long.
async fn gather(check: &Check) -> Result<Option<Candidates>, End> {
    let id = check.attempt();
    if !check.browser.gather(id) {
        return Ok(None);
    }
    let deadline = check.timer(GATHERING, false);
    let mut found = Candidates {
        asked: check.browser.servers() > 0,
        ..Candidates::default()
    };
    while !(found.beyond || found.host && !found.asked) {
        match next(check).await? {
            Event::Candidate(of, Some(line)) if of == id => found.add(kind_of(&line)),
            Event::Candidate(of, None) if of == id => break,
            Event::Tick(of) if of == deadline.id => break,
            _ => {}
        }
    }
    Ok(Some(found))
}

async fn next(check: &Check) -> Result<Event, End> {
    match check.events.next().await {
        Ok(Event::Pressed(Press::Skip)) => Err(End::Skipped),
        Ok(event) => Ok(event),
        Err(Stop) => Err(End::Stopped),
    }
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.browser.cancel();
        self.0.browser.hang_up();
    }
}

/// The type in a candidate line (RFC 8839): the word after `typ`.
fn kind_of(candidate: &str) -> &str {
    let mut words = candidate.split(' ');
    words.find(|word| *word == "typ");
    words.next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_of_a_candidate_stands_after_typ() {
        let line = "candidate:1 1 udp 2113937151 198.51.100.7 49170 typ srflx raddr 0.0.0.0";
        assert_eq!(kind_of(line), "srflx");
        assert_eq!(kind_of("candidate:1 1 udp 1 typ.local 9 typ host"), "host");
        assert_eq!(kind_of(""), "");
    }
}
