//! The error page: rendered here where the server failed, so that it works without
//! JavaScript.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use vestibule_launch::{ErrorName, RequestId, UnixTime};
use vestibule_template::{Escaping, Template, contexts::ErrorPageContext, defaults};

use crate::{clock::rfc3339, failure::Failure, profile::Profile, security_headers::PageCsp};

/// A failed request, for the log and the page.
#[derive(Clone, Debug)]
pub struct Failed {
    /// The status.
    pub status: StatusCode,
    /// The public name.
    pub error_name: ErrorName,
    /// Identifies the launch.
    pub request_id: RequestId,
    /// When.
    pub at: UnixTime,
    /// What went wrong, in a sentence without personal data.
    pub detail: String,
}

impl Failed {
    /// A failure, logged: this is the one log line that an error page leaves.
    pub fn new(failure: &impl Failure, request_id: RequestId, at: UnixTime) -> Self {
        let (status, error_name) = failure.answer();
        let detail = failure.to_string();
        let cause = cause(failure);
        if status.is_server_error() {
            tracing::error!(%request_id, %error_name, detail, cause, "launch failed");
        } else {
            tracing::warn!(%request_id, %error_name, detail, cause, "launch failed");
        }
        Self {
            status,
            error_name,
            request_id,
            at,
            detail,
        }
    }

    /// The page, from the profile's template where there is a profile; where its
    /// template fails, from the built-in one.
    pub fn page(&self, profile: Option<&Profile>) -> Response {
        let context = ErrorPageContext {
            error_name: self.error_name.as_str().to_owned(),
            telehealth_request_id: self.request_id.to_string(),
            utc_time: rfc3339(self.at),
            detailed_debug_information: profile
                .filter(|profile| profile.show_debug_information)
                .map(|_| self.detail.clone()),
        };
        let rendered = profile.map(|profile| profile.error_page(&context));
        let page = match rendered {
            Some(Ok(page)) => page,
            Some(Err(error)) => {
                let request_id = self.request_id;
                tracing::error!(%request_id, %error, "launch_error_web_template failed; the built-in page is shown");
                built_in(&context)
            }
            None => built_in(&context),
        };
        let mut response = (self.status, Html(page)).into_response();
        response.extensions_mut().insert(PageCsp::ErrorPage);
        self.mark(&mut response);
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// What page and problem document have in common.
    pub(crate) fn mark(&self, response: &mut Response) {
        response.extensions_mut().insert(self.request_id);
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
    }
}

/// What lies behind a failure: for the log, not for users.
fn cause(failure: &dyn std::error::Error) -> Option<String> {
    let causes = std::iter::successors(failure.source(), |error| error.source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    (!causes.is_empty()).then(|| causes.join(": "))
}

fn built_in(context: &ErrorPageContext) -> String {
    Template::parse(defaults::ERROR_PAGE)
        .and_then(|template| template.render(Escaping::Html, context))
        .expect("the built-in page renders; a test proves it")
}
