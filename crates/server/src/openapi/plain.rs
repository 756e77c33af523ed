//! Visits in plain HTML.

use http::StatusCode;

use super::operation::{Described, Media, get, post, text};
use crate::plain::PATH;

const TAG: &str = "Visits in plain HTML";

/// What a visit's page may fail with.
const FAILURES: [u16; 11] = [400, 403, 404, 410, 413, 422, 429, 500, 502, 503, 504];

pub(super) fn routes() -> Vec<Described> {
    let visit = format!("{PATH}/visit");
    vec![
        get(PATH, TAG, "A form for the join link")
            .shows(StatusCode::OK, Media::Html, "The form")
            .fails_with_a_page(&[500, 503]),
        post(PATH, TAG, "Goes into the visit")
            .form_body(text())
            .leads("To the page of the visit, or to a Connect web app")
            .shows(StatusCode::OK, Media::Html, "The link for another browser")
            .fails_with_a_page(&FAILURES),
        get(visit.clone(), TAG, "Where the visit is")
            .shows(StatusCode::OK, Media::Html, "The page")
            .fails_with_a_page(&FAILURES),
        post(visit.clone(), TAG, "Name, PIN, guest, once more, or leave")
            .form_body(text())
            .leads("To the page of the visit")
            .shows(
                StatusCode::OK,
                Media::Html,
                "The page of a visit that is over",
            )
            .fails_with_a_page(&FAILURES),
        get(
            format!("{visit}/status"),
            TAG,
            "Where the visit is, in a frame of its page",
        )
        .query("shown", false, "What the frame shows now")
        .says(StatusCode::NO_CONTENT, "Nothing has changed")
        .shows(StatusCode::OK, Media::Html, "The frame")
        .fails_with_a_page(&FAILURES),
    ]
}
