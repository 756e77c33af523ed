//! The event streams that participants follow, each behind a bounded queue.

use std::collections::HashMap;

use tokio::sync::mpsc;
use uuid::Uuid;

use crate::client_event::ClientEvent;

/// The sending ends of all event streams.
pub(crate) struct EventStreams {
    per_participant: usize,
    events_per_stream: usize,
    senders: HashMap<Uuid, Vec<mpsc::Sender<ClientEvent>>>,
}

impl EventStreams {
    pub(crate) fn new(per_participant: usize, events_per_stream: usize) -> Self {
        Self {
            per_participant: per_participant.max(1),
            events_per_stream: events_per_stream.max(1),
            senders: HashMap::new(),
        }
    }

    /// One stream more for `participant`. Where there are too many, the oldest ends.
    pub(crate) fn open(&mut self, participant: Uuid) -> mpsc::Receiver<ClientEvent> {
        let (sender, receiver) = mpsc::channel(self.events_per_stream);
        let senders = self.senders.entry(participant).or_default();
        senders.retain(|sender| !sender.is_closed());
        if senders.len() >= self.per_participant {
            senders.remove(0);
        }
        senders.push(sender);
        receiver
    }

    /// Sends an event down every stream of `participant`. A stream whose reader
    /// has fallen behind ends: its client comes back and is told everything anew.
    pub(crate) fn tell(&mut self, participant: Uuid, event: &ClientEvent) {
        if let Some(senders) = self.senders.get_mut(&participant) {
            senders.retain(|sender| sender.try_send(event.clone()).is_ok());
            if senders.is_empty() {
                self.senders.remove(&participant);
            }
        }
    }

    /// Ends every stream of `participant` once it has been read to its end.
    pub(crate) fn close(&mut self, participant: Uuid) {
        self.senders.remove(&participant);
    }

    /// Forgets the streams that nobody reads any more.
    pub(crate) fn sweep(&mut self) {
        self.senders.retain(|_, senders| {
            senders.retain(|sender| !sender.is_closed());
            !senders.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(receiver: &mut mpsc::Receiver<ClientEvent>) -> usize {
        std::iter::from_fn(|| receiver.try_recv().ok()).count()
    }

    #[test]
    fn every_stream_of_a_participant_gets_every_event() {
        let mut streams = EventStreams::new(2, 8);
        let (first, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut receivers = [
            streams.open(first),
            streams.open(first),
            streams.open(other),
        ];
        streams.tell(first, &ClientEvent::ParticipantSyncEnd);
        assert_eq!(receivers.each_mut().map(drain), [1, 1, 0]);
    }

    #[test]
    fn a_reader_that_falls_behind_is_cut_off() {
        let mut streams = EventStreams::new(2, 3);
        let participant = Uuid::from_u128(1);
        let mut receiver = streams.open(participant);
        for _ in 0..5 {
            streams.tell(participant, &ClientEvent::ParticipantSyncEnd);
        }
        assert_eq!(drain(&mut receiver), 3);
        assert!(receiver.is_closed());
        assert!(streams.senders.is_empty());
    }

    #[test]
    fn one_stream_too_many_ends_the_oldest() {
        let mut streams = EventStreams::new(2, 3);
        let participant = Uuid::from_u128(1);
        let receivers = [(); 3].map(|()| streams.open(participant));
        assert_eq!(
            receivers.each_ref().map(mpsc::Receiver::is_closed),
            [true, false, false]
        );
    }

    #[test]
    fn streams_that_nobody_reads_are_forgotten() {
        let mut streams = EventStreams::new(2, 3);
        drop(streams.open(Uuid::from_u128(1)));
        let kept = streams.open(Uuid::from_u128(2));
        streams.sweep();
        assert_eq!(streams.senders.len(), 1);
        drop(kept);
    }
}
