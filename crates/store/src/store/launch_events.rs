//! What landing pages report of their launches.

use async_trait::async_trait;
use vestibule_launch::{DeviceTest, RequestId, UnixTime};

use crate::{LaunchEventRecord, NewLaunchEvent, NewWriteBack, Recorded, StoreError};

/// The story of each launch, as its landing page told it. It is kept and forgotten with
/// the launch, and changes nothing of what conferencing nodes report.
#[async_trait]
pub trait LaunchEvents {
    /// Stores an event after those that arrived before, unless the launch has `most`
    /// already, and with it what is to be written back because of it. The first failure
    /// of a launch that completed is recorded on the launch as well, and overcome where
    /// somebody joins after it.
    async fn record_event(
        &self,
        event: NewLaunchEvent,
        write_backs: Vec<NewWriteBack>,
        most: u32,
        now: UnixTime,
    ) -> Result<Recorded, StoreError>;

    /// The events of a launch, in the order in which they arrived.
    async fn events_of(&self, request_id: RequestId) -> Result<Vec<LaunchEventRecord>, StoreError>;

    /// The newest result of a launch's device check.
    async fn device_test_of(&self, request_id: RequestId)
    -> Result<Option<DeviceTest>, StoreError>;
}
