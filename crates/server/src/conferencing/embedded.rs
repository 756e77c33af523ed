//! The embedded conferencing node: it asks here what stands behind an alias, and tells
//! here what happens.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};
use vestibule_launch::UnixTime;
use vestibule_node::{
    EventSink, NodeEvent, PolicyUnavailable, ServiceConfiguration, ServicePolicy,
};
use vestibule_store::{EventId, StoreError};

use super::{
    attendance::Attendance,
    event::{Event, EventData, second},
    policy::{Behind, behind},
};
use crate::tools::Tools;

/// What the embedded node is called among the nodes. Always the same, so that what it ran
/// when it broke down is over when it comes back.
const NODE: &str = "embedded";

/// Most events that wait to be recorded. A visit makes about ten.
const MOST_WAITING: usize = 10_000;

/// More events than a node makes in a millisecond.
const EVENTS_A_MILLISECOND: u64 = 1_000_000;

/// How far apart an event is tried again when the store fails, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Answers the embedded node.
#[derive(Clone)]
pub struct EmbeddedPolicy(Tools);

impl EmbeddedPolicy {
    /// Answers from these tools' store.
    pub fn new(tools: Tools) -> Self {
        Self(tools)
    }
}

#[async_trait]
impl ServicePolicy for EmbeddedPolicy {
    async fn service_configuration(
        &self,
        local_alias: &str,
    ) -> Result<Option<ServiceConfiguration>, PolicyUnavailable> {
        match behind(&self.0, local_alias).await {
            Ok(Behind::Appointment(service)) => Ok(Some(service)),
            Ok(Behind::Expired | Behind::Nothing) => Ok(None),
            Err(error) => {
                tracing::error!(%error, "the policy cannot answer");
                Err(PolicyUnavailable)
            }
        }
    }
}

impl fmt::Debug for EmbeddedPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmbeddedPolicy(…)")
    }
}

/// Takes the embedded node's events at once; a [`Recorder`] works them off in order.
#[derive(Clone, Debug)]
pub struct EmbeddedEvents {
    waiting: mpsc::Sender<Waiting>,
    /// The number of the event that says that the node has started. The node counts from
    /// one after each start, and two starts may fall into one second.
    first: u64,
}

/// Works off the events of the embedded node.
pub struct Recorder {
    attendance: Attendance,
    waiting: mpsc::Receiver<Waiting>,
}

#[derive(Debug)]
enum Waiting {
    Event(Box<Event>),
    /// Everything before it is recorded when the other end hears.
    Mark(oneshot::Sender<()>),
}

impl EmbeddedEvents {
    /// Events, and what works them off. The first one says that the node has started, at
    /// `now`.
    pub fn new(attendance: Attendance, now: UnixTime) -> (Self, Recorder) {
        let (sender, waiting) = mpsc::channel(MOST_WAITING);
        let milliseconds = u64::try_from(now.as_millis()).unwrap_or(0);
        let events = Self {
            waiting: sender,
            first: milliseconds.saturating_mul(EVENTS_A_MILLISECOND),
        };
        events.put(Event {
            id: EventId {
                node: NODE.to_owned(),
                seq: events.first,
                second: second(now),
            },
            at: now,
            data: EventData::NodeStarted,
        });
        let recorder = Recorder {
            attendance,
            waiting,
        };
        (events, recorder)
    }

    /// Waits until everything that was told before is recorded, but no longer than
    /// `deadline`.
    pub async fn recorded(&self, deadline: Duration) {
        let (sender, mark) = oneshot::channel();
        let recorded = async {
            // Where the recorder has gone nothing will be recorded any more.
            if self.waiting.send(Waiting::Mark(sender)).await.is_ok() {
                let _ = mark.await;
            }
        };
        if tokio::time::timeout(deadline, recorded).await.is_err() {
            tracing::error!("events of the embedded node are lost: the store took too long");
        }
    }

    /// The node must not wait, so what finds no room is lost.
    fn put(&self, event: Event) {
        let name = event.name();
        if self
            .waiting
            .try_send(Waiting::Event(Box::new(event)))
            .is_err()
        {
            tracing::error!(
                event = name,
                "an event of the embedded node is lost: too many wait"
            );
        }
    }
}

impl EventSink for EmbeddedEvents {
    fn event(&self, event: NodeEvent) {
        let mut event = Event::of_node(NODE, event);
        event.id.seq = event.id.seq.saturating_add(self.first);
        self.put(event);
    }
}

impl Recorder {
    /// Records events for as long as there is anybody to tell some.
    pub async fn run(mut self) {
        while let Some(waiting) = self.waiting.recv().await {
            match waiting {
                Waiting::Event(event) => self.record(&event).await,
                Waiting::Mark(mark) => {
                    // Whoever waited may have given up.
                    let _ = mark.send(());
                }
            }
        }
    }

    /// Until the store takes it: what comes after must not be recorded before.
    async fn record(&self, event: &Event) {
        let mut pause = FIRST_PAUSE;
        while let Err(error) = self.attendance.apply(event).await {
            if matches!(error, StoreError::Damaged(_)) {
                // It would be so each time.
                tracing::error!(%error, event = event.name(), "an event is lost");
                return;
            }
            tracing::error!(%error, event = event.name(), "an event cannot be recorded yet");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder(…)")
    }
}
