//! The client API of the embedded conferencing node, as Pexip's documentation of version
//! 2 has it.

use http::StatusCode;
use utoipa::openapi::path::ParameterIn;

use super::operation::{Described, Media, get, of, post, text};

const TAG: &str = "Conferencing node";

const CONFERENCE: &str = "/api/client/v2/conferences/{alias}";
const ALIAS: &str = "What is dialled.";

/// What Pexip's clients understand; anything wrong with a request is a 403.
const FAILURES: [u16; 3] = [403, 404, 503];

pub(super) fn routes() -> Vec<Described> {
    let mut routes = vec![
        get(
            "/api/client/v2/status",
            TAG,
            "Whether the node takes newcomers",
        )
        .answers(StatusCode::OK, Media::Json, of("NodeSuccess"), "It does")
        .fails(&[503], Media::Json, &of("NodeFailure").into()),
        conference("request_token", post, "To come in")
            .json_body("RequestTokenBody")
            .parameter(
                "pin",
                "The PIN; `none` for guests",
                ParameterIn::Header,
                false,
                text(),
            )
            .answers(StatusCode::OK, Media::Json, of("NodeSuccess"), "A token")
            .fails(&[403], Media::Json, &of("NodeAnswer").into())
            .fails(&[404, 415, 503], Media::Json, &of("NodeFailure").into()),
    ];
    routes.extend([
        with_token("refresh_token", post, "To stay").answers(
            StatusCode::OK,
            Media::Json,
            of("NodeSuccess"),
            "A new token",
        ),
        with_token("release_token", post, "To leave").answers(
            StatusCode::OK,
            Media::Json,
            of("NodeSuccess"),
            "Left",
        ),
        with_token("conference_status", get, "What goes on").answers(
            StatusCode::OK,
            Media::Json,
            of("NodeSuccess"),
            "The conference",
        ),
        with_token("participants", get, "Who is there").answers(
            StatusCode::OK,
            Media::Json,
            of("NodeSuccess"),
            "The participants",
        ),
        with_token(
            "participants/{uuid}/calls",
            post,
            "To send media, which this node does not carry",
        )
        .segment("uuid", "The participant."),
        with_token("events", get, "What happens, as server-sent events")
            .more("200 is a stream in `text/event-stream` that ends with the token."),
        conference("theme", get, "Splash screens").says(StatusCode::NO_CONTENT, "There are none"),
    ]);
    routes
}

fn conference(
    below: &str,
    described: fn(String, &str, &str) -> Described,
    summary: &str,
) -> Described {
    described(format!("{CONFERENCE}/{below}"), TAG, summary).segment("alias", ALIAS)
}

fn with_token(
    below: &str,
    described: fn(String, &str, &str) -> Described,
    summary: &str,
) -> Described {
    conference(below, described, summary)
        .query("token", false, "The token; in a header `token` as well")
        .fails(&FAILURES, Media::Json, &of("NodeFailure").into())
}
