//! What Pexip Infinity asks and tells.

use http::StatusCode;

use super::{
    PEXIP,
    operation::{Described, Media, get, of, post, text},
};

const TAG: &str = "Pexip Infinity";

pub(super) fn routes() -> Vec<Described> {
    let policy = |path: &str, summary: &str| {
        get(format!("/policy/v1/{path}"), TAG, summary)
            .by(PEXIP)
            .fails(&[401], Media::Text, &text().into())
    };
    let as_it_is = |path: &str, summary: &str| {
        policy(path, summary).answers(
            StatusCode::OK,
            Media::Json,
            of("PolicyAnswer"),
            "Pexip goes on with its own",
        )
    };
    vec![
        policy("service/configuration", "What stands behind an alias")
            .query("local_alias", false, "What was dialled")
            .answers(
                StatusCode::OK,
                Media::Json,
                of("PolicyAnswer"),
                "The conference, or what Pexip is to do without one",
            )
            .fails(&[503], Media::Text, &text().into()),
        as_it_is("participant/properties", "What a participant is"),
        as_it_is("participant/location", "Where media goes"),
        policy("participant/avatar/{alias}", "A picture")
            .segment("alias", "The participant.")
            .says(StatusCode::NOT_FOUND, "There are none"),
        as_it_is("registrations", "Registered aliases"),
        as_it_is("registrations/{alias}", "Whether a device may register")
            .segment("alias", "The device."),
        post(
            "/api/telehealth/v1/event_sink",
            TAG,
            "What happens in conferences",
        )
        .by(PEXIP)
        .json_body("SinkMessage")
        .says(StatusCode::NO_CONTENT, "All of it is stored")
        .fails(&[400, 401, 413, 503], Media::Text, &text().into()),
    ]
}
