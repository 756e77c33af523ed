//! What an administrator may set of the node.

use std::time::Duration;

/// Timeouts and bounds of a node. Names and defaults follow Pexip Infinity's
/// global settings where it has the same one.
#[derive(Clone, Debug)]
pub struct NodeSettings {
    /// How long a token works. It is told to clients in whole seconds, and they
    /// refresh it every third of that.
    pub token_lifetime: Duration,
    /// How long a guest waits for a host.
    pub waiting_for_chair_timeout: Duration,
    /// How long guests may stay after the last host has left.
    pub guests_only_timeout: Duration,
    /// How many wrong PINs an alias takes within [`Self::pin_attempts_window`]
    /// before it refuses every PIN.
    pub pin_attempts: usize,
    /// How many wrong PINs a conference takes through all of its aliases within
    /// [`Self::pin_attempts_window`] before it refuses every PIN: each launch makes
    /// a new alias of the same conference.
    pub pin_attempts_per_conference: usize,
    /// The sliding window in which wrong PINs are counted.
    pub pin_attempts_window: Duration,
    /// How many participants one conference holds before it refuses guests, waiting
    /// ones included. Guests take no place from hosts, who have as many of their own.
    pub participants_per_conference: usize,
    /// How many conferences there may be at a time.
    pub conferences: usize,
    /// How many event streams one participant may follow; one more ends the oldest.
    pub streams_per_participant: usize,
    /// How many events wait for a slow reader before its stream is ended.
    pub events_per_stream: usize,
    /// How often an idle event stream carries a comment, so that no proxy ends it.
    pub keep_alive: Duration,
    /// The longest request body, in bytes.
    pub body_limit: usize,
    /// How long the body of a request may take to arrive.
    pub body_deadline: Duration,
    /// How long the [`ServicePolicy`](crate::ServicePolicy) may take to answer.
    pub policy_deadline: Duration,
}

impl Default for NodeSettings {
    fn default() -> Self {
        Self {
            token_lifetime: Duration::from_secs(120),
            waiting_for_chair_timeout: Duration::from_secs(900),
            guests_only_timeout: Duration::from_secs(60),
            pin_attempts: 5,
            pin_attempts_per_conference: 20,
            pin_attempts_window: Duration::from_secs(5 * 60),
            participants_per_conference: 50,
            conferences: 1_000,
            streams_per_participant: 4,
            events_per_stream: 256,
            keep_alive: Duration::from_secs(15),
            body_limit: 16 * 1024,
            body_deadline: Duration::from_secs(10),
            policy_deadline: Duration::from_secs(5),
        }
    }
}
