//! Visits in SQLite.

use async_trait::async_trait;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;
use vestibule_launch::{RequestId, UnixTime};

use super::{
    SqliteStore, launches,
    rows::{appointment_id_of, appointment_of, bytes, launch_of, maybe_time_of, participant_of},
    write_backs,
};
use crate::{
    Applied, Appointment, AppointmentId, Change, EncounterKey, EventId, Launch, NewWriteBack,
    Participant, Presence, StoreError, VisitEvent, Visits, overcome::Joined,
};

#[async_trait]
impl Visits for SqliteStore {
    async fn find_appointment_by_key(
        &self,
        encounter: EncounterKey,
    ) -> Result<Option<Appointment>, StoreError> {
        sqlx::query(
            "SELECT id AS appointment_id, profile, encounter_key, sealed, created_at
             FROM appointments WHERE encounter_key = ?1",
        )
        .bind(bytes(encounter.as_bytes()))
        .fetch_optional(&self.finding)
        .await?
        .map(|row| appointment_of(&row))
        .transpose()
    }

    async fn apply_event(
        &self,
        event: VisitEvent,
        always: Vec<NewWriteBack>,
        presences: Vec<Presence>,
        when_over: Vec<NewWriteBack>,
        now: UnixTime,
    ) -> Result<Applied, StoreError> {
        let mut transaction = self.write().await?;
        if !is_news(&mut transaction, &event.id, now).await? {
            return Ok(Applied::Before);
        }
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
        let mut over = Vec::new();
        for appointment in running {
            if !runs(&mut transaction, appointment).await? {
                over.push(appointment);
            }
        }
        for write_back in always {
            write_backs::insert(&mut transaction, write_back, now).await?;
        }
        for (presence, was_there) in presences.into_iter().zip(before) {
            if is_there(&mut transaction, &presence).await? != was_there {
                for write_back in presence.write_backs {
                    write_backs::insert(&mut transaction, write_back, now).await?;
                }
            }
        }
        for write_back in when_over {
            let visit = visit_of(&mut transaction, write_back.request_id).await?;
            if visit.is_some_and(|visit| over.contains(&visit)) {
                write_backs::insert(&mut transaction, write_back, now).await?;
            }
        }
        transaction.commit().await?;
        Ok(Applied::Now {
            visit_over: !over.is_empty(),
        })
    }

    async fn running_visits(&self, profile: Uuid) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT count(DISTINCT appointments.id) AS visits
             FROM running_visits
             JOIN appointments ON appointments.id = running_visits.appointment
             WHERE appointments.profile = ?1",
        )
        .bind(bytes(profile.as_bytes()))
        .fetch_one(&self.finding)
        .await?;
        u64::try_from(row.try_get::<i64, _>("visits")?).map_err(|_| StoreError::Damaged("visit"))
    }

    async fn over_since(
        &self,
        appointment: AppointmentId,
        since: UnixTime,
    ) -> Result<Option<UnixTime>, StoreError> {
        let row = sqlx::query(
            "SELECT max(ended_at) AS over_since
             FROM (SELECT appointment, ended_at FROM conferences
                   UNION ALL SELECT appointment, disconnected_at FROM participants) AS ended
             WHERE appointment = ?1
                 AND NOT EXISTS (SELECT 1 FROM running_visits WHERE appointment = ?1)
                 AND EXISTS (SELECT 1 FROM participants
                     JOIN aliases ON aliases.alias_hash = participants.alias_hash
                     JOIN launches ON launches.request_id = aliases.request_id
                     WHERE participants.appointment = ?1 AND launches.role = 'provider'
                         AND participants.disconnected_at >= ?2)",
        )
        .bind(appointment.0)
        .bind(since.as_millis())
        .fetch_one(&self.finding)
        .await?;
        maybe_time_of(&row, "over_since")
    }

    async fn running_on(&self, node: &str) -> Result<Vec<AppointmentId>, StoreError> {
        sqlx::query(
            "SELECT DISTINCT appointment FROM running_visits WHERE node = ?1 ORDER BY appointment",
        )
        .bind(node)
        .fetch_all(&self.finding)
        .await?
        .iter()
        .map(appointment_id_of)
        .collect()
    }

    async fn participants(
        &self,
        appointment: AppointmentId,
    ) -> Result<Vec<Participant>, StoreError> {
        sqlx::query(
            "SELECT * FROM participants WHERE appointment = ?1 ORDER BY connected_at, participant",
        )
        .bind(appointment.0)
        .fetch_all(&self.finding)
        .await?
        .iter()
        .map(participant_of)
        .collect()
    }

    async fn launches_of(&self, appointment: AppointmentId) -> Result<Vec<Launch>, StoreError> {
        sqlx::query("SELECT * FROM launches WHERE appointment = ?1 ORDER BY created_at, request_id")
            .bind(appointment.0)
            .fetch_all(&self.finding)
            .await?
            .iter()
            .map(launch_of)
            .collect()
    }
}

/// Notes that an event is applied; `false` where it was before.
async fn is_news(
    connection: &mut SqliteConnection,
    event: &EventId,
    now: UnixTime,
) -> Result<bool, StoreError> {
    let noted = sqlx::query(
        "INSERT INTO applied_events (node, seq, second, applied_at) VALUES (?1, ?2, ?3, ?4)
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

/// The running visits that an event could end.
async fn running(
    connection: &mut SqliteConnection,
    event: &VisitEvent,
) -> Result<Vec<AppointmentId>, StoreError> {
    let query = match (&event.change, event.appointment) {
        (Change::NodeRestarted, _) => {
            sqlx::query("SELECT DISTINCT appointment FROM running_visits WHERE node = ?1")
                .bind(&event.id.node)
        }
        (_, Some(appointment)) => {
            sqlx::query("SELECT DISTINCT appointment FROM running_visits WHERE appointment = ?1")
                .bind(appointment.0)
        }
        (Change::ParticipantDisconnected { participant }, None) => sqlx::query(
            "SELECT DISTINCT appointment FROM running_visits WHERE appointment IN
                 (SELECT appointment FROM participants WHERE participant = ?1)",
        )
        .bind(bytes(participant.as_bytes())),
        (_, None) => return Ok(Vec::new()),
    };
    query
        .fetch_all(connection)
        .await?
        .iter()
        .map(appointment_id_of)
        .collect()
}

async fn runs(
    connection: &mut SqliteConnection,
    appointment: AppointmentId,
) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT 1 FROM running_visits WHERE appointment = ?1 LIMIT 1")
        .bind(appointment.0)
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

/// Whether anybody is there who dialled the alias.
async fn is_there(
    connection: &mut SqliteConnection,
    presence: &Presence,
) -> Result<bool, StoreError> {
    let row = sqlx::query(
        "SELECT 1 FROM participants
         WHERE appointment = ?1 AND alias_hash = ?2 AND disconnected_at IS NULL LIMIT 1",
    )
    .bind(presence.appointment.0)
    .bind(bytes(presence.alias.as_bytes()))
    .fetch_optional(connection)
    .await?;
    Ok(row.is_some())
}

/// Makes the change that an event tells of. Without an appointment, a participant is
/// looked for in all.
async fn change(connection: &mut SqliteConnection, event: &VisitEvent) -> Result<(), StoreError> {
    let appointment = event.appointment.map(|appointment| appointment.0);
    let at = event.at.as_millis();
    let query = match &event.change {
        Change::ConferenceStarted => sqlx::query(
            "INSERT INTO conferences (appointment, node, started_at)
             SELECT id, ?2, ?3 FROM appointments WHERE id = ?1
             ON CONFLICT (appointment, node)
                 DO UPDATE SET started_at = excluded.started_at, ended_at = NULL
                 WHERE ended_at IS NOT NULL",
        )
        .bind(appointment)
        .bind(&event.id.node)
        .bind(at),
        Change::ConferenceEnded => {
            return end(connection, &event.id.node, event.appointment, event.at).await;
        }
        Change::ParticipantConnected {
            participant,
            alias,
            sealed,
        } => sqlx::query(
            "INSERT INTO participants
                 (appointment, participant, node, alias_hash, sealed, connected_at)
             SELECT id, ?2, ?3, ?4, ?5, ?6 FROM appointments WHERE id = ?1
             ON CONFLICT (appointment, participant)
                 DO UPDATE SET node = excluded.node, alias_hash = excluded.alias_hash,
                     sealed = excluded.sealed, disconnected_at = NULL,
                     connected_at = CASE WHEN participants.disconnected_at IS NULL
                         THEN participants.connected_at ELSE excluded.connected_at END",
        )
        .bind(appointment)
        .bind(bytes(participant.as_bytes()))
        .bind(&event.id.node)
        .bind(bytes(alias.as_bytes()))
        .bind(sealed.clone())
        .bind(at),
        Change::ParticipantUpdated {
            participant,
            sealed,
        } => sqlx::query(
            "UPDATE participants SET sealed = ?3
             WHERE participant = ?2 AND (?1 IS NULL OR appointment = ?1)",
        )
        .bind(appointment)
        .bind(bytes(participant.as_bytes()))
        .bind(sealed.clone()),
        Change::ParticipantDisconnected { participant } => sqlx::query(
            "UPDATE participants SET disconnected_at = ?3
             WHERE participant = ?2 AND (?1 IS NULL OR appointment = ?1)
                 AND disconnected_at IS NULL",
        )
        .bind(appointment)
        .bind(bytes(participant.as_bytes()))
        .bind(at),
        Change::NodeRestarted => {
            for appointment in running(connection, event).await? {
                end(connection, &event.id.node, Some(appointment), event.at).await?;
            }
            return Ok(());
        }
    };
    query.execute(connection).await?;
    Ok(())
}

/// Ends what runs of an appointment on a node.
async fn end(
    connection: &mut SqliteConnection,
    node: &str,
    appointment: Option<AppointmentId>,
    at: UnixTime,
) -> Result<(), StoreError> {
    for statement in [
        "UPDATE conferences SET ended_at = ?3
         WHERE appointment = ?1 AND node = ?2 AND ended_at IS NULL",
        "UPDATE participants SET disconnected_at = ?3
         WHERE appointment = ?1 AND node = ?2 AND disconnected_at IS NULL",
    ] {
        sqlx::query(statement)
            .bind(appointment.map(|appointment| appointment.0))
            .bind(node)
            .bind(at.as_millis())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// The appointment that a launch led to.
async fn visit_of(
    connection: &mut SqliteConnection,
    request_id: RequestId,
) -> Result<Option<AppointmentId>, StoreError> {
    sqlx::query(
        "SELECT appointment FROM launches WHERE request_id = ?1 AND appointment IS NOT NULL",
    )
    .bind(bytes(request_id.as_bytes()))
    .fetch_optional(connection)
    .await?
    .map(|row| appointment_id_of(&row))
    .transpose()
}
