//! What the EHR is told of an event.

use std::sync::Arc;

use uuid::Uuid;
use vestibule_launch::UnixTime;
use vestibule_store::{
    AliasHash, AppointmentId, Launch, NewWriteBack, Participant, Presence, StoreError,
};

use crate::{
    conferencing::event::Event,
    profile::{Profile, Profiles},
    tools::Tools,
    write_back::{
        END_OF_CALL_GRACE, StatusChange,
        telling::{self, News},
    },
};

/// A launch that may be connected, or not any more: the store says whether it is.
pub(super) struct Told {
    by: By,
    launch: Launch,
    change: StatusChange,
    occasion: Occasion,
}

/// By what somebody is in an appointment.
#[derive(Clone, Copy)]
pub(super) struct By {
    pub(super) appointment: AppointmentId,
    pub(super) alias: AliasHash,
}

/// Whose coming or going it is told of. Whatever says it, and however often, it is the
/// same.
pub(super) enum Occasion {
    /// Somebody came, perhaps back.
    Came {
        uuid: Uuid,
        gone_since: Option<UnixTime>,
    },
    /// Somebody left who was there since then.
    Left { uuid: Uuid, since: UnixTime },
}

impl Occasion {
    pub(super) fn left(participant: &Participant) -> Self {
        Self::Left {
            uuid: participant.participant,
            since: participant.connected_at,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let (uuid, time) = match self {
            Self::Came { uuid, gone_since } => (uuid, *gone_since),
            Self::Left { uuid, since } => (uuid, Some(*since)),
        };
        let time = time.map(|time| time.as_millis().to_be_bytes());
        [uuid.as_bytes().as_slice(), &time.unwrap_or_default()].concat()
    }
}

impl Told {
    /// `None` where no launch made the alias: there is nobody to tell of.
    pub(super) async fn of(
        tools: &Tools,
        by: By,
        change: StatusChange,
        occasion: Occasion,
    ) -> Result<Option<Self>, StoreError> {
        let launch = tools.store.find_launch_by_alias(by.alias).await?;
        Ok(launch.map(|launch| Self {
            by,
            launch,
            change,
            occasion,
        }))
    }
}

/// Words what is to be told for the outbox.
pub(super) struct Telling {
    tools: Tools,
    pub(super) profiles: Arc<Profiles>,
}

impl Telling {
    pub(super) fn new(tools: Tools, profiles: Arc<Profiles>) -> Self {
        Self { tools, profiles }
    }

    pub(super) async fn now(
        &self,
        event: &Event,
        told: Vec<Told>,
    ) -> Result<Vec<Presence>, StoreError> {
        let now = self.tools.now();
        let mut presences = Vec::new();
        for told in told {
            let occasion = told.occasion.bytes();
            let write_backs = self.tell(&told.launch, told.change, event.at, &occasion, now);
            presences.push(Presence {
                appointment: told.by.appointment,
                alias: told.by.alias,
                write_backs: write_backs.await?,
            });
        }
        Ok(presences)
    }

    /// That the visit is over, for each launch of it, whether or not it came to anything:
    /// each has a session of its own.
    pub(super) async fn when_over(
        &self,
        event: &Event,
        appointments: &[AppointmentId],
    ) -> Result<Vec<NewWriteBack>, StoreError> {
        let due_at = self.tools.now() + END_OF_CALL_GRACE;
        // A visit can go on after it was over, and be over again.
        let occasion = format!("{} {} {}", event.id.seq, event.id.second, event.id.node);
        let mut write_backs = Vec::new();
        for appointment in appointments {
            for launch in self.tools.store.launches_of(*appointment).await? {
                let change = StatusChange::CallEnded;
                let told = self.tell(&launch, change, event.at, occasion.as_bytes(), due_at);
                write_backs.extend(told.await?);
            }
        }
        Ok(write_backs)
    }

    pub(super) fn profile(&self, uuid: Uuid) -> Option<Arc<Profile>> {
        self.profiles.now().find(uuid)
    }

    /// As the launch's profile asks for. Nothing where the profile is gone.
    async fn tell(
        &self,
        launch: &Launch,
        change: StatusChange,
        at: UnixTime,
        occasion: &[u8],
        due_at: UnixTime,
    ) -> Result<Vec<NewWriteBack>, StoreError> {
        let Some(profile) = launch.profile.and_then(|uuid| self.profile(uuid)) else {
            return Ok(Vec::new());
        };
        let news = News {
            change,
            device_test: None,
            at,
            occasion,
            due_at,
        };
        telling::tell(&self.tools, &profile, launch, news).await
    }
}
