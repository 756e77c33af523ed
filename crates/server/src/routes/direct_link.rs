//! `GET /api/telehealth/v1/{patient|provider}/directlaunch/{uuid}`: where direct join
//! links lead, to a page with one button. `POST` of the same: what the button does;
//! answers 303 to the join link. A GET changes nothing, whoever sends it.

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, RawQuery, State, rejection::BytesRejection},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::{MethodRouter, get},
};
use vestibule_launch::{EhrRole, RequestId};

use super::{caller::Caller, not_begun::NotBegun, parameters};
use crate::{
    in_flight::InFlight,
    launch::{self, DirectLinkError, Trail},
    limits::Limited,
    profile::Profile,
    security_headers::PageCsp,
    state::AppState,
    telemetry::{LaunchSpan, Step},
};

/// Why a direct join link leads to an error page.
#[derive(Debug, thiserror::Error)]
pub enum DirectLinkRouteError {
    /// The link names no telehealth profile.
    #[error(
        "no telehealth profile has the uuid of the direct join link; compare it with \
             `vestibule profile list`"
    )]
    Profile,
    /// The form is too long or broke off.
    #[error("the direct join link is longer than 64 KiB, or it broke off")]
    Body(StatusCode),
    /// Too many come from one place.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// The link does not lead into the visit.
    #[error(transparent)]
    Link(#[from] DirectLinkError),
}

/// The path for a role.
pub(crate) fn path(role: EhrRole) -> String {
    format!("/api/telehealth/v1/{}/directlaunch/{{uuid}}", role.as_str())
}

pub(super) fn route(role: EhrRole) -> MethodRouter<AppState> {
    let join = move |State(state): State<AppState>,
                     Extension(in_flight): Extension<InFlight>,
                     Path(uuid): Path<String>,
                     Extension(span): Extension<LaunchSpan>,
                     caller: Caller,
                     RawQuery(query): RawQuery,
                     body: Result<Bytes, BytesRejection>| async move {
        let press = Press {
            role,
            request_id: state.tools.request_id(),
            parameters: parameters(query, body),
            caller,
            trail: Trail::default(),
            in_flight,
        };
        span.name(press.request_id);
        press.answer(&state, state.profile(&uuid).as_deref()).await
    };
    get(show).post(join)
}

async fn show(
    State(state): State<AppState>,
    Path(uuid): Path<String>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Response {
    let profile = state.profile(&uuid);
    let profile = profile.as_deref();
    match page(profile, &query.unwrap_or_default(), &caller) {
        Ok(page) => {
            let mut response = Html(page).into_response();
            response.extensions_mut().insert(PageCsp::DirectLink);
            response.headers_mut().insert(
                HeaderName::from_static("x-robots-tag"),
                HeaderValue::from_static("noindex, nofollow"),
            );
            response
        }
        Err(error) => state
            .failed(&error, state.tools.request_id())
            .page(profile, caller.language),
    }
}

fn page(
    profile: Option<&Profile>,
    query: &str,
    caller: &Caller,
) -> Result<String, DirectLinkRouteError> {
    let profile = profile.ok_or(DirectLinkRouteError::Profile)?;
    let (links, _) = launch::direct_links(profile)?;
    let link = links.read(query).map_err(DirectLinkError::from)?;
    Ok(links.page(&link, caller.language))
}

impl DirectLinkRouteError {
    /// Whether the store has nothing of the launch.
    fn is_before_the_launch(&self) -> bool {
        match self {
            Self::Profile | Self::Body(_) => true,
            Self::Link(error) => {
                matches!(
                    error,
                    DirectLinkError::None | DirectLinkError::Parameters(_)
                )
            }
            Self::Limited(_) => false,
        }
    }
}

/// Somebody pressed the page's button.
struct Press {
    role: EhrRole,
    request_id: RequestId,
    parameters: Result<String, StatusCode>,
    caller: Caller,
    trail: Trail,
    in_flight: InFlight,
}

impl Press {
    async fn answer(self, state: &AppState, profile: Option<&Profile>) -> Response {
        let joined = self.join(state, profile);
        match state.tools.telemetry.step(Step::DirectLink, joined).await {
            Ok(link) => {
                let location = [(header::LOCATION, link)];
                let mut response = (StatusCode::SEE_OTHER, location).into_response();
                response.extensions_mut().insert(self.request_id);
                response
            }
            Err(error) => {
                if error.is_before_the_launch() {
                    let launch = NotBegun {
                        request_id: self.request_id,
                        caller: &self.caller,
                        profile,
                        role: Some(self.role),
                        trail: &self.trail,
                    };
                    launch.store(state, &error, &self.in_flight);
                }
                state
                    .failed(&error, self.request_id)
                    .page(profile, self.caller.language)
            }
        }
    }

    async fn join(
        &self,
        state: &AppState,
        profile: Option<&Profile>,
    ) -> Result<HeaderValue, DirectLinkRouteError> {
        self.caller.count_launch(state, profile).await?;
        let profile = profile.ok_or(DirectLinkRouteError::Profile)?;
        let parameters = self.parameters.as_ref();
        let parameters = parameters.map_err(|status| DirectLinkRouteError::Body(*status))?;
        let tools = &state.tools;
        let (role, request_id, trail) = (self.role, self.request_id, &self.trail);
        let joined =
            launch::join_directly(tools, profile, role, request_id, parameters, trail).await;
        if let Err(DirectLinkError::Parameters(_)) = &joined {
            self.caller.count_wrong(state, Some(profile)).await;
        }
        Ok(joined?)
    }
}
