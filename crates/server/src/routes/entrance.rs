//! Where the EHRs' buttons lead: the entrances of every dialect. Answers 303, to the
//! EHR's sign-in or to the join link, or the page that posts the way to the sign-in.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, RawQuery, State, rejection::BytesRejection},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{MethodRouter, get},
};
use url::form_urlencoded;
use vestibule_launch::RequestId;

use super::{caller::Caller, no_head, not_begun::NotBegun, parameters};
use crate::{
    dialect::{DialectError, Entrance, NamedBy},
    in_flight::InFlight,
    launch::{self, BeginError, Browser, Next, SignInRequest, Trail},
    limits::Limited,
    profile::Profile,
    security_headers::PageCsp,
    sign_in_page,
    state::AppState,
    telemetry::{LaunchSpan, Step},
};

/// Why a launch URL leads to an error page.
#[derive(Debug, thiserror::Error)]
pub enum EntranceError {
    /// The launch URL names no telehealth profile.
    #[error("no telehealth profile has the uuid (or other key) of the launch URL")]
    Profile,
    /// The form is too long or broke off.
    #[error("the launch is longer than 64 KiB, or it broke off")]
    Body(StatusCode),
    /// Too many launches.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// The launch does not begin.
    #[error(transparent)]
    Begin(#[from] BeginError),
}

pub(super) fn route(entrance: &'static Entrance) -> MethodRouter<AppState> {
    let handler = move |State(state): State<AppState>,
                        Extension(in_flight): Extension<InFlight>,
                        Path(path): Path<HashMap<String, String>>,
                        Extension(span): Extension<LaunchSpan>,
                        caller: Caller,
                        RawQuery(query): RawQuery,
                        body: Result<Bytes, BytesRejection>| async move {
        let request_id = state.tools.request_id();
        span.name(request_id);
        let parameters = parameters(query, body);
        let handled = handle(
            &state, entrance, &path, &caller, parameters, request_id, &in_flight,
        );
        handled.await
    };
    get(handler).post(handler).head(no_head)
}

async fn handle(
    state: &AppState,
    entrance: &Entrance,
    path: &HashMap<String, String>,
    caller: &Caller,
    parameters: Result<String, StatusCode>,
    request_id: RequestId,
    in_flight: &InFlight,
) -> Response {
    let profile = profile(state, entrance, path, parameters.as_deref().ok());
    let profile = profile.as_deref();
    let trail = Trail::default();
    let begun = begin(
        state, entrance, profile, caller, parameters, request_id, &trail,
    );
    match state.tools.telemetry.step(Step::Begin, begun).await {
        Ok(mut response) => {
            response.extensions_mut().insert(request_id);
            response
        }
        Err(error) => {
            if error.is_suspicious() {
                caller.count_wrong(state, profile).await;
            }
            if error.is_before_the_launch() {
                let launch = NotBegun {
                    request_id,
                    caller,
                    profile,
                    role: entrance.role,
                    trail: &trail,
                };
                launch.store(state, &error, in_flight);
            }
            state
                .failed(&error, request_id)
                .page(profile, caller.language)
        }
    }
}

async fn begin(
    state: &AppState,
    entrance: &Entrance,
    profile: Option<&Profile>,
    caller: &Caller,
    parameters: Result<String, StatusCode>,
    request_id: RequestId,
    trail: &Trail,
) -> Result<Response, EntranceError> {
    caller.count_launch(state, profile).await?;
    let parameters = parameters.map_err(EntranceError::Body)?;
    let profile = profile.ok_or(EntranceError::Profile)?;
    let tools = &state.tools;
    let browser = Browser::of(&tools.sealer, profile, &caller.headers);
    let role = entrance.role;
    let beginning = launch::begin(
        tools,
        profile,
        role,
        request_id,
        &parameters,
        &browser,
        trail,
    );
    let next = beginning.await?;
    Ok(match next {
        Next::Join(link) => (StatusCode::SEE_OTHER, [(header::LOCATION, link)]).into_response(),
        Next::SignIn(request) => {
            let mut response = sign_in(&request, caller.language);
            let cookie = launch::remember(&tools.sealer, profile, request_id);
            response.headers_mut().append(header::SET_COOKIE, cookie);
            response
        }
    })
}

fn sign_in(request: &SignInRequest, language: Option<&str>) -> Response {
    match request {
        SignInRequest::Redirect(url) => Redirect::to(url.as_str()).into_response(),
        SignInRequest::Form { action, fields } => {
            let page = sign_in_page::page(language, action, fields);
            let mut response = Html(page).into_response();
            response.extensions_mut().insert(PageCsp::SignIn);
            response
        }
    }
}

impl EntranceError {
    /// Whether the store may have nothing of the launch. Those of whom too many come are
    /// left to the log: they would hide the others.
    fn is_before_the_launch(&self) -> bool {
        match self {
            Self::Profile | Self::Body(_) => true,
            Self::Begin(error) => error.is_before_the_launch(),
            Self::Limited(_) => false,
        }
    }

    /// Whether somebody may be trying things out: it counts as another launch.
    fn is_suspicious(&self) -> bool {
        matches!(
            self,
            Self::Profile | Self::Begin(BeginError::Dialect(DialectError::ParametersInvalid))
        )
    }
}

/// The profile that the launch names. Where a parameter names it, the first one does.
fn profile(
    state: &AppState,
    entrance: &Entrance,
    path: &HashMap<String, String>,
    parameters: Option<&str>,
) -> Option<Arc<Profile>> {
    let name = match entrance.profile {
        NamedBy::Uuid => path.get("uuid")?.clone(),
        NamedBy::Parameter(parameter) => form_urlencoded::parse(parameters?.as_bytes())
            .find(|(name, _)| name == parameter)
            .map(|(_, value)| value.into_owned())?,
    };
    state.profiles.now().find_named(&entrance.profile, &name)
}
