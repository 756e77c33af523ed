//! Security headers of every response, in one place.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

use base64ct::{Base64, Encoding as _};
use sha2::{Digest as _, Sha256};
use vestibule_landing_page::{Configuration, NO_DEVICES, error_frame_policy};
use vestibule_template::defaults::ERROR_PAGE_SCRIPT_SHA256;

use crate::{button_page, config::FrameAncestor, landing_page::LandingPage, plain, sign_in_page};

/// The policy of what is no page.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// Which kind of page a response is; one without this extension is no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageCsp {
    /// The landing page and its parts.
    Landing,
    /// The frame in which the landing page shows a profile's error page.
    ErrorFrame,
    /// An error page rendered by the server.
    ErrorPage,
    /// The page from which the browser posts its way to the EHR's sign-in.
    SignIn,
    /// The page of a direct join link.
    DirectLink,
    /// A page of a visit in plain HTML.
    Plain,
}

/// The Content-Security-Policies, made once.
#[derive(Clone, Debug)]
pub struct Policies {
    /// None where there is no landing page.
    landing: Option<HeaderValue>,
    landing_permissions: HeaderValue,
    error_frame: HeaderValue,
    error_page: HeaderValue,
    sign_in: HeaderValue,
    direct_link: HeaderValue,
    plain: HeaderValue,
}

impl Policies {
    /// Policies without a landing page, for pages that these may embed.
    pub fn new(frame_ancestors: &[FrameAncestor]) -> Self {
        let embedders: Vec<&str> = frame_ancestors.iter().map(FrameAncestor::as_str).collect();
        let ancestors = match embedders.join(" ") {
            none if none.is_empty() => "'none'".to_owned(),
            origins => origins,
        };
        let button_style = Base64::encode_string(&Sha256::digest(button_page::STYLE));
        Self {
            // The form is sent to this server, which redirects to wherever join links
            // lead; browsers hold that against form-action too.
            direct_link: header(format!(
                "default-src 'none'; style-src 'sha256-{button_style}'; base-uri 'none'; \
                 form-action 'self' https:; frame-ancestors 'none'"
            )),
            plain: plain_policy(&Configuration::default(), frame_ancestors),
            landing: None,
            landing_permissions: HeaderValue::from_static(NO_DEVICES),
            error_frame: header(error_frame_policy(&embedders)),
            // A profile's template brings its styles inline, as the documented default does.
            // Inline style can at worst disfigure the page: requests and forms are off, and so
            // are scripts but for the built-in page's, which copies the request id.
            error_page: header(format!(
                "default-src 'none'; script-src 'sha256-{ERROR_PAGE_SCRIPT_SHA256}'; \
                 style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
                 form-action 'none'; frame-ancestors {ancestors}"
            )),
            // The EHR redirects from wherever the form goes to its own sign-in and from there
            // back to this server; browsers hold that against form-action too.
            sign_in: header(format!(
                "default-src 'none'; script-src {script}; style-src {style}; base-uri 'none'; \
                 form-action https: http://127.0.0.1:* http://localhost:*; \
                 frame-ancestors {ancestors}",
                script = hash_source(sign_in_page::SCRIPT),
                style = hash_source(button_page::STYLE),
            )),
        }
    }

    /// The same with those of this landing page.
    #[must_use]
    pub fn with_landing_page(mut self, page: &LandingPage, embedders: &[FrameAncestor]) -> Self {
        self.landing = Some(header(page.policy(embedders)));
        self.landing_permissions = HeaderValue::from_static(page.permissions());
        self.plain = plain_policy(page.configuration(), embedders);
        self
    }

    fn of(&self, page: Option<PageCsp>) -> HeaderValue {
        let nothing = HeaderValue::from_static(NOTHING);
        match page {
            None => nothing,
            Some(PageCsp::Landing) => self.landing.clone().unwrap_or(nothing),
            Some(PageCsp::ErrorFrame) => self.error_frame.clone(),
            Some(PageCsp::ErrorPage) => self.error_page.clone(),
            Some(PageCsp::SignIn) => self.sign_in.clone(),
            Some(PageCsp::DirectLink) => self.direct_link.clone(),
            Some(PageCsp::Plain) => self.plain.clone(),
        }
    }
}

/// A form with the link may be answered with a redirect to a Connect web app. The page has
/// a frame of this server in it.
fn plain_policy(configuration: &Configuration, embedders: &[FrameAncestor]) -> HeaderValue {
    let embedders = embedders.iter().map(FrameAncestor::as_str);
    let frames: Vec<&str> = std::iter::once("'self'").chain(embedders).collect();
    header(format!(
        "default-src 'none'; style-src {style}; frame-src 'self'; base-uri 'none'; \
         form-action 'self' https:; frame-ancestors {frames}",
        style = hash_source(&plain::style(configuration)),
        frames = frames.join(" "),
    ))
}

fn header(policy: String) -> HeaderValue {
    HeaderValue::from_maybe_shared(policy).expect("origins are visible ASCII, and so is the rest")
}

/// By which a policy allows exactly this script or style.
fn hash_source(text: &str) -> String {
    format!("'sha256-{}'", Base64::encode_string(&Sha256::digest(text)))
}

/// Sets the headers on an answer that comes from no route, and is no page.
pub(crate) fn of_no_page(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, NOTHING),
        (HeaderName::from_static("permissions-policy"), NO_DEVICES),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
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
    let permissions = match page {
        Some(PageCsp::Landing) => policies.landing_permissions.clone(),
        _ => HeaderValue::from_static(NO_DEVICES),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(HeaderName::from_static("permissions-policy"), permissions);
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
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
