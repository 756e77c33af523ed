//! `GET …/theme/`: the splash screens, of which there are none.

use axum::http::StatusCode;

pub(super) async fn answer() -> StatusCode {
    StatusCode::NO_CONTENT
}
