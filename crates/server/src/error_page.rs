//! The error page: rendered here where the server failed, so that it works without
//! JavaScript.

use std::{sync::Arc, time::Duration};

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use vestibule_launch::{ErrorName, RequestId, UnixTime};
use vestibule_template::{Escaping, Template, TemplateError, contexts::ErrorPageContext, defaults};

use crate::{
    clock::rfc3339, error_reference, failure::Failure, profile::Profile, security_headers::PageCsp,
    telemetry::Telemetry, tools::Tools,
};

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
    /// What may be told of what went wrong, in a sentence without personal data.
    pub detail: String,
    /// How long to wait before trying again, where that is known.
    pub retry_after: Option<Duration>,
    telemetry: Arc<Telemetry>,
}

impl Failed {
    /// A failure of this moment.
    pub fn new(failure: &impl Failure, request_id: RequestId, tools: &Tools) -> Self {
        let (status, error_name) = failure.answer();
        debug_assert!(
            error_reference::entry(error_name).comes_with(status),
            "{error_name} is not in the table with {status}"
        );
        Self {
            status,
            error_name,
            request_id,
            at: tools.now(),
            detail: told(error_name, failure.to_string()),
            retry_after: failure.retry_after(),
            telemetry: Arc::clone(&tools.telemetry),
        }
    }

    /// Logs it: this is the one log line that an error page leaves.
    pub fn log(&self, failure: &impl Failure) {
        let Self {
            error_name,
            request_id,
            ..
        } = self;
        let (detail, cause) = (failure.to_string(), cause(failure));
        if self.status.is_server_error() {
            tracing::error!(%request_id, %error_name, detail, cause, "launch failed");
        } else {
            tracing::warn!(%request_id, %error_name, detail, cause, "launch failed");
        }
    }

    /// The page, from the profile's template where there is a profile; where its
    /// template fails, from the built-in one. `language` is the browser's.
    pub fn page(&self, profile: Option<&Profile>, language: Option<&str>) -> Response {
        let context = ErrorPageContext {
            error_name: self.error_name.as_str().to_owned(),
            telehealth_request_id: self.request_id.to_string(),
            utc_time: rfc3339(self.at),
            language: language.map(str::to_owned),
            detailed_debug_information: profile
                .filter(|profile| profile.show_debug_information)
                .map(|_| self.detail.clone()),
        };
        let page = profile.and_then(|profile| self.own(profile, &context));
        let page = page.unwrap_or_else(|| built_in(&context));
        let mut response = (self.status, Html(page)).into_response();
        response.extensions_mut().insert(PageCsp::ErrorPage);
        self.mark(&mut response);
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// The page from the profile's template. Where that fails, nobody but whoever looks
    /// after the server can do anything about it.
    fn own(&self, profile: &Profile, context: &ErrorPageContext) -> Option<String> {
        let rendered = profile.error_page(context);
        let failed = |error: &TemplateError| {
            let request_id = self.request_id;
            tracing::error!(%request_id, %error, "launch_error_web_template failed; the built-in page is shown");
            self.telemetry.error_template_failed(profile.uuid);
        };
        rendered.inspect_err(failed).ok()
    }

    /// By which support finds it: name, launch and time.
    pub(crate) fn reference(&self) -> String {
        let Self {
            error_name,
            request_id,
            at,
            ..
        } = self;
        format!("{error_name} {request_id} {}", rfc3339(*at))
    }

    /// What page and problem document have in common.
    pub(crate) fn mark(&self, response: &mut Response) {
        response.extensions_mut().insert(self.request_id);
        if let Some(retry_after) = self.retry_after {
            let seconds = HeaderValue::from(retry_after.as_secs());
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
    }
}

/// What a page or a problem document may tell. One sentence stands for whatever is wrong
/// with launch parameters: who could tell one fault from another could try ciphertexts
/// out. What is wrong with name servers and certificates is nothing for outsiders.
fn told(error_name: ErrorName, detail: String) -> String {
    match error_name {
        ErrorName::LaunchParametersInvalid => {
            "the encrypted launch parameters cannot be used; the log says why".to_owned()
        }
        ErrorName::EhrDns | ErrorName::EhrTls => "the log has the cause".to_owned(),
        _ => detail,
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
