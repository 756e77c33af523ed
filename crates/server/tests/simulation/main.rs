//! Launches in thousands of schedules, each drawn from a seed: servers are killed, the
//! store and the EHR fail or do their work and never say so, browsers lose their
//! connections, and whatever is asked for at the same time happens in any order. Nothing
//! here opens a socket or waits for a clock.
//!
//! `VESTIBULE_SEED` runs one schedule and tells its story; `VESTIBULE_SCHEDULES` says how
//! many there are otherwise; for thousands, build with `--release`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "../shared/clock.rs"]
mod clock;
#[path = "../shared/epic.rs"]
mod epic;

mod browser;
mod conferencing;
mod cores;
mod gate;
mod invariants;
mod outside;
mod people;
mod record;
mod server;
mod setting;
mod store;
mod world;

use std::{
    any::Any,
    collections::BTreeMap,
    env,
    ops::Range,
    panic::{self, AssertUnwindSafe},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use gate::Planted;
use outside::Outside;
use server::HOUSE;
use world::{Setup, World};

/// Of a hundred things that are asked for, how many go wrong.
const FAULTS: u32 = 6;

/// How many schedules there are where nothing else is said.
const SCHEDULES: u64 = 2000;

/// Everything that can go wrong in a schedule.
const KINDS: [&str; 15] = [
    "server is killed",
    "store is down",
    "store fails",
    "store's answer is lost",
    "EHR is down",
    "EHR is not reached",
    "EHR answers 5xx",
    "EHR does not answer",
    "EHR's answer is lost",
    "request is lost",
    "server's answer is lost",
    "time jumps",
    "launch parameters are spoilt",
    "launch parameters are refused",
    "page is opened by a stranger",
];

/// What came of a schedule.
struct Outcome {
    violations: Vec<String>,
    story: Vec<String>,
    /// SHA-256 of everything that was asked and answered, in order.
    digest: Vec<u8>,
    drawn: BTreeMap<&'static str, u64>,
    visits: u32,
    failures: u32,
}

/// What came of many schedules in which nothing was wrong.
#[derive(Default)]
struct Sum {
    story: Vec<String>,
    drawn: BTreeMap<&'static str, u64>,
    visits: u32,
    failures: u32,
}

/// What was wrong with a schedule.
struct Found {
    seed: u64,
    violations: String,
    story: Vec<String>,
}

fn schedule(seed: u64) -> Setup {
    Setup {
        seed,
        faults: FAULTS,
        planted: None,
    }
}

fn run(outside: &Outside, setup: Setup) -> Outcome {
    let mut world = World::new(&HOUSE, outside, setup);
    let record = world.record.clone();
    let violations = panic::catch_unwind(AssertUnwindSafe(|| {
        world.run();
        invariants::violations(&world)
    }));
    let panicked =
        |panicked: Box<dyn Any + Send>| vec![format!("a panic: {}", message(&*panicked))];
    let violations = violations.unwrap_or_else(panicked);
    record.with(|record| Outcome {
        violations,
        story: record.story.clone(),
        digest: record.digested(),
        drawn: record.drawn.clone(),
        visits: record.visits,
        failures: record.failures,
    })
}

/// Runs a schedule for each seed, one at a time on each core.
///
/// # Errors
/// The first seed whose schedule breaks an invariant or panics, and how.
fn run_all(seeds: Range<u64>, planted: Option<Planted>) -> Result<Sum, Found> {
    let next = AtomicU64::new(seeds.start);
    let sum = Mutex::new(Sum::default());
    let worst: Mutex<Option<Found>> = Mutex::default();
    let work = &|core: usize| {
        cores::keep_to(core);
        let outside = Outside::open();
        while worst.lock().unwrap().is_none() {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let setup = Setup {
                planted,
                ..schedule(seed)
            };
            let outcome = run(&outside, setup);
            if outcome.violations.is_empty() {
                sum.lock().unwrap().add(outcome);
                continue;
            }
            let mut worst = worst.lock().unwrap();
            if worst.as_ref().is_none_or(|before| seed < before.seed) {
                *worst = Some(Found {
                    seed,
                    violations: outcome.violations.join("\n"),
                    story: outcome.story,
                });
            }
        }
    };
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        for core in 0..cores {
            scope.spawn(move || work(core));
        }
    });
    match worst.into_inner().unwrap() {
        Some(worst) => Err(worst),
        None => Ok(sum.into_inner().unwrap()),
    }
}

impl Sum {
    fn add(&mut self, outcome: Outcome) {
        self.story.extend(outcome.story);
        for (what, times) in outcome.drawn {
            *self.drawn.entry(what).or_default() += times;
        }
        self.visits += outcome.visits;
        self.failures += outcome.failures;
    }
}

fn message(panicked: &(dyn Any + Send)) -> &str {
    let text = panicked.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panicked.downcast_ref::<&str>().copied());
    text.unwrap_or("without words")
}

/// What whoever sees a failure is told.
fn how_to_see_it_again(seed: u64) -> String {
    format!(
        "VESTIBULE_SEED={seed} cargo test -p vestibule-server --test simulation whatever \
         -- --nocapture"
    )
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
    let schedules = from_environment("VESTIBULE_SCHEDULES").unwrap_or(SCHEDULES);
    let seeds = match one {
        Some(seed) => seed..seed + 1,
        None => 0..schedules,
    };
    let sum = match run_all(seeds, None) {
        Ok(sum) => sum,
        Err(found) => {
            if one.is_some() {
                println!("{}", found.story.join("\n"));
            }
            panic!(
                "this shows it again:\n{}\n{}",
                how_to_see_it_again(found.seed),
                found.violations
            )
        }
    };
    if one.is_some() {
        println!("{}", sum.story.join("\n"));
    }
    println!("{} visits, {} error pages", sum.visits, sum.failures);
    for (what, times) in &sum.drawn {
        println!("{times:>8} times: {what}");
    }
    if one.is_none() && schedules >= SCHEDULES {
        for kind in KINDS {
            assert!(sum.drawn.contains_key(kind), "it never was so that: {kind}");
        }
        assert!(sum.failures > 0, "nothing ever failed");
    }
}

/// What the invariants are worth: each of these breaks one, and is found.
#[test]
fn servers_that_lose_or_repeat_something_are_found_out() {
    let outside = Outside::open();
    for (planted, found) in [
        (Planted::NobodyTold, "and the EHR was told []"),
        (Planted::CodeSentTwice, "the EHR refused tokens"),
    ] {
        let outcomes = (0..5).map(|seed| {
            let setup = Setup {
                planted: Some(planted),
                ..schedule(seed)
            };
            run(&outside, setup)
        });
        let mut violations = outcomes.flat_map(|outcome| outcome.violations);
        assert!(
            violations.any(|violation| violation.contains(found)),
            "{planted:?} is not found"
        );
    }
}

#[test]
fn the_seed_of_a_failure_is_told() {
    let Err(found) = run_all(7..9, Some(Planted::NobodyTold)) else {
        panic!("nothing is found");
    };
    let Found {
        seed, violations, ..
    } = found;
    assert_eq!(seed, 7);
    assert!(
        violations.contains("and the EHR was told []"),
        "{violations}"
    );
    assert!(
        found
            .story
            .iter()
            .any(|line| line.ends_with("has a join link"))
    );
    assert!(how_to_see_it_again(seed).starts_with("VESTIBULE_SEED=7 cargo test "));
}

#[test]
fn a_schedule_that_panics_tells_its_story_until_then() {
    let Err(found) = run_all(7..8, Some(Planted::Panic)) else {
        panic!("nothing is found");
    };
    assert_eq!(found.violations, "a panic: planted");
    assert!(!found.story.is_empty());
}

#[test]
fn a_seed_is_a_schedule_to_the_byte() {
    let outside = Outside::open();
    for seed in 3..8 {
        let first = run(&outside, schedule(seed));
        let again = run(&Outside::open(), schedule(seed));
        assert_eq!(first.story, again.story);
        assert_eq!(first.digest, again.digest);
        let other = run(&outside, schedule(seed + 1));
        assert_ne!(first.digest, other.digest);
    }
}

#[test]
fn a_schedule_finds_nothing_of_the_one_before() {
    let outside = Outside::open();
    run(&outside, schedule(3));
    let changed = outside.changed();
    assert!(changed.contains(&"launches"), "{changed:?}");
    assert!(changed.contains(&"sqlite_sequence"), "{changed:?}");
    outside.empty_the_store();
    assert_eq!(outside.changed(), Vec::<&str>::new());
}
