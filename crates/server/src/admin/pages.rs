//! `/admin`: what those who watch over launches see. Rendered on the server, and whole
//! without a script.

use std::sync::Arc;

use axum::{
    Router,
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};

use self::frame::PageError;
use super::{Admin, Administrator};

mod again;
mod appointments;
mod attempts;
mod audit;
mod chart;
mod chart_files;
mod charts;
mod csv;
mod csv_stream;
mod figures;
mod filter;
mod frame;
mod in_time;
mod launches;
mod leads;
mod live;
mod moment;
mod overview;
mod profiles;
mod pulses;
mod search;
mod story;
mod templates;
mod words;
mod write_back_rows;
mod write_backs;

pub(super) use csv_stream::Downloads;
pub(super) use frame::{message, protect, sign_in};
pub(super) use live::Live;

/// The pages of those who have signed in, and what pages are made of.
pub(super) fn router() -> Router<Arc<Admin>> {
    let pages = Router::new()
        .route(overview::PATH, get(overview::page))
        .route("/", get(async || Redirect::to(overview::PATH)))
        .route("/admin/", get(async || Redirect::to(overview::PATH)))
        .route(chart_files::ROUTE, get(chart_files::csv))
        .route(appointments::PATH, get(appointments::page))
        .route("/admin/appointments.csv", get(appointments::csv))
        .route("/admin/appointments/{appointment}", get(appointments::one))
        .route(launches::PATH, get(launches::page))
        .route("/admin/launches.csv", get(launches::csv))
        .route("/admin/launches/{request_id}", get(story::page))
        .route("/admin/launches/{request_id}/csv", get(story::csv))
        .route(write_backs::PATH, get(write_backs::page))
        .route("/admin/write-backs.csv", get(write_backs::csv))
        .route(
            "/admin/write-backs/{id}/send-again",
            post(again::one).get(async || Redirect::to(write_backs::PATH)),
        )
        .route(
            "/admin/write-backs/send-again",
            post(again::all).get(async || Redirect::to(write_backs::PATH)),
        )
        .route(attempts::CSV, get(attempts::csv))
        .route(profiles::PATH, get(profiles::page))
        .route("/admin/profiles.csv", get(profiles::csv))
        .route("/admin/profiles/{number}", get(profiles::one))
        .route(
            "/admin/profiles/{number}/doctor",
            post(profiles::examine).get(to_profile),
        )
        .route(
            "/admin/profiles/{number}/doctor.csv",
            post(profiles::examine_as_csv).get(to_profile),
        )
        .route(audit::PATH, get(audit::page))
        .route("/admin/audit.csv", get(audit::csv))
        .route(
            "/admin/search",
            post(search::search).get(async || Redirect::to(overview::PATH)),
        )
        .route("/admin/live", get(live::live))
        .route("/admin/{*rest}", get(nothing));
    pages
        .route(
            "/admin/style.css",
            get(async || asset("text/css; charset=utf-8", STYLE)),
        )
        .route(
            "/admin/live.js",
            get(async || asset("text/javascript; charset=utf-8", SCRIPT)),
        )
        .route(
            "/admin/icon.svg",
            get(async || asset("image/svg+xml", ICON)),
        )
}

/// What only a form leads to, entered as an address.
async fn to_profile(Path(number): Path<i64>) -> Redirect {
    Redirect::to(&format!("{}/{number}", profiles::PATH))
}

async fn nothing(_: Administrator) -> PageError {
    PageError::Missing
}

const STYLE: &str = include_str!("pages/templates/style.css");
const SCRIPT: &str = include_str!("pages/templates/live.js");
const ICON: &str = include_str!("pages/templates/icon.svg");

fn asset(media_type: &'static str, text: &'static str) -> Response {
    let mut response = (StatusCode::OK, text).into_response();
    let media_type = HeaderValue::from_static(media_type);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, media_type);
    frame::protected(response)
}
