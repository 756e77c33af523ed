//! The launch API, which the landing page calls.

use http::StatusCode;

use super::{
    LAUNCH,
    operation::{Described, Media, get, of, post},
};

const TAG: &str = "Launch API";

/// What any body in JSON may be refused with.
const BODY: [u16; 4] = [400, 413, 415, 422];

const ID: &str = "telehealth_request_id";
const ID_IS: &str = "Identifies the launch.";

pub(super) fn routes() -> Vec<Described> {
    vec![
        post(
            "/api/telehealth/v1/launch/redeem",
            TAG,
            "Redeems the ticket of a join link, once",
        )
        .more("A repeat from the same browser within 60 seconds gets the same answer.")
        .json_body("RedeemRequest")
        .answers(
            StatusCode::OK,
            Media::Json,
            of("RedeemedLaunch"),
            "What the ticket stands for",
        )
        .fails_with_a_problem(&BODY)
        .fails_with_a_problem(&[410, 500, 503]),
        post(
            format!("/api/telehealth/v1/launch/{{{ID}}}/resume"),
            TAG,
            "Takes a launch up again, after a reload or in another tab",
        )
        .by(LAUNCH)
        .uuid(ID, ID_IS)
        .json_body("ResumeRequest")
        .answers(
            StatusCode::OK,
            Media::Json,
            of("RedeemedLaunch"),
            "The same as the ticket stood for",
        )
        .fails_with_a_problem(&BODY)
        .fails_with_a_problem(&[410, 429, 500, 503]),
        post(
            format!("/api/telehealth/v1/launch/{{{ID}}}/events"),
            TAG,
            "The landing page tells what becomes of its launch",
        )
        .by(LAUNCH)
        .uuid(ID, ID_IS)
        .json_body("EventReport")
        .says(StatusCode::NO_CONTENT, "It is stored")
        .fails_with_a_problem(&BODY)
        .fails_with_a_problem(&[410, 429, 500, 503]),
        post(
            "/api/telehealth/v1/launch/error",
            TAG,
            "The landing page reports a failure and learns what to show",
        )
        .json_body("ErrorReport")
        .answers(
            StatusCode::OK,
            Media::Json,
            of("ErrorPage"),
            "What to show, and how",
        )
        .fails_with_a_problem(&BODY)
        .fails_with_a_problem(&[429, 500, 503]),
        get(
            format!("/api/telehealth/v1/launch/{{{ID}}}/error"),
            TAG,
            "What to show of a failure that is known",
        )
        .uuid(ID, ID_IS)
        .answers(
            StatusCode::OK,
            Media::Json,
            of("ErrorPage"),
            "What to show, and how",
        )
        .fails_with_a_problem(&[404, 500, 503]),
    ]
}
