//! `GET /api/epic/2018/Telehealth/ContextLinking/SetExternalConnectionStatus`,
//! also under `/interconnect`

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header::WWW_AUTHENTICATE},
    response::{IntoResponse, Response},
};

use super::write_back_headers;
use crate::{connection_status::ConnectionStatusFault, ehr::Ehr};

pub(super) async fn get(
    State(ehr): State<Arc<Ehr>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    answer(ehr.connection_status(write_back_headers(&headers), query.as_bytes()))
}

pub(super) fn answer(outcome: Result<(), ConnectionStatusFault>) -> Response {
    match outcome {
        Ok(()) => StatusCode::OK.into_response(),
        Err(fault @ ConnectionStatusFault::Unauthorized) => (
            StatusCode::UNAUTHORIZED,
            [(WWW_AUTHENTICATE, "Basic realm=\"telehealth\"")],
            fault.to_string(),
        )
            .into_response(),
        Err(fault @ ConnectionStatusFault::ClientId) => {
            (StatusCode::FORBIDDEN, fault.to_string()).into_response()
        }
        Err(fault) => (StatusCode::BAD_REQUEST, fault.to_string()).into_response(),
    }
}
