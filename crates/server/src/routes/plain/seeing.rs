//! Where a visit is now, on its page and in the frame of that.

use std::{sync::Arc, time::Duration};

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header::SET_COOKIE},
    response::Response,
    routing::MethodRouter,
};
use tower_http::catch_panic::CatchPanicLayer;
use uuid::Uuid;
use vestibule_store::Reported;

use super::{Failed, PlainError, Request, html, may_pass, status_of};
use crate::{
    limits::Limited,
    plain::{self, Page, PlainVisits, Seen, Shown, Stage, Visit, VisitFault},
};

/// By which a browser loads a frame again. It is no part of any standard, and as old as
/// frames.
const REFRESH: HeaderName = HeaderName::from_static("refresh");

/// How soon a visit's page is loaded again where it could not be shown.
const AFTER_FAULT: Duration = Duration::from_secs(30);

/// How long a look may take: longer than the node may, and shorter than a request, whose end
/// would be an error page in the frame, and take a renewed token along.
const DEADLINE: Duration = Duration::from_secs(13);

impl Request<'_> {
    /// The page of the visit.
    pub(super) async fn look(mut self) -> Response {
        let Some(mut visit) = self.visit() else {
            return self.over(&Page::Lost);
        };
        self.speak_as_in(&visit);
        let seen = match self.see(&mut visit).await {
            Ok(seen) => seen,
            // The visit goes on all the same.
            Err(error @ PlainError::Limited(_)) => {
                return again(self.failed(error.into()).await, AFTER_FAULT);
            }
            Err(error) => {
                let passes = matches!(&error, PlainError::Visit(fault) if may_pass(fault));
                let visit = Some(Box::new(visit));
                let response = self.failed(Failed { error, visit }).await;
                return if passes {
                    again(response, AFTER_FAULT)
                } else {
                    response
                };
            }
        };
        let link = match seen {
            Seen::Joined { .. } => self.link(&visit).await,
            _ => String::new(),
        };
        match page_of(&seen, &visit, &link) {
            page @ (Page::Ended | Page::Lost) => self.over(&page),
            page => {
                let mut response = self.page(status_of(&page), &page);
                if let Some(period) = page.refresh_around() {
                    response = again(response, period);
                }
                self.remembering(&visit, response).await
            }
        }
    }

    /// The frame of a page that says `shown`. It forgets nothing: the page says the rest.
    pub(super) async fn status(mut self, shown: &str) -> Response {
        let Some(mut visit) = self.visit() else {
            return self.frame(&Page::Lost, shown);
        };
        self.speak_as_in(&visit);
        let seen = self.see(&mut visit).await;
        // Whatever becomes of the look, the token may have been renewed by it.
        let (cookie, seen) = match self.cookie(&visit) {
            Ok(cookie) => (Some(cookie), seen),
            Err(fault) => (None, Err(fault.into())),
        };
        let mut response = match seen {
            Ok(seen) => self.frame(&page_of(&seen, &visit, ""), shown),
            Err(error) => self.failing_frame(&error, &visit, shown),
        };
        response
            .headers_mut()
            .extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
        if let Some(request_id) = visit.request_id {
            response.extensions_mut().insert(request_id);
        }
        response
    }

    fn frame(&self, page: &Page<'_>, shown: &str) -> Response {
        let text = page.render_status(shown, &self.visits.brand, self.language());
        let response = html(StatusCode::OK, text);
        match page.refresh() {
            Some(period) => again(response, period),
            None => response,
        }
    }

    /// The frame where a look has failed: it looks again all the same.
    fn failing_frame(&self, error: &PlainError, visit: &Visit, shown: &str) -> Response {
        let request_id = visit.request_id.unwrap_or(self.request_id);
        let failed = self.state.failed(error, request_id);
        let (brand, language) = (&self.visits.brand, self.language());
        let text = match error {
            PlainError::Visit(VisitFault::NotFound | VisitFault::Refused) => {
                Page::Out.render_status(shown, brand, language)
            }
            _ => plain::render_unknown(brand, language),
        };
        let mut response = html(failed.status, text);
        failed.mark(&mut response);
        again(response, plain::refresh_unknown(failed.retry_after))
    }

    /// Looks at a visit, and tells of what has changed. Where that takes too long, what is
    /// known of the visit by then is remembered.
    async fn see(&self, visit: &mut Visit) -> Result<Seen, PlainError> {
        in_time(self.seen(visit)).await
    }

    async fn seen(&self, visit: &mut Visit) -> Result<Seen, PlainError> {
        let (Stage::In(session), Some(node)) = (&visit.stage, &self.node) else {
            return Ok(Seen::Asked);
        };
        let tools = &self.state.tools;
        let browser = Uuid::parse_str(&visit.browser).ok();
        let looks = &self.visits.looks;
        let limited = looks.look(self.caller.source, browser, tools.now());
        limited.map_err(Limited::from)?;
        let (session, before) = (session.clone(), visit.shown());
        let seen = plain::look(node, visit, session, tools.now()).await?;
        let event = |shown| match shown {
            Shown::Waiting | Shown::LetIn => Reported::Waiting,
            Shown::Joined => Reported::Joined,
        };
        if let Some(now) = visit.shown().map(event)
            && before.map(event) != Some(now)
        {
            self.tell(visit, now).await;
        }
        Ok(seen)
    }
}

/// What is seen, or that there is no answer yet.
async fn in_time(look: impl Future<Output = Result<Seen, PlainError>>) -> Result<Seen, PlainError> {
    let seen = tokio::time::timeout(DEADLINE, look).await;
    seen.unwrap_or_else(|_| {
        tracing::error!("a look at a visit took too long");
        Ok(Seen::Reconnecting)
    })
}

/// The route of a frame: it looks again also where it has panicked.
pub(super) fn in_frame<S>(route: MethodRouter<S>, visits: Arc<PlainVisits>) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    route.layer(CatchPanicLayer::custom(
        move |panic: Box<dyn std::any::Any + Send>| {
            drop(panic);
            panicked(&visits)
        },
    ))
}

fn panicked(visits: &PlainVisits) -> Response {
    tracing::error!("a look at a visit panicked");
    let text = plain::render_unknown(&visits.brand, visits.language);
    let response = html(StatusCode::INTERNAL_SERVER_ERROR, text);
    again(response, plain::refresh_unknown(None))
}

/// The same response, which the browser loads again by itself after a while.
fn again(mut response: Response, period: Duration) -> Response {
    let seconds = HeaderValue::from(period.as_secs());
    response.headers_mut().insert(REFRESH, seconds);
    response
}

fn page_of<'a>(seen: &'a Seen, visit: &'a Visit, link: &'a str) -> Page<'a> {
    match seen {
        Seen::Waiting => Page::Waiting,
        Seen::LetIn => Page::LetIn,
        Seen::Reconnecting => Page::Reconnecting,
        Seen::Ended => Page::Ended,
        Seen::Joined { role, people } => Page::Joined {
            role: *role,
            people: people.as_deref(),
            link,
            pin: visit.host_pin(),
        },
        Seen::Asked => match &visit.stage {
            Stage::Name { faulty } => Page::Name { faulty: *faulty },
            Stage::Pin { wanted, wrong } => Page::Pin {
                role: visit.role,
                wanted: *wanted,
                wrong: *wrong,
            },
            Stage::Unreached { reference } => Page::Unreached { reference },
            Stage::Out => Page::Out,
            // The configuration has changed, and visits are no longer joined here.
            Stage::In(_) => Page::Lost,
        },
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, http::Request, routing::get};
    use tower::ServiceExt as _;
    use vestibule_landing_page::PagePath;

    use super::*;
    use crate::{
        plain::{Brand, Looks, Way},
        routes::PAGE_DEADLINE,
        security_headers::PageCsp,
    };

    #[tokio::test(start_paused = true)]
    async fn a_look_that_takes_too_long_is_a_wait_and_ends_before_its_request_would() {
        const { assert!(DEADLINE.as_secs() < PAGE_DEADLINE.as_secs()) };
        let seen = in_time(std::future::pending()).await;
        assert!(matches!(seen, Ok(Seen::Reconnecting)));
        assert!(Page::Reconnecting.refresh().is_some());
        let seen = in_time(async { Ok(Seen::Waiting) }).await;
        assert!(matches!(seen, Ok(Seen::Waiting)));
    }

    #[tokio::test]
    async fn a_frame_whose_look_panics_looks_again() {
        async fn panics() {
            panic!("on purpose")
        }
        let visits = PlainVisits {
            way: Way::Elsewhere,
            looks: Looks::new(1),
            brand: Brand::of(&vestibule_landing_page::Configuration::default()),
            language: Some("de"),
            landing_page: PagePath::default(),
        };
        let route = in_frame(get(panics), Arc::new(visits));
        let router: Router = Router::new().route("/", route);
        let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[REFRESH], "30");
        let policy = response.extensions().get::<PageCsp>();
        assert_eq!(policy, Some(&PageCsp::Plain));
        let text = axum::body::to_bytes(response.into_body(), 65_536).await;
        let text = String::from_utf8(text.unwrap().to_vec()).unwrap();
        assert!(text.contains("lang=\"de\"") && text.contains("<body class=\"status\">"));
    }
}
