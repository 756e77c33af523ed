//! Works off what the store gives out under a lease: so many at a time, each by itself.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, Semaphore},
    time::MissedTickBehavior,
};

use crate::in_flight::InFlight;

/// How a queue is worked off.
pub(super) struct Pace {
    /// How often it is looked for something to do, where nothing else happens.
    pub(super) interval: Duration,
    /// Most that is under way at a time.
    pub(super) at_once: usize,
}

/// Runs for ever: claims what is due, with the number of free places, and works on each.
/// A server that ends lets what is under way finish.
pub(super) async fn work_off<T, Claiming, Working>(
    pace: Pace,
    in_flight: &InFlight,
    claim: impl Fn(u32) -> Claiming,
    work: impl Fn(T) -> Working,
) where
    Claiming: Future<Output = Vec<T>>,
    Working: Future<Output = ()> + Send + 'static,
{
    let mut ticks = tokio::time::interval(pace.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let places = Arc::new(Semaphore::new(pace.at_once));
    // What was waiting for this one can go at once.
    let one_is_done = Arc::new(Notify::new());
    loop {
        tokio::select! {
            // Both do the same; a simulation goes by its seed alone.
            biased;
            _ = ticks.tick() => {}
            () = one_is_done.notified() => {}
        }
        let free = u32::try_from(places.available_permits()).unwrap_or(u32::MAX);
        if free == 0 {
            continue;
        }
        for item in claim(free).await {
            let place = Arc::clone(&places).acquire_owned().await;
            let one = in_flight.more();
            let done = Arc::clone(&one_is_done);
            let working = work(item);
            tokio::spawn(async move {
                working.await;
                drop((one, place));
                done.notify_one();
            });
        }
    }
}
