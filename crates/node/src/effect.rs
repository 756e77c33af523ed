//! What the logic wants done outside.

use uuid::Uuid;

use crate::{NodeEventData, client_event::ClientEvent};

/// Something to be done outside, in order.
pub(crate) enum Effect {
    /// Send `event` down every event stream of `participant`.
    Tell {
        participant: Uuid,
        event: ClientEvent,
    },
    /// End every event stream of this participant, who has gone.
    Close(Uuid),
    /// Tell the event sink.
    Report(NodeEventData),
}

/// Everything to be done after a step of the logic.
#[derive(Default)]
pub(crate) struct Effects(Vec<Effect>);

impl Effects {
    pub(crate) fn tell(&mut self, participant: Uuid, event: ClientEvent) {
        self.0.push(Effect::Tell { participant, event });
    }

    pub(crate) fn close(&mut self, participant: Uuid) {
        self.0.push(Effect::Close(participant));
    }

    pub(crate) fn report(&mut self, data: NodeEventData) {
        self.0.push(Effect::Report(data));
    }
}

impl IntoIterator for Effects {
    type Item = Effect;
    type IntoIter = std::vec::IntoIter<Effect>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
