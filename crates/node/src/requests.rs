//! The requests of the client API, a file each.

mod body;
mod calls;
mod conference_status;
mod events;
mod participants;
mod refresh_token;
mod release_token;
mod request_token;
mod status;
mod theme;

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header::CACHE_CONTROL},
    middleware::{self, Next},
    response::Response,
    routing::{any, get, post},
};

use crate::{Node, refusal::Refusal};

/// All routes of the client API that this node knows. Others below
/// `/api/client/v2/` are answered in the client API's way too.
pub(crate) fn router(node: Node) -> Router {
    let conference = Router::new()
        .route("/request_token", post(request_token::answer))
        .route("/refresh_token", post(refresh_token::answer))
        .route("/release_token", post(release_token::answer))
        .route("/events", get(events::answer))
        .route("/theme", get(theme::answer))
        .route("/theme/", get(theme::answer))
        .route("/conference_status", get(conference_status::answer))
        .route("/participants", get(participants::answer))
        .route("/participants/{uuid}/calls", post(calls::answer));
    Router::new()
        .route("/api/client/v2/status", get(status::answer))
        .nest("/api/client/v2/conferences/{alias}", conference)
        .route("/api/client/v2/{*rest}", any(not_found))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn(forbid_storing))
        .with_state(node)
}

async fn not_found() -> Refusal {
    Refusal::NotFound
}

async fn method_not_allowed() -> Refusal {
    Refusal::Method
}

async fn forbid_storing(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    response
}
