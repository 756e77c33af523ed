//! `POST /api/telehealth/direct-launch-token`

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header::WWW_AUTHENTICATE},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{authorization, is_json};
use crate::{direct_launch::DirectLaunchFault, ehr::Ehr};

pub(super) async fn post(State(ehr): State<Arc<Ehr>>, headers: HeaderMap, body: Bytes) -> Response {
    let body = if is_json(&headers) { &body[..] } else { b"" };
    match ehr.direct_launch_token(authorization(&headers), body) {
        Ok(answer) => Json(answer).into_response(),
        Err(fault) => {
            let body = Json(json!({
                "error": fault.code(),
                "error_description": fault.to_string(),
            }));
            match fault {
                DirectLaunchFault::Unauthorized => {
                    let challenge = [(WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")];
                    (StatusCode::UNAUTHORIZED, challenge, body).into_response()
                }
                DirectLaunchFault::Malformed => (StatusCode::BAD_REQUEST, body).into_response(),
                DirectLaunchFault::NotOpenYet => (StatusCode::FORBIDDEN, body).into_response(),
                DirectLaunchFault::Unknown | DirectLaunchFault::Over => {
                    (StatusCode::NOT_FOUND, body).into_response()
                }
            }
        }
    }
}
