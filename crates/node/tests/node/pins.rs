//! Wrong PINs, and what counts them.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use vestibule_launch::UnixTime;
use vestibule_node::{
    NodeSettings, PinAttempt, PinAttempts, PinAttemptsUnavailable, PinLimit, PinTarget,
};

use crate::house::{AGAIN, HOST_PIN, House, NAMESAKE, OPEN, VISIT, VISIT_TOO, WRONG_PIN};

const LOCKED: &str = "Participant exceeded PIN entry retries";

/// Counts in memory, unless it is broken.
#[derive(Default)]
pub(crate) struct Pins {
    times: Mutex<HashMap<String, Vec<UnixTime>>>,
    unavailable: AtomicBool,
    silent: AtomicBool,
    /// Those at conferences alone.
    conferences_unavailable: AtomicBool,
    conferences_silent: AtomicBool,
}

impl Pins {
    async fn answers(&self, at: PinTarget<'_>) -> Result<(), PinAttemptsUnavailable> {
        let is_conference = matches!(at, PinTarget::Conference { .. });
        let is_set = |of_all: &AtomicBool, of_conferences: &AtomicBool| {
            of_all.load(Ordering::SeqCst) || is_conference && of_conferences.load(Ordering::SeqCst)
        };
        if is_set(&self.silent, &self.conferences_silent) {
            std::future::pending::<()>().await;
        }
        let unavailable = is_set(&self.unavailable, &self.conferences_unavailable);
        (!unavailable).then_some(()).ok_or(PinAttemptsUnavailable)
    }
}

fn key(at: PinTarget<'_>) -> String {
    match at {
        PinTarget::Alias(alias) => format!("alias {alias}"),
        PinTarget::Conference { name, service_tag } => format!("conference {name}/{service_tag}"),
    }
}

#[async_trait::async_trait]
impl PinAttempts for Pins {
    async fn begin(
        &self,
        at: PinTarget<'_>,
        limit: PinLimit,
        now: UnixTime,
    ) -> Result<PinAttempt, PinAttemptsUnavailable> {
        self.answers(at).await?;
        let mut times = self.times.lock().expect("nobody panics in it");
        let times = times.entry(key(at)).or_default();
        times.retain(|time| now.since(*time) < limit.window);
        if let Some(oldest) = times.len().checked_sub(limit.attempts) {
            let retry_after = limit.window - now.since(times[oldest]);
            return Ok(PinAttempt::Locked { retry_after });
        }
        times.push(now);
        Ok(PinAttempt::Counted)
    }

    async fn withdraw(
        &self,
        at: PinTarget<'_>,
        began: UnixTime,
    ) -> Result<(), PinAttemptsUnavailable> {
        self.answers(at).await?;
        let mut times = self.times.lock().expect("nobody panics in it");
        let times = times.entry(key(at)).or_default();
        if let Some(index) = times.iter().position(|time| *time == began) {
            times.remove(index);
        }
        Ok(())
    }
}

#[tokio::test]
async fn wrong_pins_lock_an_alias_even_for_the_right_pin_until_the_window_has_passed() {
    let house = House::open().await;
    for pin in [
        WRONG_PIN,
        "nonsense",
        "12345678901234567890123",
        WRONG_PIN,
        "1",
    ] {
        let answer = house.request_token(VISIT, Some(pin), "Guest").await;
        assert_eq!(answer.result(), "Invalid PIN");
    }
    for same in [VISIT, "sip:Visit@Example.org"] {
        let locked = house.host(same).await;
        assert_eq!(locked.result(), LOCKED);
    }
    assert_eq!(
        house.host(VISIT_TOO).await.status,
        200,
        "another alias of the conference takes PINs until the conference has had enough"
    );
    assert_eq!(
        house.guest(VISIT).await.status,
        200,
        "without a PIN there is nothing to guess"
    );
    house.pass(299);
    assert_eq!(house.host(VISIT).await.status, 403);
    house.pass(1);
    assert_eq!(house.host(VISIT).await.status, 200);
}

#[tokio::test]
async fn wrong_pins_through_many_aliases_lock_their_conference() {
    let house = House::open().await;
    for launch in 0..5 {
        let alias = AGAIN.repeat(launch) + VISIT;
        for _ in 0..4 {
            assert_eq!(house.host(&alias).await.status, 200, "launch {launch}");
            let answer = house.request_token(&alias, Some(WRONG_PIN), "Guest").await;
            assert_eq!(answer.result(), "Invalid PIN", "launch {launch}");
        }
    }
    for alias in [VISIT, VISIT_TOO, &(AGAIN.repeat(5) + VISIT)] {
        let locked = house.host(alias).await;
        assert_eq!(locked.result(), LOCKED);
        assert_eq!(locked.header("retry-after"), Some("300"));
        assert_eq!(house.guest(alias).await.status, 200, "guests need no PIN");
    }
    assert_eq!(house.host(NAMESAKE).await.status, 200);
    house.pass(299);
    assert_eq!(house.host(VISIT_TOO).await.status, 403);
    house.pass(1);
    assert_eq!(house.host(VISIT_TOO).await.status, 200);
}

#[tokio::test]
async fn right_pins_do_not_count_however_many_there_are() {
    let settings = NodeSettings {
        participants_per_conference: 1,
        ..NodeSettings::default()
    };
    let house = House::with(settings).await;
    for _ in 0..30 {
        let host = house.host(VISIT).await;
        assert!([200, 403].contains(&host.status));
        assert_ne!(host.result(), LOCKED, "neither where there is no room");
        assert_eq!(
            house
                .request_token(OPEN, Some(WRONG_PIN), "Host")
                .await
                .result()["role"],
            "HOST",
            "where nobody needs a PIN none is wrong"
        );
        house.pass(200);
    }
}

#[tokio::test]
async fn of_guesses_at_once_no_more_are_looked_at_than_there_may_be() {
    let house = House::open().await;
    let guesses = (0..40).map(|_| house.request_token(VISIT, Some(WRONG_PIN), "Guest"));
    let answers = futures_util::future::join_all(guesses).await;
    let count = |text: &str| answers.iter().filter(|it| it.result() == text).count();
    assert_eq!((count("Invalid PIN"), count(LOCKED)), (5, 35));
}

/// A guess that nobody counts would be one of as many as there are PINs.
#[tokio::test]
async fn nobody_comes_in_with_a_pin_that_cannot_be_counted() {
    let settings = NodeSettings {
        policy_deadline: Duration::from_millis(50),
        ..NodeSettings::default()
    };
    let house = House::with(settings).await;
    for broken in [&house.pins.unavailable, &house.pins.silent] {
        broken.store(true, Ordering::SeqCst);
        for pin in [WRONG_PIN, HOST_PIN] {
            let answer = house.request_token(VISIT, Some(pin), "Host").await;
            assert_eq!(answer.status, 503);
            assert_eq!(answer.result(), "503 Service Unavailable");
        }
        assert_eq!(house.guest(VISIT).await.status, 200, "guests have no PIN");
        broken.store(false, Ordering::SeqCst);
        assert_eq!(house.host(VISIT).await.status, 200);
    }
}

/// Nobody has looked at a PIN that cannot be counted at both.
#[tokio::test]
async fn a_pin_that_cannot_be_counted_at_the_conference_does_not_count_at_the_alias() {
    let settings = NodeSettings {
        policy_deadline: Duration::from_millis(50),
        ..NodeSettings::default()
    };
    let house = House::with(settings).await;
    let pins = &house.pins;
    for broken in [&pins.conferences_unavailable, &pins.conferences_silent] {
        broken.store(true, Ordering::SeqCst);
        for _ in 0..6 {
            assert_eq!(house.host(VISIT).await.status, 503);
        }
        broken.store(false, Ordering::SeqCst);
        for _ in 0..4 {
            let answer = house.request_token(VISIT, Some(WRONG_PIN), "Guest").await;
            assert_eq!(answer.result(), "Invalid PIN");
        }
        assert_eq!(house.host(VISIT).await.status, 200);
        house.pass(300);
    }
}

#[tokio::test]
async fn a_locked_conference_does_not_use_up_what_an_alias_may() {
    let house = House::open().await;
    for launch in 0..5 {
        let alias = AGAIN.repeat(launch) + VISIT;
        for _ in 0..4 {
            house.request_token(&alias, Some(WRONG_PIN), "Guest").await;
        }
    }
    house.pass(200);
    for _ in 0..10 {
        assert_eq!(house.host(VISIT_TOO).await.result(), LOCKED);
    }
    house.pass(100);
    for _ in 0..4 {
        let answer = house.request_token(VISIT_TOO, Some(WRONG_PIN), "Guest");
        assert_eq!(answer.await.result(), "Invalid PIN");
    }
    assert_eq!(house.host(VISIT_TOO).await.status, 200);
}
