//! `POST /api/telehealth/v1/launch/{telehealth_request_id}/events`: the landing page
//! tells what becomes of its launch. What the EHR is told of who is connected comes from
//! the conferencing system all the same.

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{MethodRouter, post},
};
use vestibule_launch::{LaunchEvent, RequestId, UnixTime, launch_api::EventReport};
use vestibule_store::{Bearer, NewLaunchEvent, NewWriteBack, Recorded, Reported, StoreError};

use super::{caller::Caller, launch_bearer::Named};
use crate::{
    clock::from_rfc3339,
    launch::{self, BearerError, NoBearer},
    limits::Limited,
    serving::body,
    state::AppState,
    write_back::{
        StatusChange,
        telling::{self, News},
    },
};

/// Most events of a launch.
pub(super) const MOST: u32 = 64;

/// Why an event is not taken.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Too many events that were wrong came from one address.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// The launch is not the sender's to tell of.
    #[error(transparent)]
    Bearer(#[from] BearerError),
    /// The body could not be taken.
    #[error("the body must be a JSON object of at most 64 KiB, sent as application/json")]
    Body(StatusCode),
    /// The body is not an [`EventReport`].
    #[error(
        "`event` must be connecting, waiting, joined, left, failed or device_test; \
         `error_name`, a failure of the landing page, goes with failed and nothing else; \
         `device_test` goes with device_test and nothing else: camera, microphone, speaker and \
         connection, each passed, failed, denied, missing or skipped; `utc_time`, in RFC 3339, \
         may go with all; no other fields are known"
    )]
    Report,
    /// The launch has as many events as it may.
    #[error("the launch has 64 events already; more are not kept")]
    Full,
}

impl From<StoreError> for EventError {
    fn from(error: StoreError) -> Self {
        Self::Bearer(error.into())
    }
}

pub(super) fn route() -> MethodRouter<AppState> {
    post(report)
}

async fn report(
    State(state): State<AppState>,
    caller: Caller,
    named: Named,
    body: Result<Json<EventReport>, JsonRejection>,
) -> Response {
    match reported(&state, &caller, &named, body).await {
        Ok(request_id) => {
            let mut response = StatusCode::NO_CONTENT.into_response();
            response.extensions_mut().insert(request_id);
            response
        }
        Err(error) => state.failed(&error, state.tools.request_id()).problem(),
    }
}

/// Whoever has the token is held to the launch's number of events, not to the address's
/// of launches: a visit has many. Whoever has none counts as a launch.
async fn reported(
    state: &AppState,
    caller: &Caller,
    named: &Named,
    body: Result<Json<EventReport>, JsonRejection>,
) -> Result<RequestId, EventError> {
    let bearer = match named.find(state).await {
        Err(error @ BearerError::None(_)) => {
            caller.count_launch(state, None).await?;
            return Err(error.into());
        }
        found => found?,
    };
    let Json(report) = body.map_err(|rejection| match rejection {
        JsonRejection::JsonDataError(_) | JsonRejection::JsonSyntaxError(_) => EventError::Report,
        rejection => EventError::Body(body::status(&rejection, rejection.status())),
    })?;
    let event = event_of(&report, bearer.request_id).ok_or(EventError::Report)?;
    let now = state.tools.now();
    let write_backs = match event.event {
        Reported::DeviceTest(_) => told(state, &bearer, &event, now).await?,
        _ => Vec::new(),
    };
    let store = &state.tools.store;
    let request_id = bearer.request_id;
    let recording = store.record_event(event, write_backs, MOST, now);
    let telemetry = &state.tools.telemetry;
    match telemetry.stored("record_event", recording).await? {
        Recorded::Now => {
            if report.event == LaunchEvent::Joined {
                launch::count_joined(&state.tools, request_id).await;
            }
            let event = report.event.as_str();
            tracing::info!(%request_id, event, "the landing page tells of its launch");
            Ok(request_id)
        }
        Recorded::TooMany => Err(EventError::Full),
        // Forgotten a moment ago.
        Recorded::NoLaunch => Err(BearerError::from(NoBearer).into()),
    }
}

/// `None` where the parts of the report do not belong together.
fn event_of(report: &EventReport, request_id: RequestId) -> Option<NewLaunchEvent> {
    let event = match (report.event, report.error_name, report.device_test) {
        (LaunchEvent::Connecting, None, None) => Reported::Connecting,
        (LaunchEvent::Waiting, None, None) => Reported::Waiting,
        (LaunchEvent::Joined, None, None) => Reported::Joined,
        (LaunchEvent::Left, None, None) => Reported::Left,
        (LaunchEvent::Failed, Some(name), None) if name.from_browser() => Reported::Failed(name),
        (LaunchEvent::DeviceTest, None, Some(test)) => Reported::DeviceTest(test),
        _ => return None,
    };
    let browser_time = match &report.utc_time {
        Some(time) => Some(from_rfc3339(time)?),
        None => None,
    };
    Some(NewLaunchEvent {
        request_id,
        event,
        browser_time,
    })
}

/// What the EHR is told of a device check. A page that got no answer reports the same
/// again, with the same time: that is one. Without a time each is one of its own.
async fn told(
    state: &AppState,
    bearer: &Bearer,
    event: &NewLaunchEvent,
    now: UnixTime,
) -> Result<Vec<NewWriteBack>, StoreError> {
    let tools = &state.tools;
    let profile = state.profiles.now().find(bearer.profile);
    let finding = tools.store.find_launch(bearer.request_id);
    let launch = tools.telemetry.stored("find_launch", finding).await?;
    let (Some(profile), Some(launch), Reported::DeviceTest(test)) = (profile, launch, event.event)
    else {
        return Ok(Vec::new());
    };
    let mut occasion = Vec::new();
    for result in [test.camera, test.microphone, test.speaker, test.connection] {
        occasion.extend_from_slice(result.as_str().as_bytes());
        occasion.push(b' ');
    }
    match event.browser_time {
        Some(time) => occasion.extend(time.as_millis().to_be_bytes()),
        None => occasion.extend(tools.request_id().as_bytes()),
    }
    let news = News {
        change: StatusChange::DeviceTested,
        device_test: Some(test),
        at: now,
        occasion: &occasion,
        due_at: now,
    };
    telling::tell(tools, &profile, &launch, news).await
}
