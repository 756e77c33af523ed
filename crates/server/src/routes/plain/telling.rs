//! What is told of a visit: to its launch, to the person, and to another browser.

use std::sync::Arc;

use axum::{http::header, response::Response};
use vestibule_launch::{JoinLink, LinkForm};
use vestibule_store::{Course, FailureSource, Launch, NewLaunchEvent, Recorded, Reported};

use super::{Failed, PlainError, Request, may_pass};
use crate::{
    error_page,
    launch::{self, alias_hash},
    plain::{self, Visit},
    profile::Profile,
    routes::launch_events::MOST,
    tools::Tools,
};

impl Request<'_> {
    /// Tells the launch of a visit what becomes of it, where it is this browser's own: the
    /// story of a launch is short, and is not for everybody who knows its alias to fill.
    pub(super) async fn tell(&self, visit: &Visit, event: Reported) {
        let Some(request_id) = visit.request_id.filter(|_| visit.is_own_launch) else {
            return;
        };
        let tools = &self.state.tools;
        let event = NewLaunchEvent {
            request_id,
            event,
            browser_time: None,
        };
        let store = &tools.store;
        let recording = store.record_event(event, Vec::new(), MOST, tools.now());
        match tools.telemetry.stored("record_event", recording).await {
            Ok(Recorded::Now) if event.event == Reported::Joined => {
                launch::count_joined(tools, request_id).await;
            }
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%request_id, %error, "what becomes of a visit could not be recorded");
            }
        }
    }

    /// Logs a failure, and tells the launch of it.
    pub(super) async fn record(
        &self,
        error: &PlainError,
        visit: Option<&Visit>,
    ) -> error_page::Failed {
        let launch = visit.and_then(|visit| visit.request_id);
        let request_id = launch.unwrap_or(self.request_id);
        let failed = self.state.failed(error, request_id);
        match visit {
            Some(visit) if visit.is_own_launch && failed.error_name.from_browser() => {
                self.tell(visit, Reported::Failed(failed.error_name)).await;
            }
            Some(_) if launch.is_some() => {
                let Tools {
                    store, telemetry, ..
                } = &self.state.tools;
                let source = FailureSource::Browser;
                let (name, course) = (failed.error_name, Course::default());
                let recording = store.record_failure(request_id, source, name, course, failed.at);
                let recorded = telemetry.stored("record_failure", recording);
                if let Err(error) = recorded.await {
                    tracing::error!(%request_id, %error, "a failure could not be recorded");
                }
            }
            _ => {}
        }
        failed
    }

    /// The profile's error page.
    pub(super) async fn failed(&self, failed: Failed) -> Response {
        let Failed { error, visit } = failed;
        let visit = visit.as_deref();
        let profile = match visit {
            Some(visit) => self.profile(visit).await,
            None => None,
        };
        let failed = self.record(&error, visit).await;
        let mut response = failed.page(profile.as_deref(), self.language());
        if let Some(visit) = visit {
            let kept = match &error {
                PlainError::Visit(fault) if may_pass(fault) => self.cookie(visit).ok(),
                _ => None,
            };
            let cookie = kept.unwrap_or_else(|| plain::forget(&self.caller.headers));
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }

    /// The launch of a visit, where it was one of ours.
    pub(super) async fn launch(&self, visit: &Visit) -> Option<Launch> {
        let tools = &self.state.tools;
        let found = match visit.request_id {
            Some(request_id) => {
                let finding = tools.store.find_launch(request_id);
                tools.telemetry.stored("find_launch", finding).await
            }
            None => {
                let routed = tools.routing.known_as(&visit.conference);
                let finding = tools.store.find_launch_by_alias(alias_hash(&routed));
                tools
                    .telemetry
                    .stored("find_launch_by_alias", finding)
                    .await
            }
        };
        found.unwrap_or_else(|error| {
            tracing::error!(%error, "a launch cannot be looked up");
            None
        })
    }

    async fn profile(&self, visit: &Visit) -> Option<Arc<Profile>> {
        visit.request_id?;
        let launch = self.launch(visit).await?;
        self.state.profiles.now().find(launch.profile?)
    }

    /// The same visit for another browser.
    pub(super) async fn link(&self, visit: &Visit) -> String {
        let profile = self.profile(visit).await;
        let base = self.web_app(profile.as_deref());
        visit.link().map_or_else(String::new, |link| {
            JoinLink::Classic(link).build(&base, LinkForm::Fragment)
        })
    }

    /// The landing page, without a slash at its end: below the address that the profile
    /// gives to join links, or else below the one at which the browser found this server.
    pub(super) fn web_app(&self, profile: Option<&Profile>) -> String {
        let base = profile.map(|profile| {
            let base = &profile.integration.infinity_webapp_server_base_url;
            base.trim_end_matches('/').to_owned()
        });
        let base = base.or_else(|| plain::own_origin(&self.caller.headers));
        let path = self.visits.landing_page.as_str().trim_end_matches('/');
        format!("{}{path}", base.unwrap_or_default())
    }
}
