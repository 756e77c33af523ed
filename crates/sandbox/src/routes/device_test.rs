//! `GET` and `POST /interconnect/api/telehealth/device-test`

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
};

use super::{
    end_of_call::{answer, posted},
    write_back_headers,
};
use crate::{ehr::Ehr, end_of_call::EndOfCall};

pub(super) async fn get(
    State(ehr): State<Arc<Ehr>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let call = EndOfCall::from_query(query.unwrap_or_default().as_bytes());
    answer(ehr.device_test(write_back_headers(&headers), call))
}

pub(super) async fn post(State(ehr): State<Arc<Ehr>>, headers: HeaderMap, body: Bytes) -> Response {
    let call = posted(&headers, &body);
    answer(ehr.device_test(write_back_headers(&headers), call))
}
