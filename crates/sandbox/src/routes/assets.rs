//! `GET /style.css` and `GET /icon.svg`

use axum::{http::header::CONTENT_TYPE, response::IntoResponse};

pub(super) async fn style() -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "text/css; charset=utf-8")],
        include_str!("../../templates/style.css"),
    )
}

pub(super) async fn icon() -> impl IntoResponse {
    (
        [(CONTENT_TYPE, "image/svg+xml")],
        include_str!("../../templates/icon.svg"),
    )
}
