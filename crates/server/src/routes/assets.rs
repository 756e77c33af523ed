//! The landing page under its paths, and its files from where they are.

use axum::{
    Router,
    extract::{RawQuery, Request, State},
    http::{HeaderValue, Method, header},
    middleware::{self, Next},
    response::{Redirect, Response},
    routing::get,
};
use tower_http::services::ServeDir;
use vestibule_landing_page::is_page;

use crate::{landing_page::LandingPage, page_files::PageFiles, security_headers::PageCsp};

/// Digits of the hash in the name of a file that never changes.
const HASH_DIGITS: usize = 10;

pub(super) fn router(page: &LandingPage) -> Router {
    let files = match page.files() {
        PageFiles::Folder(folder) => {
            let files = ServeDir::new(folder)
                .precompressed_br()
                .precompressed_gzip();
            Router::new().fallback_service(files)
        }
        PageFiles::Embedded(files) => {
            let files = ServeDir::with_backend("", *files)
                .precompressed_br()
                .precompressed_gzip();
            Router::new().fallback_service(files)
        }
    };
    let files = files.layer(middleware::from_fn_with_state(page.clone(), serve));
    let mut router = Router::new();
    for path in page.paths() {
        let folder = path.as_str().to_owned();
        let to_folder = move |query| to_folder(folder, query);
        router = router
            .route(path.as_str().trim_end_matches('/'), get(to_folder))
            .nest_service(path.as_str(), files.clone());
    }
    router
}

/// Other addresses below the page count from the slash. The browser keeps the fragment.
async fn to_folder(folder: String, RawQuery(query): RawQuery) -> Redirect {
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    Redirect::permanent(&format!("{folder}{query}"))
}

/// The page where join links lead, and the files beside it.
async fn serve(State(page): State<LandingPage>, request: Request, next: Next) -> Response {
    let below = request.uri().path().trim_start_matches('/').to_owned();
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let mut response = if is_read && is_page(&below) {
        page.answer(request.headers())
    } else {
        file(next.run(request).await, &below)
    };
    let policy = match below.as_str() {
        "error-frame.html" => PageCsp::ErrorFrame,
        _ => PageCsp::Landing,
    };
    response.extensions_mut().insert(policy);
    response
}

/// Says how long a file may be kept: one with a hash in its name for good, another one
/// is checked before it is used, as a script of one build does not fit the WebAssembly
/// module of another.
fn file(mut response: Response, name: &str) -> Response {
    let is_there = response.status().is_success() || response.status() == 304;
    let kept = if is_there && is_hashed(name) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    response
}

/// Whether a part of the name, between dots, is a hash: `vestibule.0123456789.js`.
fn is_hashed(name: &str) -> bool {
    let is_hash = |part: &str| {
        let digits = part.bytes();
        part.len() == HASH_DIGITS
            && digits
                .into_iter()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    };
    let file = name.rsplit('/').next().unwrap_or(name);
    let parts: Vec<&str> = file.split('.').collect();
    match parts.as_slice() {
        [_, between @ .., _] => between.iter().any(|part| is_hash(part)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use tower::ServiceExt as _;
    use vestibule_landing_page::Configuration;

    use super::*;
    use crate::page_files::EmbeddedFiles;

    const FILES: EmbeddedFiles = EmbeddedFiles::new(&[
        ("css/landing.0123456789.css", b"p {}"),
        (
            "index.html",
            b"<!doctype html><head><title>Visit</title></head><p data-brand=name>Visit</p>",
        ),
        ("module.0123456789.wasm", b"\0asm and more"),
        ("module.0123456789.wasm.br", b"small"),
    ]);

    /// The answer to a request with these headers, and its body.
    async fn embedded(path: &str, headers: &[(&str, &str)]) -> (Response, Vec<u8>) {
        let files = PageFiles::Embedded(FILES);
        let page = LandingPage::read(files, &Configuration::default()).unwrap();
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = router(&page).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1000).await.unwrap();
        (Response::from_parts(parts, Body::empty()), body.to_vec())
    }

    #[tokio::test]
    async fn files_in_the_program_are_served_as_those_of_a_folder() {
        let (page, body) = embedded("/webapp/", &[]).await;
        assert_eq!(page.status(), 200);
        assert!(String::from_utf8(body).unwrap().contains("Visit"));

        let path = "/webapp/module.0123456789.wasm";
        let (module, body) = embedded(path, &[]).await;
        assert_eq!(module.status(), 200);
        assert_eq!(module.headers()[header::CONTENT_TYPE], "application/wasm");
        assert_eq!(body, b"\0asm and more");
        let kept = &module.headers()[header::CACHE_CONTROL];
        assert_eq!(kept, "public, max-age=31536000, immutable");
        let (module, body) = embedded(path, &[("accept-encoding", "br")]).await;
        assert_eq!(module.headers()[header::CONTENT_ENCODING], "br");
        assert_eq!(module.headers()[header::CONTENT_TYPE], "application/wasm");
        assert_eq!(body, b"small");
        let (part, body) = embedded(path, &[("range", "bytes=1-3")]).await;
        assert_eq!(part.status(), 206);
        assert_eq!(body, b"asm");

        let (style, _) = embedded("/webapp/css/landing.0123456789.css", &[]).await;
        assert_eq!(style.headers()[header::CONTENT_TYPE], "text/css");
        for missing in ["css", "css/", "css/other.css", "..%2fCargo.toml"] {
            let (answer, _) = embedded(&format!("/webapp/{missing}"), &[]).await;
            assert_eq!(answer.status(), 404, "{missing}");
        }
    }

    #[test]
    fn a_hashed_name_has_ten_digits_between_dots() {
        for name in [
            "vestibule.0123456789.js",
            "css/landing.abcdef0123.css",
            "locales/zh.00ff00ff00.json",
        ] {
            assert!(is_hashed(name), "{name}");
        }
        for name in [
            "index.html",
            "vestibule.js",
            "vestibule.012345678.js",
            "vestibule.0123456789",
            "0123456789.js",
            "vestibule.0123456789.dir/a.js",
            "vestibule.0123ABCDEF.js",
            "vestibule.min.js",
        ] {
            assert!(!is_hashed(name), "{name}");
        }
    }
}
