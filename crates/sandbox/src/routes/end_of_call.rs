//! `GET` and `POST` at the configured path, `/interconnect/api/telehealth/end-of-call`
//! where nothing is configured

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header::WWW_AUTHENTICATE},
    response::{IntoResponse, Response},
};

use super::{is_json, write_back_headers};
use crate::{
    ehr::Ehr,
    end_of_call::{EndOfCall, EndOfCallFault},
};

pub(super) async fn get(
    State(ehr): State<Arc<Ehr>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let call = EndOfCall::from_query(query.unwrap_or_default().as_bytes());
    take(&ehr, &headers, call)
}

pub(super) async fn post(State(ehr): State<Arc<Ehr>>, headers: HeaderMap, body: Bytes) -> Response {
    let call = posted(&headers, &body);
    take(&ehr, &headers, call)
}

/// The call in a body.
pub(super) fn posted(headers: &HeaderMap, body: &Bytes) -> Result<EndOfCall, EndOfCallFault> {
    if is_json(headers) {
        EndOfCall::from_json(body)
    } else {
        Err(EndOfCallFault::NotAnObject)
    }
}

fn take(ehr: &Ehr, headers: &HeaderMap, call: Result<EndOfCall, EndOfCallFault>) -> Response {
    answer(ehr.end_of_call(write_back_headers(headers), call))
}

/// What the sender of a call hears.
pub(super) fn answer(taken: Result<(), EndOfCallFault>) -> Response {
    match taken {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(fault @ EndOfCallFault::Unauthorized) => (
            StatusCode::UNAUTHORIZED,
            [(WWW_AUTHENTICATE, "Basic realm=\"telehealth\"")],
            fault.to_string(),
        )
            .into_response(),
        Err(fault) => (StatusCode::BAD_REQUEST, fault.to_string()).into_response(),
    }
}
