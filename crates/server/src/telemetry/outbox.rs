//! How much waits in the outbox: asked of the store when somebody looks, and seldom.

use std::{sync::Mutex, sync::PoisonError, time::Duration};

use vestibule_launch::UnixTime;
use vestibule_store::Unsent;

use super::Telemetry;
use crate::tools::Tools;

/// How long an answer is good.
const FRESH: Duration = Duration::from_secs(15);

/// How long the store may take.
const DEADLINE: Duration = Duration::from_secs(2);

/// When the store was asked last, and what it said; nothing where it did not answer.
#[derive(Debug, Default)]
pub(super) struct OutboxGauge(Mutex<Option<(UnixTime, Option<Unsent>)>>);

impl OutboxGauge {
    fn known(&self, now: UnixTime) -> Option<Option<Unsent>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, unsent) = (*known)?;
        (now.since(at) < FRESH).then_some(unsent)
    }

    fn learn(&self, now: UnixTime, unsent: Option<Unsent>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, unsent));
    }
}

impl Telemetry {
    /// Brings the gauges of the outbox and the database up to date. Where the database
    /// does not answer, the outbox stays as it was.
    pub(super) async fn look_at_outbox(&self, tools: &Tools) {
        let now = tools.now();
        let unsent = match self.outbox.known(now) {
            Some(known) => known,
            None => {
                let asked = self.stored("unsent_write_backs", tools.store.unsent_write_backs());
                let answer = tokio::time::timeout(DEADLINE, asked).await;
                let unsent = answer.ok().and_then(Result::ok);
                self.outbox.learn(now, unsent);
                unsent
            }
        };
        self.series.database_up.set(i64::from(unsent.is_some()));
        let Some(unsent) = unsent else {
            return;
        };
        let count = i64::try_from(unsent.count).unwrap_or(i64::MAX);
        self.series.unsent.set(count);
        let age = unsent
            .oldest
            .map_or(0, |oldest| now.since(oldest).as_secs());
        let age = i64::try_from(age).unwrap_or(i64::MAX);
        self.series.oldest_unsent.set(age);
    }
}
