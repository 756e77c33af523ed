//! The node: joins the logic to HTTP, the service policy, the counting of PINs and the
//! event sink.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rand::CryptoRng;
use tokio::{sync::mpsc, time::MissedTickBehavior};
use vestibule_launch::{Clock, UnixTime};

use crate::{
    EventSink, NodeEvent, NodeSettings, PinAttempts, PolicyUnavailable, ServiceConfiguration,
    ServicePolicy,
    alias::Alias,
    client_event::ClientEvent,
    conferences::{Conferences, Roster},
    effect::{Effect, Effects},
    event_streams::EventStreams,
    refusal::Refusal,
    requests,
    token::TokenHash,
};

const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// An embedded conferencing node. Clones are the same node.
#[derive(Clone)]
pub struct Node(Arc<Inner>);

impl Node {
    /// A node without conferences. It needs [`Self::run`] for its timeouts.
    pub fn new(
        settings: NodeSettings,
        policy: Arc<dyn ServicePolicy>,
        pin_attempts: Arc<dyn PinAttempts>,
        sink: Arc<dyn EventSink>,
        clock: Arc<dyn Clock>,
        rng: Box<dyn CryptoRng + Send>,
    ) -> Self {
        let state = State {
            rng,
            conferences: Conferences::new(settings.clone()),
            streams: EventStreams::new(
                settings.streams_per_participant,
                settings.events_per_stream,
            ),
            reports: VecDeque::new(),
            reports_made: 0,
            reporting: false,
        };
        Self(Arc::new(Inner {
            settings,
            policy,
            pin_attempts,
            sink,
            clock,
            state: Mutex::new(state),
        }))
    }

    /// The routes of the client API, `/api/client/v2/…`, to be merged into the
    /// server's router at its root. Answers are never stored by caches.
    pub fn router(&self) -> axum::Router {
        requests::router(self.clone())
    }

    /// Removes everybody whose time is over: tokens not refreshed, guests for
    /// whom no host came, guests left alone by their hosts.
    pub fn sweep(&self) {
        self.step(|conferences, _, now, effects| conferences.sweep(now, effects));
        self.lock().streams.sweep();
    }

    /// Sweeps every second, for as long as the future is polled.
    pub async fn run(&self) {
        let mut ticks = tokio::time::interval(SWEEP_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.sweep();
        }
    }

    /// Tells every participant that the node is going, ends their event streams
    /// and refuses newcomers from then on. A server that waits for its
    /// connections to end needs this, for event streams do not end by themselves.
    pub fn shut_down(&self) {
        self.step(|conferences, _, now, effects| conferences.shut_down(now, effects));
    }

    pub(crate) fn settings(&self) -> &NodeSettings {
        &self.0.settings
    }

    pub(crate) fn pin_attempts(&self) -> &dyn PinAttempts {
        &*self.0.pin_attempts
    }

    pub(crate) fn now(&self) -> UnixTime {
        self.0.clock.now()
    }

    pub(crate) fn is_shut_down(&self) -> bool {
        self.lock().conferences.is_shut_down()
    }

    /// The service behind `alias`, from the policy.
    ///
    /// # Errors
    /// [`PolicyUnavailable`] also where the policy takes too long.
    pub(crate) async fn service(
        &self,
        alias: &Alias,
    ) -> Result<Option<ServiceConfiguration>, PolicyUnavailable> {
        let answer = self.0.policy.service_configuration(alias.as_str());
        tokio::time::timeout(self.0.settings.policy_deadline, answer)
            .await
            .unwrap_or(Err(PolicyUnavailable))
    }

    /// One step of the logic, and everything that it wants done.
    pub(crate) fn step<T>(
        &self,
        step: impl FnOnce(&mut Conferences, &mut dyn CryptoRng, UnixTime, &mut Effects) -> T,
    ) -> T {
        let mut state = self.lock();
        let answer = self.step_in(&mut state, step);
        drop(state);
        self.report();
        answer
    }

    /// Opens an event stream for whoever holds the token: what it begins with,
    /// and what follows.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`].
    pub(crate) fn open_stream(
        &self,
        alias: &Alias,
        token: TokenHash,
    ) -> Result<(Vec<ClientEvent>, mpsc::Receiver<ClientEvent>), Refusal> {
        let mut state = self.lock();
        let roster = self.step_in(&mut state, |conferences, _, now, effects| {
            conferences.roster(alias, token, now, effects)
        });
        // Still under the lock, so that no event falls between roster and stream.
        let opened = roster.map(
            |Roster {
                 participant,
                 events,
             }| { (events, state.streams.open(participant)) },
        );
        drop(state);
        self.report();
        opened
    }

    fn step_in<T>(
        &self,
        state: &mut State,
        step: impl FnOnce(&mut Conferences, &mut dyn CryptoRng, UnixTime, &mut Effects) -> T,
    ) -> T {
        let now = self.0.clock.now();
        let mut effects = Effects::default();
        let answer = step(&mut state.conferences, &mut *state.rng, now, &mut effects);
        for effect in effects {
            match effect {
                Effect::Tell { participant, event } => state.streams.tell(participant, &event),
                Effect::Close(participant) => state.streams.close(participant),
                Effect::Report(data) => {
                    state.reports_made += 1;
                    state.reports.push_back(NodeEvent {
                        seq: state.reports_made,
                        time: now,
                        data,
                    });
                }
            }
        }
        answer
    }

    /// Hands the pending reports to the sink, without the lock. Only one caller
    /// does so at a time, which keeps them in order; others leave theirs to it.
    fn report(&self) {
        while let Some((event, _turn)) = self.next_report() {
            self.0.sink.event(event);
        }
    }

    fn next_report(&self) -> Option<(NodeEvent, ReportingTurn<'_>)> {
        let mut state = self.lock();
        if state.reporting {
            return None;
        }
        let event = state.reports.pop_front()?;
        state.reporting = true;
        Some((event, ReportingTurn(self)))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Inner {
    settings: NodeSettings,
    policy: Arc<dyn ServicePolicy>,
    pin_attempts: Arc<dyn PinAttempts>,
    sink: Arc<dyn EventSink>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    rng: Box<dyn CryptoRng + Send>,
    conferences: Conferences,
    streams: EventStreams,
    reports: VecDeque<NodeEvent>,
    reports_made: u64,
    reporting: bool,
}

/// Held while the sink is called; given back even where the sink panics.
struct ReportingTurn<'a>(&'a Node);

impl Drop for ReportingTurn<'_> {
    fn drop(&mut self) {
        self.0.lock().reporting = false;
    }
}
