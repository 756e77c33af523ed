//! Drives launches at a contender: as many as it can take, or so many a second.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::launches::Launches;

/// Browsers at a time where each begins its next launch after the last one.
const BROWSERS: u32 = 32;
/// Most browsers at a time where launches come at a fixed rate.
const MOST_BROWSERS: u32 = 128;

/// How long they have to connect before the first of those begins.
const CONNECTING: Duration = Duration::from_millis(300);

/// What came of it.
pub(crate) struct Driven {
    /// From the first launch to the end of the last one.
    pub(crate) took: Duration,
    /// How long each launch took, in seconds.
    pub(crate) latencies: Vec<f64>,
}

impl Driven {
    /// Launches a second.
    pub(crate) fn throughput(&self) -> f64 {
        let launches = u32::try_from(self.latencies.len()).unwrap_or(u32::MAX);
        f64::from(launches) / self.took.as_secs_f64()
    }
}

/// A fixed number of browsers, each of which launches again and again.
pub(crate) async fn as_fast_as_it_can(launches: &Arc<Launches>, time: Duration) -> Result<Driven> {
    let begun = Instant::now();
    let until = begun + time;
    let browsers = (0..BROWSERS).map(|_| {
        let launches = Arc::clone(launches);
        async move {
            let mut connection = launches.connect().await?;
            let mut latencies = Vec::new();
            loop {
                let begun = Instant::now();
                if begun >= until {
                    return Ok(latencies);
                }
                launches.one(&mut connection).await?;
                latencies.push(begun.elapsed().as_secs_f64());
            }
        }
    });
    let latencies = all(browsers).await?;
    Ok(Driven {
        took: begun.elapsed(),
        latencies,
    })
}

/// So many launches a second, each at its time whether or not the ones before are done: a
/// launch that has to wait for its turn has begun when it should have. How long each took,
/// in seconds.
pub(crate) async fn at_rate(
    launches: &Arc<Launches>,
    rate: f64,
    time: Duration,
) -> Result<Vec<f64>> {
    let begun = Instant::now() + CONNECTING;
    let until = begun + time;
    let next = Arc::new(AtomicU32::new(0));
    let browsers = (0..MOST_BROWSERS).map(|_| {
        let launches = Arc::clone(launches);
        let next = Arc::clone(&next);
        async move {
            let mut connection = launches.connect().await?;
            let mut latencies = Vec::new();
            loop {
                let turn = f64::from(next.fetch_add(1, Ordering::Relaxed));
                let due = begun + Duration::from_secs_f64(turn / rate);
                if due >= until {
                    return Ok(latencies);
                }
                // A timer that rings late is not the server's doing, a late turn is.
                let from = if Instant::now() < due {
                    sleep_until(due).await;
                    Instant::now()
                } else {
                    due
                };
                launches.one(&mut connection).await?;
                latencies.push(from.elapsed().as_secs_f64());
            }
        }
    });
    all(browsers).await
}

async fn all(
    browsers: impl Iterator<Item = impl Future<Output = Result<Vec<f64>>> + Send + 'static>,
) -> Result<Vec<f64>> {
    let mut browsers: JoinSet<_> = browsers.collect();
    let mut latencies = Vec::new();
    while let Some(ended) = browsers.join_next().await {
        latencies.extend(ended??);
    }
    Ok(latencies)
}
