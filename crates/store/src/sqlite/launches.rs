//! Launches, appointments, aliases and tickets in SQLite.

use async_trait::async_trait;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;
use vestibule_launch::{EhrRole, ErrorName, RequestId, UnixTime};

use super::{
    SqliteStore,
    rows::{
        appointment_of, array_of, bytes, launch_of, profile_of, request_id_of, role_of, time_of,
    },
};
use crate::{
    AliasHash, Appointment, AppointmentId, Bearer, BearerHash, Begun, BrowserHash, Completed,
    Completion, Consumed, Course, FailedLaunch, FailureSource, FoundAlias, Launch, LaunchState,
    Launches, NewAppointment, NewLaunch, Redeemed, Redemption, StoreError, TicketHash,
    overcome::{Joined, OVERCOME, OVERCOME_BY_ALIAS},
    ticket::REPEAT_WITHIN,
};

/// The launch `$1`, where it may be completed: it is authorised, and no other one with its
/// launch token has completed.
macro_rules! completable {
    () => {
        "launches WHERE request_id = $1 AND state = 'authorised' AND NOT EXISTS
                 (SELECT 1 FROM launches AS other WHERE other.fingerprint = launches.fingerprint
                      AND other.completed_at IS NOT NULL)"
    };
}

#[async_trait]
impl Launches for SqliteStore {
    async fn begin_launch(&self, launch: NewLaunch, now: UnixTime) -> Result<Begun, StoreError> {
        insert(self, launch, "started", now).await
    }

    async fn begin_authorised(
        &self,
        launch: NewLaunch,
        now: UnixTime,
    ) -> Result<Begun, StoreError> {
        insert(self, launch, "authorised", now).await
    }

    async fn consume_state(
        &self,
        request_id: RequestId,
        profile: Uuid,
        role: EhrRole,
        now: UnixTime,
    ) -> Result<Consumed, StoreError> {
        let consuming = sqlx::query(
            "UPDATE launches SET state = 'authorised', authorised_at = ?4
             WHERE request_id = ?1 AND profile = ?2 AND role = ?3
                 AND state = 'started' AND expires_at > ?4 AND sealed IS NOT NULL
             RETURNING sealed",
        )
        .bind(bytes(request_id.as_bytes()))
        .bind(bytes(profile.as_bytes()))
        .bind(role.as_str())
        .bind(now.as_millis());
        if let Some(row) = self.writer.write(consuming).await?.first() {
            let sealed: Option<Vec<u8>> = row.try_get("sealed")?;
            return Ok(Consumed::Now(sealed.ok_or(StoreError::Damaged("launch"))?));
        }
        let launch = self.find_launch(request_id).await?;
        let before = launch.is_some_and(|launch| {
            launch.profile == Some(profile)
                && launch.role == Some(role)
                && launch.state != LaunchState::Started
        });
        Ok(if before {
            Consumed::Before
        } else {
            Consumed::Never
        })
    }

    async fn find_or_create_appointment(
        &self,
        appointment: NewAppointment,
        now: UnixTime,
    ) -> Result<Appointment, StoreError> {
        let finding = sqlx::query(
            // Never a number that one had who is forgotten: the audit log names it for years.
            "INSERT INTO appointments
                 (id, profile, encounter_key, sealed, created_at, last_used_at)
             VALUES (
                 1 + max(coalesce((SELECT max(id) FROM appointments), 0),
                     (SELECT highest FROM forgotten_appointments)),
                 ?1, ?2, ?3, ?4, ?4)
             ON CONFLICT (profile, encounter_key) DO UPDATE SET last_used_at = excluded.last_used_at
             RETURNING id AS appointment_id, profile, encounter_key, sealed, created_at",
        )
        .bind(bytes(appointment.profile.as_bytes()))
        .bind(bytes(appointment.encounter.as_bytes()))
        .bind(appointment.sealed)
        .bind(now.as_millis());
        let rows = self.writer.write(finding).await?;
        appointment_of(rows.first().ok_or(StoreError::Damaged("appointment"))?)
    }

    async fn complete_launch(
        &self,
        completion: Completion,
        now: UnixTime,
    ) -> Result<Completed, StoreError> {
        let Completion {
            request_id,
            appointment,
            link,
            alias,
            alias_expires_at,
            ticket,
            session,
            course,
        } = completion;
        // The launch comes last: until then, all the others find it as it was.
        let completing = sqlx::query(concat!(
            "INSERT INTO aliases (alias_hash, request_id, expires_at)
             SELECT $2, request_id, $3 FROM ",
            completable!(),
            ";
             INSERT INTO tickets (ticket_hash, request_id, sealed, expires_at)
             SELECT $4, request_id, $5, $6 FROM ",
            completable!(),
            " AND $4 IS NOT NULL;
             INSERT INTO bearers (request_id, bearer_hash, sealed)
             SELECT request_id, $7, $8 FROM ",
            completable!(),
            " AND $7 IS NOT NULL;
             INSERT INTO sessions (request_id, profile, role, sealed, renew_at, expires_at)
             SELECT request_id, profile, role, $9, $10, $11 FROM ",
            completable!(),
            " AND $9 IS NOT NULL;
             UPDATE launches
             SET state = 'completed', completed_at = $12, appointment = $13, sealed = $14,
                 expires_at = coalesce($15, expires_at), department = coalesce($16, department),
                 steps = steps || $17
             WHERE request_id = (SELECT request_id FROM ",
            completable!(),
            ")
             RETURNING 1"
        ))
        .bind(bytes(request_id.as_bytes()))
        // From $2 the alias, from $4 the ticket, from $7 the bearer token.
        .bind(bytes(alias.as_bytes()))
        .bind(alias_expires_at.as_millis())
        .bind(ticket.as_ref().map(|ticket| bytes(ticket.hash.as_bytes())))
        .bind(ticket.as_ref().map(|ticket| ticket.sealed.clone()))
        .bind(ticket.as_ref().map(|ticket| ticket.expires_at.as_millis()))
        .bind(
            ticket
                .as_ref()
                .map(|ticket| bytes(ticket.bearer.hash.as_bytes())),
        )
        .bind(ticket.map(|ticket| ticket.bearer.sealed))
        // From $9 the session, from $12 the launch itself.
        .bind(session.as_ref().map(|session| session.sealed.clone()))
        .bind(
            session
                .as_ref()
                .and_then(|session| Some(session.renew_at?.as_millis())),
        )
        .bind(session.map(|session| session.expires_at.as_millis()))
        .bind(now.as_millis())
        .bind(appointment.0)
        .bind(link.as_ref().map(|link| link.sealed.clone()))
        .bind(link.map(|link| link.expires_at.as_millis()))
        .bind(course.department.clone())
        .bind(course.written_steps());
        let completed = self.writer.write_all(completing).await?;
        Ok(if completed.is_empty() {
            Completed::Refused
        } else {
            Completed::Now
        })
    }

    async fn find_alias(
        &self,
        alias: AliasHash,
        now: UnixTime,
    ) -> Result<Option<FoundAlias>, StoreError> {
        sqlx::query(
            "SELECT launches.request_id, launches.role, aliases.expires_at,
                    appointments.id AS appointment_id, appointments.profile,
                    appointments.encounter_key, appointments.sealed, appointments.created_at
             FROM aliases
             JOIN launches ON launches.request_id = aliases.request_id
             JOIN appointments ON appointments.id = launches.appointment
             WHERE aliases.alias_hash = ?1 AND aliases.expires_at > ?2",
        )
        .bind(bytes(alias.as_bytes()))
        .bind(now.as_millis())
        .fetch_optional(&self.finding)
        .await?
        .map(|row| {
            Ok(FoundAlias {
                request_id: request_id_of(&row)?,
                role: role_of(&row)?,
                expires_at: time_of(&row, "expires_at")?,
                appointment: appointment_of(&row)?,
            })
        })
        .transpose()
    }

    async fn redeem_ticket(
        &self,
        ticket: TicketHash,
        browser: BrowserHash,
        now: UnixTime,
    ) -> Result<Redemption, StoreError> {
        let mut transaction = self.write().await?;
        let redeemed = sqlx::query(
            "UPDATE tickets
             SET redeemed_at = coalesce(redeemed_at, ?3), browser_hash = coalesce(browser_hash, ?2)
             WHERE ticket_hash = ?1 AND CASE
                 WHEN redeemed_at IS NULL THEN expires_at > ?3
                 ELSE browser_hash = ?2 AND redeemed_at > ?4
             END",
        )
        .bind(bytes(ticket.as_bytes()))
        .bind(bytes(browser.as_bytes()))
        .bind(now.as_millis())
        .bind((now - REPEAT_WITHIN).as_millis())
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if redeemed == 1 {
            sqlx::query(
                "UPDATE bearers SET browser_hash = ?2
                 WHERE request_id = (SELECT request_id FROM tickets WHERE ticket_hash = ?1)",
            )
            .bind(bytes(ticket.as_bytes()))
            .bind(bytes(browser.as_bytes()))
            .execute(&mut *transaction)
            .await?;
        }
        let row = sqlx::query(
            "SELECT launches.request_id, launches.profile, launches.role,
                    tickets.sealed, tickets.redeemed_at
             FROM tickets JOIN launches ON launches.request_id = tickets.request_id
             WHERE tickets.ticket_hash = ?1",
        )
        .bind(bytes(ticket.as_bytes()))
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        match row {
            Some(row) if redeemed == 1 => Ok(Redemption::Redeemed(Redeemed {
                request_id: request_id_of(&row)?,
                profile: profile_of(&row)?,
                role: role_of(&row)?,
                sealed: row.try_get("sealed")?,
            })),
            Some(row) if row.try_get::<Option<i64>, _>("redeemed_at")?.is_some() => {
                Ok(Redemption::Used)
            }
            _ => Ok(Redemption::Unknown),
        }
    }

    async fn find_bearer(
        &self,
        request_id: RequestId,
        now: UnixTime,
    ) -> Result<Option<Bearer>, StoreError> {
        sqlx::query(
            "SELECT launches.request_id, launches.profile, launches.role, launches.appointment,
                    launches.created_at, aliases.expires_at,
                    bearers.bearer_hash, bearers.browser_hash, bearers.sealed
             FROM bearers
             JOIN launches ON launches.request_id = bearers.request_id
             JOIN aliases ON aliases.request_id = bearers.request_id
             WHERE bearers.request_id = ?1 AND bearers.browser_hash IS NOT NULL
                 AND aliases.expires_at > ?2",
        )
        .bind(bytes(request_id.as_bytes()))
        .bind(now.as_millis())
        .fetch_optional(&self.finding)
        .await?
        .map(|row| {
            Ok(Bearer {
                request_id: request_id_of(&row)?,
                profile: profile_of(&row)?,
                role: role_of(&row)?,
                appointment: AppointmentId(row.try_get("appointment")?),
                hash: BearerHash::from_bytes(array_of(&row, "bearer_hash")?),
                browser: BrowserHash::from_bytes(array_of(&row, "browser_hash")?),
                sealed: row.try_get("sealed")?,
                launched_at: time_of(&row, "created_at")?,
                expires_at: time_of(&row, "expires_at")?,
            })
        })
        .transpose()
    }

    async fn record_failed_launch(
        &self,
        launch: FailedLaunch,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        let inserted = sqlx::query(
            "INSERT INTO launches
                 (request_id, profile, role, role_known, fingerprint, state, error_name,
                  created_at, expires_at, failed_at, department, steps)
             VALUES (?1, ?2, ?3, ?4, zeroblob(32), 'failed', ?5, ?6, ?6, ?6, ?7, ?8)
             ON CONFLICT (request_id) DO NOTHING",
        )
        .bind(bytes(launch.request_id.as_bytes()))
        .bind(bytes(launch.profile.unwrap_or_default().as_bytes()))
        .bind(launch.role.unwrap_or(EhrRole::Patient).as_str())
        .bind(launch.role.is_some())
        .bind(launch.error_name.as_str())
        .bind(now.as_millis())
        .bind(launch.course.department.as_deref())
        .bind(launch.course.written_steps())
        .execute(&self.pool)
        .await?
        .rows_affected();
        Ok(inserted == 1)
    }

    async fn record_failure(
        &self,
        request_id: RequestId,
        source: FailureSource,
        error_name: ErrorName,
        course: Course,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        if source == FailureSource::Browser {
            let mut connection = self.pool.acquire().await?;
            return record_browser_failure(&mut connection, request_id, error_name, now).await;
        }
        let recorded = sqlx::query(
            "UPDATE launches
             SET state = 'failed', error_name = ?2, failed_at = ?3, sealed = NULL,
                 department = coalesce(?4, department), steps = steps || ?5
             WHERE request_id = ?1 AND state IN ('started', 'authorised')",
        )
        .bind(bytes(request_id.as_bytes()))
        .bind(error_name.as_str())
        .bind(now.as_millis())
        .bind(course.department.as_deref())
        .bind(course.written_steps())
        .execute(&self.pool)
        .await?
        .rows_affected();
        Ok(recorded == 1)
    }

    async fn find_launch(&self, request_id: RequestId) -> Result<Option<Launch>, StoreError> {
        sqlx::query("SELECT * FROM launches WHERE request_id = ?1")
            .bind(bytes(request_id.as_bytes()))
            .fetch_optional(&self.finding)
            .await?
            .map(|row| launch_of(&row))
            .transpose()
    }

    async fn find_launch_by_alias(&self, alias: AliasHash) -> Result<Option<Launch>, StoreError> {
        sqlx::query(
            "SELECT launches.* FROM launches
             JOIN aliases ON aliases.request_id = launches.request_id
             WHERE aliases.alias_hash = ?1",
        )
        .bind(bytes(alias.as_bytes()))
        .fetch_optional(&self.finding)
        .await?
        .map(|row| launch_of(&row))
        .transpose()
    }
}

/// Records what a browser says of a launch that has completed, where it is the first to
/// say so.
pub(super) async fn record_browser_failure(
    connection: &mut SqliteConnection,
    request_id: RequestId,
    error_name: ErrorName,
    now: UnixTime,
) -> Result<bool, StoreError> {
    let recorded = sqlx::query(
        "UPDATE launches SET state = 'failed', error_name = ?2, failed_at = ?3
         WHERE request_id = ?1 AND state = 'completed'",
    )
    .bind(bytes(request_id.as_bytes()))
    .bind(error_name.as_str())
    .bind(now.as_millis())
    .execute(connection)
    .await?
    .rows_affected();
    Ok(recorded == 1)
}

/// Takes back that a launch has failed, since somebody has joined by it.
pub(super) async fn overcome_failure(
    connection: &mut SqliteConnection,
    launch: Joined,
) -> Result<(), StoreError> {
    let by = match launch {
        Joined::Launch(request_id) => sqlx::query(OVERCOME).bind(bytes(request_id.as_bytes())),
        Joined::Alias(alias, at) => sqlx::query(OVERCOME_BY_ALIAS)
            .bind(bytes(alias.as_bytes()))
            .bind(at.as_millis()),
    };
    by.execute(connection).await?;
    Ok(())
}

async fn insert(
    store: &SqliteStore,
    launch: NewLaunch,
    state: &'static str,
    now: UnixTime,
) -> Result<Begun, StoreError> {
    let inserting = sqlx::query(
        "INSERT INTO launches
             (request_id, profile, role, fingerprint, state, sealed, created_at, expires_at,
              department, steps)
         SELECT ?1, ?2, ?3, ?4, ?5, iif(?5 = 'started', ?6, NULL), ?7, ?8, ?9, ?10
         WHERE NOT EXISTS
             (SELECT 1 FROM launches WHERE fingerprint = ?4 AND completed_at IS NOT NULL)
         RETURNING 1",
    )
    .bind(bytes(launch.request_id.as_bytes()))
    .bind(bytes(launch.profile.as_bytes()))
    .bind(launch.role.as_str())
    .bind(bytes(launch.fingerprint.as_bytes()))
    .bind(state)
    .bind(launch.sealed)
    .bind(now.as_millis())
    .bind(launch.expires_at.as_millis())
    .bind(launch.course.department.clone())
    .bind(launch.course.written_steps());
    let inserted = store.writer.write(inserting).await?;
    Ok(if inserted.is_empty() {
        Begun::AlreadyUsed
    } else {
        Begun::New
    })
}
