//! Launches in thousands of schedules, each drawn from a seed: servers are killed, the
//! store and the EHR fail or do their work and never say so, browsers lose their
//! connections, and whatever is asked for at the same time happens in any order. Nothing
//! here opens a socket or waits for a clock.
//!
//! `VESTIBULE_SEED` runs one schedule and tells its story; `VESTIBULE_SCHEDULES` says how
//! many there are otherwise. Thousands are a matter of seconds with `--release`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "../shared/clock.rs"]
mod clock;
#[path = "../shared/epic.rs"]
mod epic;

mod browser;
mod conferencing;
mod gate;
mod invariants;
mod record;
mod server;
mod store;
mod world;

use std::env;

use gate::Planted;
use world::{Setup, World};

/// Of a hundred things that are asked for, how many go wrong.
const FAULTS: u32 = 6;

/// What came of a schedule.
struct Outcome {
    violations: Vec<String>,
    story: Vec<String>,
    visits: u32,
    failures: u32,
}

fn run(setup: Setup) -> Outcome {
    let mut world = World::new(setup);
    world.run();
    let violations = invariants::violations(&world);
    world.record.with(|record| Outcome {
        violations,
        story: record.story.clone(),
        visits: record.visits,
        failures: record.failures,
    })
}

fn from_environment(name: &str) -> Option<u64> {
    let value = env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} is no number")),
    )
}

#[test]
fn whatever_fails_nothing_is_lost_and_nothing_happens_twice() {
    let one = from_environment("VESTIBULE_SEED");
    let seeds = match one {
        Some(seed) => seed..seed + 1,
        None => 0..from_environment("VESTIBULE_SCHEDULES").unwrap_or(25),
    };
    let (mut visits, mut failures) = (0, 0);
    for seed in seeds {
        let outcome = run(Setup {
            seed,
            faults: FAULTS,
            planted: None,
        });
        if one.is_some() {
            println!("{}", outcome.story.join("\n"));
        }
        assert!(
            outcome.violations.is_empty(),
            "VESTIBULE_SEED={seed} shows this again:\n{}",
            outcome.violations.join("\n")
        );
        visits += outcome.visits;
        failures += outcome.failures;
    }
    println!("{visits} visits, {failures} error pages");
    assert!(one.is_some() || failures > 0, "nothing ever failed");
}

/// What the invariants are worth: each of these breaks one, and is found.
#[test]
fn servers_that_lose_or_repeat_something_are_found_out() {
    for (planted, found) in [
        (Planted::NobodyTold, "and the EHR was told []"),
        (Planted::CodeSentTwice, "the EHR refused tokens"),
    ] {
        let outcomes = (0..5).map(|seed| {
            run(Setup {
                seed,
                faults: FAULTS,
                planted: Some(planted),
            })
        });
        let mut violations = outcomes.flat_map(|outcome| outcome.violations);
        assert!(
            violations.any(|violation| violation.contains(found)),
            "{planted:?} is not found"
        );
    }
}

#[test]
fn a_seed_is_a_schedule() {
    let story = |seed| {
        run(Setup {
            seed,
            faults: FAULTS,
            planted: None,
        })
        .story
    };
    assert_eq!(story(3), story(3));
    assert_ne!(story(3), story(4));
}
