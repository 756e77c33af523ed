//! What landing pages report of their launches, in PostgreSQL.

use async_trait::async_trait;
use sqlx::{Connection as _, Row, postgres::PgRow};
use vestibule_launch::{DeviceTest, ErrorName, RequestId, UnixTime};

use super::{
    PostgresStore,
    attempt::{Again, run},
    launches,
    rows::{count_of, maybe_time_of, time_of},
    write_backs,
};
use crate::{
    LaunchEventRecord, LaunchEvents, NewLaunchEvent, NewWriteBack, Recorded, Reported, StoreError,
    launch_event::stored_device_test, overcome::Joined,
};

#[async_trait]
impl LaunchEvents for PostgresStore {
    /// Events of one launch go one after the other: each locks the launch first, and so
    /// counts those before it. One that is sent twice is two events: it is not done again
    /// where it may have been committed.
    async fn record_event(
        &self,
        event: NewLaunchEvent,
        write_backs: Vec<NewWriteBack>,
        most: u32,
        now: UnixTime,
    ) -> Result<Recorded, StoreError> {
        let NewLaunchEvent {
            request_id,
            event,
            browser_time,
        } = event;
        run!(self, Again::WhenUndone, |connection, _| {
            let mut transaction = connection.begin().await?;
            let launch =
                sqlx::query("SELECT 1 FROM launches WHERE request_id = $1 FOR NO KEY UPDATE")
                    .bind(request_id.as_bytes().as_slice())
                    .fetch_optional(&mut *transaction)
                    .await?;
            if launch.is_none() {
                transaction.rollback().await?;
                return Ok(Recorded::NoLaunch);
            }
            let (error_name, test) = (event.error_name(), event.device_test());
            let recorded = sqlx::query(
                "INSERT INTO launch_events
                     (request_id, number, event, error_name, camera, microphone, speaker,
                      connection, received_at, browser_time)
                 SELECT $1, count(*) + 1, $3, $4, $5, $6, $7, $8, $9, $10
                 FROM launch_events WHERE request_id = $1
                 HAVING count(*) < $2",
            )
            .bind(request_id.as_bytes().as_slice())
            .bind(i64::from(most))
            .bind(event.as_str())
            .bind(error_name.map(ErrorName::as_str))
            .bind(test.map(|test| test.camera.as_str()))
            .bind(test.map(|test| test.microphone.as_str()))
            .bind(test.map(|test| test.speaker.as_str()))
            .bind(test.map(|test| test.connection.as_str()))
            .bind(now.as_millis())
            .bind(browser_time.map(UnixTime::as_millis))
            .execute(&mut *transaction)
            .await?
            .rows_affected();
            if recorded == 0 {
                transaction.rollback().await?;
                return Ok(Recorded::TooMany);
            }
            if let Some(error_name) = error_name {
                launches::record_browser_failure(&mut transaction, request_id, error_name, now)
                    .await?;
            }
            if event == Reported::Joined {
                launches::overcome_failure(&mut transaction, Joined::Launch(request_id)).await?;
            }
            for write_back in &write_backs {
                write_backs::insert(&mut transaction, write_back, now).await?;
            }
            transaction.commit().await?;
            Ok(Recorded::Now)
        })
    }

    async fn events_of(&self, request_id: RequestId) -> Result<Vec<LaunchEventRecord>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            sqlx::query("SELECT * FROM launch_events WHERE request_id = $1 ORDER BY number")
                .bind(request_id.as_bytes().as_slice())
                .fetch_all(connection)
                .await?
                .iter()
                .map(record_of)
                .collect()
        })
    }

    async fn device_test_of(
        &self,
        request_id: RequestId,
    ) -> Result<Option<DeviceTest>, StoreError> {
        run!(self, Again::Always, |connection, _| {
            sqlx::query(
                "SELECT * FROM launch_events
                 WHERE request_id = $1 AND event = 'device_test'
                 ORDER BY number DESC LIMIT 1",
            )
            .bind(request_id.as_bytes().as_slice())
            .fetch_optional(connection)
            .await?
            .map(|row| test_of(&row))
            .transpose()
        })
    }
}

fn record_of(row: &PgRow) -> Result<LaunchEventRecord, StoreError> {
    Ok(LaunchEventRecord {
        number: count_of(row, "number")?,
        event: Reported::stored(|column| Ok(row.try_get(column)?))?,
        received_at: time_of(row, "received_at")?,
        browser_time: maybe_time_of(row, "browser_time")?,
    })
}

fn test_of(row: &PgRow) -> Result<DeviceTest, StoreError> {
    stored_device_test(|column| Ok(row.try_get(column)?))
}
