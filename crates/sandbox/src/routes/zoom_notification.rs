//! `GET /zoom/notifications`

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
};

use super::{authorization, connection_status::answer};
use crate::ehr::Ehr;

pub(super) async fn get(
    State(ehr): State<Arc<Ehr>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    answer(ehr.zoom_notification(authorization(&headers), query.as_bytes()))
}
