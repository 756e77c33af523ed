//! `POST /oauth2/token`

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{PRAGMA, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{authorization, is_form};
use crate::ehr::Ehr;

pub(super) async fn post(State(ehr): State<Arc<Ehr>>, headers: HeaderMap, body: Bytes) -> Response {
    let form = is_form(&headers).then_some(&body[..]);
    let mut response = match ehr.token(authorization(&headers), form).await {
        Ok(answer) => Json(answer).into_response(),
        Err(fault) => {
            let error = fault.code();
            let body = Json(json!({
                "error": error,
                "error_description": fault.to_string(),
            }));
            if error == "invalid_client" {
                let challenge = [(WWW_AUTHENTICATE, "Basic realm=\"oauth2\"")];
                (StatusCode::UNAUTHORIZED, challenge, body).into_response()
            } else {
                (StatusCode::BAD_REQUEST, body).into_response()
            }
        }
    };
    // RFC 6749 section 5.1 asks for both; Cache-Control stands on every answer.
    response
        .headers_mut()
        .insert(PRAGMA, axum::http::HeaderValue::from_static("no-cache"));
    response
}
