//! `/webapp/`: the landing page and its parts, from the folder in which they were
//! built.

use std::path::Path;

use axum::{
    Router,
    extract::{RawQuery, Request},
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::{Redirect, Response},
    routing::get,
};
use tower_http::services::ServeDir;

use crate::security_headers::PageCsp;

pub(super) fn router(www: &Path) -> Router {
    let files = ServeDir::new(www).precompressed_br().precompressed_gzip();
    let files = Router::new()
        .fallback_service(files)
        .layer(middleware::from_fn(mark));
    Router::new()
        .route("/webapp", get(to_folder))
        .nest_service("/webapp/", files)
}

/// Relative links of the page need the slash. The browser keeps the fragment.
async fn to_folder(RawQuery(query): RawQuery) -> Redirect {
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    Redirect::permanent(&format!("/webapp/{query}"))
}

/// Every file is checked for a newer one before it is used: a script of one build
/// does not fit the WebAssembly module of another.
async fn mark(request: Request, next: Next) -> Response {
    let page = match request.uri().path() {
        "/error-frame.html" => PageCsp::ErrorFrame,
        _ => PageCsp::Landing,
    };
    let mut response = next.run(request).await;
    response.extensions_mut().insert(page);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
