//! Problem documents (RFC 9457), by which the launch API tells of failures.

use axum::{
    Json,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use vestibule_launch::launch_api::Problem;

use crate::{clock::rfc3339, error_page::Failed};

impl Failed {
    /// The problem document.
    pub fn problem(&self) -> Response {
        let problem = Problem {
            status: self.status.as_u16(),
            title: self.detail.clone(),
            error_name: self.error_name,
            telehealth_request_id: self.request_id,
            utc_time: rfc3339(self.at),
        };
        let mut response = (self.status, Json(problem)).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        self.mark(&mut response);
        response
    }
}
