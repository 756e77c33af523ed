//! Launches, appointments, aliases and tickets in PostgreSQL.

use async_trait::async_trait;
use sqlx::{Connection as _, PgConnection, Row};
use uuid::Uuid;
use vestibule_launch::{EhrRole, ErrorName, RequestId, UnixTime};

use super::{
    PostgresStore,
    attempt::{Again, Attempt, run},
    rows::{
        appointment_id_of, appointment_of, array_of, launch_of, profile_of, request_id_of, role_of,
        time_of,
    },
};
use crate::{
    AliasHash, Appointment, Bearer, BearerHash, Begun, BrowserHash, Completed, Completion,
    Consumed, Course, FailedLaunch, FailureSource, FoundAlias, Launch, LaunchState, Launches,
    NewAppointment, NewLaunch, Redeemed, Redemption, StoreError, TicketHash,
    overcome::{Joined, OVERCOME, OVERCOME_BY_ALIAS},
    ticket::REPEAT_WITHIN,
};

/// The index that lets one launch of an EHR launch token complete.
const COMPLETED_ONCE: &str = "launches_completed_once";

#[async_trait]
impl Launches for PostgresStore {
    async fn begin_launch(&self, launch: NewLaunch, now: UnixTime) -> Result<Begun, StoreError> {
        self.begin(launch, "started", now).await
    }

    async fn begin_authorised(
        &self,
        launch: NewLaunch,
        now: UnixTime,
    ) -> Result<Begun, StoreError> {
        self.begin(launch, "authorised", now).await
    }

    /// Where the answer was lost, the second attempt finds the state consumed: the launch
    /// fails, and its user begins another one. It never goes on twice.
    async fn consume_state(
        &self,
        request_id: RequestId,
        profile: Uuid,
        role: EhrRole,
        now: UnixTime,
    ) -> Result<Consumed, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let consumed = sqlx::query(
                "UPDATE launches SET state = 'authorised', authorised_at = $4
                 WHERE request_id = $1 AND profile = $2 AND role = $3
                     AND state = 'started' AND expires_at > $4 AND sealed IS NOT NULL
                 RETURNING sealed",
            )
            .bind(request_id.as_bytes().as_slice())
            .bind(profile.as_bytes().as_slice())
            .bind(role.as_str())
            .bind(now.as_millis())
            .fetch_optional(&mut *connection)
            .await?;
            if let Some(row) = consumed {
                let sealed: Option<Vec<u8>> = row.try_get("sealed")?;
                return Ok(Consumed::Now(sealed.ok_or(StoreError::Damaged("launch"))?));
            }
            let launch = find_launch(connection, request_id).await?;
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
        })
    }

    async fn find_or_create_appointment(
        &self,
        appointment: NewAppointment,
        now: UnixTime,
    ) -> Result<Appointment, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let row = sqlx::query(
                "INSERT INTO appointments
                     (profile, encounter_key, sealed, created_at, last_used_at)
                 VALUES ($1, $2, $3, $4, $4)
                 ON CONFLICT (encounter_key, profile)
                     DO UPDATE SET last_used_at = excluded.last_used_at
                 RETURNING id AS appointment_id, profile, encounter_key, sealed, created_at",
            )
            .bind(appointment.profile.as_bytes().as_slice())
            .bind(appointment.encounter.as_bytes().as_slice())
            .bind(&appointment.sealed)
            .bind(now.as_millis())
            .fetch_one(connection)
            .await?;
            appointment_of(&row)
        })
    }

    /// Where the answer was lost, the second attempt finds the alias of the first, which
    /// nobody else can have made, and the launch is complete.
    async fn complete_launch(
        &self,
        completion: Completion,
        now: UnixTime,
    ) -> Result<Completed, StoreError> {
        run!(self, Again::Always, |connection, attempt| {
            if attempt == Attempt::Second && is_complete(connection, &completion).await? {
                return Ok(Completed::Now);
            }
            complete(connection, &completion, now).await
        })
    }

    async fn find_alias(
        &self,
        alias: AliasHash,
        now: UnixTime,
    ) -> Result<Option<FoundAlias>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            sqlx::query(
                "SELECT launches.request_id, launches.role, aliases.expires_at,
                        appointments.id AS appointment_id, appointments.profile,
                        appointments.encounter_key, appointments.sealed, appointments.created_at
                 FROM aliases
                 JOIN launches ON launches.request_id = aliases.request_id
                 JOIN appointments ON appointments.id = launches.appointment
                 WHERE aliases.alias_hash = $1 AND aliases.expires_at > $2",
            )
            .bind(alias.as_bytes().as_slice())
            .bind(now.as_millis())
            .fetch_optional(connection)
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
        })
    }

    async fn redeem_ticket(
        &self,
        ticket: TicketHash,
        browser: BrowserHash,
        now: UnixTime,
    ) -> Result<Redemption, StoreError> {
        run!(self, Again::Always, |connection, _| {
            redeem(connection, ticket, browser, now).await
        })
    }

    async fn find_bearer(
        &self,
        request_id: RequestId,
        now: UnixTime,
    ) -> Result<Option<Bearer>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            sqlx::query(
                "SELECT launches.request_id, launches.profile, launches.role,
                        launches.appointment, launches.created_at, bearers.expires_at,
                        bearers.bearer_hash, bearers.browser_hash, bearers.sealed
                 FROM bearers JOIN launches ON launches.request_id = bearers.request_id
                 WHERE bearers.request_id = $1 AND bearers.browser_hash IS NOT NULL
                     AND bearers.expires_at > $2",
            )
            .bind(request_id.as_bytes().as_slice())
            .bind(now.as_millis())
            .fetch_optional(connection)
            .await?
            .map(|row| {
                Ok(Bearer {
                    request_id: request_id_of(&row)?,
                    profile: profile_of(&row)?,
                    role: role_of(&row)?,
                    appointment: appointment_id_of(&row)?,
                    hash: BearerHash::from_bytes(array_of(&row, "bearer_hash")?),
                    browser: BrowserHash::from_bytes(array_of(&row, "browser_hash")?),
                    sealed: row.try_get("sealed")?,
                    launched_at: time_of(&row, "created_at")?,
                    expires_at: time_of(&row, "expires_at")?,
                })
            })
            .transpose()
        })
    }

    /// Where the answer was lost, the second attempt finds the row of the first.
    async fn record_failed_launch(
        &self,
        launch: FailedLaunch,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        run!(self, Again::Always, |connection, _| {
            let inserted = sqlx::query(
                "INSERT INTO launches
                     (request_id, profile, role, fingerprint, state, error_name, created_at,
                      expires_at, failed_at, department, steps)
                 VALUES ($1, $2, $3, decode(repeat('00', 32), 'hex'), 'failed', $4, $5, $5, $5,
                     $6, $7)
                 ON CONFLICT (request_id) DO NOTHING",
            )
            .bind(launch.request_id.as_bytes().as_slice())
            .bind(launch.profile.map(|profile| profile.as_bytes().to_vec()))
            .bind(launch.role.map(EhrRole::as_str))
            .bind(launch.error_name.as_str())
            .bind(now.as_millis())
            .bind(launch.course.department.as_deref())
            .bind(launch.course.written_steps())
            .execute(connection)
            .await?
            .rows_affected();
            Ok(inserted == 1)
        })
    }

    async fn record_failure(
        &self,
        request_id: RequestId,
        source: FailureSource,
        error_name: ErrorName,
        course: Course,
        now: UnixTime,
    ) -> Result<bool, StoreError> {
        run!(self, Again::Always, |connection, _| {
            if source == FailureSource::Browser {
                return record_browser_failure(connection, request_id, error_name, now).await;
            }
            let recorded = sqlx::query(
                "UPDATE launches
                 SET state = 'failed', error_name = $2, failed_at = $3, sealed = NULL,
                     department = coalesce($4, department), steps = steps || $5
                 WHERE request_id = $1 AND state IN ('started', 'authorised')",
            )
            .bind(request_id.as_bytes().as_slice())
            .bind(error_name.as_str())
            .bind(now.as_millis())
            .bind(course.department.as_deref())
            .bind(course.written_steps())
            .execute(connection)
            .await?
            .rows_affected();
            Ok(recorded == 1)
        })
    }

    async fn find_launch(&self, request_id: RequestId) -> Result<Option<Launch>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            find_launch(connection, request_id).await
        })
    }

    async fn find_launch_by_alias(&self, alias: AliasHash) -> Result<Option<Launch>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            sqlx::query(
                "SELECT launches.* FROM launches
                 JOIN aliases ON aliases.request_id = launches.request_id
                 WHERE aliases.alias_hash = $1",
            )
            .bind(alias.as_bytes().as_slice())
            .fetch_optional(connection)
            .await?
            .map(|row| launch_of(&row))
            .transpose()
        })
    }
}

impl PostgresStore {
    /// Where the answer was lost, the second attempt finds the row of the first: what is
    /// sealed is different each time, and a request id is given once.
    async fn begin(
        &self,
        launch: NewLaunch,
        state: &'static str,
        now: UnixTime,
    ) -> Result<Begun, StoreError> {
        run!(self, Again::Always, |connection, attempt| {
            let inserted = sqlx::query(
                "INSERT INTO launches
                     (request_id, profile, role, fingerprint, state, sealed, created_at,
                      expires_at, department, steps)
                 SELECT $1, $2, $3, $4, $5, CASE WHEN $5 = 'started' THEN $6::bytea END, $7, $8,
                     $10, $11
                 WHERE NOT EXISTS
                     (SELECT 1 FROM launches WHERE fingerprint = $4 AND completed_at IS NOT NULL)
                 ON CONFLICT (request_id) DO UPDATE SET expires_at = excluded.expires_at
                     WHERE $9 AND launches.fingerprint = excluded.fingerprint
                         AND launches.state = excluded.state
                         AND launches.sealed IS NOT DISTINCT FROM excluded.sealed",
            )
            .bind(launch.request_id.as_bytes().as_slice())
            .bind(launch.profile.as_bytes().as_slice())
            .bind(launch.role.as_str())
            .bind(launch.fingerprint.as_bytes().as_slice())
            .bind(state)
            .bind(&launch.sealed)
            .bind(now.as_millis())
            .bind(launch.expires_at.as_millis())
            .bind(attempt == Attempt::Second)
            .bind(launch.course.department.as_deref())
            .bind(launch.course.written_steps())
            .execute(connection)
            .await?
            .rows_affected();
            Ok(if inserted == 1 {
                Begun::New
            } else {
                Begun::AlreadyUsed
            })
        })
    }
}

async fn find_launch(
    connection: &mut PgConnection,
    request_id: RequestId,
) -> Result<Option<Launch>, StoreError> {
    sqlx::query("SELECT * FROM launches WHERE request_id = $1")
        .bind(request_id.as_bytes().as_slice())
        .fetch_optional(connection)
        .await?
        .map(|row| launch_of(&row))
        .transpose()
}

async fn is_complete(
    connection: &mut PgConnection,
    completion: &Completion,
) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT 1 FROM aliases WHERE alias_hash = $1 AND request_id = $2")
        .bind(completion.alias.as_bytes().as_slice())
        .bind(completion.request_id.as_bytes().as_slice())
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

/// One statement, and so one round trip: what goes with the launch is stored where that is
/// completed by it.
async fn complete(
    connection: &mut PgConnection,
    completion: &Completion,
    now: UnixTime,
) -> Result<Completed, StoreError> {
    let link = completion.link.as_ref();
    let ticket = completion.ticket.as_ref();
    let session = completion.session.as_ref();
    let completed = sqlx::query(
        "WITH completed AS (
             UPDATE launches
             SET state = 'completed', completed_at = $2, appointment = $3, sealed = $4,
                 expires_at = coalesce($5, expires_at), department = coalesce($6, department),
                 steps = steps || $7
             WHERE request_id = $1 AND state = 'authorised'
             RETURNING request_id, profile, role),
         alias AS (
             INSERT INTO aliases (alias_hash, request_id, expires_at)
             SELECT $8, request_id, $9 FROM completed),
         ticket AS (
             INSERT INTO tickets (ticket_hash, request_id, sealed, expires_at)
             SELECT $10, request_id, $11, $12 FROM completed WHERE $10 IS NOT NULL),
         bearer AS (
             INSERT INTO bearers (request_id, bearer_hash, sealed, expires_at)
             SELECT request_id, $13, $14, $9 FROM completed WHERE $13 IS NOT NULL),
         session AS (
             INSERT INTO sessions (request_id, profile, role, sealed, renew_at, expires_at)
             SELECT request_id, profile, role, $15, $16, $17 FROM completed
             WHERE $15 IS NOT NULL)
         SELECT 1 FROM completed",
    )
    .bind(completion.request_id.as_bytes().as_slice())
    .bind(now.as_millis())
    .bind(completion.appointment.0)
    .bind(link.map(|link| link.sealed.as_slice()))
    .bind(link.map(|link| link.expires_at.as_millis()))
    .bind(completion.course.department.as_deref())
    .bind(completion.course.written_steps())
    .bind(completion.alias.as_bytes().as_slice())
    .bind(completion.alias_expires_at.as_millis())
    .bind(ticket.map(|ticket| ticket.hash.as_bytes().as_slice()))
    .bind(ticket.map(|ticket| ticket.sealed.as_slice()))
    .bind(ticket.map(|ticket| ticket.expires_at.as_millis()))
    .bind(ticket.map(|ticket| ticket.bearer.hash.as_bytes().as_slice()))
    .bind(ticket.map(|ticket| ticket.bearer.sealed.as_slice()))
    .bind(session.map(|session| session.sealed.as_slice()))
    .bind(session.and_then(|session| Some(session.renew_at?.as_millis())))
    .bind(session.map(|session| session.expires_at.as_millis()))
    .fetch_optional(connection)
    .await;
    match completed {
        Ok(Some(_)) => Ok(Completed::Now),
        Ok(None) => Ok(Completed::Refused),
        Err(error) if is_of(&error, COMPLETED_ONCE) => Ok(Completed::Refused),
        Err(error) => Err(error.into()),
    }
}

/// The first browser's `UPDATE` holds the ticket's row until it commits: the next one
/// then sees whose it is.
async fn redeem(
    connection: &mut PgConnection,
    ticket: TicketHash,
    browser: BrowserHash,
    now: UnixTime,
) -> Result<Redemption, StoreError> {
    let mut transaction = connection.begin().await?;
    let redeemed = sqlx::query(
        "UPDATE tickets
         SET redeemed_at = coalesce(redeemed_at, $3), browser_hash = coalesce(browser_hash, $2)
         WHERE ticket_hash = $1 AND CASE
             WHEN redeemed_at IS NULL THEN expires_at > $3
             ELSE browser_hash = $2 AND redeemed_at > $4
         END
         RETURNING request_id, sealed",
    )
    .bind(ticket.as_bytes().as_slice())
    .bind(browser.as_bytes().as_slice())
    .bind(now.as_millis())
    .bind((now - REPEAT_WITHIN).as_millis())
    .fetch_optional(&mut *transaction)
    .await?;
    let Some(redeemed) = redeemed else {
        let used =
            sqlx::query("SELECT 1 FROM tickets WHERE ticket_hash = $1 AND redeemed_at IS NOT NULL")
                .bind(ticket.as_bytes().as_slice())
                .fetch_optional(&mut *transaction)
                .await?;
        transaction.rollback().await?;
        return Ok(if used.is_some() {
            Redemption::Used
        } else {
            Redemption::Unknown
        });
    };
    let request_id = request_id_of(&redeemed)?;
    sqlx::query("UPDATE bearers SET browser_hash = $2 WHERE request_id = $1")
        .bind(request_id.as_bytes().as_slice())
        .bind(browser.as_bytes().as_slice())
        .execute(&mut *transaction)
        .await?;
    let launch = find_launch(&mut transaction, request_id).await?;
    transaction.commit().await?;
    let launch = launch.ok_or(StoreError::Damaged("ticket"))?;
    Ok(Redemption::Redeemed(Redeemed {
        request_id,
        profile: launch.profile.ok_or(StoreError::Damaged("profile"))?,
        role: launch.role.ok_or(StoreError::Damaged("role"))?,
        sealed: redeemed.try_get("sealed")?,
    }))
}

/// Records what a browser says of a launch that has completed, where it is the first to
/// say so.
pub(super) async fn record_browser_failure(
    connection: &mut PgConnection,
    request_id: RequestId,
    error_name: ErrorName,
    now: UnixTime,
) -> Result<bool, StoreError> {
    let recorded = sqlx::query(
        "UPDATE launches SET state = 'failed', error_name = $2, failed_at = $3
         WHERE request_id = $1 AND state = 'completed'",
    )
    .bind(request_id.as_bytes().as_slice())
    .bind(error_name.as_str())
    .bind(now.as_millis())
    .execute(connection)
    .await?
    .rows_affected();
    Ok(recorded == 1)
}

/// Takes back that a launch has failed, since somebody has joined by it.
pub(super) async fn overcome_failure(
    connection: &mut PgConnection,
    launch: Joined,
) -> Result<(), StoreError> {
    let by = match launch {
        Joined::Launch(request_id) => sqlx::query(OVERCOME).bind(request_id.as_bytes().to_vec()),
        Joined::Alias(alias, at) => sqlx::query(OVERCOME_BY_ALIAS)
            .bind(alias.as_bytes().to_vec())
            .bind(at.as_millis()),
    };
    by.execute(connection).await?;
    Ok(())
}

/// Whether a unique index refuses a row.
fn is_of(error: &sqlx::Error, index: &str) -> bool {
    let error = error.as_database_error();
    error.is_some_and(|error| error.is_unique_violation() && error.constraint() == Some(index))
}
