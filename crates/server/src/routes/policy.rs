//! The external policy server that Pexip Infinity asks (its documentation, "Using
//! external and local policy"). Pexip waits five seconds, follows no redirect, and goes
//! on with its own database after anything but a 2xx answer.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Serialize;
use url::form_urlencoded;
use vestibule_launch::Pin;
use vestibule_node::ServiceConfiguration;

use super::door::{self, Door};
use crate::{
    conferencing::{Appearance, Behind, LONGEST_ALIAS, PexipConfig, UnknownAlias, View, behind},
    tools::Tools,
};

/// How long an answer may take: less than Pexip waits.
const DEADLINE: Duration = Duration::from_secs(4);

/// The policy server's routes, below `/policy/v1`; none where nobody may ask.
pub(crate) fn router(tools: Tools, config: PexipConfig, door: Option<Door>) -> Router {
    let Some(door) = door else {
        return Router::new();
    };
    let policy = Arc::new(Policy { tools, config });
    Router::new()
        .route(
            "/policy/v1/service/configuration",
            get(service_configuration),
        )
        .route("/policy/v1/participant/properties", get(as_it_is))
        .route("/policy/v1/participant/location", get(as_it_is))
        .route("/policy/v1/participant/avatar/{alias}", get(no_avatar))
        .route("/policy/v1/registrations", get(as_it_is))
        .route("/policy/v1/registrations/{alias}", get(as_it_is))
        .with_state(policy)
        .route_layer(middleware::from_fn_with_state(
            Arc::new(door),
            door::authenticate,
        ))
}

struct Policy {
    tools: Tools,
    config: PexipConfig,
}

/// An answer to Pexip.
#[derive(Serialize)]
struct Answer<'a> {
    status: &'static str,
    action: Action,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Service<'a>>,
}

/// What Pexip does where there is no result.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    /// It goes on with its own database.
    Continue,
    /// It refuses the call.
    Reject,
}

/// A virtual meeting room. It is the same for everybody in an appointment.
#[derive(Serialize)]
struct Service<'a> {
    name: &'a str,
    service_tag: &'a str,
    service_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pin: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guest_pin: Option<&'a str>,
    allow_guests: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    ivr_theme_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    view: Option<&'a str>,
}

impl Answer<'_> {
    fn without_result(action: Action) -> Self {
        Self {
            status: "success",
            action,
            result: None,
        }
    }

    fn of(service: &ServiceConfiguration, appearance: &Appearance) -> Response {
        let result = Service {
            name: service.name(),
            service_tag: service.service_tag(),
            service_type: "conference",
            pin: service.pin().map(Pin::expose),
            guest_pin: service.guest_pin().map(Pin::expose),
            allow_guests: service.allow_guests(),
            ivr_theme_name: appearance.theme.as_deref(),
            description: appearance.description.as_deref(),
            view: appearance.view.as_ref().map(View::as_str),
        };
        let answer = Answer {
            status: "success",
            action: Action::Continue,
            result: Some(result),
        };
        Json(answer).into_response()
    }
}

/// What stands behind the alias that somebody dialled. Of the many parameters that
/// Pexip sends only `local_alias` decides; the others may be there or not.
async fn service_configuration(
    State(policy): State<Arc<Policy>>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let alias = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "local_alias")
        .map(|(_, alias)| alias)
        .filter(|alias| alias.len() <= LONGEST_ALIAS);
    let Some(alias) = alias else {
        return Json(Answer::without_result(policy.for_unknown())).into_response();
    };
    match tokio::time::timeout(DEADLINE, behind(&policy.tools, &alias)).await {
        Ok(Ok(Behind::Appointment(service))) => {
            let service_tag = service.service_tag();
            tracing::info!(service_tag, "the policy server led to a visit");
            Answer::of(&service, &policy.config.appearance)
        }
        Ok(Ok(Behind::Expired)) => {
            tracing::info!("the policy server refused an alias that has expired");
            Json(Answer::without_result(Action::Reject)).into_response()
        }
        Ok(Ok(Behind::Nothing)) => {
            Json(Answer::without_result(policy.for_unknown())).into_response()
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "the policy server cannot answer");
            unavailable()
        }
        Err(_) => {
            tracing::error!("the policy server cannot answer in time");
            unavailable()
        }
    }
}

impl Policy {
    fn for_unknown(&self) -> Action {
        match self.config.unknown_alias {
            UnknownAlias::Continue => Action::Continue,
            UnknownAlias::Reject => Action::Reject,
        }
    }
}

/// What Pexip asks of participants, places and registrations is its own affair.
async fn as_it_is() -> Response {
    Json(Answer::without_result(Action::Continue)).into_response()
}

async fn no_avatar() -> StatusCode {
    StatusCode::NOT_FOUND
}

fn unavailable() -> Response {
    let retry_after = (header::RETRY_AFTER, HeaderValue::from_static("1"));
    let mut headers = HeaderMap::new();
    headers.extend([retry_after]);
    (StatusCode::SERVICE_UNAVAILABLE, headers, "try again soon\n").into_response()
}
