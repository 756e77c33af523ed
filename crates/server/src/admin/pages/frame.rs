//! What stands around every page, and how a page becomes an answer.

use std::sync::{Arc, LazyLock};

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use minijinja::{Value, context, value::Serde};
use serde::Serialize;
use uuid::Uuid;
use vestibule_store::{Launch, StoreError};

use super::{filter::Chosen, moment::Moment, templates::Templates};
use crate::{
    admin::{Admin, Administrator, Forbidden, Role},
    profile::Entry,
};

static TEMPLATES: LazyLock<Templates> = LazyLock::new(Templates::new);

/// Nothing but the server's own style, script and addresses.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// The parts of `/admin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Overview,
    Appointments,
    Launches,
    WriteBacks,
    Profiles,
    Audit,
    /// What was searched for.
    None,
}

#[derive(Serialize)]
struct SectionLink {
    path: &'static str,
    name: &'static str,
    current: bool,
}

#[derive(Serialize)]
struct Frame {
    sections: Vec<SectionLink>,
    csrf: String,
    name: String,
    role: &'static str,
    here: String,
    now: Moment,
    notice: Option<String>,
}

/// A page that is being made.
pub(super) struct PageOf<'a> {
    pub(super) admin: &'a Admin,
    pub(super) who: &'a Administrator,
    pub(super) section: Section,
    /// Where the page is found again.
    pub(super) here: String,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    #[error("the database does not answer")]
    Store(#[from] StoreError),
    #[error("a page cannot be rendered: {0}")]
    Template(#[from] minijinja::Error),
    #[error(transparent)]
    Chart(#[from] super::chart::NotDrawn),
    #[error("there is nothing here")]
    Missing,
    #[error("the role does not allow it")]
    Forbidden,
    /// What a file should hold cannot be read. Without it the file would hold more than
    /// was asked for.
    #[error("{0}")]
    Faults(String),
}

impl Section {
    const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Overview, "/admin", "Overview"),
        (Self::Appointments, "/admin/appointments", "Appointments"),
        (Self::Launches, "/admin/launches", "Launches"),
        (Self::WriteBacks, "/admin/write-backs", "Write-backs"),
        (Self::Profiles, "/admin/profiles", "Profiles"),
        (Self::Audit, "/admin/audit", "Audit"),
    ];
}

impl PageOf<'_> {
    /// The page, of this template and with this in it.
    pub(super) fn render(
        &self,
        template: &str,
        view: &impl Serialize,
    ) -> Result<Response, PageError> {
        self.render_with(template, view, None)
    }

    /// The same with a sentence about what was just done.
    pub(super) fn render_with(
        &self,
        template: &str,
        view: &impl Serialize,
        notice: Option<String>,
    ) -> Result<Response, PageError> {
        let who = self.who;
        let may_see = |section| section != Section::Audit || who.role >= Role::Configure;
        let sections = Section::ALL
            .into_iter()
            .filter(|(section, _, _)| may_see(*section));
        let sections = sections.map(|(section, path, name)| SectionLink {
            path,
            name,
            current: section == self.section,
        });
        let frame = Frame {
            sections: sections.collect(),
            csrf: self.who.csrf.clone(),
            name: self.who.name.clone(),
            role: self.who.role.as_str(),
            here: self.here.clone(),
            now: Moment::with_zone(self.admin.tools.now()),
            notice,
        };
        let frame = context! { frame => Serde(frame) };
        let view = Value::from(Serde(view));
        let text = TEMPLATES.render(template, context! { ..frame, ..view })?;
        Ok(html(StatusCode::OK, text))
    }
}

/// A page without the frame.
fn bare(status: StatusCode, template: &str, view: Value) -> Response {
    match TEMPLATES.render(template, view) {
        Ok(text) => html(status, text),
        Err(error) => {
            tracing::error!(%error, template, "admin pages");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                "an error in the server\n",
            )
                .into_response()
        }
    }
}

/// A page that says one thing.
pub(in crate::admin) fn message(status: StatusCode, heading: &str, text: &str) -> Response {
    bare(status, "message.html", context! { heading, text })
}

/// The page on which one signs in, perhaps after an attempt that failed. `next` is where
/// it goes on; `provider` is where one signs in by OpenID Connect, if one does.
pub(in crate::admin) fn sign_in(
    status: StatusCode,
    next: &str,
    fault: Option<&str>,
    provider: Option<&str>,
) -> Response {
    bare(status, "sign_in.html", context! { next, fault, provider })
}

fn html(status: StatusCode, text: String) -> Response {
    protected((status, Html(text)).into_response())
}

/// With the headers of a page of this listener.
pub(super) fn protected(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in protection() {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Puts the headers of a page on what has none of its own: redirects, and what the router
/// answers by itself.
pub(in crate::admin) async fn protect(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in protection() {
        let value = HeaderValue::from_static(value);
        headers.entry(name).or_insert(value);
    }
    response
}

fn protection() -> [(HeaderName, &'static str); 6] {
    [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ]
}

/// The profile of a launch or of an appointment, by its name.
pub(super) fn profile_name(admin: &Admin, uuid: Uuid) -> String {
    match admin.registry.find_uuid(uuid) {
        Some(entry) => entry.document.name.clone(),
        None => uuid.to_string(),
    }
}

/// The same of a launch, which may have named none.
pub(super) fn launch_profile(admin: &Admin, launch: &Launch) -> String {
    match launch.profile {
        Some(uuid) => profile_name(admin, uuid),
        None => "not known".to_owned(),
    }
}

/// The choices of a profile.
pub(super) fn profile_choices(admin: &Admin) -> Vec<(String, String)> {
    let entries = admin.registry.entries();
    let choice =
        |entry: &Arc<Entry>| (entry.document.uuid.to_string(), entry.document.name.clone());
    let any = (String::new(), "any".to_owned());
    std::iter::once(any)
        .chain(entries.iter().map(choice))
        .collect()
}

/// The profile that was chosen.
pub(super) fn chosen_profile(chosen: &mut Chosen) -> Option<Uuid> {
    chosen.read("profile", "a uuid", |text| text.parse().ok())
}

/// Where a launch's story is.
pub(super) fn launch_path(launch: &Launch) -> String {
    format!("/admin/launches/{}", launch.request_id)
}

impl From<Forbidden> for PageError {
    fn from(_: Forbidden) -> Self {
        Self::Forbidden
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let (status, heading, text) = match &self {
            Self::Forbidden => return Forbidden.into_response(),
            Self::Faults(faults) => {
                let heading = "This cannot be asked for";
                return message(StatusCode::BAD_REQUEST, heading, faults);
            }
            Self::Missing => (
                StatusCode::NOT_FOUND,
                "There is nothing here",
                "Perhaps the address is mistyped, or it was of something older than the \
                 retention time, which is forgotten.",
            ),
            Self::Store(error) => {
                tracing::error!(%error, "admin pages");
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The database does not answer",
                    "The server's log says why. Try again soon.",
                )
            }
            Self::Template(_) | Self::Chart(_) => {
                tracing::error!(error = %self, "admin pages");
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "An error in the server",
                    "The server's log says more.",
                )
            }
        };
        message(status, heading, text)
    }
}
