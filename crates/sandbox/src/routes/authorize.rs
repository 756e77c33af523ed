//! `GET` and `POST /oauth2/authorize`

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::{Html, IntoResponse, Redirect, Response},
};

use super::is_form;
use crate::{
    authorization_server::{Authorization, AuthorizationRefusal},
    ehr::Ehr,
};

pub(super) async fn get(State(ehr): State<Arc<Ehr>>, RawQuery(query): RawQuery) -> Response {
    authorize(&ehr, query.unwrap_or_default().as_bytes())
}

pub(super) async fn post(State(ehr): State<Arc<Ehr>>, headers: HeaderMap, body: Bytes) -> Response {
    let form = if is_form(&headers) { &body[..] } else { b"" };
    authorize(&ehr, form)
}

fn authorize(ehr: &Ehr, encoded: &[u8]) -> Response {
    match ehr.authorize(encoded) {
        Ok(Authorization { redirect, .. })
        | Err(AuthorizationRefusal::Redirect { redirect, .. }) => {
            Redirect::to(redirect.as_str()).into_response()
        }
        Err(AuthorizationRefusal::Page(fault)) => {
            let page = ehr.pages.error(
                "Something went wrong trying to authorize the client. Please try logging in again.",
                &format!("For the help desk: {fault}."),
            );
            (StatusCode::BAD_REQUEST, Html(page)).into_response()
        }
    }
}
