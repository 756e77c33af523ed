//! Security headers of every response, in one place.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

use crate::config::FrameAncestor;

/// Which kind of page a response is; one without this extension is no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageCsp {
    /// The landing page and its parts.
    Landing,
    /// The frame in which the landing page shows a profile's error page.
    ErrorFrame,
    /// An error page rendered by the server.
    ErrorPage,
}

/// The Content-Security-Policies, made once.
#[derive(Clone, Debug)]
pub struct Policies {
    landing: HeaderValue,
    error_frame: HeaderValue,
    error_page: HeaderValue,
}

impl Policies {
    /// Policies for a landing page that these pages may embed.
    pub fn new(frame_ancestors: &[FrameAncestor]) -> Self {
        let embedders: Vec<&str> = frame_ancestors.iter().map(FrameAncestor::as_str).collect();
        let embedders = embedders.join(" ");
        let ancestors = if embedders.is_empty() {
            "'none'"
        } else {
            &embedders
        };
        let header = |policy: String| {
            HeaderValue::from_str(&policy).expect("origins are visible ASCII, and so is the rest")
        };
        Self {
            // 'wasm-unsafe-eval' lets WebAssembly compile, and nothing else.
            landing: header(format!(
                "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
                 img-src 'self' data:; connect-src 'self'; frame-src 'self'; base-uri 'none'; \
                 form-action 'self'; frame-ancestors {ancestors}"
            )),
            // Every ancestor counts, so those of the landing page are named here too.
            error_frame: header(
                format!(
                    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
                     base-uri 'none'; form-action 'none'; frame-ancestors 'self' {embedders}"
                )
                .trim_end()
                .to_owned(),
            ),
            // A profile's template brings its styles inline, as the documented default does.
            // Inline style can at worst disfigure the page: scripts, requests and forms are off.
            error_page: header(format!(
                "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
                 form-action 'none'; frame-ancestors {ancestors}"
            )),
        }
    }

    fn of(&self, page: Option<PageCsp>) -> HeaderValue {
        match page {
            None => HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
            Some(PageCsp::Landing) => self.landing.clone(),
            Some(PageCsp::ErrorFrame) => self.error_frame.clone(),
            Some(PageCsp::ErrorPage) => self.error_page.clone(),
        }
    }
}

/// Sets the headers on a response. A route that sets `Cache-Control` keeps its own.
pub async fn set(State(policies): State<Arc<Policies>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let page = response.extensions().get::<PageCsp>().copied();
    let policy = policies.of(page);
    let opener_policy = match page {
        // A sign-in window must be able to hand its token back.
        Some(PageCsp::Landing) => "same-origin-allow-popups",
        _ => "same-origin",
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(self), microphone=(self)",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            opener_policy,
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
