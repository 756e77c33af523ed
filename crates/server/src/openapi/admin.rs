//! The admin API.

use http::StatusCode;
use utoipa::openapi::path::{HttpMethod, ParameterIn};

use super::{
    ADMIN, PATH,
    operation::{Described, Media, flag, get, of, post, uuid, whole_number},
};
use crate::admin::PROFILES;

const TAG: &str = "Admin API";

pub(super) fn routes() -> Vec<Described> {
    let one = format!("{PROFILES}{{id}}/");
    let schema = format!("{PROFILES}schema/");
    let of_one = |route: Described| {
        route.parameter(
            "id",
            "The profile's number.",
            ParameterIn::Path,
            true,
            whole_number(),
        )
    };
    let written =
        |route: Described| refused(route, &[400, 403, 409, 413, 415]).json_body("ProfileWritten");
    vec![
        refused(get(PROFILES, TAG, "The profiles, a page at a time"), &[400])
            .parameter(
                "limit",
                "On a page; 0 for as many as there may be",
                ParameterIn::Query,
                false,
                whole_number(),
            )
            .parameter(
                "offset",
                "Before the page",
                ParameterIn::Query,
                false,
                whole_number(),
            )
            .query("name", false, "Only those of this name")
            .parameter(
                "uuid",
                "Only the one of this uuid",
                ParameterIn::Query,
                false,
                uuid(),
            )
            .answers(StatusCode::OK, Media::Json, of("ProfileList"), "The page"),
        written(post(PROFILES, TAG, "Makes a profile")).answers(
            StatusCode::CREATED,
            Media::Json,
            of("Profile"),
            "It is made",
        ),
        refused(get(schema, TAG, "Which fields a profile has"), &[]).answers(
            StatusCode::OK,
            Media::Json,
            of("ProfileSchema"),
            "The fields",
        ),
        refused(
            of_one(get(one.clone(), TAG, "A profile, without its secrets")),
            &[404],
        )
        .answers(StatusCode::OK, Media::Json, of("Profile"), "The profile"),
        written(of_one(Described::new(
            HttpMethod::Put,
            one.clone(),
            TAG,
            "Replaces a profile; what is left out gets its default",
        )))
        .answers(StatusCode::OK, Media::Json, of("Profile"), "The new one")
        .fails(&[404], Media::Json, &of("AdminFailure").into()),
        written(of_one(Described::new(
            HttpMethod::Patch,
            one.clone(),
            TAG,
            "Changes a profile; what is left out stays",
        )))
        .answers(StatusCode::OK, Media::Json, of("Profile"), "The new one")
        .fails(&[404], Media::Json, &of("AdminFailure").into()),
        refused(
            of_one(Described::new(
                HttpMethod::Delete,
                one,
                TAG,
                "Removes a profile",
            )),
            &[400, 403, 404, 409],
        )
        .parameter(
            "force",
            "Also while visits run",
            ParameterIn::Query,
            false,
            flag(),
        )
        .says(StatusCode::NO_CONTENT, "It is gone"),
        refused(get(PATH, TAG, "This document"), &[]).answers(
            StatusCode::OK,
            Media::Json,
            of("OpenApi"),
            "In OpenAPI 3.1",
        ),
    ]
}

/// What any request may be refused with, and these.
fn refused(route: Described, statuses: &[u16]) -> Described {
    let failure = of("AdminFailure").into();
    route
        .by(ADMIN)
        .fails(statuses, Media::Json, &failure)
        .fails(&[401, 429, 500, 503], Media::Json, &failure)
}
