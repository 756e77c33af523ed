//! What landing pages report of their launches, in SQLite.

use async_trait::async_trait;
use sqlx::{Row, sqlite::SqliteRow};
use vestibule_launch::{DeviceTest, ErrorName, RequestId, UnixTime};

use super::{
    SqliteStore, launches,
    rows::{bytes, maybe_time_of, time_of},
    write_backs,
};
use crate::{
    LaunchEventRecord, LaunchEvents, NewLaunchEvent, NewWriteBack, Recorded, Reported, StoreError,
    launch_event::stored_device_test, overcome::Joined,
};

#[async_trait]
impl LaunchEvents for SqliteStore {
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
        let mut transaction = self.write().await?;
        let count = sqlx::query_scalar::<_, i64>(
            "SELECT count(launch_events.number)
             FROM launches LEFT JOIN launch_events
                 ON launch_events.request_id = launches.request_id
             WHERE launches.request_id = ?1
             GROUP BY launches.request_id",
        )
        .bind(bytes(request_id.as_bytes()))
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(count) = count else {
            return Ok(Recorded::NoLaunch);
        };
        if count >= i64::from(most) {
            return Ok(Recorded::TooMany);
        }
        let (error_name, test) = (event.error_name(), event.device_test());
        sqlx::query(
            "INSERT INTO launch_events
                 (request_id, number, event, error_name, camera, microphone, speaker, connection,
                  received_at, browser_time)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )
        .bind(bytes(request_id.as_bytes()))
        .bind(count + 1)
        .bind(event.as_str())
        .bind(error_name.map(ErrorName::as_str))
        .bind(test.map(|test| test.camera.as_str()))
        .bind(test.map(|test| test.microphone.as_str()))
        .bind(test.map(|test| test.speaker.as_str()))
        .bind(test.map(|test| test.connection.as_str()))
        .bind(now.as_millis())
        .bind(browser_time.map(UnixTime::as_millis))
        .execute(&mut *transaction)
        .await?;
        if let Some(error_name) = error_name {
            launches::record_browser_failure(&mut transaction, request_id, error_name, now).await?;
        }
        if event == Reported::Joined {
            launches::overcome_failure(&mut transaction, Joined::Launch(request_id)).await?;
        }
        for write_back in write_backs {
            write_backs::insert(&mut transaction, write_back, now).await?;
        }
        transaction.commit().await?;
        Ok(Recorded::Now)
    }

    async fn events_of(&self, request_id: RequestId) -> Result<Vec<LaunchEventRecord>, StoreError> {
        sqlx::query("SELECT * FROM launch_events WHERE request_id = ?1 ORDER BY number")
            .bind(bytes(request_id.as_bytes()))
            .fetch_all(&self.finding)
            .await?
            .iter()
            .map(record_of)
            .collect()
    }

    async fn device_test_of(
        &self,
        request_id: RequestId,
    ) -> Result<Option<DeviceTest>, StoreError> {
        sqlx::query(
            "SELECT * FROM launch_events
             WHERE request_id = ?1 AND event = 'device_test'
             ORDER BY number DESC LIMIT 1",
        )
        .bind(bytes(request_id.as_bytes()))
        .fetch_optional(&self.finding)
        .await?
        .map(|row| test_of(&row))
        .transpose()
    }
}

fn record_of(row: &SqliteRow) -> Result<LaunchEventRecord, StoreError> {
    Ok(LaunchEventRecord {
        number: row.try_get("number")?,
        event: Reported::stored(|column| Ok(row.try_get(column)?))?,
        received_at: time_of(row, "received_at")?,
        browser_time: maybe_time_of(row, "browser_time")?,
    })
}

fn test_of(row: &SqliteRow) -> Result<DeviceTest, StoreError> {
    stored_device_test(|column| Ok(row.try_get(column)?))
}
