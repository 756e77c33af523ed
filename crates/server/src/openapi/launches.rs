//! Where EHRs and people begin: launches, the return from the sign-in, direct join links.

use http::StatusCode;
use vestibule_launch::EhrRole;

use super::operation::{Described, Media, get, post, text};
use crate::{
    backend::JWKS_ROUTE,
    dialect::{self, Entrance, NamedBy},
    routes::direct_link_path,
};

const TAG: &str = "Launches";

/// With which statuses a launch, or a part of it, leads to an error page.
const LAUNCH_FAILURES: [u16; 9] = [400, 404, 410, 413, 429, 500, 502, 503, 504];
const RETURN_FAILURES: [u16; 9] = [400, 403, 404, 410, 413, 500, 502, 503, 504];

const UUID: &str = "The telehealth profile's uuid.";

pub(super) fn routes() -> Vec<Described> {
    let mut routes: Vec<_> = dialect::entrances().flat_map(entrance).collect();
    for role in [EhrRole::Patient, EhrRole::Provider] {
        routes.extend(authorized(role));
        routes.extend(direct_link(role));
    }
    routes.push(
        get(
            JWKS_ROUTE,
            TAG,
            "The public keys of a profile's backend application",
        )
        .segment("uuid", UUID)
        .answers(
            StatusCode::OK,
            Media::Json,
            super::operation::of("Jwks"),
            "A JSON Web Key Set (RFC 7517)",
        )
        .shows(
            StatusCode::NOT_FOUND,
            Media::Text,
            "No such profile, or it has none",
        ),
    );
    routes.push(get("/healthz", "Server", "The process runs").shows(
        StatusCode::OK,
        Media::Text,
        "It does, whatever the database and the EHR do",
    ));
    routes.push(ready());
    routes
}

fn ready() -> Described {
    let readiness = || super::operation::of("Readiness");
    get("/readyz", "Server", "Whether the server can work")
        .answers(
            StatusCode::OK,
            Media::Json,
            readiness(),
            "Launches can be taken",
        )
        .answers(
            StatusCode::SERVICE_UNAVAILABLE,
            Media::Json,
            readiness(),
            "It is ending, or its database or its disk takes no writes",
        )
}

/// By GET in the query, by POST in a form.
fn entrance(entrance: &Entrance) -> [Described; 2] {
    [get, post].map(|described| {
        let route = described(entrance.path, TAG, "A launch from the EHR")
            .more(
                "The parameters of the dialect, in the query or in a form: Epic's `iss`, \
                 `launch` and the encrypted parameter that the profile names, or Zoom's \
                 `org_id` and `data`.",
            )
            .leads("To the EHR's sign-in, or to the join link where there is none")
            .shows(
                StatusCode::OK,
                Media::Html,
                "A page that posts its way to the EHR's sign-in",
            )
            .fails_with_a_page(&LAUNCH_FAILURES);
        match entrance.profile {
            NamedBy::Uuid => route
                .segment("uuid", UUID)
                .query("iss", false, "The EHR's FHIR base URL")
                .query("launch", false, "The EHR's launch token"),
            NamedBy::Parameter(name) => route.query(name, false, "What names the profile").query(
                "data",
                false,
                "The encrypted parameters",
            ),
        }
    })
}

fn authorized(role: EhrRole) -> [Described; 2] {
    let path = format!(
        "/api/telehealth/v1/{}/oauth2authorized/{{uuid}}",
        role.as_str()
    );
    [get, post].map(|described| {
        described(path.clone(), TAG, "The way back from the EHR's sign-in")
            .segment("uuid", UUID)
            .query("state", false, "As it was sent to the EHR")
            .query("code", false, "The authorization code")
            .query(
                "error",
                false,
                "Why there is no code (RFC 6749 section 4.1.2.1)",
            )
            .leads("To the join link")
            .fails_with_a_page(&RETURN_FAILURES)
    })
}

fn direct_link(role: EhrRole) -> [Described; 2] {
    let path = direct_link_path(role);
    let page = get(path.clone(), TAG, "Where a direct join link leads")
        .segment("uuid", UUID)
        .shows(StatusCode::OK, Media::Html, "A page with one button")
        .fails_with_a_page(&[400, 404, 429, 500, 503]);
    let button = post(path, TAG, "What the button does")
        .segment("uuid", UUID)
        .form_body(text())
        .leads("To the join link")
        .fails_with_a_page(&[400, 404, 410, 413, 429, 500, 502, 503, 504]);
    [page, button]
}
