//! `GET|POST /api/telehealth/v1/{patient|provider}/oauth2authorized/{uuid}`: the way
//! back from the EHR's sign-in. Answers 303 to the join link.

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, RawQuery, State, rejection::BytesRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use tracing::Instrument as _;
use vestibule_launch::{EhrRole, RequestId};
use vestibule_smart::{Callback, CallbackError};

use super::{caller::Caller, no_head, not_begun::NotBegun, parameters};
use crate::{
    dialect::DialectError,
    in_flight::InFlight,
    launch::{self, Browser, JoinError, Return, Trail},
    profile::Profile,
    sealing::NotSealedHere,
    state::AppState,
    telemetry::{LaunchSpan, Step},
};

/// Why a return from the EHR leads to an error page.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizedError {
    /// No telehealth profile has this uuid.
    #[error("no telehealth profile has the uuid of the redirect URL")]
    Profile,
    /// The form is too long or broke off.
    #[error("the EHR's answer is longer than 64 KiB, or it broke off")]
    Body(StatusCode),
    /// The answer is none.
    #[error(transparent)]
    Callback(#[from] CallbackError),
    /// The state was not made for this profile and role.
    #[error("the state {0}")]
    State(#[from] NotSealedHere),
    /// The launch does not go on.
    #[error(transparent)]
    Join(#[from] JoinError),
}

pub(super) fn route(role: EhrRole) -> MethodRouter<AppState> {
    let handler = move |State(state): State<AppState>,
                        Extension(in_flight): Extension<InFlight>,
                        Extension(span): Extension<LaunchSpan>,
                        Path(uuid): Path<String>,
                        caller: Caller,
                        RawQuery(query): RawQuery,
                        body: Result<Bytes, BytesRejection>| async move {
        // A browser that goes away drops this future. The state is consumed then, so a
        // reload could not go on with the launch: it is brought to its end without.
        let one = in_flight.more();
        let handled = async move {
            let _one = one;
            let parameters = parameters(query, body);
            let answered = handle(&state, role, &uuid, &caller, parameters, &span, &in_flight);
            answered.await
        };
        let ended = tokio::spawn(handled.in_current_span());
        match ended.await {
            Ok(response) => response,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    };
    get(handler).post(handler).head(no_head)
}

async fn handle(
    state: &AppState,
    role: EhrRole,
    uuid: &str,
    caller: &Caller,
    parameters: Result<String, StatusCode>,
    span: &LaunchSpan,
    in_flight: &InFlight,
) -> Response {
    let mut request_id = state.tools.request_id();
    let profile = state.profile(uuid);
    let profile = profile.as_deref();
    let mut known = |launch| {
        span.name(launch);
        request_id = launch;
    };
    let arrived = Arrived {
        role,
        caller,
        parameters,
        in_flight,
    };
    let joined = join(state, profile, arrived, &mut known);
    let joined = state.tools.telemetry.step(Step::Complete, joined).await;
    let sealer = &state.tools.sealer;
    let (mut response, cookie) = match joined {
        Ok(link) => {
            let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, link)]).into_response();
            response.extensions_mut().insert(request_id);
            let cookie =
                profile.map(|profile| launch::remember_briefly(sealer, profile, request_id));
            (response, cookie)
        }
        Err(error) => {
            if error.is_suspicious() {
                caller.count_wrong(state, profile).await;
            }
            if error.names_no_launch() {
                let launch = NotBegun {
                    request_id,
                    caller,
                    profile,
                    role: Some(role),
                    trail: &Trail::default(),
                };
                launch.store(state, &error, in_flight);
            }
            let page = state
                .failed(&error, request_id)
                .page(profile, caller.language);
            let cookie = profile.filter(|_| error.ends_the_launch());
            let cookie = cookie.map(|profile| launch::forget(sealer, profile, request_id));
            (page, cookie)
        }
    };
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// A browser at the route.
struct Arrived<'a> {
    role: EhrRole,
    caller: &'a Caller,
    parameters: Result<String, StatusCode>,
    in_flight: &'a InFlight,
}

/// `known` gets the launch's request id as soon as there is one.
async fn join(
    state: &AppState,
    profile: Option<&Profile>,
    arrived: Arrived<'_>,
    known: &mut (impl FnMut(RequestId) + Send),
) -> Result<HeaderValue, AuthorizedError> {
    let Arrived {
        role,
        caller,
        parameters,
        in_flight,
    } = arrived;
    let profile = profile.ok_or(AuthorizedError::Profile)?;
    let parameters = parameters.map_err(AuthorizedError::Body)?;
    let callback = Callback::from_query(parameters.trim_start_matches('&'))?;
    let sealer = &state.tools.sealer;
    let request_id = sealer.open_state(callback.state(), profile.uuid, role)?;
    known(request_id);
    let returned = Return {
        callback,
        browser: Browser::of(sealer, profile, &caller.headers),
        cookie_required: state.launch_rules.cookie_required,
        in_flight,
    };
    Ok(launch::join(&state.tools, profile, role, request_id, returned).await?)
}

impl AuthorizedError {
    /// Whether the request id on the page is that of no launch in the store.
    fn names_no_launch(&self) -> bool {
        match self {
            Self::Profile | Self::Body(_) | Self::Callback(_) | Self::State(_) => true,
            Self::Join(_) => false,
        }
    }

    /// Whether somebody may be trying things out: it counts as another launch. An answer
    /// that is none tries nothing; it comes of a reload, too.
    fn is_suspicious(&self) -> bool {
        matches!(
            self,
            Self::Profile
                | Self::State(_)
                | Self::Join(JoinError::Parameters(DialectError::ParametersInvalid))
        )
    }

    /// Whether the launch, which is known, has come to its end.
    fn ends_the_launch(&self) -> bool {
        match self {
            Self::Join(error) => !matches!(error, JoinError::OtherBrowser | JoinError::Used),
            Self::Profile | Self::Body(_) | Self::Callback(_) | Self::State(_) => false,
        }
    }
}
