//! The visit in plain HTML, for browsers in which the landing page's module cannot run.
//!
//! `GET /api/telehealth/v1/launch/plain`: a form for the link. `POST` of the same: goes
//! into the visit, or on to the Connect web app. `GET …/plain/visit`: where the visit is.
//! `GET …/plain/visit/status`: the same in a frame of that page. `POST …/plain/visit`:
//! name, PIN, guest, once more or leave. A GET redeems nothing, and joins nothing but a
//! visit that this browser is in.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{RawQuery, State, rejection::BytesRejection},
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use vestibule_launch::{JoinLinkError, RequestId};

use super::caller::Caller;
use crate::{
    language::spoken,
    launch::{RedeemError, ResumeError},
    limits::Limited,
    plain::{
        self, Asked, Asking, Given, PATH, Page, PlainVisits, Stage, Step, Visit, VisitFault, Way,
    },
    security_headers::PageCsp,
    serving::body,
    state::AppState,
};

mod entering;
mod seeing;
mod telling;

/// Why a visit in plain HTML leads to an error page.
#[derive(Debug, thiserror::Error)]
pub enum PlainError {
    /// The form is too long or broke off.
    #[error("the form is longer than 64 KiB, or it broke off")]
    Body(StatusCode),
    /// The form is not one of these pages'.
    #[error("the form was sent from another site, or says nothing that is known")]
    Form,
    /// Too many come from one place.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// The ticket cannot be redeemed.
    #[error(transparent)]
    Ticket(#[from] RedeemError),
    /// What the tab remembers leads nowhere.
    #[error(transparent)]
    Tab(#[from] ResumeError),
    /// The visit does not go on.
    #[error(transparent)]
    Visit(#[from] VisitFault),
}

/// Where the visit's page is: `PATH` and `/visit`.
const VISIT: &str = "/api/telehealth/v1/launch/plain/visit";

type Body = Result<Bytes, BytesRejection>;

/// The routes. `visits` is what they work with.
pub(super) fn router(visits: PlainVisits) -> Router<AppState> {
    let visits = Arc::new(visits);
    let ask = {
        let visits = Arc::clone(&visits);
        move |State(state): State<AppState>, caller: Caller| {
            let visits = Arc::clone(&visits);
            async move { Request::new(&state, &visits, &caller).ask_for_link() }
        }
    };
    let begin = {
        let visits = Arc::clone(&visits);
        move |State(state): State<AppState>, caller: Caller, body: Body| {
            let visits = Arc::clone(&visits);
            async move { Request::new(&state, &visits, &caller).begin(body).await }
        }
    };
    let step = {
        let visits = Arc::clone(&visits);
        move |State(state): State<AppState>, caller: Caller, body: Body| {
            let visits = Arc::clone(&visits);
            async move { Request::new(&state, &visits, &caller).step(body).await }
        }
    };
    let look = {
        let visits = Arc::clone(&visits);
        move |State(state): State<AppState>, caller: Caller| {
            let visits = Arc::clone(&visits);
            async move { Request::new(&state, &visits, &caller).look().await }
        }
    };
    let framed = Arc::clone(&visits);
    let status = move |State(state): State<AppState>, caller: Caller, query: RawQuery| {
        let visits = Arc::clone(&visits);
        async move {
            let RawQuery(query) = query;
            let shown = query
                .as_deref()
                .and_then(|query| query.strip_prefix("shown="));
            let shown = shown.unwrap_or_default();
            Request::new(&state, &visits, &caller).status(shown).await
        }
    };
    let status = get(status).head(super::no_head);
    Router::new()
        .route(PATH, get(ask).head(super::no_head).post(begin))
        .route(VISIT, get(look).head(super::no_head).post(step))
        .route(&format!("{VISIT}/status"), seeing::in_frame(status, framed))
}

/// One request.
struct Request<'a> {
    state: &'a AppState,
    visits: &'a PlainVisits,
    caller: &'a Caller,
    /// None where visits are not joined here.
    node: Option<Asking<'a>>,
    /// For the log, where no launch is known.
    request_id: RequestId,
    /// The landing page's language, or else the browser's.
    language: Option<&'static str>,
}

/// What a request leads to.
enum Outcome {
    /// To the page of the visit.
    Visit(Box<Visit>),
    /// To another web app.
    Connect(HeaderValue),
    /// To another browser: link and PIN.
    Elsewhere { link: String, pin: Option<String> },
    /// A page, after which the browser forgets the visit.
    Over(Page<'static>),
}

/// A failure, and the visit that it belongs to, where that is known.
struct Failed {
    error: PlainError,
    visit: Option<Box<Visit>>,
}

impl<E: Into<PlainError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            visit: None,
        }
    }
}

impl<'a> Request<'a> {
    fn new(state: &'a AppState, visits: &'a PlainVisits, caller: &'a Caller) -> Self {
        Self {
            state,
            visits,
            caller,
            node: match &visits.way {
                Way::Join(node) => Some(node.asking()),
                Way::Connect { .. } | Way::Elsewhere => None,
            },
            request_id: state.tools.request_id(),
            language: caller.language,
        }
    }

    /// Goes on in this language, where there is one.
    fn speak(&mut self, language: Option<&'static str>) {
        self.language = language.or(self.language);
    }

    /// Goes on in a launch's language, where nobody chose one and the browser says none.
    fn speak_at_last(&mut self, language: Option<&str>) {
        self.language = self.language.or_else(|| language.and_then(spoken));
    }

    /// Goes on in the language in which a visit began.
    fn speak_as_in(&mut self, visit: &Visit) {
        self.speak(visit.language.as_deref().and_then(spoken));
    }

    /// The language of the pages: the one that was chosen, the browser's, the launch's, and
    /// at last the configuration's.
    fn language(&self) -> Option<&'static str> {
        self.language.or(self.visits.language)
    }

    fn ask_for_link(&self) -> Response {
        self.link_page(StatusCode::OK, false, Given::default())
    }

    /// The form for the link. It carries the key by which the browser may send it twice.
    fn link_page(&self, status: StatusCode, faulty: bool, mut given: Given) -> Response {
        if given.browser.is_empty() {
            given.browser = self.browser_key();
        }
        let given = &given;
        self.page(status, &Page::Link { faulty, given })
    }

    /// A link, a ticket or the parameters of a link.
    async fn begin(mut self, body: Body) -> Response {
        let form = match self.form(body).await {
            Ok(form) => form,
            Err(error) => return self.failed(error.into()).await,
        };
        let given = Given::read(&form);
        self.speak(given.language());
        // The landing page may stand on another site than this server; but nobody is put
        // into a visit by somebody else's page without wanting it.
        if self.is_from_another_site() {
            return self.link_page(StatusCode::OK, false, given);
        }
        match Asked::read(&form) {
            Ok(asked) => {
                let entered = self.enter(asked, &given).await;
                self.answer(entered).await
            }
            Err(JoinLinkError::NoConference | JoinLinkError::TooLong) => {
                let given = Given {
                    link: String::new(),
                    tab: String::new(),
                    ..given
                };
                self.link_page(StatusCode::UNPROCESSABLE_ENTITY, true, given)
            }
        }
    }

    async fn step(mut self, body: Body) -> Response {
        let visit = self.visit();
        if let Some(visit) = &visit {
            self.speak_as_in(visit);
        }
        let is_ours = !self.is_from_another_site();
        let step = self.form(body).await.and_then(|form| {
            let step = Step::read(&form).filter(|_| is_ours);
            step.ok_or(PlainError::Form)
        });
        let outcome = match (visit, step) {
            (_, Err(error)) => Err(error.into()),
            (None, Ok(Step::Leave)) => Ok(Outcome::Over(Page::Left)),
            (None, Ok(_)) => Ok(Outcome::Over(Page::Lost)),
            (Some(visit), Ok(step)) => self.stepped(visit, step).await,
        };
        self.answer(outcome).await
    }

    /// The body of a form, counted.
    async fn form(&self, body: Body) -> Result<Bytes, PlainError> {
        self.caller.count_launch(self.state, None).await?;
        body.map_err(|rejection| PlainError::Body(body::status(&rejection, rejection.status())))
    }

    /// Whether somebody else's page sends the form. Browsers that do not say where a form
    /// comes from are taken at their word.
    fn is_from_another_site(&self) -> bool {
        let site = self.caller.headers.get("sec-fetch-site");
        site.is_some_and(|site| site == "cross-site")
    }

    fn visit(&self) -> Option<Visit> {
        plain::read(&self.state.tools, &self.caller.headers)
    }

    /// 122 random bits in hexadecimal.
    fn browser_key(&self) -> String {
        let random = self.state.tools.request_id();
        let digits = random.as_bytes().iter().map(|byte| format!("{byte:02x}"));
        digits.collect()
    }

    /// Every form is answered with a redirect, so that a reload sends none again.
    async fn answer(&self, outcome: Result<Outcome, Failed>) -> Response {
        let to = |location| (StatusCode::SEE_OTHER, [(header::LOCATION, location)]);
        match outcome {
            Ok(Outcome::Visit(visit)) => {
                let response = to(HeaderValue::from_static(VISIT)).into_response();
                self.remembering(&visit, response).await
            }
            Ok(Outcome::Connect(location)) => to(location).into_response(),
            Ok(Outcome::Elsewhere { link, pin }) => {
                let (link, pin) = (&*link, pin.as_deref());
                self.page(StatusCode::OK, &Page::Elsewhere { link, pin })
            }
            Ok(Outcome::Over(page)) => self.over(&page),
            Err(failed) => self.failed(failed).await,
        }
    }

    async fn remembering(&self, visit: &Visit, mut response: Response) -> Response {
        match self.cookie(visit) {
            Ok(cookie) => {
                response.headers_mut().append(header::SET_COOKIE, cookie);
                if let Some(request_id) = visit.request_id {
                    response.extensions_mut().insert(request_id);
                }
                response
            }
            Err(fault) => {
                let visit = Some(Box::new(visit.clone()));
                let error = fault.into();
                self.failed(Failed { error, visit }).await
            }
        }
    }

    fn cookie(&self, visit: &Visit) -> Result<HeaderValue, VisitFault> {
        plain::remember(&self.state.tools, &self.caller.headers, visit)
    }

    /// A page after which the browser forgets the visit.
    fn over(&self, shown: &Page<'_>) -> Response {
        let mut response = self.page(status_of(shown), shown);
        let cookie = plain::forget(&self.caller.headers);
        response.headers_mut().append(header::SET_COOKIE, cookie);
        response
    }

    fn page(&self, status: StatusCode, page: &Page<'_>) -> Response {
        html(status, page.render(&self.visits.brand, self.language()))
    }
}

fn html(status: StatusCode, page: String) -> Response {
    let mut response = (status, Html(page)).into_response();
    response.extensions_mut().insert(PageCsp::Plain);
    response
}

fn status_of(page: &Page<'_>) -> StatusCode {
    match page {
        Page::Lost => StatusCode::GONE,
        Page::Unreached { .. } => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::OK,
    }
}

/// Whether a visit stays known where it does not go on now: what was wrong may pass, and
/// its ticket cannot be redeemed once more.
fn may_pass(fault: &VisitFault) -> bool {
    matches!(fault, VisitFault::PinLocked | VisitFault::Unavailable(_))
}

/// A visit that is to be joined once more.
fn unreached(mut visit: Visit, reference: String) -> Visit {
    visit.stay(Stage::Unreached { reference });
    visit
}
