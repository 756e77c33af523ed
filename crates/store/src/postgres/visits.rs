//! Visits in PostgreSQL.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;
use vestibule_launch::{RequestId, UnixTime};

use super::{
    PostgresStore,
    attempt::{Again, run},
    launches,
    rows::{appointment_id_of, appointment_of, launch_of, maybe_time_of, participant_of},
    write_backs,
};
use crate::{
    Applied, Appointment, AppointmentId, Change, EncounterKey, EventId, Launch, NewWriteBack,
    Participant, Presence, StoreError, VisitEvent, Visits, overcome::Joined,
};

/// How much longer an event may take for each launch that it tells of: the end of a node
/// on which hundreds were.
const STEP: Duration = Duration::from_millis(10);

/// For so many launches at most: the node waits 15 seconds for an answer.
const MOST_STEPS: u32 = 1_000;

#[async_trait]
impl Visits for PostgresStore {
    async fn find_appointment_by_key(
        &self,
        encounter: EncounterKey,
    ) -> Result<Option<Appointment>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            sqlx::query(
                "SELECT id AS appointment_id, profile, encounter_key, sealed, created_at
                 FROM appointments WHERE encounter_key = $1",
            )
            .bind(encounter.as_bytes().as_slice())
            .fetch_optional(connection)
            .await?
            .map(|row| appointment_of(&row))
            .transpose()
        })
    }

    /// An event that comes again is known by its id, also where the answer to the first
    /// was lost. Events of one appointment go one after the other: each locks the
    /// appointment before it looks who is there.
    async fn apply_event(
        &self,
        event: VisitEvent,
        always: Vec<NewWriteBack>,
        presences: Vec<Presence>,
        when_over: Vec<NewWriteBack>,
        now: UnixTime,
    ) -> Result<Applied, StoreError> {
        let steps = presences.len() + when_over.len() + always.len();
        let patience =
            self.patience + STEP * u32::try_from(steps).unwrap_or(u32::MAX).min(MOST_STEPS);
        run!(self, Again::Always, patience, |connection, _| {
            let mut transaction = connection.begin().await?;
            if !is_news(&mut transaction, &event.id, now).await? {
                transaction.rollback().await?;
                return Ok(Applied::Before);
            }
            lock(&mut transaction, &event, &presences).await?;
            let running = running(&mut transaction, &event).await?;
            let mut before = Vec::with_capacity(presences.len());
            for presence in &presences {
                before.push(is_there(&mut transaction, presence).await?);
            }
            change(&mut transaction, &event).await?;
            if let Change::ParticipantConnected { alias, .. } = &event.change {
                let joined = Joined::Alias(*alias, event.at);
                launches::overcome_failure(&mut transaction, joined).await?;
            }
            let over = over(&mut transaction, running).await?;
            for write_back in &always {
                write_backs::insert(&mut transaction, write_back, now).await?;
            }
            for (presence, was_there) in presences.iter().zip(before) {
                if is_there(&mut transaction, presence).await? != was_there {
                    for write_back in &presence.write_backs {
                        write_backs::insert(&mut transaction, write_back, now).await?;
                    }
                }
            }
            for write_back in &when_over {
                let visit = visit_of(&mut transaction, write_back.request_id).await?;
                if visit.is_some_and(|visit| over.contains(&visit)) {
                    write_backs::insert(&mut transaction, write_back, now).await?;
                }
            }
            transaction.commit().await?;
            Ok(Applied::Now {
                visit_over: !over.is_empty(),
            })
        })
    }

    async fn running_visits(&self, profile: Uuid) -> Result<u64, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let visits: i64 = sqlx::query_scalar(
                "SELECT count(DISTINCT appointments.id)
                 FROM running_visits
                 JOIN appointments ON appointments.id = running_visits.appointment
                 WHERE appointments.profile = $1",
            )
            .bind(profile.as_bytes().as_slice())
            .fetch_one(connection)
            .await?;
            u64::try_from(visits).map_err(|_| StoreError::Damaged("visit"))
        })
    }

    async fn over_since(
        &self,
        appointment: AppointmentId,
        since: UnixTime,
    ) -> Result<Option<UnixTime>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let row = sqlx::query(
                "SELECT max(ended_at) AS over_since
                 FROM (SELECT appointment, ended_at FROM conferences
                       UNION ALL SELECT appointment, disconnected_at FROM participants) AS ended
                 WHERE appointment = $1
                     AND NOT EXISTS (SELECT 1 FROM running_visits WHERE appointment = $1)
                     AND EXISTS (SELECT 1 FROM participants
                         JOIN aliases ON aliases.alias_hash = participants.alias_hash
                         JOIN launches ON launches.request_id = aliases.request_id
                         WHERE participants.appointment = $1 AND launches.role = 'provider'
                             AND participants.disconnected_at >= $2)",
            )
            .bind(appointment.0)
            .bind(since.as_millis())
            .fetch_one(connection)
            .await?;
            maybe_time_of(&row, "over_since")
        })
    }

    async fn running_on(&self, node: &str) -> Result<Vec<AppointmentId>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            sqlx::query(
                "SELECT DISTINCT appointment FROM running_visits
                 WHERE node = $1 ORDER BY appointment",
            )
            .bind(node)
            .fetch_all(connection)
            .await?
            .iter()
            .map(appointment_id_of)
            .collect()
        })
    }

    async fn participants(
        &self,
        appointment: AppointmentId,
    ) -> Result<Vec<Participant>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            sqlx::query(
                "SELECT * FROM participants
                 WHERE appointment = $1 ORDER BY connected_at, participant",
            )
            .bind(appointment.0)
            .fetch_all(connection)
            .await?
            .iter()
            .map(participant_of)
            .collect()
        })
    }

    async fn launches_of(&self, appointment: AppointmentId) -> Result<Vec<Launch>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            sqlx::query(
                "SELECT * FROM launches WHERE appointment = $1 ORDER BY created_at, request_id",
            )
            .bind(appointment.0)
            .fetch_all(connection)
            .await?
            .iter()
            .map(launch_of)
            .collect()
        })
    }
}

/// Notes that an event is applied; `false` where it was before. Of the same event twice at
/// once the second waits here until the first is committed, or undone.
async fn is_news(
    connection: &mut PgConnection,
    event: &EventId,
    now: UnixTime,
) -> Result<bool, StoreError> {
    let noted = sqlx::query(
        "INSERT INTO applied_events (node, seq, second, applied_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
    )
    .bind(&event.node)
    .bind(event.seq.cast_signed())
    .bind(event.second)
    .bind(now.as_millis())
    .execute(connection)
    .await?
    .rows_affected();
    Ok(noted == 1)
}

/// Locks the appointments that an event is of, always in the same order. What is read
/// after that is as those before have left it.
async fn lock(
    connection: &mut PgConnection,
    event: &VisitEvent,
    presences: &[Presence],
) -> Result<(), StoreError> {
    let (of_node, of_participant) = match (&event.change, event.appointment) {
        (Change::NodeRestarted, _) => (Some(event.id.node.as_str()), None),
        (
            Change::ParticipantDisconnected { participant }
            | Change::ParticipantUpdated { participant, .. },
            None,
        ) => (None, Some(participant.as_bytes().as_slice())),
        _ => (None, None),
    };
    let named: Vec<i64> = presences
        .iter()
        .map(|presence| presence.appointment)
        .chain(event.appointment)
        .map(|appointment| appointment.0)
        .collect();
    sqlx::query(
        "SELECT id FROM appointments
         WHERE id = ANY($1)
             OR id IN (SELECT appointment FROM running_visits WHERE node = $2)
             OR id IN (SELECT appointment FROM participants WHERE participant = $3)
         ORDER BY id FOR NO KEY UPDATE",
    )
    .bind(named)
    .bind(of_node)
    .bind(of_participant)
    .fetch_all(connection)
    .await?;
    Ok(())
}

/// The running visits that an event could end.
async fn running(
    connection: &mut PgConnection,
    event: &VisitEvent,
) -> Result<Vec<i64>, StoreError> {
    let query = match (&event.change, event.appointment) {
        (Change::NodeRestarted, _) => sqlx::query_scalar(
            "SELECT DISTINCT appointment FROM running_visits WHERE node = $1 ORDER BY appointment",
        )
        .bind(&event.id.node),
        (_, Some(appointment)) => sqlx::query_scalar(
            "SELECT DISTINCT appointment FROM running_visits WHERE appointment = $1",
        )
        .bind(appointment.0),
        (Change::ParticipantDisconnected { participant }, None) => sqlx::query_scalar(
            "SELECT DISTINCT appointment FROM running_visits WHERE appointment IN
                 (SELECT appointment FROM participants WHERE participant = $1)",
        )
        .bind(participant.as_bytes().as_slice()),
        (_, None) => return Ok(Vec::new()),
    };
    Ok(query.fetch_all(connection).await?)
}

/// Of visits that ran, those that run no more.
async fn over(
    connection: &mut PgConnection,
    ran: Vec<i64>,
) -> Result<Vec<AppointmentId>, StoreError> {
    if ran.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query(
        "SELECT appointment FROM unnest($1) AS ran (appointment)
         WHERE NOT EXISTS
             (SELECT 1 FROM running_visits WHERE running_visits.appointment = ran.appointment)",
    )
    .bind(ran)
    .fetch_all(connection)
    .await?
    .iter()
    .map(appointment_id_of)
    .collect()
}

/// Whether anybody is there who dialled the alias.
async fn is_there(connection: &mut PgConnection, presence: &Presence) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "SELECT 1 FROM participants
         WHERE appointment = $1 AND alias_hash = $2 AND disconnected_at IS NULL LIMIT 1",
    )
    .bind(presence.appointment.0)
    .bind(presence.alias.as_bytes().as_slice())
    .fetch_optional(connection)
    .await?;
    Ok(row.is_some())
}

/// Makes the change that an event tells of. Without an appointment, a participant is
/// looked for in all.
async fn change(connection: &mut PgConnection, event: &VisitEvent) -> Result<(), StoreError> {
    let appointment = event.appointment.map(|appointment| appointment.0);
    let at = event.at.as_millis();
    let query = match &event.change {
        Change::ConferenceStarted => sqlx::query(
            "INSERT INTO conferences (appointment, node, started_at)
             SELECT id, $2, $3 FROM appointments WHERE id = $1
             ON CONFLICT (appointment, node)
                 DO UPDATE SET started_at = excluded.started_at, ended_at = NULL
                 WHERE conferences.ended_at IS NOT NULL",
        )
        .bind(appointment)
        .bind(&event.id.node)
        .bind(at),
        Change::ConferenceEnded => {
            let ended = appointment.into_iter().collect();
            return end(connection, &event.id.node, ended, event.at).await;
        }
        Change::ParticipantConnected {
            participant,
            alias,
            sealed,
        } => sqlx::query(
            "INSERT INTO participants
                 (appointment, participant, node, alias_hash, sealed, connected_at)
             SELECT id, $2, $3, $4, $5, $6 FROM appointments WHERE id = $1
             ON CONFLICT (appointment, participant)
                 DO UPDATE SET node = excluded.node, alias_hash = excluded.alias_hash,
                     sealed = excluded.sealed, disconnected_at = NULL,
                     connected_at = CASE WHEN participants.disconnected_at IS NULL
                         THEN participants.connected_at ELSE excluded.connected_at END",
        )
        .bind(appointment)
        .bind(participant.as_bytes().as_slice())
        .bind(&event.id.node)
        .bind(alias.as_bytes().as_slice())
        .bind(sealed)
        .bind(at),
        Change::ParticipantUpdated {
            participant,
            sealed,
        } => sqlx::query(
            "UPDATE participants SET sealed = $3
             WHERE participant = $2 AND ($1::bigint IS NULL OR appointment = $1)",
        )
        .bind(appointment)
        .bind(participant.as_bytes().as_slice())
        .bind(sealed),
        Change::ParticipantDisconnected { participant } => sqlx::query(
            "UPDATE participants SET disconnected_at = $3
             WHERE participant = $2 AND ($1::bigint IS NULL OR appointment = $1)
                 AND disconnected_at IS NULL",
        )
        .bind(appointment)
        .bind(participant.as_bytes().as_slice())
        .bind(at),
        Change::NodeRestarted => {
            let running = running(connection, event).await?;
            return end(connection, &event.id.node, running, event.at).await;
        }
    };
    query.execute(connection).await?;
    Ok(())
}

/// Ends what runs of appointments on a node.
async fn end(
    connection: &mut PgConnection,
    node: &str,
    appointments: Vec<i64>,
    at: UnixTime,
) -> Result<(), StoreError> {
    for statement in [
        "UPDATE conferences SET ended_at = $3
         WHERE appointment = ANY($1) AND node = $2 AND ended_at IS NULL",
        "UPDATE participants SET disconnected_at = $3
         WHERE appointment = ANY($1) AND node = $2 AND disconnected_at IS NULL",
    ] {
        sqlx::query(statement)
            .bind(&appointments)
            .bind(node)
            .bind(at.as_millis())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// The appointment that a launch led to.
async fn visit_of(
    connection: &mut PgConnection,
    request_id: RequestId,
) -> Result<Option<AppointmentId>, StoreError> {
    sqlx::query(
        "SELECT appointment FROM launches WHERE request_id = $1 AND appointment IS NOT NULL",
    )
    .bind(request_id.as_bytes().as_slice())
    .fetch_optional(connection)
    .await?
    .map(|row| appointment_id_of(&row))
    .transpose()
}
