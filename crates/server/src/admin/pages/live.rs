//! `/admin/live`: server-sent events that tell a page when what it shows has changed.
//! They carry nothing else.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{Query, State},
    http::{HeaderMap, HeaderName, StatusCode},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use futures_util::stream;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Interval, MissedTickBehavior, interval},
};

use super::{
    appointments, audit,
    filter::Chosen,
    frame::{PageError, protected},
    launches, overview,
    pulses::{Pulse, Pulses},
    story, write_backs,
};
use crate::admin::{Admin, Administrator, Role, session};

/// How often it is looked whether anything has changed.
const PACE: Duration = Duration::from_secs(2);

/// How many looks a stream lasts. Browsers come back, and are asked again who they are.
const LOOKS: u32 = 60;

/// The same of figures over a time, which read every launch of it.
const PACE_OF_FIGURES: Duration = Duration::from_secs(30);
const LOOKS_AT_FIGURES: u32 = 4;

/// Most streams at once.
const MOST: usize = 64;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Longest address of a page, in bytes.
const LONGEST: usize = 1000;

#[derive(Deserialize)]
pub(super) struct Asked {
    page: String,
}

/// A page that is watched.
struct Watch {
    admin: Arc<Admin>,
    who: Administrator,
    page: String,
    /// What all who watch it know.
    pulse: Arc<Pulse>,
    /// How old that may be.
    fresh: Duration,
    /// What it showed when it was last looked at.
    seen: Option<String>,
    left: u32,
    /// Whether the last event was sent.
    is_over: bool,
    interval: Interval,
    _permit: OwnedSemaphorePermit,
}

pub(super) async fn live(
    State(admin): State<Arc<Admin>>,
    who: Administrator,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Response {
    let permit = Arc::clone(&admin.live.streams).try_acquire_owned();
    let Ok(permit) = permit else {
        return protected(StatusCode::SERVICE_UNAVAILABLE.into_response());
    };
    if asked.page.len() > LONGEST {
        return protected(StatusCode::BAD_REQUEST.into_response());
    }
    let (pace, looks) = match path_and_query(&asked.page) {
        (overview::PATH, _) => (PACE_OF_FIGURES, LOOKS_AT_FIGURES),
        _ => (PACE, LOOKS),
    };
    let mut interval = interval(pace);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // A browser that comes back says what it knows.
    let known = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok());
    let watch = Watch {
        pulse: admin.live.pulses.of(&asked.page, who.role),
        fresh: pace / 2,
        who,
        page: asked.page,
        seen: known.map(ToOwned::to_owned),
        left: looks,
        is_over: false,
        interval,
        _permit: permit,
        admin,
    };
    let events = stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await?;
        Some((Ok::<_, Infallible>(event), watch))
    });
    let stream = Sse::new(events).keep_alive(KeepAlive::default());
    protected(stream.into_response())
}

/// What all streams share.
pub(in crate::admin) struct Live {
    /// A permit for each stream that may be open.
    streams: Arc<Semaphore>,
    /// Whether the server ends, and every stream with it.
    ending: watch::Sender<bool>,
    pulses: Pulses,
}

impl Live {
    pub(in crate::admin) fn new() -> Self {
        Self {
            streams: Arc::new(Semaphore::new(MOST)),
            ending: watch::Sender::new(false),
            pulses: Pulses::default(),
        }
    }

    /// Ends every stream.
    pub(in crate::admin) fn end(&self) {
        self.ending.send_replace(true);
    }
}

impl Watch {
    /// Waits for a change; `None` ends the stream.
    async fn next(&mut self) -> Option<Event> {
        if self.is_over {
            return None;
        }
        let mut ending = self.admin.live.ending.subscribe();
        loop {
            tokio::select! {
                _ = self.interval.tick() => {}
                // An error means that the sender is gone: the end as well.
                _ = ending.wait_for(|ending| *ending) => return None,
            }
            let Some(left) = self.left.checked_sub(1) else {
                // The browser is to come back, and to say nothing of it.
                self.is_over = true;
                return Some(Event::default().event("again").data("now"));
            };
            self.left = left;
            match self.look().await {
                Ok(None) => return None,
                Ok(Some(now)) => {
                    let event = match &self.seen {
                        None => "watching",
                        Some(before) if *before != now => "changed",
                        Some(_) => continue,
                    };
                    self.seen = Some(now.clone());
                    return Some(Event::default().event(event).id(now).data("now"));
                }
                // There is nothing to watch.
                Err(PageError::Missing | PageError::Forbidden) => {
                    self.is_over = true;
                    return Some(Event::default().event("over").data("now"));
                }
                Err(error) => {
                    tracing::warn!(%error, "admin pages: live");
                    return None;
                }
            }
        }
    }
}

impl Watch {
    /// What the page shows now; `None` where nobody is signed in any more.
    async fn look(&self) -> Result<Option<String>, PageError> {
        let (admin, who) = (&self.admin, &self.who);
        if !session::goes_on(admin, who).await? {
            return Ok(None);
        }
        let look = async {
            let text = pulse(admin, who, &self.page).await?;
            Ok(Base64UrlUnpadded::encode_string(&Sha256::digest(text)))
        };
        self.pulse.get(self.fresh, look).await.map(Some)
    }
}

fn path_and_query(page: &str) -> (&str, &str) {
    page.split_once('?').unwrap_or((page, ""))
}

/// Something that is another text where the page shows something else.
async fn pulse(admin: &Admin, who: &Administrator, page: &str) -> Result<String, PageError> {
    let (path, query) = path_and_query(page);
    let chosen = Chosen::of(Some(query));
    let json = |made: Result<String, serde_json::Error>| made.map_err(|_| PageError::Missing);
    match path {
        overview::PATH => overview::pulse(admin, chosen).await,
        launches::PATH => json(serde_json::to_string(&launches::view(admin, chosen).await?)),
        write_backs::PATH => json(serde_json::to_string(
            &write_backs::view(admin, who, chosen).await?,
        )),
        appointments::PATH => appointments::pulse(admin, chosen).await,
        audit::PATH if who.role >= Role::Configure => audit::pulse(admin, chosen).await,
        _ => {
            if let Some(launch) = path.strip_prefix("/admin/launches/") {
                json(serde_json::to_string(
                    &story::view(admin, who, launch).await?,
                ))
            } else if let Some(appointment) = path.strip_prefix("/admin/appointments/") {
                appointments::pulse_of(admin, appointment).await
            } else {
                Err(PageError::Missing)
            }
        }
    }
}
